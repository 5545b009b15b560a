"""``vestibule supply`` on a terminal, against a real database."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from deploy.cli import app
from tests import origin_world
from tests.supply_world import REGIONS, SITES, Desk, row, slots_csv


@pytest.fixture
async def desk(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setenv("VESTIBULE_DATABASE_URL", database_url)
    async with origin_world.world(database_url) as world:
        yield Desk(world, tmp_path)


def run(desk: Desk, *words: str, **files: str) -> tuple[int, str]:
    """Run a command on files of these names; return its status and all that it said."""
    for name, text in files.items():
        (desk.folder / f"{name}.csv").write_text(text)
    paths = [str(desk.folder / f"{name}.csv") for name in files]
    done = CliRunner().invoke(app, ["supply", *words[:1], *paths, *words[1:]])
    return done.exit_code, done.output


def test_a_dry_run_then_the_real_one_then_nothing(desk: Desk) -> None:
    files = {"regions": REGIONS, "sites": SITES, "slots": slots_csv(row(9, site="bilbao-1"), row(10, site="bilbao-1"))}
    said = [run(desk, "import", *more, **files) for more in (("--dry-run",), (), ())]
    assert [status for status, _ in said] == [0, 0, 0]
    for (_, text), word in zip(said, ("A dry run", "Done", "Everything is so already"), strict=True):
        assert word in text
    assert "places: +10" in said[0][1]
    assert "2 as they should be" in said[2][1]


def test_what_is_wrong_is_a_line_each_and_status_one(desk: Desk) -> None:
    status, text = run(desk, "import", slots=slots_csv(row(9), row(10, product="8"), row(11, site="x[bold]")))
    assert status == 1
    assert "slots.csv:3 product product: write a CVX code" in text
    assert "slots.csv:4 site code: " in text
    assert "Nothing was changed: 2 to mend (code 1, product 1)" in text


async def test_people_in_the_way_are_named_by_reference_and_a_decision_is_asked_for(desk: Desk) -> None:
    await desk.bring(slots_csv(row(9)))
    [appointment] = await desk.book(await desk.world.connection.fetchval("SELECT id FROM slot"), 1)
    status, text = await asyncio.to_thread(run, desk, "import", slots=slots_csv(row(9, 0)))
    assert status == 1
    assert "slots.csv:2 1 2027-03-02T09:00+01:00 140: 0 wanted, 1 booked" in text
    assert f"appointment {appointment}" in text
    assert "--booked cut" in text
    status, text = await asyncio.to_thread(
        run, desk, "import", "--booked", "leave", "--json", slots=slots_csv(row(9, 0))
    )
    assert status == 0
    assert msgspec.json.decode(text)["slots"]["left"] == 1


async def test_held_places_are_told_apart_with_until_when_and_what_to_do_then(desk: Desk) -> None:
    await desk.bring(slots_csv(row(9)))
    await desk.hold(await desk.world.connection.fetchval("SELECT id FROM slot"), 1)
    status, text = await asyncio.to_thread(run, desk, "import", slots=slots_csv(row(9, 0)))
    assert status == 1
    until = re.search(r"140: 0 wanted, 0 booked, 1 held until (\S+)\n", text)
    assert until is not None, text
    assert f"booked or free again by {until[1]}. What is free then goes when the same command is run again" in text
    assert "no held place is taken away" in text


def test_clinics_are_brought_and_generated(desk: Desk) -> None:
    header = "template,site,weekdays,opens,closes,slot_minutes,capacity,product,from\n"
    assert run(desk, "import", t=f"{header}daily,1,mon-sun,09:00,10:00,30,4,140,2027-01-01\n")[0] == 0
    days = ("--from", "2027-03-02", "--until", "2027-03-04")
    said = [run(desk, "generate", *days, *more) for more in (("--dry-run",), (), ())]
    assert [status for status, _ in said] == [0, 0, 0]
    assert "daily: 4 slots" in said[0][1]
    assert "places: +16" in said[1][1]
    assert "Everything is so already" in said[2][1]


PLACES = "country,region,name,lat,lng\nES,ES-MD,Getafe,40.3,-3.7\n"
POSTAL = (
    "ES\t28901\tGetafe\tMadrid\tMD\t\t\t\t\t40.3\t-3.7\t4\n"
    "ES\t45001\tToledo\tCastilla - La Mancha\tCLM\t\t\t\t\t39.9\t-4.0\t4\n"
)


def test_a_gazetteer_is_looked_at_then_filled_then_nothing_is_left_to_do(desk: Desk) -> None:
    said = [run(desk, "gazetteer", *more, ES=POSTAL) for more in (("--dry-run",), (), ())]
    assert [status for status, _ in said] == [0, 0, 0]
    for (_, text), word in zip(said, ("A dry run", "Done", "Everything is so already"), strict=True):
        assert word in text
        assert "ES.csv: 2 rows of places" in text
        assert "entries of ES:" in text
        assert "rows left out: 1, in divisions that are no region here" in text
        assert "ES-CLM Castilla - La Mancha: 1" in text
    status, text = run(desk, "gazetteer", "--region", "ES-CLM=ES-CM", "--json", ES=POSTAL)
    report = msgspec.json.decode(text)
    assert (status, report["towns"], report["left_out"]) == (0, {"added": 1, "removed": 0, "same": 1}, {})
    status, text = run(desk, "gazetteer", "--everything", t=PLACES)
    assert "entries of all countries:" in text
    assert [each.split() for each in text.splitlines() if "postal codes" in each] == [
        ["postal", "codes", "0", "2", "0"]
    ]


def test_what_is_wrong_with_a_gazetteer_is_a_line_each_and_status_one(desk: Desk) -> None:
    status, text = run(desk, "gazetteer", t=PLACES + "es,ES-XX,Getafe,north,-3.7\n")
    assert status == 1
    for line in ("t.csv:3 country country: write", "t.csv:3 region region_unknown: ", "t.csv:3 lat number: write"):
        assert line in text
    assert "Nothing was changed: 3 to mend (country 1, number 1, region_unknown 1)" in text


@pytest.mark.parametrize(
    ("region", "told"),
    [("ES-CLM", "write each --region once, as NAME=REGION"), ("ES-CLM=ES-XX", "there is no region ES-XX")],
)
def test_a_region_that_cannot_be_meant_is_one_line_and_status_two(desk: Desk, region: str, told: str) -> None:
    status, text = run(desk, "gazetteer", "--region", region, t=PLACES)
    assert status == 2
    assert text.startswith(f"vestibule: {told}")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--booked", "cancel"), "vestibule: --booked is cut or leave"),
        (("--programme", "nobody"), "vestibule: there is no programme nobody"),
    ],
)
def test_what_cannot_begin_is_one_line_and_status_two(desk: Desk, words: tuple[str, ...], told: str) -> None:
    assert run(desk, "import", *words, slots=slots_csv(row(9))) == (2, f"{told}\n")
