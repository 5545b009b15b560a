"""Chores: what is done again and again behind the requests, in any number of processes at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import asyncpg
import structlog

from origin.db.pool import AWAY
from shared.clock import rest
from shared.problem import Problem

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Chore:
    """Something to do every ``every_s`` seconds. ``run`` says how much was done; doing it twice changes nothing.

    It may be broken off at any moment, and is taken up again by whoever comes next.
    """

    name: str
    run: Callable[[], Awaitable[int]]
    every_s: float


async def do_all(chores: Sequence[Chore], stop: asyncio.Event) -> None:
    """Do each in its own time until ``stop``. A database that is away is waited for; no chore waits for another."""
    async with asyncio.TaskGroup() as group:
        doing = [group.create_task(_keep_doing(chore, stop)) for chore in chores]
        await stop.wait()
        for each in doing:
            each.cancel()


async def _keep_doing(chore: Chore, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            done = await chore.run()
            if done:
                log.info("chore_done", chore=chore.name, count=done)
        except Problem as away:
            log.warning("chore_put_off", chore=chore.name, code=away.kind.code)
        except (*AWAY, asyncpg.PostgresError) as fault:
            log.warning("chore_failed", chore=chore.name, fault=type(fault).__name__)
        await rest(stop, chore.every_s)
