"""Declared facts at rest."""

from datetime import date
from uuid import UUID, uuid4

import pytest

from origin.eligibility.evaluator import Facts
from origin.eligibility.facts import FactSealer, FactsLost
from shared.ids import SystemIds
from shared.keys import KeyRing
from tests.origin_world import ORIGIN_KEYS, PERSON_KEYS

FACTS = Facts(date(1950, 5, 17), "ES-MD", "ISCO-221", ["diabetes"])
REF = UUID(int=7)
OTHER_KEY = b"another-key-for-tests-of-32bytes"


def sealer(ring: KeyRing = ORIGIN_KEYS, person: KeyRing = PERSON_KEYS) -> FactSealer:
    return FactSealer(ring, person, SystemIds())


def test_sealed_facts_open_for_their_decision_and_show_nothing() -> None:
    sealed = sealer().seal(FACTS, REF)
    assert sealer().open(sealed, REF) == FACTS
    assert b"1950" not in sealed
    assert b"diabetes" not in sealed
    assert sealer().seal(FACTS, REF) != sealed


def test_sealed_facts_open_for_no_other_decision_and_no_other_key() -> None:
    sealed = sealer().seal(FACTS, REF)
    for opener, ref, text in [
        (sealer(), uuid4(), sealed),
        (sealer(KeyRing("o1", {"o1": OTHER_KEY})), REF, sealed),
        (sealer(KeyRing("o2", {"o2": OTHER_KEY})), REF, sealed),
        (sealer(), REF, sealed[:-1]),
        (sealer(), REF, sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (sealer(), REF, b"\xff."),
        (sealer(), REF, b"o1."),
        (sealer(), REF, b""),
    ]:
        with pytest.raises(FactsLost):
            opener.open(text, ref)


def test_facts_sealed_under_an_older_key_still_open() -> None:
    sealed = sealer().seal(FACTS, REF)
    rotated = KeyRing("o2", {"o1": ORIGIN_KEYS.signing_key, "o2": OTHER_KEY})
    assert sealer(rotated).open(sealed, REF) == FACTS
    assert sealer(rotated).seal(FACTS, REF).startswith(b"o2.")


def test_the_hash_is_keyed_and_the_same_for_the_same_facts() -> None:
    assert sealer().hash(FACTS) == sealer().hash(Facts(date(1950, 5, 17), "ES-MD", "ISCO-221", ["diabetes"]))
    assert sealer().hash(FACTS) != sealer().hash(Facts(date(1950, 5, 18), "ES-MD", "ISCO-221", ["diabetes"]))
    assert sealer().hash(FACTS) != sealer(person=KeyRing("p", {"p": OTHER_KEY})).hash(FACTS)
