"""A herd of any size: people who want places in the same few slots, again and again, through several origins."""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import msgspec
from prometheus_client import CollectorRegistry

from origin.booking.store import Attempt, BookingStore, Result
from origin.booking.together import Bookings
from origin.db.pool import Database, create_pool
from origin.inventory.supply import SlotRow, import_supply
from origin.metrics import OriginMetrics
from shared.problem import Problem
from tests.origin_world import World

ORIGINS = 4
CLIENTS = 64
RETRIED = 0.05


@dataclass(frozen=True)
class Size:
    """Of a herd: how many attempts by how many people, on how many slots of how many places each."""

    attempts: int
    people: int
    slots: int
    capacity: int

    @property
    def places(self) -> int:
        """What there is to sell."""
        return self.slots * self.capacity


@dataclass
class Told:
    """What the herd was told: how often each outcome, and the answers by person and key."""

    outcomes: Counter[str] = field(default_factory=Counter)
    booked: dict[tuple[bytes, str], str] = field(default_factory=dict)
    replayed: list[tuple[tuple[bytes, str], str]] = field(default_factory=list)

    def note(self, attempt: Attempt, result: Result) -> None:
        """Keep an answer."""
        self.outcomes[result.outcome] += 1
        name = (attempt.person, attempt.key)
        if result.outcome == "booked":
            assert name not in self.booked, "one key was told twice that it has booked"
            self.booked[name] = result.answer or ""
        elif result.outcome == "replayed":
            self.replayed.append((name, result.answer or ""))

    @property
    def appointments(self) -> set[UUID]:
        """Those that somebody was told of."""
        return {UUID(msgspec.json.decode(answer)["id"]) for answer in self.booked.values()}

    @property
    def lies(self) -> list[str]:
        """Answers to a repeated key that differ from the first one."""
        return [answer for name, answer in self.replayed if self.booked.get(name) != answer]


Progress = Callable[[Told], None]


@dataclass
class Herd:
    """People with decisions, in front of slots."""

    size: Size
    world: World
    slots: list[int]
    decisions: dict[bytes, UUID]

    async def run(self, origins: list[Bookings], progress: Progress) -> Told:
        """Let everybody try, by ``CLIENTS`` at a time; show ``progress`` after each answer."""
        told, attempts = Told(), self._attempts()

        async def client(bookings: Bookings) -> None:
            for attempt in attempts:
                told.note(attempt, await _insist(bookings, attempt, told))
                progress(told)

        await asyncio.gather(*(client(origins[number % len(origins)]) for number in range(CLIENTS)))
        return told

    def _attempts(self) -> Iterator[Attempt]:
        """Draw attempts, the same for a size each time. Now and then one is sent again while it is under way."""
        chance, persons, now = random.Random(self.size.attempts), list(self.decisions), self.world.clock.now()
        attempt: Attempt | None = None
        for number in range(self.size.attempts):
            appointment = UUID(int=number + 1)
            if attempt is not None and chance.random() < RETRIED:
                yield msgspec.structs.replace(attempt, appointment=appointment)
                continue
            person = chance.choice(persons)
            attempt = Attempt(
                person=person,
                key=f"k{number}",
                fingerprint=b"f",
                programme="demo",
                slot=chance.choice(self.slots),
                decision=self.decisions[person],
                admission=f"a{chance.randrange(self.size.attempts // 3)}",  # some are passed on
                appointment=appointment,
                now=now,
            )
            yield attempt


async def _insist(bookings: Bookings, attempt: Attempt, told: Told) -> Result:
    """Ask again, as people do, while a busy machine makes the answer 503."""
    while True:
        try:
            return await bookings.book(attempt)
        except Problem as away:
            told.outcomes[away.kind.code] += 1


async def gather_herd(world: World, size: Size) -> Herd:
    """Make slots, and people who are eligible."""
    starts_at = world.clock.now() + timedelta(days=1)
    length = timedelta(minutes=5)
    rows = [
        SlotRow("demo", 1, starts_at + number * length, starts_at + (number + 1) * length, "140", size.capacity)
        for number in range(size.slots)
    ]
    await import_supply(world.connection, [], [], rows)
    slots = [row["id"] for row in await world.connection.fetch("SELECT id FROM slot ORDER BY id")]
    persons = [hashlib.sha256(b"%d" % number).digest() for number in range(size.people)]
    return Herd(size, world, slots, await world.decided(persons))


@asynccontextmanager
async def origins(database_url: str, store: Callable[[], BookingStore] = BookingStore) -> AsyncIterator[list[Bookings]]:
    """Several origins' ways to a database, each with a pool of its own, as in processes of their own."""
    made = store()
    async with AsyncExitStack() as stack:
        ways = []
        for _ in range(ORIGINS):
            metrics = OriginMetrics(CollectorRegistry())
            database = Database(await create_pool(database_url, size=8), metrics, wait_s=30)
            stack.push_async_callback(database.close)
            ways.append(Bookings(database, made, metrics))
        yield ways
