"""Heralds driven by hand, each as if in a process of its own, for the tests of events."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import httpx
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from edge.events.courier import Courier, Patience
from edge.events.herald import Herald
from edge.events.outbox import Outbox
from edge.events.webhook import Target, Webhook
from edge.line.desk import Desk
from edge.line.kept import Keeper
from edge.line.logfile import LogFile
from edge.line.oplog import LogStore, OpLog
from edge.line.pace import Pace
from edge.metrics import EdgeMetrics
from shared.clock import SystemClock
from shared.ids import SystemIds
from tests.edge_processes import until
from tests.edge_world import line, plan
from tests.receiver import SECRET_BYTES

AT_ONCE = Patience(first_s=0, most_s=0)
LEASE_S = 0.3


@dataclass
class Telling:
    """One process' herald of the room, driven by hand."""

    herald: Herald
    desk: Desk
    metrics: EdgeMetrics

    async def turn(self) -> None:
        """Look afresh and act once, then deliver as far as it goes."""
        await self.desk.refresh()
        await self.herald.turn()
        await self.herald.send(asyncio.Event())

    async def change(self, state: Literal["open", "paused", "closed"]) -> None:
        """Do what an operator does, and let it be seen."""
        await self.desk.change({"state": state})
        await self.turn()

    def sample(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"vestibule_edge_{name}", {"room": "demo"} | labels) or 0.0

    @property
    def leads(self) -> bool:
        return self.sample("herald_leads") == 1


Begin = Callable[..., Telling]
"""What the fixture ``begin`` is."""


def telling(
    valkey: Redis,
    http: httpx.AsyncClient,
    address: str,
    name: str = "one",
    *,
    url: str | None = None,
    patience: Patience = AT_ONCE,
    timeout_s: float = 5,
    outbox: type[Outbox] = Outbox,
) -> Telling:
    """Make one; ``name``: as whom it asks for the lease, ``url``: where it tells, in place of ``address``."""
    metrics = EdgeMetrics(CollectorRegistry())
    desk = Desk(
        plan(),
        line(valkey),
        metrics,
        keeper=Keeper(None, "demo"),
        log=OpLog(LogStore(valkey, plan(), metrics), LogFile(None, "demo")),
        pace=Pace(),
        hold_s=0,
        hold_most=0,
    )
    box = outbox(valkey, "demo", metrics, pace=Pace(), holder=name, lease_s=LEASE_S)
    webhook = Webhook(http, Target(url or address, (SECRET_BYTES,)), timeout_s=timeout_s)
    courier = Courier("demo", box, webhook, metrics.herald, clock=SystemClock(), ids=SystemIds(), patience=patience)
    return Telling(Herald(desk, box, courier, metrics.herald, every_s=0.02), desk, metrics)


async def until_leads(telling: Telling) -> None:
    """Take turns until the lease of whoever had it has run out."""

    async def leads() -> bool:
        await telling.turn()
        return telling.leads

    await until(leads)
