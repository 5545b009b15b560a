"""What is told of a room's history: every change once, under an id of its own, and nothing that has not happened."""

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.events.happenings import KINDS, Happening, Kind, Seen, observe
from edge.line.room import HELD, Picture
from tests import edge_world

START = 1_800_000_000_000_000
SECOND = 1_000_000


def picture(at_s: float = 0, **changes: Any) -> Picture:
    """An open room, ``at_s`` seconds after the start."""
    return edge_world.picture(at_us=START + round(at_s * SECOND), **changes)


def history(*pictures: Picture, before: Seen | None = None) -> list[Happening]:
    """What is told of these looks, with the memory kept as the store keeps it."""
    told: list[Happening] = []
    for each in pictures:
        before, happened = observe("demo", before, each)
        before = msgspec.json.decode(msgspec.json.encode(before), type=Seen | None)
        told += happened
    return told


def kinds(*pictures: Picture) -> list[str]:
    return [each.type.removeprefix("room.") for each in history(*pictures)]


@pytest.mark.parametrize(
    ("states", "told"),
    [
        (["open", "paused", "open"], ["paused", "resumed"]),
        (["open", "draining", "closed", "open"], ["draining", "closed", "opened"]),
        (["scheduled", "prequeue", "open", "closed"], ["opened", "closed"]),
        (["paused", "prequeue", "open"], ["opened"]),
        (["paused", "something-new", "paused"], ["paused"]),
        (["open", "open"], []),
        (["closed"], []),
    ],
)
def test_each_change_of_state_is_told_and_a_first_look_tells_nothing(states: list[str], told: list[str]) -> None:
    looks = [picture(at, state=state, version=at + 1) for at, state in enumerate(states)]
    assert kinds(*looks) == told


def test_what_the_booking_system_brings_about_is_told_with_its_reason() -> None:
    told = history(picture(0), picture(1, held="frozen", version=2), picture(2, version=3))
    assert [(each.type, each.state, each.reason) for each in told] == [
        ("room.paused", "paused", "frozen"),
        ("room.resumed", "open", ""),
    ]
    [paused] = history(picture(0), picture(1, state="paused", reason="lunch", version=2))
    assert paused.reason == "lunch"


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        (["sold_out", ""], ["sold_out", "supply_back"]),
        (["sold_out", "frozen", ""], ["sold_out", "supply_back", "paused", "resumed"]),
        (["sold_out", "origin_down", "sold_out"], ["sold_out", "paused", "sold_out"]),
        (["sold_out", "origin_down", ""], ["sold_out", "paused", "supply_back", "resumed"]),
    ],
)
def test_supply_is_back_when_it_is_known_to_be(looks: list[str], told: list[str]) -> None:
    assert kinds(picture(0), *(picture(at, held=held, version=at) for at, held in enumerate(looks, 1))) == told


def test_a_room_that_is_closed_while_it_is_sold_out_is_told_to_be_closed() -> None:
    looks = [
        picture(1, held="sold_out", version=2),
        picture(2, held="sold_out", state="closed", version=3),
        picture(3, state="closed", version=4),
        picture(4, version=5),
    ]
    assert kinds(picture(0), *looks) == ["sold_out", "closed", "supply_back", "opened"]


def test_a_line_that_stands_still_is_stuck_until_it_moves() -> None:
    waits = {"joined": 5, "called": 2}
    looks = [picture(at, **waits) for at in range(0, 200, 10)]
    [stuck] = history(*looks)
    assert (stuck.type, stuck.id, stuck.joined, stuck.called) == ("room.stuck", "evt_demo_1_stuck_2", 5, 2)
    assert (stuck.at.timestamp() * SECOND - START) == 60 * SECOND
    moved = [*looks, picture(201, joined=5, called=3), *(picture(at, joined=5, called=3) for at in range(202, 300))]
    assert [each.id for each in history(*moved)] == [stuck.id, "evt_demo_1_unstuck_2", "evt_demo_1_stuck_3"]


def test_a_line_that_moves_now_and_then_is_not_stuck() -> None:
    assert kinds(*(picture(at, joined=100, called=at // 50) for at in range(0, 500, 10))) == []


@pytest.mark.parametrize(
    ("window", "rate", "seconds"), [(10, 10.0, 60), (45, 10.0, 90), (10, 0.01, 300)], ids=["minute", "windows", "rare"]
)
def test_how_long_a_line_may_stand_still(window: int, rate: float, seconds: int) -> None:
    first = picture(0, joined=5, window=window, rate=rate)
    just_before = picture(seconds - 0.001, joined=5, window=window, rate=rate)
    assert kinds(first, just_before) == []
    assert kinds(first, just_before, picture(seconds, joined=5, window=window, rate=rate)) == ["stuck"]


@pytest.mark.parametrize("change", [{"state": "paused"}, {"held": "frozen"}, {"state": "draining"}, {"called": 5}])
def test_only_an_open_room_where_people_wait_is_stuck(change: dict[str, Any]) -> None:
    looks = [picture(at, **({"joined": 5} | change)) for at in range(0, 500, 10)]
    assert kinds(*looks) == []
    opened = [picture(at, joined=5, version=2, called=change.get("called", 0)) for at in range(500, 560, 10)]
    assert "stuck" not in kinds(*looks, *opened), "the time begins when people can be called"


def test_a_pause_does_not_unstick_a_line_but_a_new_one_does() -> None:
    stuck = [picture(0, joined=5), picture(60, joined=5)]
    paused = [*stuck, picture(61, joined=5, state="paused", version=2), picture(62, joined=5, version=3)]
    assert kinds(*paused) == ["stuck", "paused", "resumed"]
    told = history(*stuck, picture(61, epoch=2, version=2))
    assert [each.id for each in told] == ["evt_demo_1_stuck_0", "evt_demo_1_unstuck_0", "evt_demo_2_opened_2"]


def test_a_look_that_is_old_or_at_a_store_that_heals_teaches_nothing() -> None:
    seen, _ = observe("demo", None, picture(10, version=5))
    for old in (
        picture(9, version=5, state="paused"),
        picture(11, version=4, state="paused"),
        picture(12, version=6, state="closed", healing=True),
    ):
        assert observe("demo", seen, old) == (seen, [])
    assert observe("demo", None, picture(0, healing=True)) == (None, [])


def test_a_state_that_time_brings_back_under_the_same_settings_has_an_id_of_its_own() -> None:
    told = history(picture(0), *(picture(at, held="frozen" if at % 2 else "") for at in range(1, 5)))
    assert [each.id for each in told] == [
        "evt_demo_1_paused_1",
        "evt_demo_1_resumed_1",
        "evt_demo_1_paused_1_2",
        "evt_demo_1_resumed_1_2",
    ]


def test_the_body_is_small_json_of_what_is_public() -> None:
    [paused] = history(picture(0), picture(1, state="paused", reason="lunch", version=7, joined=9, remaining=3))
    assert msgspec.json.decode(msgspec.json.encode(paused)) == {
        "id": "evt_demo_1_paused_7",
        "type": "room.paused",
        "at": "2027-01-15T08:00:01Z",
        "room": "demo",
        "state": "paused",
        "joined": 9,
        "called": 0,
        "admitted": 0,
        "remaining": 3,
        "reason": "lunch",
    }


def test_every_kind_is_named_once() -> None:
    assert get_args(Kind) == KINDS


class _Step(msgspec.Struct, frozen=True):
    seconds: int
    state: str
    held: str
    joins: int
    calls: int
    renewed: bool
    healing: bool
    is_set: bool


_steps = st.builds(
    _Step,
    seconds=st.one_of(st.integers(1, 3), st.integers(20, 90)),
    state=st.sampled_from(["open", "open", "paused", "draining", "closed", "prequeue", "unheard-of"]),
    held=st.sampled_from(["", "", "", *HELD]),
    joins=st.integers(0, 3),
    calls=st.integers(0, 1),
    renewed=st.integers(0, 20).map(lambda number: number == 0),
    healing=st.integers(0, 9).map(lambda number: number == 0),
    is_set=st.booleans(),
)


def lived(steps: list[_Step]) -> list[Picture]:
    """A room's looks along random steps; settings change with or without a new version, as time may change them."""
    now = picture()
    looks = [now]
    for step in steps:
        joined = 0 if step.renewed else now.joined + step.joins
        now = edge_world.picture(
            at_us=now.at_us + step.seconds * SECOND,
            state=step.state,
            held=step.held,
            epoch=now.epoch + step.renewed,
            version=now.version + step.is_set,
            joined=joined,
            called=0 if step.renewed else min(joined, now.called + step.calls),
            healing=step.healing,
        )
        looks.append(now)
    return looks


@given(st.lists(_steps, max_size=40), st.data())
def test_every_change_is_told_once_under_its_own_id_whoever_looks_when_and_however_often(
    steps: list[_Step], data: st.DataObject
) -> None:
    looks = lived(steps)
    told = history(*looks)
    assert len({each.id for each in told}) == len(told)
    assert history(*(look for look in looks for _ in range(2))) == told, "looking twice tells nothing more"
    late = data.draw(st.lists(st.integers(0, len(looks) - 1), max_size=10))
    again = [*looks]
    for index in sorted(late, reverse=True):  # another edge's look at the same room arrives late
        again.insert(data.draw(st.integers(index, len(again))), looks[index])
    assert {each.id for each in history(*again)} == {each.id for each in told}


@given(st.lists(_steps, max_size=40))
def test_what_is_told_leads_to_the_state_that_visitors_see(steps: list[_Step]) -> None:
    """A receiver that follows the events knows the state, but for phases that are not told."""
    leads_to = {"opened": "open", "resumed": "open", "paused": "paused", "draining": "draining", "closed": "closed"}
    leads_to |= {"sold_out": "closed"}
    before, _ = observe("demo", None, picture())
    state, is_stuck = "open", False
    for look in lived(steps):
        before, happened = observe("demo", before, look)
        for each in happened:
            kind = each.type.removeprefix("room.")
            state = each.state
            assert state == leads_to.get(kind, state)
            if kind in {"stuck", "unstuck"}:
                assert is_stuck == (kind == "unstuck"), "by turns"
                is_stuck = kind == "stuck"
        if not look.healing and look.shown in leads_to.values():
            assert state == look.shown
