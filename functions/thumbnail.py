"""Shrink pictures. The input is not trusted: its format and size are checked, and so is damage."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Annotated

from PIL import Image, ImageOps
from pydantic import Field

from penstock import Context, Reject, function

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
MOST_PIXELS = 50_000_000
ORIENTATION_TAG = 0x0112
SIDEWAYS = frozenset({5, 6, 7, 8})
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)

# Our own limit is stricter and is checked before any pixel is decoded.
Image.MAX_IMAGE_PIXELS = None

Png = Annotated[bytes, Field(json_schema_extra={"contentMediaType": "image/png"})]


@function(timeout="30s", retries=2, concurrency=4)
def thumbnail(
    image: bytes, width: Annotated[int, Field(gt=0, le=4096)] = 320, *, ctx: Context
) -> Png:
    """Shrink a picture to the given width.

    The aspect ratio and transparency are kept, and a photo's EXIF orientation is applied. A picture
    that is already narrower keeps its size; pictures are never enlarged. Of an animation the first
    frame is used. Metadata, such as the location of a photo, is removed.

    Args:
        image: The picture as PNG, JPEG, WebP, GIF or BMP, with at most 50 million pixels.
        width: Width of the result in pixels.

    Returns:
        The smaller picture as PNG.
    """
    try:
        picture = Image.open(BytesIO(image), formats=FORMATS)
    except DAMAGED as error:
        raise Reject(
            f"image is not a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} picture"
        ) from error
    if picture.width * picture.height > MOST_PIXELS:
        raise Reject(
            f"image has {picture.width} × {picture.height} pixels; the limit is {MOST_PIXELS:,}"
        )
    try:
        small = _shrink(picture, width)
    except DAMAGED as error:
        raise Reject(f"image is a damaged {picture.format} picture: {error}") from error
    ctx.log.info("%s %d×%d → PNG %d×%d", picture.format, picture.width, picture.height, *small.size)
    target = BytesIO()
    small.save(target, "PNG", icc_profile=small.info.get("icc_profile"))
    return target.getvalue()


def _shrink(picture: Image.Image, width: int) -> Image.Image:
    """Return the upright picture, at most `width` wide."""
    is_sideways = picture.getexif().get(ORIENTATION_TAG) in SIDEWAYS
    stored = (picture.width, picture.height)
    upright_width, upright_height = stored[::-1] if is_sideways else stored
    width = min(width, upright_width)
    height = max(1, round(upright_height * width / upright_width))
    size = (height, width) if is_sideways else (width, height)
    # A JPEG can be decoded at 1/2, 1/4 or 1/8 of its size: choose at least twice the target size.
    picture.draft(None, (size[0] * 2, size[1] * 2))
    small = _plain(picture)
    if small.size != size:
        small = small.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    return ImageOps.exif_transpose(small)


def _plain(picture: Image.Image) -> Image.Image:
    """Return the pixels in a mode that can be scaled and written as PNG."""
    if picture.mode in {"L", "LA", "RGB", "RGBA"} and "transparency" not in picture.info:
        picture.load()
        return picture
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    if picture.mode.startswith(("I", "F")):
        deep = picture.convert("I")
        return deep.point(lambda level: level / 256).convert("L")
    if picture.mode == "1":
        return picture.convert("L")
    plain = picture.convert("RGB")
    if picture.mode == "CMYK":
        plain.info.pop("icc_profile", None)
    return plain
