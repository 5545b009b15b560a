"""What a decision is known by can be computed by anybody from what is documented, and changes with every part of it."""

import base64
import hashlib
import json
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
import pytest

from origin.eligibility.digest import Decided, digest

ONE = Decided(
    ref=UUID(int=1),
    programme="demo",
    person=b"p" * 32,
    outcome="eligible",
    version=3,
    stands_for=None,
    ruleset="r" * 64,
    evaluator="2.0.0",
    as_of=date(2027, 3, 1),
    products=["168", "140"],
    dose=1,
    inputs_hash=b"h" * 32,
    branches=msgspec.Raw(b'[["offers.seniors","AGE_65_OR_OLDER",true]]'),
)


def test_anybody_can_compute_it_from_what_is_documented() -> None:
    """``docs/support.md`` has the order."""

    def coded(raw: bytes) -> str:
        return base64.b64encode(raw).decode()

    told = [
        "00000000-0000-0000-0000-000000000001",
        "demo",
        coded(b"p" * 32),
        "eligible",
        3,
        None,
        "r" * 64,
        "2.0.0",
        "2027-03-01",
        ["168", "140"],
        1,
        coded(b"h" * 32),
        [["offers.seniors", "AGE_65_OR_OLDER", True]],
        None,
    ]
    assert digest(ONE) == hashlib.sha256(json.dumps(told, separators=(",", ":")).encode()).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        {"ref": UUID(int=2)},
        {"programme": "other"},
        {"person": b"q" * 32},
        {"outcome": "incomplete"},
        {"version": 4},
        {"stands_for": 4},
        {"ruleset": "s" * 64},
        {"evaluator": "2.0.1"},
        {"as_of": date(2027, 3, 2)},
        {"products": ["168"]},
        {"products": None},
        {"dose": 2},
        {"inputs_hash": b"i" * 32},
        {"branches": msgspec.Raw(b'[["offers.seniors","AGE_65_OR_OLDER",false]]')},
        {"override": UUID(int=1)},
    ],
    ids=",".join,
)
def test_it_changes_with_every_part(change: dict[str, Any]) -> None:
    assert digest(msgspec.structs.replace(ONE, **change)) != digest(ONE)
