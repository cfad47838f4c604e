"""A file publishes under names that its text accounts for, and speaks for no other file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runtime.errors import LoadError
from runtime.registry.bundle import Bundle
from runtime.registry.child_load import check_claims
from runtime.registry.manifest import FileError, Manifest

SOURCES = {
    "shop/order.py": b"@function(name='sell')\ndef buy(): ...\ndef make_add(): ...\nNAME = named\n",
    "shop/_names.py": b"named = 'stock.take'\n",
}
BUNDLE = Bundle(root="/srv/functions", file="shop/order.py", sources=SOURCES)
OWN = Manifest(name="shop.order", version=BUNDLE.version, file=BUNDLE.file)


@pytest.mark.parametrize(
    "name",
    ["shop.order", "shop.order.late", "shop.order_2", "sell", "shop.buy", "stock.take"],
)
def test_it_may_publish(name):
    check_claims(BUNDLE, [OWN, replace(OWN, name=name)] if name != OWN.name else [OWN])


@pytest.mark.parametrize(
    "name",
    [
        "victim",
        "shop.victim",
        "buy_more",
        "shop.add",
        "other.buy",
        "shop",
        "stock",
        "take",
        "orders",
    ],
)
def test_it_may_not_publish(name):
    with pytest.raises(LoadError, match=r"is not written in the file.*'shop\.order\.'") as reported:
        check_claims(BUNDLE, [replace(OWN, name=name)])

    assert (reported.value.kind, reported.value.file) == ("BadName", "shop/order.py")


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"file": "victim.py"}, "Garbled"),
        ({"version": "0" * 12}, "Garbled"),
        ({"version": ""}, "Garbled"),
        ({"error": FileError(type="x", message="y", file="victim.py")}, "Garbled"),
        ({"name": "Shop.order"}, "BadName"),
        ({"name": "x" * 5000}, "BadName"),
        ({"name": ""}, "BadName"),
    ],
)
def test_it_may_not_speak_for_another(changes, kind):
    with pytest.raises(LoadError) as reported:
        check_claims(BUNDLE, [OWN, replace(OWN, **changes)])

    assert reported.value.kind == kind
    assert len(str(reported.value)) < 300


def test_it_may_not_publish_one_name_twice():
    with pytest.raises(LoadError, match="twice"):
        check_claims(BUNDLE, [OWN, OWN])
