"""Pictures of every kind, and what only looks like one."""

from __future__ import annotations

import random
import zlib
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from functions.thumbnail import thumbnail
from penstock import Reject
from penstock.testing import call

RED, BLUE = (255, 0, 0), (0, 0, 255)


def make_picture(
    mode: str = "RGB", size: tuple[int, int] = (640, 480), *, kind: str = "PNG", **options: Any
) -> bytes:
    """A picture whose left half is red (or light) and whose right half is blue (or dark)."""
    left, right = Image.new("RGB", size, RED), Image.new("RGB", size, BLUE)
    left.paste(right, (size[0] // 2, 0))
    target = BytesIO()
    left.convert(mode).save(target, kind, **options)
    return target.getvalue()


def shrink(image: bytes, width: int = 320) -> Image.Image:
    result = call(thumbnail, image=image, width=width)
    assert result.startswith(b"\x89PNG\r\n\x1a\n")
    small = Image.open(BytesIO(result))
    small.load()
    return small


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_every_format_becomes_a_smaller_png_of_the_same_shape(kind: str) -> None:
    small = shrink(make_picture(kind=kind), 64)

    assert small.size == (64, 48)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA"])
def test_every_png_mode_can_be_shrunk(mode: str) -> None:
    assert shrink(make_picture(mode), 10).size == (10, 8)


def test_deep_grey_keeps_its_brightness() -> None:
    deep = Image.new("I;16", (100, 100), 0x8000)
    target = BytesIO()
    deep.save(target, "PNG")

    assert shrink(target.getvalue(), 10).convert("L").getpixel((5, 5)) == pytest.approx(128, abs=2)


def test_a_printers_jpeg_is_turned_into_screen_colours() -> None:
    small = shrink(make_picture("CMYK", kind="JPEG"), 10).convert("RGB")

    red, green, blue = small.getpixel((1, 4))
    assert red > 200
    assert max(green, blue) < 60


def test_nothing_is_enlarged() -> None:
    assert shrink(make_picture(size=(100, 50)), 320).size == (100, 50)


def test_a_very_flat_picture_keeps_at_least_one_line() -> None:
    assert shrink(make_picture(size=(4000, 2)), 10).size == (10, 1)


def test_transparency_stays() -> None:
    target = BytesIO()
    Image.new("RGBA", (50, 50), (255, 0, 0, 0)).save(target, "PNG")

    assert shrink(target.getvalue(), 10).getpixel((5, 5))[3] == 0


@pytest.mark.parametrize(("orientation", "size"), [(1, (64, 48)), (3, (64, 48)), (6, (64, 85))])
def test_a_photo_comes_out_upright(orientation: int, size: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation

    small = shrink(make_picture(kind="JPEG", exif=exif), 64)

    assert small.size == size
    top_left = small.convert("RGB").getpixel((1, 1))
    assert (top_left[0] > top_left[2]) == (orientation != 3)
    assert not small.getexif()


@pytest.mark.parametrize("image", [b"", b"GIF89a", b"not a picture", b"<svg/>", b"%PDF-1.7"])
def test_what_is_no_picture_is_rejected(image: bytes) -> None:
    with pytest.raises(Reject, match="image is"):
        shrink(image)


def test_a_damaged_picture_is_rejected() -> None:
    whole = make_picture(kind="JPEG")

    with pytest.raises(Reject, match="damaged JPEG"):
        shrink(whole[: len(whole) // 2])


def test_damage_anywhere_never_ends_in_another_error() -> None:
    rng = random.Random(7)
    wholes = [make_picture(size=(64, 48), kind=kind) for kind in ("PNG", "JPEG", "GIF", "WEBP")]

    for _ in range(300):
        damaged = bytearray(rng.choice(wholes))
        for _ in range(rng.randint(1, 8)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        try:
            shrink(bytes(damaged), 16)
        except Reject:
            continue


def test_a_picture_of_too_many_pixels_is_rejected_before_it_is_decoded() -> None:
    header = b"IHDR" + (60_000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + (13).to_bytes(4, "big")
        + header
        + zlib.crc32(header).to_bytes(4, "big")
        + b"\x00\x00\x00\x00IDAT"
        + zlib.crc32(b"IDAT").to_bytes(4, "big")
    )

    with pytest.raises(Reject, match=r"60000 . 60000 pixels"):
        shrink(bomb)
