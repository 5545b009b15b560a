"""A month at a glance, and the address that a wish is."""

from datetime import date, datetime
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from starlette.datastructures import QueryParams

from origin.inventory.gazetteer import Place
from origin.inventory.store import FreeDay
from origin.web.month import month_words
from origin.web.wish import Wish, wish_of

MADRID = Place("Madrid, ES-MD", "town", "Madrid", "ES-MD", "ES-MD", 40.4, -3.7, "Europe/Madrid", 1)
NOW = datetime(2027, 3, 3, 23, 30, tzinfo=ZoneInfo("Europe/London"))  # the fourth, in Madrid


def wish(query: str = "") -> Wish:
    return wish_of(QueryParams(query), MADRID, NOW, ["140", "168"], ["braille", "hearing_loop"])


def test_a_wish_and_its_address_say_the_same() -> None:
    query = "place=Madrid&radius=50&from=2027-03-20&sort=first_available&product=168&step_free=1&accessibility=braille"
    made = wish(f"{query}&month=2027-04")
    assert wish(urlsplit(made.address()).query) == made
    assert made.address(after="x").endswith("&month=2027-04&after=x")
    assert (made.today, made.day, made.month) == (date(2027, 3, 4), date(2027, 3, 20), date(2027, 4, 1))
    assert made.features == ("braille",)
    assert made.wanted("demo").products == ["168"]


@pytest.mark.parametrize(
    "query",
    [
        "radius=7&from=yesterday&sort=best&product=999&step_free=yes&accessibility=stairs&month=13",
        "from=2020-01-01&month=2020-01",
        "from=0001-01-01&month=0001-01",
        "",
    ],
)
def test_what_an_address_says_wrongly_is_a_good_beginning(query: str) -> None:
    assert wish(query) == wish()
    assert wish().wanted("demo").products == ["140", "168"]


def test_nobody_looks_beyond_the_last_day() -> None:
    made = wish("from=9999-12-31&month=9999-12")
    assert (made.day, made.month) == (date(2027, 5, 3), date(2027, 5, 1))


@pytest.mark.parametrize(("language", "first", "name"), [("en", "Mo", "March 2027"), ("ar", "إثنين", "مارس 2027")])
def test_a_month_has_its_days_below_their_weekdays(language: str, first: str, name: str) -> None:
    free = [FreeDay(date(2027, 3, 2), 9, 1), FreeDay(date(2027, 3, 4), 12, 2), FreeDay(date(2027, 3, 31), 1, 1)]
    made = month_words(wish("from=2027-03-04"), free, frozenset({date(2027, 3, 4)}), language)
    assert made.name == name
    short = [each for each, _ in made.weekdays]
    assert sorted(short) == sorted(set(short))
    column = short.index(first)  # 1 March 2027 is a Monday
    days = {cell.number: (week, at) for week, row in enumerate(made.weeks) for at, cell in enumerate(row) if cell}
    assert days[1][1] == column
    assert sorted(days) == list(range(1, 32))
    assert {len(row) for row in made.weeks} == {7}
    cells = {cell.number: cell for row in made.weeks for cell in row if cell}
    assert {n: cell.places for n, cell in cells.items() if cell.places} == {4: 12, 31: 1}  # the second is past
    assert [n for n, cell in cells.items() if cell.is_chosen] == [4]
    assert parse_qs(urlsplit(cells[31].address).query)["from"] == ["2027-03-31"]
    assert (made.earlier, parse_qs(urlsplit(made.later).query)["month"]) == ("", ["2027-04"])
