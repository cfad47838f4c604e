"""Discovery: what is a function file, what a helper, what is told to be wrong."""

from __future__ import annotations

import pytest

from runtime.registry.discovery import discover


def discovered_names(root):
    return [found.name for found in discover(root)]


def test_files_and_folders_make_dotted_names(write):
    root = write({"hello.py": "", "billing/invoice.py": "", "billing/eu/vat.py": ""})

    assert discovered_names(root) == ["billing.eu.vat", "billing.invoice", "hello"]


def test_helpers_hidden_files_caches_and_other_files_are_no_functions(write):
    root = write(
        {
            "_shared.py": "",
            "_lib/deep/er.py": "",
            "__init__.py": "",
            ".hidden.py": "",
            ".git/hook.py": "",
            "__pycache__/x.py": "",
            "notes.txt": "",
            "data.pyc": "",
        }
    )

    assert discovered_names(root) == []


@pytest.mark.parametrize(
    "file",
    [
        "Hello.py",
        "my-file.py",
        "1st.py",
        "a.b.py",
        "ünder.py",
        "Sub/ok.py",
        "a b.py",
        f"{'x' * 129}.py",
    ],
)
def test_a_wrongly_named_file_is_reported(write, file):
    [found] = discover(write({file: "x = 1"}))

    assert found.bundle is None
    assert found.error is not None
    assert (found.error.type, found.error.file) == ("BadName", file)


def test_a_name_of_128_characters_is_the_longest(write):
    root = write({f"{'a' * 100}/{'b' * 27}.py": "", f"{'a' * 100}/{'b' * 28}.py": ""})

    assert [found.error is None for found in discover(root)] == [True, False]


def test_dangling_links_are_no_files_and_links_to_files_are(write):
    root = write({"real.py": ""})
    (root / "alias.py").symlink_to(root / "real.py")
    (root / "dangling.py").symlink_to(root / "gone.py")

    assert discovered_names(root) == ["alias", "real"]


def test_folders_that_contain_themselves_end(write):
    root = write({"sub/f.py": ""})
    (root / "sub" / "again").symlink_to(root / "sub")
    (root / "other").symlink_to(root / "sub")

    assert discovered_names(root) == ["other.f", "sub.f"]


def test_a_folder_called_like_a_file_is_a_folder(write):
    root = write({"odd.py/inner.py": ""})

    [found] = discover(root)

    assert found.error is not None
    assert found.file == "odd.py/inner.py"


def test_a_bundle_has_the_helpers_beside_and_above_and_no_others(write):
    root = write(
        {
            "billing/eu/vat.py": "f",
            "billing/eu/_rates.py": "1",
            "billing/eu/_tables/world.py": "2",
            "billing/_money.py": "3",
            "_shared.py": "4",
            "billing/us/_tax.py": "no",
            "billing/other.py": "no",
            "_shared.txt": "no",
        }
    )

    [vat] = [found.bundle for found in discover(root) if found.name == "billing.eu.vat"]

    assert vat is not None
    assert set(vat.sources) == {
        "billing/eu/vat.py",
        "billing/eu/_rates.py",
        "billing/eu/_tables/world.py",
        "billing/_money.py",
        "_shared.py",
    }


def test_a_file_too_big_is_reported(write):
    [found] = discover(write({"big.py": "#" * (8 * 1024 * 1024 + 1)}))

    assert found.error is not None
    assert found.error.type == "TooLarge"


def test_a_folder_that_is_not_there_is_an_error_and_not_an_empty_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        discover(tmp_path / "absent")
