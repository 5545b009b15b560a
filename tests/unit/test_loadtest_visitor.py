"""A visitor keeps to the contract: polls as told, comes again when put off, takes an alternative under a fresh key."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from loadtest.drill.answers import Answer
from loadtest.drill.plan import Home, Person, Plan
from loadtest.drill.trail import Event
from loadtest.drill.visitor import Visitor

TOKEN = "eyJpZCI6ICJ0aGUtdG9rZW4taWQiLCAiaWF0IjogMTAwfQ.signature"  # {"id": "the-token-id", "iat": 100}


def standing(state: str, ahead: int = 0, poll: float = 2.0) -> dict[str, Any]:
    wait = {"p50_s": 3, "p90_s": 5}
    return {
        "place": 7,
        "ahead": ahead,
        "state": state,
        "wait": wait,
        "poll_after_s": poll,
        "as_of": "2027-01-04T08:00Z",
    }


def slots(*numbers: int) -> list[dict[str, Any]]:
    return [{"id": number, "product": "140"} for number in numbers]


ELIGIBLE = {"decision_ref": "d", "outcome": "eligible", "grants": {"products": ["140"], "dose": 1}}


@dataclass
class Script:
    """Answers by step, the last one again and again; records what was asked, moves its own clock."""

    answers: dict[str, list[Answer]]
    asked: list[tuple[str, object, Mapping[str, str]]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    now: float = 0.0

    def __call__(
        self, method: str, url: str, *, name: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        assert url.startswith("http://")
        assert (method == "GET") == (body is None and method != "DELETE")
        self.asked.append((name, body, headers or {}))
        left = self.answers[name]
        return left.pop(0) if len(left) > 1 else left[0]

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def keys(self) -> list[str]:
        return [headers["Idempotency-Key"] for name, _, headers in self.asked if name == "book"]


def a_good_day(**changes: list[Answer]) -> Script:
    answers = {
        "join": [Answer(201, standing("waiting", 6))],
        "standing": [Answer(200, standing("waiting", 2)), Answer(200, standing("called"))],
        "claim": [Answer(201, {"token": TOKEN})],
        "exchange": [Answer(200, {})],
        "evaluate": [Answer(200, ELIGIBLE)],
        "search": [Answer(200, {"slots": slots(1, 2)})],
        "book": [Answer(201, {"id": "appointment"})],
        "leave": [Answer(204, {})],
    }
    return Script(answers | changes)


def walk(script: Script, monkeypatch: pytest.MonkeyPatch, **person: Any) -> str:
    monkeypatch.setattr(time, "monotonic", lambda: script.now)
    somebody = Person(0, "bearer", Home("north", 1, 2), date(1940, 1, 1), **person)
    plan = Plan("http://edge", "http://origin", "demo", 50, 10, 1000, "", [somebody])
    return Visitor(0, plan, script, script.events.append, script.sleep, 1000).walk()


def test_the_whole_way_leaves_its_trail(monkeypatch: pytest.MonkeyPatch) -> None:
    script = a_good_day()
    assert walk(script, monkeypatch) == "booked"
    ways = ["arrive", "join", "standing", "standing", "claim", "exchange", "evaluate", "search", "book", "end"]
    assert [event.what for event in script.events] == ways
    claim = script.events[4]
    assert (claim.token_id, claim.issued_at) == ("the-token-id", 100.0)
    assert script.events[8].appointment == "appointment"
    assert script.slept[:2] == [2.0, 2.0]


def test_who_is_paced_comes_again_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    paced = Answer(429, {"code": "paced"}, retry_after_s=9.0)
    script = a_good_day(claim=[paced, Answer(201, {"token": TOKEN})])
    assert walk(script, monkeypatch) == "booked"
    assert 9.0 in script.slept


def test_a_booking_without_an_answer_is_sent_again_under_the_same_key(monkeypatch: pytest.MonkeyPatch) -> None:
    script = a_good_day(book=[Answer(0, {}), Answer(503, {}, 4.0), Answer(201, {"id": "appointment"})])
    assert walk(script, monkeypatch) == "booked"
    assert len(script.keys()) == 3
    assert len(set(script.keys())) == 1
    assert 4.0 in script.slept


def test_a_slot_that_is_gone_is_replaced_by_an_alternative_under_a_fresh_key(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Answer(409, {"code": "slot_gone", "alternatives": slots(8, 9)})
    script = a_good_day(book=[gone, Answer(201, {"id": "appointment"})])
    assert walk(script, monkeypatch) == "booked"
    wanted = [body["slot_id"] for name, body, _ in script.asked if name == "book" and isinstance(body, dict)]
    assert wanted == [1, 8]
    assert len(set(script.keys())) == 2


def test_a_double_click_sends_the_same_request_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    script = a_good_day()
    assert walk(script, monkeypatch, double_click=True) == "booked"
    assert [event.what for event in script.events].count("claim") == 2
    assert len(script.keys()) == 2
    assert len(set(script.keys())) == 1


def test_only_granted_products_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    script = a_good_day(search=[Answer(200, {"slots": [{"id": 3, "product": "168"}, *slots(4)]})])
    walk(script, monkeypatch)
    assert script.events[-2].slot == "4"


def entered() -> dict[str, Any]:
    drawn_later = {"place": None, "ahead": None, "entry": 4, "state": "entered", "wait": None}
    return standing("waiting") | drawn_later | {"wait_reason": None}


def test_an_entry_of_a_lottery_waits_to_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = Answer(200, standing("called") | {"wait_reason": "rate_lowered"})
    script = a_good_day(join=[Answer(201, entered())], standing=[Answer(200, entered()), drawn])
    assert walk(script, monkeypatch) == "booked"
    assert [event.place for event in script.events[1:4]] == [None, None, 7]
    assert [event.wait_reason for event in script.events[1:4]] == ["", "", "rate_lowered"]


@pytest.mark.parametrize("leaving", ["silent", "says_so"])
def test_an_entry_of_a_lottery_may_leave(monkeypatch: pytest.MonkeyPatch, leaving: str) -> None:
    script = a_good_day(join=[Answer(201, entered())], standing=[Answer(200, entered())])
    assert walk(script, monkeypatch, leaving=leaving, leaves_after=0.5) == "left"


@pytest.mark.parametrize(("leaving", "last"), [("silent", "vanish"), ("says_so", "leave")])
def test_who_leaves_while_waiting_never_claims(monkeypatch: pytest.MonkeyPatch, leaving: str, last: str) -> None:
    script = a_good_day(standing=[Answer(200, standing("waiting", 2))])
    assert walk(script, monkeypatch, leaving=leaving, leaves_after=0.5) == "left"
    assert script.events[-2].what == last
    assert "claim" not in [event.what for event in script.events]


@pytest.mark.parametrize(
    ("step", "answer", "outcome"),
    [
        ("join", Answer(409, {"code": "room_closed"}), "refused"),
        ("standing", Answer(401, {"code": "ticket_stale"}), "refused"),
        ("claim", Answer(410, {"code": "ticket_left"}), "refused"),
        ("evaluate", Answer(200, ELIGIBLE | {"outcome": "not_eligible"}), "ineligible"),
        ("search", Answer(200, {"slots": []}), "no_supply"),
        ("book", Answer(423, {"code": "frozen"}), "refused"),
        ("exchange", Answer(503, {}, 600.0), "out_of_time"),
    ],
)
def test_a_lasting_refusal_ends_the_visit(
    monkeypatch: pytest.MonkeyPatch, step: str, answer: Answer, outcome: str
) -> None:
    assert walk(a_good_day(**{step: [answer]}), monkeypatch) == outcome
