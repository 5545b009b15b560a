"""A proof of work in front of a place: ALTCHA (library ``altcha``, protocol version 2), without a third party. Pure.

The client looks for the counter whose SHA-256 begins as the challenge says; the counter is drawn between one and two
times the effort, so that nobody searches for ever. Making or checking one costs the server a hash and a signature.
"""

import base64
import hashlib
import hmac
from typing import Annotated, Literal

import altcha
import msgspec

from edge.guard.once import Mark
from shared.clock import Clock
from shared.ids import Ids
from shared.keys import KeyRing

LIVES_S = 300
MAX_SOLUTION_LENGTH = 4_096
ALGORITHM = "SHA-256"

Refusal = Literal[
    "malformed", "unknown_key", "bad_signature", "wrong_room", "expired", "unsolved", "too_early", "spent"
]
REFUSALS: tuple[Refusal, ...] = (
    "malformed",
    "unknown_key",
    "bad_signature",
    "wrong_room",
    "expired",
    "unsolved",
    "too_early",
    "spent",
)


class ChallengeRefused(Exception):
    """A solution that opens nothing; ``reason`` is one of ``REFUSALS``. ``wait_s`` is what ``too_early`` lacks."""

    def __init__(self, reason: Refusal, wait_s: int = 0) -> None:
        super().__init__(reason)
        self.reason: Refusal = reason
        self.wait_s = wait_s


class ChallengeData(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a challenge is bound to. The counter is below ``limit``: how far a client has to look."""

    room: str
    kid: str
    batch: str
    n: int
    limit: int


class ChallengeParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The parameters of an ALTCHA challenge; ``expires_at`` is in Unix seconds."""

    algorithm: Literal["SHA-256"]
    nonce: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    salt: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    cost: Literal[1]
    key_length: Literal[32]
    key_prefix: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    expires_at: int
    data: ChallengeData


class Challenge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An ALTCHA challenge, as ``GET …/challenge`` hands it out and a solution brings it back."""

    parameters: ChallengeParameters
    signature: str


class _Found(msgspec.Struct, frozen=True, rename="camel"):
    counter: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
    derived_key: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class _Solved(msgspec.Struct, frozen=True):
    challenge: Challenge
    solution: _Found


_decode = msgspec.json.Decoder(_Solved).decode


class Challenges:
    """Makes challenges and checks solutions. Keys are derived from the ring that signs tickets."""

    def __init__(self, ring: KeyRing, *, clock: Clock, ids: Ids) -> None:
        self._ring = ring
        self._clock = clock
        self._ids = ids

    def make(self, *, room: str, effort: int, mark: Mark) -> Challenge:
        """Return a challenge that takes between ``effort`` and twice as many hashes."""
        drawn = hashlib.sha256(self._ids.secret(16).encode()).digest()
        kid = self._ring.current
        data = ChallengeData(room, kid, mark.batch, mark.n, 2 * effort)
        made = altcha.create_challenge(
            ALGORITHM,
            1,
            counter=effort + int.from_bytes(drawn[:8], "big") % effort,
            expires_at=int(self._clock.unix()) + LIVES_S,
            data=msgspec.to_builtins(data),
            hmac_secret=_derived(self._ring.signing_key),
        )
        return msgspec.convert(made.to_dict(), Challenge)

    def check(self, text: str, *, room: str) -> Mark:
        """Return the mark of a solved challenge of this room, which is still to be spent.

        Raises:
            ChallengeRefused: with the first reason that applies, in the order of ``REFUSALS``.
        """
        solved = _read(text)
        parameters = solved.challenge.parameters
        key = self._ring.get(parameters.data.kid)
        if key is None:
            raise ChallengeRefused("unknown_key")
        expired = parameters.expires_at <= self._clock.unix()
        verdict = altcha.verify_solution(_payload(solved), _derived(key))
        if verdict.invalid_signature:
            raise ChallengeRefused("bad_signature")
        if expired or verdict.expired:
            raise ChallengeRefused("expired")
        if parameters.data.room != room:
            raise ChallengeRefused("wrong_room")
        if not verdict.verified:
            raise ChallengeRefused("unsolved")
        return Mark(parameters.data.batch, parameters.data.n)


def _derived(key: bytes) -> bytes:
    return hmac.digest(key, b"vestibule:challenge", "sha256")


def _read(text: str) -> _Solved:
    """Read a solution strictly: what the library is handed has exactly the form that it was made with."""
    if len(text) > MAX_SOLUTION_LENGTH:
        raise ChallengeRefused("malformed")
    try:
        return _decode(base64.b64decode(text, validate=True))
    except (msgspec.DecodeError, ValueError):
        raise ChallengeRefused("malformed") from None


def _payload(solved: _Solved) -> altcha.Payload:
    return altcha.Payload(
        altcha.Challenge.from_dict(msgspec.to_builtins(solved.challenge)),
        altcha.Solution(solved.solution.counter, solved.solution.derived_key),
    )
