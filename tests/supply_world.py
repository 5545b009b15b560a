"""What the tests of supply in bulk share: files, imports of them, and bookings in their way."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from origin.inventory.bulk.generation import generate
from origin.inventory.bulk.imports import import_files
from origin.inventory.bulk.merging import Wish
from origin.inventory.bulk.report import Booked, Report
from origin.inventory.bulk.store import SupplyStore
from shared.ids import SystemIds
from tests.origin_world import World

REGIONS = "region,name\nES-PV,Euskadi\n"
SITES = (
    "site,region,name,address,town,lat,lng,time_zone,step_free,products\n"
    "bilbao-1,ES-PV,Sports hall,Gran Vía 1,Bilbao,43.263,-2.935,Europe/Madrid,yes,140 168\n"
)
HEADER = "site,starts_at,ends_at,product,capacity"


_DECIDE = """
    INSERT INTO decision (ref, programme, person, outcome, rule_version, ruleset, evaluator, as_of, products, dose,
                          inputs_hash, branches, created_at, expires_at)
    SELECT gen_random_uuid(), 'demo', $1, 'eligible', 1, ruleset, 'test', $2, '{140}', 1, '', '[]', $3, $4
      FROM rule_version LIMIT 1
    RETURNING ref"""
_BOOK = """
    WITH taken AS (UPDATE slot SET remaining = remaining - 1 WHERE id = $2 RETURNING id)
    INSERT INTO appointment (id, programme, person, dose, slot, status, decision, admission, created_at, changed_at)
    SELECT gen_random_uuid(), 'demo', $1, 1, id, 'confirmed', $3, $4, $5, $5 FROM taken
    RETURNING id::text"""
_HOLD = """
    WITH taken AS (UPDATE slot SET remaining = remaining - 1 WHERE id = $2 RETURNING id)
    INSERT INTO hold (id, programme, person, slot, kind, created_at, expires_at)
    SELECT gen_random_uuid(), 'demo', $1, id, 'offered', $3, $4 FROM taken"""


def slots_csv(*rows: str) -> str:
    """A file of slots."""
    return "\n".join((HEADER, *rows)) + "\n"


def row(hour: int = 9, capacity: int = 5, *, site: str = "1", ends: str | None = None, product: str = "140") -> str:
    """A slot of half an hour on 2 March 2027, on the site's clock."""
    return f"{site},2027-03-02T{hour:02}:00,2027-03-02T{ends or f'{hour:02}:30'},{product},{capacity}"


@dataclass
class Desk:
    """Somebody who imports into a world."""

    world: World
    folder: Path
    store: SupplyStore | None = None

    def tell(self, _what: str, _done: int, _total: int) -> None:
        """Be told how far it is."""

    async def bring(
        self, *texts: str, dry_run: bool = False, booked: Booked | None = None, suffix: str = "csv"
    ) -> Report:
        """Import texts, each as a file of its own."""
        paths = []
        for number, text in enumerate(texts):
            paths.append(self.folder / f"file{number}.{suffix}")
            paths[-1].write_text(text)
        return await self.bring_files(paths, dry_run=dry_run, booked=booked)

    async def bring_files(
        self, paths: Iterable[Path], *, dry_run: bool = False, booked: Booked | None = None
    ) -> Report:
        """Import files."""
        return await import_files(
            self.world.connection,
            list(paths),
            Wish("demo", "olga", booked, dry_run),
            clock=self.world.clock,
            ids=SystemIds(),
            tell=self.tell,
            store=self.store,
        )

    async def generate(
        self,
        first: date | None = None,
        until: date | None = None,
        *,
        dry_run: bool = False,
        booked: Booked | None = None,
    ) -> Report:
        """Make the slots of clinics, 14 days where nothing is said."""
        return await generate(
            self.world.connection,
            first,
            until,
            14,
            Wish("demo", "olga", booked, dry_run),
            clock=self.world.clock,
            ids=SystemIds(),
            tell=self.tell,
        )

    async def book(self, slot: int, people: int) -> list[str]:
        """Let people have places of a slot, as bookings do; return the appointments."""
        connection, now, made = self.world.connection, self.world.clock.now(), []
        for number in range(people):
            person = f"{slot}-{number}".ljust(32, "x").encode()
            ref = await connection.fetchval(_DECIDE, person, now.date(), now, now + timedelta(hours=1))
            made.append(await connection.fetchval(_BOOK, person, slot, ref, f"admission-{slot}-{number}", now))
        return made

    async def hold(self, slot: int, people: int, *, seconds: float = 120) -> datetime:
        """Let people hold places of a slot, as offers do; return until when."""
        now = self.world.clock.now()
        until = now + timedelta(seconds=seconds)
        for number in range(people):
            person = f"holds-{slot}-{number}".ljust(32, "x").encode()
            await self.world.connection.execute(_HOLD, person, slot, now, until)
        return until

    async def slots(self) -> list[tuple[str, str, str, int, int]]:
        """Site, start and end in UTC, capacity and what remains of each slot."""
        rows = await self.world.connection.fetch(
            "SELECT code, starts_at, ends_at, capacity, remaining FROM slot JOIN site ON site.id = slot.site"
            " ORDER BY code, starts_at, product"
        )
        return [
            (
                row["code"],
                f"{row['starts_at']:%m-%dT%H:%M}",
                f"{row['ends_at']:%H:%M}",
                row["capacity"],
                row["remaining"],
            )
            for row in rows
        ]

    async def books_add_up(self) -> bool:
        """Whether `remaining` = capacity − active − held for every slot."""
        wrong = await self.world.count(
            "slot",
            "remaining <> capacity - (SELECT count(*) FROM hold h WHERE h.slot = slot.id)"
            " - (SELECT count(*) FROM appointment a WHERE a.slot = slot.id AND a.status <> 'cancelled')",
        )
        return wrong == 0
