"""Slots of recurring clinics: made once however often, changed with their clinic, never against a person."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from origin.inventory.bulk.report import Put, SlotCounts
from tests import origin_world
from tests.supply_world import Desk, row, slots_csv

HEADER = "template,site,weekdays,opens,closes,breaks,slot_minutes,capacity,product,from,until\n"
DAYS = "day,name,what,region,site,opens,closes\n"
WEEK = (date(2027, 3, 1), date(2027, 3, 8))  # Monday, 9 h UTC, is now


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with origin_world.world(database_url) as world:
        yield Desk(world, tmp_path)


def template(
    code: str = "mornings",
    *,
    site: str = "1",
    weekdays: str = "tue thu",
    opens: str = "09:00",
    capacity: int = 4,
    product: str = "140",
    until: str = "",
) -> str:
    """Two hours with a break of half an hour: three slots a day."""
    hours = f"{opens},11:00,10:00-10:30,30"
    return f"{HEADER}{code},{site},{weekdays},{hours},{capacity},{product},2027-01-01,{until}\n"


async def starts(desk: Desk) -> list[str]:
    """Site and start in UTC of all slots with free places."""
    return [f"{site} {start}" for site, start, _, _, remaining in await desk.slots() if remaining]


async def test_slots_are_made_once_however_often(desk: Desk) -> None:
    assert (await desk.bring(template())).put == {"templates": Put(1, 0)}
    preview = await desk.generate(*WEEK, dry_run=True)
    assert (preview.outcome, preview.slots) == ("previewed", SlotCounts(added=6, places=24))
    assert await desk.slots() == []
    assert (await desk.generate(*WEEK)).slots == preview.slots
    days = ("02", "04")
    assert await starts(desk) == [f"1 03-{day}T{clock}" for day in days for clock in ("08:00", "08:30", "09:30")]
    again = await desk.generate(*WEEK)
    assert (again.outcome, again.slots) == ("unchanged", SlotCounts(same=6))


async def test_days_overlap_and_go_on_in_the_sites_own_time(desk: Desk) -> None:
    await desk.bring(template(site="3", weekdays="sun"))
    assert (await desk.generate(date(2027, 3, 20), date(2027, 3, 28))).slots.added == 3
    assert (await desk.generate(date(2027, 3, 20), date(2027, 4, 1))).slots == SlotCounts(added=3, same=3, places=12)
    assert await starts(desk) == [
        f"3 03-{day}T{clock}" for day, hours in (("21", (9, 9, 10)), ("28", (8, 8, 9)))
        for clock in (f"{hours[0]:02}:00", f"{hours[1]:02}:30", f"{hours[2]:02}:30")
    ]  # fmt: skip


async def test_today_begins_now_and_nothing_is_made_in_the_past(desk: Desk) -> None:
    await desk.bring(template(weekdays="mon"))
    await desk.generate()
    assert await starts(desk) == ["1 03-01T09:30", "1 03-08T08:00", "1 03-08T08:30", "1 03-08T09:30"]


async def test_holidays_close_and_a_sites_own_day_counts_before_its_regions(desk: Desk) -> None:
    both = template() + template("toledo", site="2").removeprefix(HEADER)
    rows = (
        "02,Strike,closed,,,,",
        "04,Late,hours,,1,10:30,11:30",
        "04,Fair,hours,ES-CM,,10:30,11:00",
        "04,Day,closed,,,,",
    )
    assert (await desk.bring(both, DAYS + "".join(f"2027-03-{each}\n" for each in rows))).put["exceptions"] == Put(4, 0)
    await desk.generate(*WEEK)
    assert await starts(desk) == ["1 03-04T09:30", "1 03-04T10:00", "2 03-04T09:30"]
    assert (await desk.bring(f"{DAYS}2027-03-02,Strike,none,,,,\n")).put == {"exceptions": Put(0, 1)}
    assert (await desk.generate(*WEEK)).slots.added == 6


async def test_a_holiday_that_comes_later_takes_free_places_and_asks_about_people(desk: Desk) -> None:
    await desk.bring(template())
    await desk.generate(*WEEK)
    slot = await desk.world.connection.fetchval("SELECT id FROM slot ORDER BY starts_at LIMIT 1")
    appointments = await desk.book(slot, 2)
    await desk.bring(f"{DAYS}2027-03-02,Flood,closed,,1,,\n")
    report = await desk.generate(*WEEK)
    assert (report.outcome, report.slots) == ("undecided", SlotCounts(changed=2, booked=1, same=3, places=-8))
    [in_the_way] = report.in_the_way
    assert (in_the_way.source, sorted(map(str, in_the_way.appointments))) == ("mornings", sorted(appointments))
    assert (await desk.generate(*WEEK, booked="cut")).slots == SlotCounts(changed=2, cut=1, same=3, places=-10)
    assert [each[3:] for each in await desk.slots()][:3] == [(2, 0), (0, 0), (0, 0)]
    assert (await desk.generate(*WEEK, booked="cut")).outcome == "unchanged"
    assert await desk.books_add_up()


async def test_a_changed_clinic_changes_its_slots_and_an_ended_one_takes_them_back(desk: Desk) -> None:
    await desk.bring(template())
    await desk.generate(*WEEK)
    assert (await desk.bring(template(opens="08:30", capacity=5))).put == {"templates": Put(0, 1)}
    assert (await desk.generate(*WEEK)).slots == SlotCounts(added=2, changed=6, places=16)
    await desk.bring(template(opens="08:30", capacity=5, until="2027-03-02"))
    report = await desk.generate(date(2027, 3, 1), date(2027, 3, 3))
    assert report.slots == SlotCounts(changed=4, same=4, places=-20)
    assert {start[:7] for start in await starts(desk)} == {"1 03-02"}


async def test_slots_outside_the_days_asked_for_stay(desk: Desk) -> None:
    await desk.bring(template())
    await desk.generate(*WEEK)
    await desk.bring(template(weekdays="fri"))
    assert (await desk.generate(date(2027, 3, 3), date(2027, 3, 8))).slots == SlotCounts(added=3, changed=3)
    assert {start[:7] for start in await starts(desk)} == {"1 03-02", "1 03-05"}


async def test_a_slot_that_somebody_changed_by_hand_stays_as_it_is(desk: Desk) -> None:
    await desk.bring(template())
    await desk.generate(*WEEK)
    await desk.bring(slots_csv(row(9, 40)))
    report = await desk.generate(*WEEK)
    assert (report.outcome, report.slots) == ("unchanged", SlotCounts(same=5, others=1))
    assert (await desk.slots())[0][3] == 40


async def test_two_clinics_do_not_make_the_same_slot(desk: Desk) -> None:
    await desk.bring(template("a") + template("b", weekdays="thu").removeprefix(HEADER))
    report = await desk.generate(*WEEK)
    assert (report.outcome, report.fault_counts) == ("refused", {"row_twice": 1})
    assert [(fault.file, "as a" in fault.what) for fault in report.faults] == [("b", True)]
    assert await desk.slots() == []
    await desk.bring(template("b", weekdays="thu", product="168"))
    assert (await desk.generate(*WEEK)).slots.added == 9


async def test_templates_and_exceptions_are_checked_like_all_rows(desk: Desk) -> None:
    bad = HEADER + "x,nowhere,mon,09:00,08:00,,0,0,140,2027-01-01,2026-01-01\n"
    days = DAYS + "".join(
        f"2027-03-02,A,{each}\n" for each in ("open,,,,", "closed,ES-MD,1,,", "hours,,,,", "closed,QQ,,,")
    )
    report = await desk.bring(bad, days)
    assert sorted((fault.line, fault.field, fault.code) for fault in report.faults) == [
        (2, "capacity", "number"),
        (2, "site", "site_unknown"),
        (2, "slot_minutes", "number"),
        (2, "what", "what"),
        (3, "site", "scope"),
        (4, "opens", "hours"),
        (5, "region", "region_unknown"),
    ]
