"""The admission token: signed by the edge, verified by the origin without a network call."""

import pytest

from shared.keys import KeyRing
from shared.token import AdmissionTokens, TokenRefused, token_id

KEY = KeyRing("k1", {"k1": b"1" * 32})
TOKENS = AdmissionTokens(KEY)
ISSUED = 1_800_000_000


def issue(**changes: object) -> str:
    fields: dict[str, object] = {"room": "demo", "ticket_id": "ticket-1", "iat": ISSUED, "ttl_s": 600} | changes
    return TOKENS.issue(**fields)  # type: ignore[arg-type]  # the fields above


def reason(text: str, *, now: float = ISSUED + 1, leeway_s: float = 5) -> str:
    with pytest.raises(TokenRefused) as refused:
        TOKENS.verify(text, rooms={"demo"}, now=now, leeway_s=leeway_s)
    return refused.value.reason


def test_a_fresh_token_says_what_was_put_into_it() -> None:
    token = TOKENS.verify(issue(), rooms={"demo"}, now=ISSUED, leeway_s=0)
    assert (token.room, token.scope, token.iat, token.exp) == ("demo", "book", ISSUED, ISSUED + 600)


def test_the_same_ticket_always_yields_the_same_token_id_and_no_other_ticket_does() -> None:
    first = TOKENS.verify(issue(), rooms={"demo"}, now=ISSUED, leeway_s=0)
    again = TOKENS.verify(issue(iat=ISSUED + 300), rooms={"demo"}, now=ISSUED + 300, leeway_s=0)
    assert first.id == again.id == token_id("ticket-1") != token_id("ticket-2")


@pytest.mark.parametrize(
    ("text", "now", "expected"),
    [
        ("", ISSUED, "missing"),
        ("nonsense", ISSUED, "malformed"),
        (issue(), ISSUED + 606, "expired"),
        (issue(), ISSUED - 6, "not_yet_valid"),
        (issue(room="other"), ISSUED, "wrong_room"),
        (issue(scope="read"), ISSUED, "wrong_scope"),
        (issue()[:-1] + "x", ISSUED, "bad_signature"),
        (
            AdmissionTokens(KeyRing("k2", {"k2": b"2" * 32})).issue(room="demo", ticket_id="t", iat=ISSUED, ttl_s=9),
            ISSUED,
            "unknown_key",
        ),
    ],
)
def test_each_fault_is_refused_with_its_reason(text: str, now: float, expected: str) -> None:
    assert reason(text, now=now) == expected


def test_skew_up_to_the_leeway_is_forgiven_and_not_a_moment_more() -> None:
    for now in (ISSUED - 5, ISSUED + 605):
        TOKENS.verify(issue(), rooms={"demo"}, now=now, leeway_s=5)
    assert reason(issue(), now=ISSUED - 5.1) == "not_yet_valid"
    assert reason(issue(), now=ISSUED + 605.1) == "expired"
