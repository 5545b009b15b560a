"""Put the demo programme into a database, and keep supply ahead of it."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from deploy import demo
from deploy.errors import StackError
from deploy.settings import StackSettings
from origin.admin import programmes
from origin.db.pool import AWAY, connect
from origin.db.sql import Connection, load
from origin.eligibility import versions
from origin.inventory.supply import RegionRow, SiteRow, SlotRow, import_supply
from shared.clock import Clock

Say = Callable[[str], None]

_QUERIES = Path(__file__).with_name("seed.sql")
_TELL_EVERY = 20_000
_MOST_SITES = 2_000  # that a demo has


def seed(database_url: str, settings: StackSettings, clock: Clock, say: Say) -> None:
    """Set up the demo programme where it is missing, else add the days of slots that are missing ahead.

    All or nothing: interrupted, it leaves the database as it was.

    Args:
        settings: ``demo_sites`` counts when the programme is set up, ``demo_days`` always.

    Raises:
        StackError: the database does not answer, or holds supply that is not the demo's.
    """
    asyncio.run(_seed(database_url, settings, clock.now(), say))


async def _seed(database_url: str, settings: StackSettings, now: datetime, say: Say) -> None:
    try:
        connection = await connect(database_url)
    except AWAY as fault:
        raise StackError(f"the database does not answer ({type(fault).__name__})") from None
    try:
        there = await load(_QUERIES)["demo_is_there"].row(connection, programme=demo.PROGRAMME)
        assert there is not None  # it always gives one row
        if there["programme"]:
            await _add_days(connection, settings, now, say)
        elif there["supply"]:
            raise StackError("this database already holds supply of its own; the demo programme needs an empty one")
        else:
            await _set_up(connection, settings, now, say)
        await _add_postcodes(connection)
        await _add_towns(connection)
    finally:
        await connection.close()


async def _set_up(connection: Connection, settings: StackSettings, now: datetime, say: Say) -> None:
    say("Seeding the demo programme")
    sites = demo.sites(demo.towns(), settings.demo_sites)
    until = {site.id: _today(site, now) + timedelta(days=settings.demo_days) for site in sites}
    slots = _told(_slots(sites, {site.id: _today(site, now) for site in sites}, until), say)
    async with connection.transaction():
        await programmes.create(connection, demo.PROGRAMME, name=demo.PROGRAMME_NAME, room=demo.ROOM)
        cases = versions.DEMO_CASES.read_bytes()
        await versions.publish(connection, demo.PROGRAMME, versions.DEMO.read_bytes(), now, cases=cases)
        await load(_QUERIES)["add_course"].run(connection, programme=demo.PROGRAMME, **demo.COURSE)
        regions = [RegionRow(code, name) for code, name in demo.REGIONS.values()]
        number = await import_supply(connection, regions, map(_row, sites), slots)
    say(f"Seeded {len(sites)} sites and {number:,} slots")


async def _add_days(connection: Connection, settings: StackSettings, now: datetime, say: Say) -> None:
    """Continue each site behind its last slot, but never in the past."""
    first: dict[int, date] = {}
    until: dict[int, date] = {}
    for row in await load(_QUERIES)["last_slots"].rows(connection, programme=demo.PROGRAMME):
        zone = ZoneInfo(row["time_zone"])
        today = now.astimezone(zone).date()
        until[row["id"]] = today + timedelta(days=settings.demo_days)
        first[row["id"]] = max(today, row["starts_at"].astimezone(zone).date() + timedelta(days=1))
    if all(first[site] >= until[site] for site in first):
        return
    say("Adding the days ahead")
    sites = [site for site in demo.sites(demo.towns(), max(first)) if site.id in first]
    number = await import_supply(connection, (), (), _told(_slots(sites, first, until), say))
    say(f"Added {number:,} slots")


async def _add_postcodes(connection: Connection) -> None:
    """Give one to each site that has none: the public feed does not tell of those."""
    rows = await load(_QUERIES)["without_postcode"].rows(connection, most=_MOST_SITES)
    without = {row["id"] for row in rows}
    if without:
        sites = [site for site in demo.sites(demo.towns(), max(without)) if site.id in without]
        await load(_QUERIES)["set_postcodes"].run(
            connection,
            sites=[site.id for site in sites],
            names=[site.name for site in sites],
            codes=[site.postcode for site in sites],
        )


async def _add_towns(connection: Connection) -> None:
    """Fill the gazetteer while it is empty: people look from where they live, not from where sites are."""
    known = await load(_QUERIES)["gazetteer_is_there"].row(connection)
    if known is not None and known["there"]:
        return
    towns = demo.towns()
    await load(_QUERIES)["add_towns"].run(
        connection,
        regions=[town.region for town in towns],
        names=[town.name for town in towns],
        lats=[town.lat for town in towns],
        lngs=[town.lng for town in towns],
        time_zones=[town.time_zone for town in towns],
        populations=[town.population for town in towns],
    )


def _today(site: demo.DemoSite, now: datetime) -> date:
    return now.astimezone(ZoneInfo(site.town.time_zone)).date()


def _slots(
    sites: Iterable[demo.DemoSite], first: Mapping[int, date], until: Mapping[int, date]
) -> Iterator[demo.DemoSlot]:
    for site in sites:
        days = (until[site.id] - first[site.id]).days
        yield from demo.slots(site, first[site.id], days, demo.PRODUCTS)


def _told(slots: Iterable[demo.DemoSlot], say: Say) -> Iterator[SlotRow]:
    """Turn slots into rows, telling now and then how far it is."""
    for number, slot in enumerate(slots):
        if number and number % _TELL_EVERY == 0:
            say(f"Seeding the demo programme: {number:,} slots")
        yield SlotRow(demo.PROGRAMME, slot.site, slot.starts_at, slot.ends_at, slot.product, slot.capacity)


def _row(site: demo.DemoSite) -> SiteRow:
    return SiteRow(
        id=site.id,
        region=site.town.region,
        name=site.name,
        address=site.address,
        town=site.town.name,
        lat=site.lat,
        lng=site.lng,
        time_zone=site.town.time_zone,
        step_free=site.step_free,
    )
