"""The challenge: solvable by anybody who speaks ALTCHA, by nobody else, for one room, for a while."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import altcha
import msgspec
import pytest

from edge.guard.challenge import LIVES_S, ChallengeRefused, Challenges
from edge.guard.notes import NoteRefused, Notes
from edge.guard.once import Mark
from shared.clock import ManualClock
from shared.ids import SystemIds
from shared.keys import KeyRing
from tests.edge_world import TICKET_KEYS, solved

EFFORT = 200


class World:
    """Challenges on a clock that is moved by hand."""

    def __init__(self) -> None:
        self.clock = ManualClock(datetime.now(UTC))
        self.challenges = Challenges(TICKET_KEYS, clock=self.clock, ids=SystemIds())

    def challenge(self, room: str = "demo") -> dict[str, Any]:
        made = self.challenges.make(room=room, effort=EFFORT, mark=Mark("batch", 7))
        found: dict[str, Any] = msgspec.to_builtins(made)
        return found

    def refusal(self, text: str, room: str = "demo") -> str:
        with pytest.raises(ChallengeRefused) as refused:
            self.challenges.check(text, room=room)
        return refused.value.reason


@pytest.fixture
def world() -> World:
    return World()


def test_a_solution_as_the_librarys_own_client_encodes_it_is_accepted(world: World) -> None:
    challenge = altcha.Challenge.from_dict(world.challenge())
    solution = altcha.solve_challenge(challenge)
    assert solution is not None
    assert EFFORT <= solution.counter < 2 * EFFORT == world.challenge()["parameters"]["data"]["limit"]
    text = altcha.Payload(challenge, solution).to_base64()
    assert world.challenges.check(text, room="demo") == Mark("batch", 7)


def test_no_two_challenges_are_alike(world: World) -> None:
    made = [world.challenge()["parameters"] for _ in range(50)]
    assert len({each["keyPrefix"] for each in made}) == len({each["nonce"] for each in made}) == 50


def altered(challenge: dict[str, Any], /, **changes: object) -> str:
    text = json.loads(base64.b64decode(solved(challenge)))
    for path, value in changes.items():
        *parents, name = path.split("__")
        at = text
        for parent in parents:
            at = at[parent]
        at[name] = value
    return base64.b64encode(json.dumps(text).encode()).decode()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"challenge__parameters__data__room": "other"}, "bad_signature"),
        ({"challenge__parameters__data__n": 8}, "bad_signature"),
        ({"challenge__parameters__keyPrefix": "0" * 32}, "bad_signature"),
        ({"challenge__parameters__expiresAt": 4_000_000_000}, "bad_signature"),
        ({"challenge__signature": ""}, "bad_signature"),
        ({"challenge__signature": "é"}, "bad_signature"),
        ({"challenge__parameters__data__kid": "t9"}, "unknown_key"),
        ({"solution__counter": 1}, "unsolved"),
        ({"solution__derivedKey": "0" * 64}, "unsolved"),
        ({"solution__counter": -1}, "malformed"),
        ({"solution__counter": 2**40}, "malformed"),
        ({"solution__counter": "5"}, "malformed"),
        ({"challenge__parameters__cost": 10**9}, "malformed"),
        ({"challenge__parameters__algorithm": "SCRYPT"}, "malformed"),
        ({"challenge__parameters__data": None}, "malformed"),
        ({"challenge__parameters__keySignature": "00"}, "malformed"),
        ({"challenge": []}, "malformed"),
    ],
)
def test_whatever_is_altered_is_refused(world: World, changes: dict[str, object], reason: str) -> None:
    assert world.refusal(altered(world.challenge(), **changes)) == reason


@pytest.mark.parametrize(
    "text", ["", "x", "e30=", "bnVsbA==", "é", "A" * 5000, "W1tbW1s=", base64.b64encode(b"\xff").decode()]
)
def test_nonsense_is_malformed(world: World, text: str) -> None:
    assert world.refusal(text) == "malformed"


def test_a_solution_opens_its_own_room_until_it_expires(world: World) -> None:
    text = solved(world.challenge())
    assert world.refusal(text, room="other") == "wrong_room"
    world.clock.advance(LIVES_S - 2)
    assert world.challenges.check(text, room="demo") == Mark("batch", 7)
    world.clock.advance(2)
    assert world.refusal(text) == "expired"


def test_a_challenge_of_a_key_that_no_longer_signs_is_still_good(world: World) -> None:
    text = solved(world.challenge())
    rotated = KeyRing("t2", {"t2": b"b" * 32, "t1": TICKET_KEYS.signing_key})
    assert Challenges(rotated, clock=world.clock, ids=SystemIds()).check(text, room="demo") == Mark("batch", 7)


def test_a_note_is_good_in_its_room_from_its_time_to_its_end() -> None:
    clock = ManualClock(datetime(2026, 11, 22, tzinfo=UTC))
    notes = Notes("wait", TICKET_KEYS, clock=clock, lives_s=300)
    text = notes.write(room="demo", mark=Mark("b", 3), wait_s=20)

    def refusal(room: str = "demo", of: Notes = notes, given: str = text) -> tuple[str, int]:
        with pytest.raises(NoteRefused) as refused:
            of.read(given, room=room)
        return refused.value.reason, refused.value.wait_s

    assert refusal() == ("too_early", 21)
    clock.advance(19.5)
    assert refusal() == ("too_early", 1)
    clock.advance(0.5)
    assert notes.read(text, room="demo") == Mark("b", 3)
    assert refusal(room="other") == ("wrong_room", 0)
    assert refusal(given=text[:-2] + "AA") == ("bad_signature", 0)
    assert refusal(given="no.note") == ("malformed", 0)
    assert refusal(of=Notes("visit", TICKET_KEYS, clock=clock, lives_s=300)) == ("bad_signature", 0)
    assert refusal(of=Notes("wait", KeyRing("x", {"x": b"x" * 32}), clock=clock, lives_s=300)) == ("unknown_key", 0)
    clock.advance(300)
    assert refusal() == ("expired", 0)
