"""Tickets: what they hold, and what is no ticket."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.line.ticket import TicketRefused, Tickets
from shared.keys import KeyRing
from shared.token import AdmissionTokens
from tests.edge_world import TICKET_KEYS


def issued(tickets: Tickets, place: int = 7) -> str:
    return tickets.issue(room="demo", epoch=1, number=place, ticket_id="i" * 22, iat=1_800_000_000)


def test_a_ticket_holds_its_place() -> None:
    text = issued(Tickets(TICKET_KEYS))
    for tickets in (Tickets(TICKET_KEYS), Tickets(TICKET_KEYS)):
        for _ in range(3):
            ticket = tickets.open(text, room="demo", epoch=1)
            assert (ticket.number, ticket.room, ticket.epoch, ticket.id) == (7, "demo", 1, "i" * 22)


@given(st.data())
def test_no_altered_ticket_is_opened(data: st.DataObject) -> None:
    tickets = Tickets(TICKET_KEYS)
    text = issued(tickets)
    tickets.open(text, room="demo", epoch=1)  # knowing the good one does not help the bad one
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(codec="latin-1").filter(lambda character: character != text[at]))
    with pytest.raises(TicketRefused) as refused:
        tickets.open(text[:at] + other + text[at + 1 :], room="demo", epoch=1)
    assert refused.value.reason in {"malformed", "unknown_key", "bad_signature"}


@given(st.text(max_size=300))
def test_no_text_is_a_ticket(text: str) -> None:
    with pytest.raises(TicketRefused):
        Tickets(TICKET_KEYS).open(text, room="demo", epoch=1)


def test_a_known_ticket_is_still_refused_elsewhere() -> None:
    tickets = Tickets(TICKET_KEYS)
    text = issued(tickets)
    tickets.open(text, room="demo", epoch=1)
    for room, epoch, reason in (("other", 1, "wrong_room"), ("demo", 2, "stale")):
        with pytest.raises(TicketRefused) as refused:
            tickets.open(text, room=room, epoch=epoch)
        assert refused.value.reason == reason


def test_tickets_of_the_last_key_are_good_after_a_rotation() -> None:
    old = KeyRing("t1", {"t1": b"1" * 32})
    text = issued(Tickets(old))
    rotated = KeyRing("t2", {"t1": b"1" * 32, "t2": b"2" * 32})
    assert Tickets(rotated).open(text, room="demo", epoch=1).number == 7
    with pytest.raises(TicketRefused, match="unknown_key"):
        Tickets(KeyRing("t2", {"t2": b"2" * 32})).open(text, room="demo", epoch=1)


def test_an_admission_token_is_no_ticket_though_the_key_be_the_same() -> None:
    token = AdmissionTokens(TICKET_KEYS).issue(room="demo", ticket_id="i" * 22, iat=1, ttl_s=1)
    with pytest.raises(TicketRefused):
        Tickets(TICKET_KEYS).open(token, room="demo", epoch=1)
