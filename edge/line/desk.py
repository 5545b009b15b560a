"""A room at work in this process: its line, the round trips shared by many visitors, and a fresh picture of it."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import count

import msgspec
import structlog

from edge.line.history import CallHistory
from edge.line.kept import Keeper
from edge.line.left import LeftTickets
from edge.line.line import ClaimOutcome, Healing, Line, LineError, Refused, StoreUnavailable
from edge.line.oplog import OpLog
from edge.line.pace import Pace
from edge.line.room import Picture, PlaceState, RoomPlan, Setting, Spot
from edge.line.shuttle import Hold, Shuttle
from edge.line.view import View
from edge.metrics import EdgeMetrics
from shared.clock import elapsed_s, rest

log = structlog.get_logger(__name__)

_TRIP_LIMIT = 256
_LINGER_S = 0.005
STALE_AFTER_S = 5.0
_GLANCE_S = 1.0


class Numbered(msgspec.Struct, frozen=True):
    """A number in a lane, or why there is none; ``entry``: it is one of a lottery that is still to be drawn."""

    number: int
    refused: Refused
    entry: bool
    view: View


class Desk:
    """One room in one process. Joins, looks and claims that arrive together share a round trip."""

    def __init__(
        self,
        plan: RoomPlan,
        line: Line,
        metrics: EdgeMetrics,
        *,
        keeper: Keeper,
        log: OpLog,
        pace: Pace,
        hold_s: float,
        hold_most: int,
    ) -> None:
        self.plan = plan
        self.open_lane = plan.open_lane()
        self.line = line
        self.log = log
        self._keeper = keeper
        self._pace = pace
        known = keeper.read()
        if known is not None:
            line.recall(known)
        hold = Hold((StoreUnavailable, Healing), hold_s, hold_most)
        self._metrics = metrics
        self._view: View | None = None
        self._left = [LeftTickets() for _ in plan.lanes]
        self.history = [CallHistory() for _ in plan.lanes]
        self._revoked_at = 0
        self._joins: Shuttle[int, Numbered] = Shuttle(self._join, limit=_TRIP_LIMIT, linger_s=_LINGER_S, hold=hold)
        self._looks: Shuttle[Spot, tuple[PlaceState, View]] = Shuttle(self._look, limit=_TRIP_LIMIT, linger_s=_LINGER_S)
        self._claims: Shuttle[Spot, tuple[ClaimOutcome, View]] = Shuttle(
            self._claim, limit=_TRIP_LIMIT, linger_s=_LINGER_S
        )

    def view(self) -> View:
        """Return the room as it was a moment ago, without asking the store.

        Raises:
            StoreUnavailable: the store has not answered for five seconds, or never.
        """
        view = self._view
        if view is None or elapsed_s() - view.taken_at > STALE_AFTER_S:
            raise StoreUnavailable("no fresh picture of the room")
        return view

    def join(self, lane: int) -> "asyncio.Future[Numbered]":
        """Take a number; while the store is away or the line heals, newcomers are held for some seconds, in their
        order.

        The future raises Healing, StoreUnavailable.
        """
        return self._joins.submit(lane)

    def glance(self, spot: Spot) -> View | None:
        """Return the room where it is plain from memory that the ticket waits: most of those who ask, most of the time.

        None sends the caller to ``look``: the place may have been called or given back, or the picture is too old.
        """
        view = self._view
        if view is None or view.picture.healing or self._left[spot.lane].has(spot.number):
            return None
        if 0 < spot.place <= view.picture.lanes[spot.lane].called:
            return None
        if elapsed_s() - view.taken_at > _GLANCE_S:
            return None
        self.line.saw(spot)
        return view

    def look(self, spot: Spot) -> "asyncio.Future[tuple[PlaceState, View]]":
        """Learn where a ticket stands; the future raises Moved, StoreUnavailable."""
        return self._looks.submit(spot)

    def claim(self, spot: Spot) -> "asyncio.Future[tuple[ClaimOutcome, View]]":
        """Try to go through; the future raises Moved, StoreUnavailable."""
        return self._claims.submit(spot)

    async def leave(self, spot: Spot) -> None:
        """Give a ticket back; raises Moved, StoreUnavailable."""
        self._left[spot.lane].add(spot.number)
        self._note(await self.line.leave([spot]))

    async def change(self, settings: Mapping[str, Setting], row: str = "", seen: int | None = None) -> View:
        """Change the room's settings and write the row into its log; this edge has both on disk when it returns.

        Raises:
            Late: the settings are no longer those of version ``seen``; nothing was changed.
            StoreUnavailable: they may have been changed; where they were, the row will be in the log.
        """
        return await self._changed(await self.line.change(settings, row, seen), row)

    async def reset(self, row: str, reason: str, seen: int) -> View:
        """Begin a new line, in which nobody stands yet; raises Late, StoreUnavailable, as ``change`` does."""
        return await self._changed(await self.line.reset(row, reason=reason, seen=seen), row)

    async def refresh(self) -> View:
        """Ask the store how the room is; installs it where the store does not have it."""
        async with self._pace.turn:
            _, picture = await self.line.look([])
            if picture.discipline == "lottery" and not picture.seed:
                picture = await self.line.install()
            view = self._note(picture)
            await self._follow(view)
        return view

    async def keep_fresh(self, stop: asyncio.Event) -> None:
        """Refresh at the process' pace until ``stop``; a store that is away is asked again and again."""
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
            await rest(stop, self._pace.every_s)
        await self._keeper.keep(self.line.known, at_once=True)

    async def _changed(self, picture: Picture, row: str) -> View:
        view = self._note(picture)
        if row:
            await self.log.add(picture.version, row)
        await self._keeper.keep(self.line.known, at_once=True)
        return view

    async def _follow(self, view: View) -> None:
        """Read what is not part of a picture where the picture says that it has changed."""
        picture = view.picture
        for index, (lane, left) in enumerate(zip(picture.lanes, self._left, strict=True)):
            if left.behind(picture.epoch, lane.left, view.taken_at):
                left.read(picture.epoch, lane.left, await self.line.left_bits(index), view.taken_at)
        if picture.revoked_at != self._revoked_at:
            await self.line.read_revoked()
            self._revoked_at = picture.revoked_at
        mark = (picture.epoch, picture.version)
        await self.log.follow(mark, life=picture.healing_until, healing=picture.healing)

    def _note(self, picture: Picture) -> View:
        now = elapsed_s()
        view = View(self.plan, picture, now)
        if self._view is None or picture is self.line.picture:  # answers may overtake each other
            self._view = view
            for lane, history in zip(picture.lanes, self.history, strict=True):
                history.note(lane.called, picture.at_us)
        return view

    async def _join(self, lanes: Sequence[int]) -> list[Numbered]:
        self._metrics.travelled("join", len(lanes))
        joins, picture = await self.line.join([lanes.count(index) for index in range(len(self.plan.lanes))])
        view = self._note(picture)
        numbers = [count(each.first) for each in joins]
        refused = [each.refused for each in joins]
        entries = [picture.discipline == "lottery" and lane.entries < 0 for lane in picture.lanes]
        return [Numbered(next(numbers[lane]), refused[lane], entries[lane], view) for lane in lanes]

    async def _look(self, spots: Sequence[Spot]) -> list[tuple[PlaceState, View]]:
        self._metrics.travelled("look", len(spots))
        standings, picture = await self.line.look(spots)
        view = self._note(picture)
        return [(standing, view) for standing in standings]

    async def _claim(self, spots: Sequence[Spot]) -> list[tuple[ClaimOutcome, View]]:
        self._metrics.travelled("claim", len(spots))
        outcomes, picture = await self.line.claim(spots)
        view = self._note(picture)
        return [(outcome, view) for outcome in outcomes]
