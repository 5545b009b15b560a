"""Who may take a place: not too often from one address, with a challenge solved and a cookie kept where the room says.

Nothing here burns a place: whatever is refused is refused before the line is asked. Limits give way when the store is
away (refusing everybody would be worse than counting nobody for a while); marks that work once do not, for then there
is no line to join either.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple, NoReturn

import msgspec
from limits.aio.strategies import MovingWindowRateLimiter
from pydantic import IPvAnyNetwork
from starlette.types import Scope

from edge import errors
from edge.guard import challenge, pass_guard
from edge.guard.addresses import Clients
from edge.guard.challenge import Challenge, ChallengeRefused, Challenges
from edge.guard.metrics import GuardMetrics
from edge.guard.notes import NoteRefused, Notes
from edge.guard.once import Mark, Once, Spent
from edge.guard.pass_guard import PassGuard
from edge.guard.passes import Passes
from edge.guard.quota import WINDOW_S, Limited, Quota, SharedStorage
from edge.line.line import Closed, Counting
from edge.line.room import ChallengeKind, Kind, Picture, RoomPlan
from edge.line.store import Store
from shared.clock import Clock, elapsed_s
from shared.ids import Ids
from shared.keys import KeyRing
from shared.problem import Problem

VISIT_LIVES_S = 600
Headers = Sequence[tuple[bytes, bytes]]


class Proof(msgspec.Struct, frozen=True):
    """What a visitor brings to show good faith: a solution (or a note of having waited), and the cookie of a visit."""

    solution: str | None = None
    visit: str | None = None


class RoomGuard:
    """The guard of one room."""

    def __init__(self, plan: RoomPlan, once: Once, passes: PassGuard | None, guard: "Guard") -> None:
        self.plan = plan
        self.once = once
        self.passes = passes
        self._guard = guard

    def challenge(self, effort: int | None = None) -> Challenge:
        """Return a fresh challenge."""
        self._guard.metrics.challenged("issued")
        effort = effort or self.plan.challenge_effort
        return self._guard.challenges.make(room=self.plan.id, effort=effort, mark=self.once.mark())

    def wait_note(self) -> str:
        """Return the note for those who wait instead of computing."""
        self._guard.metrics.challenged("wait_issued")
        return self._guard.waits.write(room=self.plan.id, mark=self.once.mark(), wait_s=self.plan.challenge_wait_s)

    def visit_cookie(self) -> str:
        """Return the ``Set-Cookie`` value that makes a browser come back."""
        text = self._guard.visits.write(room=self.plan.id, mark=self.once.mark())
        ending = "; Secure" if self._guard.secure_cookies else ""
        return (
            f"{visit_cookie_name(self.plan.id)}={text}; Path=/; Max-Age={VISIT_LIVES_S}; HttpOnly; SameSite=Lax{ending}"
        )

    def asked(self, picture: Picture | None) -> ChallengeKind:
        """Return what newcomers are asked to solve; ``picture`` is the last that was seen of the room."""
        return (picture.challenge if picture else "") or self.plan.challenge

    def asks(self, picture: Picture | None) -> bool:
        """Whether newcomers must bring anything at all."""
        return self.plan.require_cookie or self.asked(picture) != "off"

    async def admit(self, proof: Proof, picture: Picture | None) -> None:
        """Let pass who may take a place now; what was brought is used up.

        Raises:
            Problem: ``cookie_required``, ``challenge_missing``, ``challenge_refused`` with the reason as a member.
            Closed: nobody can join, so nothing was used up.
            StoreUnavailable: whether it was used up is not known.
        """
        asked = self.asked(picture)
        if asked == "off" and not self.plan.require_cookie:
            return
        if picture and picture.state == "closed":
            raise Closed
        visit = self._visit(proof.visit) if self.plan.require_cookie else None
        solved = self._solution(proof.solution) if asked == "altcha" else None
        if visit and not await self.once.spend(visit):
            self._come_back("spent")
        if solved and not await self.once.spend(solved):
            self._refuse(ChallengeRefused("spent"))
        if solved:
            self._guard.metrics.challenged("accepted")

    def _visit(self, text: str | None) -> Mark:
        if not text:
            self._come_back("missing")
        try:
            return self._guard.visits.read(text, room=self.plan.id)
        except NoteRefused as refused:
            self._come_back(refused.reason)

    def _come_back(self, reason: str) -> NoReturn:
        self._guard.metrics.cookie_required(reason)
        raise Problem(errors.COOKIE_REQUIRED, headers={"Set-Cookie": self.visit_cookie()})

    def _solution(self, text: str | None) -> Mark:
        if not text:
            self._guard.metrics.challenged("missing")
            raise Problem(errors.CHALLENGE_MISSING)
        try:
            if "." in text:
                return self._guard.waits.read(text, room=self.plan.id)
            return self._guard.challenges.check(text, room=self.plan.id)
        except NoteRefused as refused:
            self._refuse(ChallengeRefused(refused.reason, refused.wait_s))
        except ChallengeRefused as refused:
            self._refuse(refused)

    def _refuse(self, refused: ChallengeRefused) -> NoReturn:
        self._guard.metrics.challenged(refused.reason)
        raise Problem(errors.CHALLENGE_REFUSED, reason=refused.reason, wait_s=refused.wait_s)


class _Limit(NamedTuple):
    """A quota and how it is told: the field of its policy, and the value of the one that says what is left."""

    quota: Quota
    policy: tuple[bytes, bytes]
    left: bytes

    @classmethod
    def of(cls, kind: Kind, quota: Quota) -> "_Limit":
        name = kind.encode()
        policy = b'"%b";q=%d;w=%d' % (name, quota.per_window, WINDOW_S)
        return cls(quota, (b"ratelimit-policy", policy), b'"%b";r=%%d;t=%%d' % name)


class Guard:
    """The guards of all rooms of one edge; a room has one from when it is opened."""

    def __init__(
        self,
        client: Store,
        ring: KeyRing,
        metrics: GuardMetrics,
        counting: Counting,
        *,
        trusted_proxies: Sequence[IPvAnyNetwork],
        secure_cookies: bool,
        clock: Clock,
        ids: Ids,
        once: type[Once] = Once,
    ) -> None:
        self.metrics = metrics
        self.secure_cookies = secure_cookies
        self.challenges = Challenges(ring, clock=clock, ids=ids)
        self.waits = Notes("wait", ring, clock=clock, lives_s=challenge.LIVES_S)
        self.visits = Notes("visit", ring, clock=clock, lives_s=VISIT_LIVES_S)
        self._clients = Clients(trusted_proxies)
        self._passes = Passes(ring)
        self._spent = partial(Spent, client, counting=counting)
        self._once = partial(once, client, counting=counting, clock=clock, ids=ids)
        self._limiter = MovingWindowRateLimiter(SharedStorage(client))
        self._clock = clock
        self._limits: dict[tuple[str, Kind], _Limit] = {}
        self.rooms: dict[str, RoomGuard] = {}

    def open(self, plan: RoomPlan) -> RoomGuard:
        """Guard one more room."""
        for kind, limit in plan.limits.by_kind():
            opened = self.metrics.opened[kind]
            quota = Quota(f"{{{plan.id}}}:{kind}", limit, self._limiter, self._clock, opened)
            self._limits[plan.id, kind] = _Limit.of(kind, quota)
        once = self._once(plan.id, keep_s=VISIT_LIVES_S + plan.challenge_wait_s)
        guard = RoomGuard(plan, once, self._pass_guard(plan), self)
        self.rooms[plan.id] = guard
        return guard

    def _pass_guard(self, plan: RoomPlan) -> PassGuard | None:
        lanes = [lane.lane for lane in plan.lanes if lane.access == "pass"]
        if not lanes:
            return None
        spent = self._spent(plan.id, "passes", keep_s=pass_guard.KEEP_S)
        return PassGuard(plan.id, lanes, self._passes, spent, self.metrics.passed)

    async def limit(self, scope: Scope, room: str, kind: Kind) -> Headers:
        """Count a request against its address; return the fields that tell what is left.

        They are those of draft-ietf-httpapi-ratelimit-headers-10; what is left is what this edge knows of.

        Raises:
            Problem: ``too_many_requests``.
        """
        limit = self._limits.get((room, kind))
        if limit is None:
            return ()
        quota = limit.quota
        now = elapsed_s()
        address = self._clients.key(scope)
        left = quota.take(address, now)
        if left is None:
            try:
                left = await quota.ask(address, now)
            except Limited as refused:
                raise self._too_many(limit, kind, refused.retry_after_s) from None
        return (limit.policy, (b"ratelimit", limit.left % (left, quota.seconds_left(now))))

    def _too_many(self, limit: "_Limit", kind: Kind, retry_after_s: int) -> Problem:
        self.metrics.limited[kind]()
        name, policy = limit.policy
        headers = {name.decode(): policy.decode(), "ratelimit": (limit.left % (0, retry_after_s)).decode()}
        return Problem(errors.TOO_MANY_REQUESTS, retry_after_s=retry_after_s, headers=headers)


def visit_cookie_name(room: str) -> str:
    """Return the name of the cookie that shows that a browser keeps cookies."""
    return f"vestibule_visit_{room}"
