"""The demo programme is large enough, where people are, and on the sites' own clocks."""

from collections import Counter, defaultdict
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from deploy import demo
from deploy.demo import DemoSite, DemoSlot
from deploy.settings import StackSettings

_MONDAY = date(2026, 11, 23)
_PRODUCTS = ("308", "309")


@cache
def _sites() -> list[DemoSite]:
    return demo.sites(demo.towns(), StackSettings().demo_sites)


def _site_in(time_zone: str, *, hub: bool = False) -> DemoSite:
    return next(site for site in _sites() if site.town.time_zone == time_zone and site.hub == hub)


def _local(slot: DemoSlot, site: DemoSite) -> tuple[datetime, datetime]:
    zone = ZoneInfo(site.town.time_zone)
    return slot.starts_at.astimezone(zone), slot.ends_at.astimezone(zone)


def test_there_are_at_least_300_sites_and_100_000_slots_over_28_days() -> None:
    days = StackSettings().demo_days

    slots = sum(1 for site in _sites() for _ in demo.slots(site, _MONDAY, days, _PRODUCTS))

    assert days == 28
    assert len(_sites()) >= 300
    assert slots >= 100_000


def test_every_region_and_more_than_one_time_zone_has_sites() -> None:
    assert {site.town.region for site in _sites()} == {code for code, _ in demo.REGIONS.values()}
    assert {"Europe/Madrid", "Atlantic/Canary"} <= {site.town.time_zone for site in _sites()}


def test_the_largest_town_has_most_sites_and_many_towns_have_one() -> None:
    by_town = Counter(site.town.name for site in _sites())

    assert by_town.most_common(1)[0][0] == "Madrid"
    assert by_town["Madrid"] > by_town["Barcelona"] > by_town["Zaragoza"] > 1
    assert len(by_town) > 150


def test_sites_of_one_town_stand_apart_and_near_it() -> None:
    places = [(site.lat, site.lng) for site in _sites()]

    assert len(set(places)) == len(places)
    assert all(abs(site.lat - site.town.lat) < 0.1 for site in _sites())


def test_a_larger_demo_keeps_the_sites_of_a_smaller_one() -> None:
    towns = demo.towns()

    assert demo.sites(towns, 50)[:20] == demo.sites(towns, 20)


def test_the_same_days_give_the_same_slots() -> None:
    site = _sites()[7]

    assert list(demo.slots(site, _MONDAY, 9, _PRODUCTS)) == list(demo.slots(site, _MONDAY, 9, _PRODUCTS))


def test_days_added_later_are_those_a_longer_run_would_have_had() -> None:
    site = _sites()[3]
    week = timedelta(days=7)

    later = [*demo.slots(site, _MONDAY, 7, _PRODUCTS), *demo.slots(site, _MONDAY + week, 7, _PRODUCTS)]

    assert later == list(demo.slots(site, _MONDAY, 14, _PRODUCTS))


@pytest.mark.parametrize("time_zone", ["Europe/Madrid", "Atlantic/Canary"])
@pytest.mark.parametrize("change", [date(2026, 3, 29), date(2026, 10, 25)])
def test_opening_hours_hold_on_the_sites_clock_across_a_change_of_clocks(time_zone: str, change: date) -> None:
    site = _site_in(time_zone)

    opened = defaultdict(list)
    for slot in demo.slots(site, change - timedelta(days=7), 14, _PRODUCTS):
        starts, ends = _local(slot, site)
        assert slot.ends_at - slot.starts_at == timedelta(minutes=30)
        opened[starts.date()].append((starts.time(), ends.time()))

    weekdays = {day for day in opened if day.isoweekday() <= 5}
    assert len(weekdays) == 10
    assert {(opened[day][0][0], opened[day][-1][1]) for day in weekdays} == {(time(9), time(18, 30))}
    assert {
        starts.utcoffset()
        for starts, _ in (_local(s, site) for s in demo.slots(site, change - timedelta(7), 14, ["1"]))
    } == {
        timedelta(hours=0 if time_zone == "Atlantic/Canary" else 1),
        timedelta(hours=1 if time_zone == "Atlantic/Canary" else 2),
    }


def test_the_canaries_open_an_hour_after_the_mainland() -> None:
    mainland, canary = _site_in("Europe/Madrid"), _site_in("Atlantic/Canary")

    first = [next(demo.slots(site, _MONDAY, 1, _PRODUCTS)).starts_at for site in (mainland, canary)]

    assert first[1] - first[0] == timedelta(hours=1)


@pytest.mark.parametrize("hub", [False, True])
def test_sites_close_for_lunch_and_on_sundays_and_slots_never_overlap(hub: bool) -> None:
    site = _site_in("Europe/Madrid", hub=hub)
    slots = list(demo.slots(site, _MONDAY, 28, _PRODUCTS))

    for slot in slots:
        starts, ends = _local(slot, site)
        assert starts.isoweekday() != 7
        assert not (starts.time() < time(14, 30) and ends.time() > time(14))
    assert all(before.ends_at <= after.starts_at for before, after in pairwise(slots))
    assert {slot.product for slot in slots} == set(_PRODUCTS)
    assert all(1 <= slot.capacity <= 50 for slot in slots)
