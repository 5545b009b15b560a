"""What is sealed opens where it was put, under any key that is still there, and nowhere else."""

import pytest

from origin.sealing import Lost, Vault
from shared.ids import SystemIds
from shared.keys import KeyRing

OLD = {"k1": b"the first key, thirty-two bytes!"}
NEW = {"k2": b"the second one, thirty-two bytes"}


def test_it_opens_under_any_key_of_the_ring_and_tells_which_is_current() -> None:
    before, during = Vault(KeyRing("k1", OLD), "a", SystemIds()), Vault(KeyRing("k2", OLD | NEW), "a", SystemIds())
    sealed = before.seal(b"Kim", b"row 1")
    assert b"Kim" not in sealed
    assert (before.is_current(sealed), during.is_current(sealed)) == (True, False)
    again = during.seal(during.open(sealed, b"row 1"), b"row 1")
    after = Vault(KeyRing("k2", NEW), "a", SystemIds())
    assert (after.is_current(again), after.open(again, b"row 1")) == (True, b"Kim")
    with pytest.raises(Lost):
        after.open(sealed, b"row 1")


@pytest.mark.parametrize(("purpose", "bound"), [("a", b"row 2"), ("b", b"row 1")])
def test_it_opens_nowhere_else_and_not_for_another_purpose(purpose: str, bound: bytes) -> None:
    ring = KeyRing("k1", OLD)
    sealed = Vault(ring, "a", SystemIds()).seal(b"Kim", b"row 1")
    with pytest.raises(Lost):
        Vault(ring, purpose, SystemIds()).open(sealed, bound)


def test_what_was_altered_or_cut_does_not_open() -> None:
    vault = Vault(KeyRing("k1", OLD), "a", SystemIds())
    sealed = vault.seal(b"Kim", b"row 1")
    for spoilt in (sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:10], b"", b"k1.", b"\xff." + sealed):
        with pytest.raises(Lost):
            vault.open(spoilt, b"row 1")
