"""The rooms at work in this process: those of the rooms file, and those that operators create while it runs."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from edge.config import EdgeConfig
from edge.events import herald
from edge.events.courier import Courier, Patience
from edge.events.herald import Herald
from edge.events.outbox import Outbox
from edge.events.webhook import Webhook
from edge.governor.feed import CapacityFeed
from edge.governor.governor import LEASE_TURNS, TIMEOUT_TURNS, Governor
from edge.governor.steering import Steering
from edge.guard.guard import Guard
from edge.line.desk import Desk
from edge.line.kept import Keeper
from edge.line.line import Line
from edge.line.logfile import LogFile
from edge.line.oplog import LogStore, OpLog
from edge.line.pace import Pace
from edge.line.room import Picture, RoomPlan
from edge.line.store import Store
from edge.metrics import EdgeMetrics
from shared.clock import Clock
from shared.ids import Ids


@dataclass(frozen=True)
class Means:
    """What every room of a process is made with.

    ``http`` asks feeds and tells receivers; ``holder`` names the process where one of many may act.
    """

    config: EdgeConfig
    client: Store
    http: httpx.AsyncClient
    metrics: EdgeMetrics
    guard: Guard
    line: type[Line]
    clock: Clock
    ids: Ids
    holder: str
    pace: Pace


class OpenRoom:
    """All that one process has of one room: its desk, guard, and, where they are needed, governor and herald."""

    def __init__(self, plan: RoomPlan, means: Means) -> None:
        config, metrics = means.config, means.metrics
        self.guard = means.guard.open(plan)
        self.desk = Desk(
            plan,
            means.line(means.client, plan, metrics, heal_s=config.heal_s, ids=means.ids),
            metrics,
            keeper=Keeper(config.state_dir, plan.id),
            log=OpLog(LogStore(means.client, plan, metrics), LogFile(config.state_dir, plan.id)),
            pace=means.pace,
            hold_s=config.join_hold_s,
            hold_most=config.join_hold_most,
        )
        self.governor = _governor(self.desk, means)
        self.herald = _herald(self.desk, means)

    def start(self, tasks: asyncio.TaskGroup, stop: asyncio.Event) -> None:
        """Set its loops to work until ``stop``."""
        tasks.create_task(self.desk.keep_fresh(stop))
        if self.governor is not None:
            tasks.create_task(self.governor.run(stop))
        if self.herald is not None:
            tasks.create_task(self.herald.run(stop))


class Rooms:
    """The open rooms by id; whoever opens one, and when, it comes about in the same way. Rooms are not closed again."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._open: dict[str, OpenRoom] = {}
        self._desks: dict[str, Desk] = {}
        self._at_work: tuple[asyncio.TaskGroup, asyncio.Event] | None = None

    @property
    def desks(self) -> Mapping[str, Desk]:
        """The desks of all rooms, those opened later too."""
        return self._desks

    def pictures(self) -> Mapping[str, Picture | None]:
        """Return the last picture of each room."""
        return {room: desk.line.picture for room, desk in self._desks.items()}

    def open(self, plan: RoomPlan) -> Desk:
        """Open a room, unless there is one of that id; return the desk of the one that is open."""
        room = self._open.get(plan.id)
        if room is None:
            room = self._open[plan.id] = OpenRoom(plan, self._means)
            self._desks[plan.id] = room.desk
            self._means.pace.rooms = len(self._open)
            if self._at_work is not None:
                room.start(*self._at_work)
        return room.desk

    def start(self, tasks: asyncio.TaskGroup, stop: asyncio.Event) -> None:
        """Set the rooms to work, and from now on each that is opened, until ``stop``."""
        self._at_work = tasks, stop
        for room in self._open.values():
            room.start(tasks, stop)


def _governor(desk: Desk, means: Means) -> Governor | None:
    plan, every_s = desk.plan, means.config.govern_every_s
    if plan.capacity_url is None:
        return None
    feed = CapacityFeed(means.http, str(plan.capacity_url), timeout_s=TIMEOUT_TURNS * every_s)
    steering = Steering(
        means.client, plan, means.metrics, pace=means.pace, holder=means.holder, lease_s=LEASE_TURNS * every_s
    )
    return Governor(desk, steering, feed, means.metrics.governor, every_s=every_s)


def _herald(desk: Desk, means: Means) -> Herald | None:
    target, every_s, room, metrics = means.config.webhook, means.config.govern_every_s, desk.plan.id, means.metrics
    if target is None:
        return None
    outbox = Outbox(
        means.client, room, metrics, pace=means.pace, holder=means.holder, lease_s=herald.LEASE_TURNS * every_s
    )
    webhook = Webhook(means.http, target)
    courier = Courier(room, outbox, webhook, metrics.herald, clock=means.clock, ids=means.ids, patience=Patience())
    return Herald(desk, outbox, courier, metrics.herald, every_s=every_s)
