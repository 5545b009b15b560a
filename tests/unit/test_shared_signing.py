"""A11: what a visitor carries is refused, with a reason, when anything about it is wrong."""

import base64
import hashlib
import hmac
import string

import itsdangerous
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.keys import KeyRing
from shared.signing import Sealer, SignatureRefused


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kid: str
    text: str


RING = KeyRing("new", {"old": b"o" * 32, "new": b"n" * 32})


def sealer(ring: KeyRing = RING, purpose: str = "note") -> Sealer[Note]:
    return Sealer(Note, ring, purpose)


def refusal(text: str, opener: Sealer[Note]) -> str:
    with pytest.raises(SignatureRefused) as refused:
        opener.open(text)
    return refused.value.reason


@given(st.text(max_size=50), st.sampled_from(["old", "new"]))
def test_what_was_sealed_opens_to_the_same_payload_with_every_key_of_the_ring(text: str, kid: str) -> None:
    note = Note(kid, text)
    assert sealer().open(sealer().seal(note)) == note


@given(st.data())
def test_no_single_changed_character_is_accepted(data: st.DataObject) -> None:
    signed = sealer().seal(Note("new", "hello"))
    position = data.draw(st.integers(0, len(signed) - 1))
    other = data.draw(
        st.sampled_from(string.ascii_letters + string.digits + "-_.=").filter(lambda c: c != signed[position])
    )
    with pytest.raises(SignatureRefused):
        sealer().open(signed[:position] + other + signed[position + 1 :])


@given(st.text(max_size=200))
def test_garbage_is_refused_and_never_a_crash(text: str) -> None:
    assert refusal(text, sealer()) in {"malformed", "unknown_key", "bad_signature"}


@given(st.text(max_size=200))
def test_what_is_sealed_is_what_itsdangerous_signs(text: str) -> None:
    derived = hmac.digest(b"n" * 32, b"vestibule:note", "sha256")
    signer = itsdangerous.Signer(derived, key_derivation="none", digest_method=hashlib.sha256)
    sealed = sealer().seal(Note("new", text))
    body, _, _ = sealed.partition(".")
    assert base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)) == msgspec.json.encode(Note("new", text))
    assert sealed == signer.sign(body).decode()


def test_a_key_that_is_not_in_the_ring_is_named_as_the_reason() -> None:
    stranger = KeyRing("theirs", {"theirs": b"t" * 32})
    assert refusal(sealer(stranger).seal(Note("theirs", "x")), sealer()) == "unknown_key"


def test_a_value_signed_for_one_purpose_is_not_valid_for_another() -> None:
    assert refusal(sealer(purpose="ticket").seal(Note("new", "x")), sealer(purpose="session")) == "bad_signature"


def test_the_same_kid_with_another_key_is_a_bad_signature() -> None:
    forged = sealer(KeyRing("new", {"new": b"f" * 32})).seal(Note("new", "x"))
    assert refusal(forged, sealer()) == "bad_signature"


def test_a_very_long_value_is_refused_before_it_is_decoded() -> None:
    assert refusal("a" * 100_000, sealer()) == "malformed"
