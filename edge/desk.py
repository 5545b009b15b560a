"""A room at work in this process: its line, the round trips shared by many visitors, and a fresh picture of it."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property

import msgspec
import structlog

from edge.kept import Keeper
from edge.left import LeftPlaces
from edge.line import ClaimOutcome, Healing, Line, LineError, StoreUnavailable
from edge.metrics import EdgeMetrics
from edge.room import ChallengeKind, Change, Held, Picture, PlaceState, RoomPlan, RoomState
from edge.shuttle import Hold, Shuttle

log = structlog.get_logger(__name__)

REFRESH_S = 0.15
_TRIP_LIMIT = 256
_LINGER_S = 0.005
STALE_AFTER_S = 5.0
_GLANCE_S = 1.0


class RoomStatus(msgspec.Struct, frozen=True):
    """What everybody may know of a room. ``as_of`` is ISO 8601, on the store's clock.

    ``why`` nobody is called though operators would let them: null, or what the booking system behind says of itself.
    ``remaining``: doses left, null while that is not known.
    """

    room: str
    name: str
    state: RoomState
    joined: int
    called: int
    admitted: int
    rate_per_s: float
    burst: int
    opens_at: str | None
    why: Held | None
    remaining: int | None
    as_of: str


class View:
    """A picture with what is made of it once, for all who are shown it."""

    def __init__(self, plan: RoomPlan, picture: Picture, taken_at: float) -> None:
        self.plan = plan
        self.picture = picture
        self.taken_at = taken_at

    @cached_property
    def as_of(self) -> str:
        """When the store had it, ISO 8601."""
        return iso(self.picture.at_us / 1_000_000)

    @property
    def challenge(self) -> ChallengeKind:
        """What newcomers are asked to solve."""
        return self.picture.challenge or self.plan.challenge

    @cached_property
    def status(self) -> RoomStatus:
        """The public status."""
        plan, seen = self.plan, self.picture
        return RoomStatus(
            plan.id,
            plan.name,
            seen.shown,
            seen.joined,
            seen.called,
            seen.admitted,
            seen.rate,
            seen.burst,
            None,
            seen.held or None,
            seen.remaining,
            self.as_of,
        )

    @cached_property
    def status_json(self) -> bytes:
        """The public status, encoded."""
        return msgspec.json.encode(self.status)


class Desk:
    """One room in one process. Joins, looks and claims that arrive together share a round trip."""

    def __init__(
        self, plan: RoomPlan, line: Line, metrics: EdgeMetrics, *, keeper: Keeper, hold_s: float, hold_most: int
    ) -> None:
        self.plan = plan
        self.line = line
        self._keeper = keeper
        known = keeper.read()
        if known is not None:
            line.recall(known)
        hold = Hold((StoreUnavailable, Healing), hold_s, hold_most)
        self._metrics = metrics
        self._view: View | None = None
        self._left = LeftPlaces()
        self._joins: Shuttle[None, tuple[int, View]] = Shuttle(
            self._join, limit=_TRIP_LIMIT, linger_s=_LINGER_S, hold=hold
        )
        self._looks: Shuttle[int, tuple[PlaceState, View]] = Shuttle(self._look, limit=_TRIP_LIMIT, linger_s=_LINGER_S)
        self._claims: Shuttle[int, tuple[ClaimOutcome, View]] = Shuttle(
            self._claim, limit=_TRIP_LIMIT, linger_s=_LINGER_S
        )

    def view(self) -> View:
        """Return the room as it was a moment ago, without asking the store.

        Raises:
            StoreUnavailable: the store has not answered for five seconds, or never.
        """
        view = self._view
        if view is None or asyncio.get_running_loop().time() - view.taken_at > STALE_AFTER_S:
            raise StoreUnavailable("no fresh picture of the room")
        return view

    def join(self) -> "asyncio.Future[tuple[int, View]]":
        """Take a place; while the store is away or the line heals, newcomers are held for some seconds, in their order.

        The future raises Closed, Healing, StoreUnavailable.
        """
        return self._joins.submit(None)

    def glance(self, place: int) -> View | None:
        """Return the room where it is plain from memory that the place waits: most of those who ask, most of the time.

        None sends the caller to ``look``: the place may have been called or given back, or the picture is too old.
        """
        view = self._view
        if view is None or place <= view.picture.called or view.picture.healing or self._left.has(place):
            return None
        if asyncio.get_running_loop().time() - view.taken_at > _GLANCE_S:
            return None
        self.line.saw(place)
        return view

    def look(self, place: int) -> "asyncio.Future[tuple[PlaceState, View]]":
        """Learn where a place stands; the future raises Moved, StoreUnavailable."""
        return self._looks.submit(place)

    def claim(self, place: int) -> "asyncio.Future[tuple[ClaimOutcome, View]]":
        """Try to go through; the future raises Moved, StoreUnavailable."""
        return self._claims.submit(place)

    async def leave(self, place: int) -> None:
        """Give a place back; raises Moved, StoreUnavailable."""
        self._left.add(place)
        self._note(await self.line.leave([place]))

    async def change(self, change: Change) -> View:
        """Change the room's settings; raises StoreUnavailable."""
        view = self._note(await self.line.change(change))
        await self._keeper.keep(self.line.known, at_once=True)
        return view

    async def refresh(self) -> View:
        """Ask the store how the room is; installs it where the store does not have it."""
        _, picture = await self.line.look([])
        view = self._note(picture)
        if self._left.behind(picture, view.taken_at):
            self._left.read(picture, await self.line.left_bits(), view.taken_at)
        return view

    async def keep_fresh(self, stop: asyncio.Event) -> None:
        """Refresh until ``stop``; a store that is away is asked again and again."""
        away = False
        while not stop.is_set():
            try:
                await self.refresh()
            except LineError as error:
                if not away:
                    log.warning("store_away", room=self.plan.id, fault=str(error))
                away = True
            else:
                if away:
                    log.info("store_back", room=self.plan.id)
                away = False
                await self._keeper.keep(self.line.known)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), REFRESH_S)
        await self._keeper.keep(self.line.known, at_once=True)

    def _note(self, picture: Picture) -> View:
        now = asyncio.get_running_loop().time()
        view = View(self.plan, picture, now)
        if self._view is None or picture is self.line.picture:  # answers may overtake each other
            self._view = view
        return view

    async def _join(self, visitors: Sequence[None]) -> list[tuple[int, View]]:
        self._metrics.travelled("join", len(visitors))
        first, picture = await self.line.join(len(visitors))
        view = self._note(picture)
        return [(first + index, view) for index in range(len(visitors))]

    async def _look(self, places: Sequence[int]) -> list[tuple[PlaceState, View]]:
        self._metrics.travelled("look", len(places))
        standings, picture = await self.line.look(places)
        view = self._note(picture)
        return [(standing, view) for standing in standings]

    async def _claim(self, places: Sequence[int]) -> list[tuple[ClaimOutcome, View]]:
        self._metrics.travelled("claim", len(places))
        outcomes, picture = await self.line.claim(places)
        view = self._note(picture)
        return [(outcome, view) for outcome in outcomes]


def iso(unix: float) -> str:
    """Return Unix seconds as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
