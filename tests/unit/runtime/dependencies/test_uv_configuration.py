"""Whoever can `pip install` on a machine can deploy: pip's configuration in uv's words."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.dependencies.uv_configuration import configure, mask

PIP = {
    "PIP_INDEX_URL": "https://me:hush@index.test/packages",
    "PIP_EXTRA_INDEX_URL": "https://one.test/packages https://two.test/packages",
    "PIP_FIND_LINKS": "/wheels /more",
    "PIP_TRUSTED_HOST": "index.test",
    "PIP_CERT": "/ca.pem",
    "PIP_CONFIG_FILE": "/dev/null",
}


@pytest.fixture
def clean(tmp_path: Path) -> dict[str, str]:
    """A machine on which neither is configured."""
    return {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path)}


def test_pips_configuration_is_said_in_uvs_words(clean: dict[str, str]):
    found = configure(clean | PIP).environment

    assert found["UV_DEFAULT_INDEX"] == "https://me:hush@index.test/packages"
    assert found["UV_INDEX"] == "https://one.test/packages https://two.test/packages"
    assert found["UV_FIND_LINKS"] == "/wheels,/more"
    assert found["UV_INSECURE_HOST"] == "index.test"
    assert found["SSL_CERT_FILE"] == "/ca.pem"
    assert found["UV_INDEX_STRATEGY"] == "unsafe-best-match"  # as pip chooses


def test_uvs_own_configuration_wins(clean: dict[str, str]):
    found = configure(clean | PIP | {"UV_DEFAULT_INDEX": "https://own.test/packages"})

    assert found.environment["UV_DEFAULT_INDEX"] == "https://own.test/packages"
    assert "UV_FIND_LINKS" not in found.environment
    assert found.from_pip == ()


def test_a_file_of_uvs_counts_as_its_configuration(clean: dict[str, str], tmp_path: Path):
    file = tmp_path / "uv.toml"
    file.write_text('[[index]]\nurl = "https://own.test/packages"\n')

    found = configure(clean | PIP | {"UV_CONFIG_FILE": str(file)})

    assert "UV_DEFAULT_INDEX" not in found.environment


@pytest.mark.parametrize(("source", "is_translated"), [("uv", False), ("pip", True)])
def test_the_operator_decides(clean: dict[str, str], source, is_translated: bool):
    own = {"UV_INDEX": "https://own.test/packages"}

    found = configure(clean | PIP | own, source=source)

    assert ("UV_FIND_LINKS" in found.environment) == is_translated


def test_no_index_is_an_option(clean: dict[str, str]):
    assert configure(clean | {"PIP_NO_INDEX": "1"}).arguments == ("--no-index",)


def test_nothing_of_ours_and_no_secret_of_others_is_passed_on(clean: dict[str, str]):
    ours = {"PENSTOCK_REDIS": "redis://x", "PENSTOCK_CALLBACK_SECRET": "y", "AWS_SECRET": "z"}
    passed = {"HTTPS_PROXY": "http://proxy.test", "NETRC": "/netrc", "UV_OFFLINE": "1"}

    found = configure(clean | ours | passed).environment

    assert not ours.keys() & found.keys()
    assert passed.items() <= found.items()


def test_credentials_in_addresses_are_masked():
    text = "fetching https://me:hush@index.test/packages/ and http://token@other.test/x failed"

    assert (
        mask(text) == "fetching https://***@index.test/packages/ and http://***@other.test/x failed"
    )
