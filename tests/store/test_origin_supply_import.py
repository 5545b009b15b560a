"""Importing supply: all or nothing until it is right, once however often, and nobody's place is taken away."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from psutil import Process

from origin.db.pool import connect
from origin.db.sql import Connection
from origin.inventory.bulk.merging import BATCH, ImportUnderWay
from origin.inventory.bulk.report import Booked, Put, SlotCounts
from origin.inventory.bulk.store import Merged, SupplyStore
from tests import origin_world
from tests.supply_world import HEADER, REGIONS, SITES, Desk, row, slots_csv

TWO = slots_csv(row(9, 5), row(10, 7))


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with origin_world.world(database_url) as world:
        yield Desk(world, tmp_path)


async def test_regions_sites_and_slots_come_together_in_whatever_order(desk: Desk) -> None:
    report = await desk.bring(slots_csv(row(9, 4, site="bilbao-1")), SITES, REGIONS)
    assert report.outcome == "done", report
    assert report.put == {"regions": Put(1, 0), "sites": Put(1, 0)}
    assert report.slots == SlotCounts(added=1, places=4)
    assert await desk.slots() == [("bilbao-1", "03-02T08:00", "08:30", 4, 4)]
    assert await desk.world.count("site", "code = 'bilbao-1' AND products = '{140,168}' AND town = 'Bilbao'") == 1


async def test_the_same_files_again_change_nothing_and_say_so(desk: Desk) -> None:
    files = (REGIONS, SITES, TWO)
    await desk.bring(*files)
    before = await state(desk)
    report = await desk.bring(*files)
    assert report.outcome == "unchanged"
    assert report.slots == SlotCounts(same=2)
    assert await state(desk) == before


async def test_a_dry_run_tells_the_same_and_changes_nothing(desk: Desk) -> None:
    before = await state(desk)
    dry = await desk.bring(REGIONS, SITES, TWO, dry_run=True)
    assert dry.outcome == "previewed"
    assert await state(desk) == before
    real = await desk.bring(REGIONS, SITES, TWO)
    assert (dry.put, dry.slots, dry.sources) == (real.put, real.slots, real.sources)


async def test_one_bad_row_in_many_changes_nothing(desk: Desk) -> None:
    before = await state(desk)
    report = await desk.bring(REGIONS, SITES, slots_csv(row(9), row(10, site="nowhere"), row(11, product="8"), row(9)))
    assert report.outcome == "refused"
    assert [(fault.line, fault.field, fault.code) for fault in report.faults] == [
        (3, "site", "site_unknown"),
        (4, "product", "product"),
        (5, "", "row_twice"),
    ]
    assert await state(desk) == before


async def test_extra_capacity_is_free_at_once_and_less_takes_free_places(desk: Desk) -> None:
    await desk.bring(TWO)
    await desk.book(await first_slot(desk), 3)
    assert (await desk.bring(slots_csv(row(9, 9)))).slots == SlotCounts(changed=1, places=4)
    assert (await desk.slots())[0] == ("1", "03-02T08:00", "08:30", 9, 6)
    assert (await desk.bring(slots_csv(row(9, 3)))).slots == SlotCounts(changed=1, places=-6)
    assert (await desk.slots())[0] == ("1", "03-02T08:00", "08:30", 3, 0)
    assert await desk.books_add_up()


async def test_a_cut_below_what_is_booked_names_the_appointments_and_asks(desk: Desk) -> None:
    await desk.bring(TWO)
    appointments = await desk.book(await first_slot(desk), 3)
    before = await state(desk)
    for dry_run, outcome in ((True, "previewed"), (False, "undecided")):
        report = await desk.bring(slots_csv(row(9, 2), row(10, 8)), dry_run=dry_run)
        assert report.outcome == outcome
        [slot] = report.in_the_way
        assert (slot.line, slot.site, slot.wanted, slot.booked) == (2, "1", 2, 3)
        assert sorted(map(str, slot.appointments)) == sorted(appointments)
        assert f"{slot.starts_at:%H:%M %z}" == "09:00 +0100"
        assert await state(desk) == before


async def test_a_dry_run_in_which_all_is_to_decide_does_not_say_that_all_is_so_already(desk: Desk) -> None:
    await desk.bring(TWO)
    await desk.book(await first_slot(desk), 3)
    assert (await desk.bring(slots_csv(row(9, 2)), dry_run=True)).outcome == "previewed"
    assert (await desk.bring(slots_csv(row(9, 2)))).outcome == "undecided"


async def test_decided_to_cut_every_free_place_goes_and_nobody_elses(desk: Desk) -> None:
    await desk.bring(TWO)
    await desk.book(await first_slot(desk), 3)
    cut = slots_csv(row(9, 2), row(10, 0))
    report = await desk.bring(cut, booked="cut")
    assert (report.outcome, report.slots) == ("done", SlotCounts(changed=1, cut=1, places=-9))
    assert [each[3:] for each in await desk.slots()] == [(3, 0), (0, 0)]
    assert await desk.world.count("appointment", "status = 'confirmed'") == 3
    assert (await desk.bring(cut, booked="cut")).outcome == "unchanged"
    assert await desk.books_add_up()


async def test_decided_to_leave_the_slot_stays_and_the_others_change(desk: Desk) -> None:
    await desk.bring(TWO)
    await desk.book(await first_slot(desk), 3)
    report = await desk.bring(slots_csv(row(9, 2), row(10, 0)), booked="leave")
    assert (report.outcome, report.slots) == ("done", SlotCounts(changed=1, left=1, places=-7))
    assert [each[3:] for each in await desk.slots()] == [(5, 2), (0, 0)]


async def test_the_end_that_people_were_told_stays(desk: Desk) -> None:
    await desk.bring(TWO)
    await desk.book(await first_slot(desk), 1)
    later = slots_csv(row(9, 6, ends="09:45"), row(10, 7, ends="10:45"))
    assert (await desk.bring(later)).outcome == "undecided"
    assert (await desk.bring(later, booked="cut")).slots == SlotCounts(changed=1, cut=1, places=1)
    assert await desk.slots() == [("1", "03-02T08:00", "08:30", 6, 5), ("1", "03-02T09:00", "09:45", 7, 7)]


async def test_held_places_are_told_apart_from_booked_ones_with_until_when(desk: Desk) -> None:
    await desk.bring(TWO)
    slot = await first_slot(desk)
    appointments = await desk.book(slot, 1)
    until = await desk.hold(slot, 2)
    report = await desk.bring(slots_csv(row(9, 2)))
    assert (report.outcome, report.slots) == ("undecided", SlotCounts(booked=1))
    [told] = report.in_the_way
    assert (told.wanted, told.booked, told.held, told.held_until) == (2, 1, 2, until)
    assert [str(each) for each in told.appointments] == appointments
    assert told.held_until is not None
    assert f"{told.held_until:%z}" == "+0100"


async def test_a_held_place_is_asked_about_although_nobody_has_booked(desk: Desk) -> None:
    await desk.bring(TWO)
    await desk.hold(await first_slot(desk), 1)
    before = await state(desk)
    for text in (slots_csv(row(9, 0)), slots_csv(row(9, 5, ends="09:45"))):
        report = await desk.bring(text)
        assert report.outcome == "undecided"
        [told] = report.in_the_way
        assert (told.booked, told.held, told.appointments) == (0, 1, [])
        assert await state(desk) == before
    left = await desk.bring(slots_csv(row(9, 0)), booked="leave")
    assert (left.outcome, left.slots) == ("unchanged", SlotCounts(left=1))
    assert await desk.world.count("hold") == 1


async def test_decided_to_cut_a_held_place_stays_and_goes_with_the_same_file_once_it_is_free(desk: Desk) -> None:
    await desk.bring(TWO)
    slot = await first_slot(desk)
    await desk.book(slot, 1)
    await desk.hold(slot, 2)
    cut = slots_csv(row(9, 0))
    report = await desk.bring(cut, booked="cut")
    assert (report.outcome, report.slots) == ("done", SlotCounts(cut=1, places=-2))
    assert [(each.booked, each.held) for each in report.in_the_way] == [(1, 2)]
    assert (await desk.slots())[0][3:] == (3, 0)
    again = await desk.bring(cut, booked="cut")
    assert (again.outcome, again.slots) == ("unchanged", SlotCounts(same=1))
    assert [(each.booked, each.held) for each in again.in_the_way] == [(1, 2)]
    assert await desk.world.count("hold") == 2
    desk.world.clock.advance(121)  # nobody has swept them
    report = await desk.bring(cut, booked="cut")
    assert (report.outcome, report.slots) == ("done", SlotCounts(cut=1, places=-2))
    assert [(each.booked, each.held) for each in report.in_the_way] == [(1, 0)]
    assert (await desk.slots())[0][3:] == (1, 0)
    assert await desk.books_add_up()


async def test_a_hold_that_has_lapsed_is_in_nobodys_way_although_it_is_not_swept(desk: Desk) -> None:
    await desk.bring(TWO)
    slot = await first_slot(desk)
    await desk.book(slot, 2)
    await desk.hold(slot, 2, seconds=-1)
    report = await desk.bring(slots_csv(row(9, 3)))
    assert (report.outcome, report.slots, report.in_the_way) == ("done", SlotCounts(changed=1, places=-2), [])
    assert (await desk.slots())[0][3:] == (3, 1)
    assert await desk.world.count("hold") == 0
    assert await desk.books_add_up()


async def test_what_has_begun_is_left_alone(desk: Desk) -> None:
    await desk.bring(TWO)
    desk.world.clock.advance(24 * 3600)
    report = await desk.bring(slots_csv(row(9, 6), row(10, 7), row(8, 1)))
    assert (report.outcome, report.slots) == ("unchanged", SlotCounts(same=1, past=2))


async def test_a_column_that_is_not_there_changes_nothing_and_an_empty_cell_empties(desk: Desk) -> None:
    await desk.bring(REGIONS, SITES)
    without = SITES.replace(",products", "").replace(",140 168", "").replace("Sports hall", "Sports hall 2")
    assert (await desk.bring(without)).put == {"sites": Put(0, 1)}
    assert await desk.world.count("site", "name = 'Sports hall 2' AND products = '{140,168}'") == 1
    assert (await desk.bring(SITES.replace("140 168", ""))).put == {"sites": Put(0, 1)}
    assert await desk.world.count("site", "products = '{}' AND code = 'bilbao-1'") == 1


async def test_a_site_gives_the_products_it_lists(desk: Desk) -> None:
    await desk.bring(REGIONS, SITES)
    report = await desk.bring(slots_csv(row(9, site="bilbao-1", product="213")))
    assert report.fault_counts == {"product_not_at_site": 1}


async def test_no_hour_that_people_were_told_moves_with_a_time_zone(desk: Desk) -> None:
    await desk.bring(REGIONS, SITES, slots_csv(row(9, site="bilbao-1")))
    report = await desk.bring(SITES.replace("Europe/Madrid", "Atlantic/Canary"))
    assert [(fault.file, fault.line, fault.code) for fault in report.faults] == [("file0.csv", 2, "zone_in_use")]


async def test_a_site_that_moves_says_how_many_people_nobody_tells(desk: Desk) -> None:
    await desk.bring(REGIONS, SITES, slots_csv(row(9, site="bilbao-1")))
    await desk.book(await first_slot(desk), 2)
    assert (await desk.bring(SITES.replace("yes", "no"))).people_to_tell == {}
    moved = SITES.replace("Gran Vía 1", "Gran Vía 2")
    assert (await desk.bring(moved, dry_run=True)).people_to_tell == {"bilbao-1": 2}
    assert (await desk.bring(moved)).people_to_tell == {"bilbao-1": 2}
    assert (await desk.bring(moved)).people_to_tell == {}


async def test_ndjson_says_the_same_as_csv(desk: Desk) -> None:
    await desk.bring(TWO)
    keys = HEADER.split(",")
    objects: list[dict[str, object]] = [
        dict(zip(keys, row(*each).split(","), strict=True)) for each in ((9, 5), (10, 7))
    ]
    objects[0]["capacity"] = 5
    text = "\n".join(msgspec.json.encode(each).decode() for each in objects)
    assert (await desk.bring(text, suffix="ndjson")).slots == SlotCounts(same=2)


async def test_each_import_is_written_down_with_the_digests_of_its_files(desk: Desk) -> None:
    report = await desk.bring(TWO)
    kept = await desk.world.connection.fetchrow("SELECT * FROM supply_import")
    assert kept is not None
    assert kept["id"] == report.import_id
    assert (kept["actor"], kept["kind"], kept["finished_at"] is not None) == ("olga", "import", True)
    assert msgspec.json.decode(kept["sources"])[0]["sha256"] == report.sources[0].sha256
    audit = await desk.world.connection.fetch(
        "SELECT * FROM audit_event WHERE about = $1 ORDER BY kind", report.import_id
    )
    assert [each["kind"] for each in audit] == ["supply_import_began", "supply_import_ended"]
    for each in audit:
        details = msgspec.json.decode(each["details"])
        assert details["sha256"] == [report.sources[0].sha256]
        assert details["counts"]["slots"]["added"] == 2
        assert "olga" not in each["details"]
        assert each["actor"] == "operator"


class BreaksOff(SupplyStore):
    """Fails in the second batch."""

    async def merge(
        self, connection: Connection, programme: str, booked: Booked | None, now: datetime, after: int, upto: int
    ) -> Merged:
        if after:
            raise ConnectionError("the cable")
        return await super().merge(connection, programme, booked, now, after, upto)


async def test_an_import_that_broke_off_goes_on_where_it_was(desk: Desk) -> None:
    many = slots_csv(*(minute(number) for number in range(BATCH + 10)))
    with pytest.raises(ConnectionError):
        await Desk(desk.world, desk.folder, BreaksOff()).bring(many)
    assert await desk.world.count("slot") == BATCH
    assert await desk.world.count("supply_import", "finished_at IS NULL") == 1
    report = await desk.bring(many)
    assert (report.outcome, report.slots) == ("done", SlotCounts(added=10, same=BATCH, places=20))


async def test_one_import_at_a_time(desk: Desk, database_url: str) -> None:
    other = await connect(database_url)
    try:
        assert await SupplyStore().hold(other)
        with pytest.raises(ImportUnderWay):
            await desk.bring(TWO)
    finally:
        await other.close()
    assert (await desk.bring(TWO)).outcome == "done"


async def test_many_rows_are_read_in_bounded_memory(desk: Desk) -> None:
    """Two hundred thousand, of which all but one chunk are gone again; kept, they would take 60 MB."""
    sites = "".join(SITES.splitlines(keepends=True)[1].replace("bilbao-1", f"s{number}") for number in range(1000))
    await desk.bring(REGIONS, SITES + sites)
    path = desk.folder / "many.csv"
    with path.open("w") as file:
        file.write(HEADER + "\n")
        for number in range(200):
            day, hour = f"2027-04-{number // 10 + 1:02}", number % 10 + 8
            start = f"{day}T{hour:02}:00,{day}T{hour:02}:30"
            file.writelines(f"s{site},{start},140,2\n" for site in range(1000))
    watched = Watched(desk.world, desk.folder)
    assert (await watched.bring_files([path], dry_run=True)).slots.added == 200_000
    assert watched.grown < 30_000_000


@dataclass
class Watched(Desk):
    """Notes by how many bytes the process grows."""

    grown: int = 0

    def __post_init__(self) -> None:
        self._process = Process()
        self._before = self._process.memory_info().rss

    def tell(self, _what: str, _done: int, _total: int) -> None:
        self.grown = max(self.grown, self._process.memory_info().rss - self._before)


def minute(number: int) -> str:
    """One of many slots, each a minute long, three at a time."""
    day, rest = divmod(number // 3, 20 * 60)
    hour, minute = divmod(rest, 60)
    month, day = divmod(day, 28)
    start = f"2027-{month + 4:02}-{day + 1:02}T{hour:02}:{minute:02}"
    return f"{number % 3 + 1},{start},{start}:30,140,2"


async def first_slot(desk: Desk) -> int:
    slot: int = await desk.world.connection.fetchval("SELECT id FROM slot ORDER BY starts_at, id LIMIT 1")
    return slot


async def state(desk: Desk) -> list[object]:
    """Everything that an import could change."""
    tables = ("region", "site", "slot", "clinic_template", "clinic_exception", "supply_import", "audit_event")
    digest = "SELECT md5(coalesce(string_agg(each::text || each.xmin::text, '|' ORDER BY each::text), '')) FROM {} each"
    return [await desk.world.connection.fetchval(digest.format(table)) for table in tables]
