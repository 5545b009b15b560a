"""`vestibule lottery verify`: what was promised is told from what was not, with an edge or without a network."""

import asyncio
import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from typer.testing import CliRunner, Result

from deploy.cli import app
from deploy.stores import free_port
from edge.line.lottery import Draw, commitment
from tests.conftest import ROOT
from tests.serving import Serve

SEED = bytes(range(32))
OTHER = bytes(range(1, 33))
COMMITMENT = commitment(SEED)
OPENED = {"commitment": COMMITMENT, "seed": SEED.hex(), "entries": {"general": 1000, "phone": 40, "staff": 0}}
SEALED = {"commitment": COMMITMENT, "seed": None, "entries": None}


def place(entry: int, lane: str = "general", entries: int = 1000) -> int:
    return Draw(SEED, room="demo", epoch=3, lane=lane, entries=entries).place(entry)


def run(*options: str) -> Result:
    return CliRunner().invoke(app, ["lottery", "verify", "--room", "demo", *options])


async def ask(serve: Serve, answer: object, *options: str) -> Result:
    """Run the command against a room whose status is ``answer``, over real HTTP."""

    async def status(_: object) -> Response:
        return answer if isinstance(answer, Response) else JSONResponse(answer)

    url = await serve(Starlette(routes=[Route("/v1/rooms/demo", status)]))
    return await asyncio.to_thread(run, "--edge", url, *options)


def room(lottery: object, **more: object) -> dict[str, Any]:
    """A status as an edge gives it: there is more in it than the command looks at."""
    return {"room": "demo", "state": "open", "epoch": 3, "joined": 1040, "lottery": lottery, **more}


def offline(**changed: str) -> list[str]:
    options = {"seed": SEED.hex(), "commitment": COMMITMENT, "entries": "1000", "epoch": "3", "entry": "17", **changed}
    return [part for name, value in options.items() for part in (f"--{name}", value)]


async def test_a_draw_that_was_promised_is_drawn_again(serve: Serve) -> None:
    result = await ask(serve, room(OPENED), "--entry", "17")
    assert result.exit_code == 0, result.output
    assert f"Entry 17 has place {place(17)}." in result.stdout
    assert f"The seed {SEED.hex()} keeps its commitment {COMMITMENT}." in result.stdout
    assert "Room demo, epoch 3, lane general: 1000 entries." in result.stdout
    assert "Compare that commitment with the one you noted" in result.stdout


async def test_each_lane_is_a_draw_of_its_own(serve: Serve) -> None:
    result = await ask(serve, room(OPENED), "--entry", "17", "--lane", "phone", "--commitment", COMMITMENT.upper())
    assert result.exit_code == 0, result.output
    assert f"Entry 17 has place {place(17, 'phone', 40)}." in result.stdout
    assert "Compare" not in result.stdout, "it has been compared"


async def test_a_seed_that_was_not_promised_is_found(serve: Serve) -> None:
    result = await ask(serve, room({**OPENED, "seed": OTHER.hex()}), "--entry", "17")
    assert result.exit_code == 1
    assert "the seed is not the one that was promised" in result.stderr
    assert commitment(OTHER) in result.stderr
    assert "has place" not in result.stdout


@pytest.mark.parametrize("promised", [OPENED, SEALED], ids=["after the opening", "before"])
async def test_a_commitment_that_was_changed_meanwhile_is_found(serve: Serve, promised: dict[str, object]) -> None:
    result = await ask(serve, room(promised), "--entry", "17", "--commitment", commitment(OTHER))
    assert result.exit_code == 1
    assert "the commitment has been changed" in result.stderr
    assert "has place" not in result.stdout


async def test_before_the_opening_there_is_a_commitment_to_note(serve: Serve) -> None:
    result = await ask(serve, room(SEALED, opens_at="2026-03-01T08:00:00Z"), "--entry", "17")
    assert result.exit_code == 2
    assert "the seed is not published yet; the room opens at 2026-03-01T08:00:00Z" in result.stderr
    assert COMMITMENT in result.stderr


@pytest.mark.parametrize(
    ("answer", "options", "words"),
    [
        (room(None), ["--entry", "1"], "nothing is drawn in room demo"),
        (room(OPENED), ["--entry", "1001"], "there is no entry 1001 in a draw of 1000"),
        (
            room(OPENED),
            ["--entry", "1", "--lane", "vip"],
            "nobody entered in lane vip; lanes with entries: general, phone",
        ),
        (room(OPENED), ["--entry", "1", "--lane", "staff"], "nobody entered in lane staff"),
        (room({**OPENED, "seed": "00"}), ["--entry", "1"], "a seed is 32 bytes long, not 1"),
        (room({**OPENED, "seed": "what"}), ["--entry", "1"], "this cannot be drawn"),
        ({"room": "demo"}, ["--entry", "1"], "is not the status of a room as this version knows it"),
        (Response("<html>"), ["--entry", "1"], "is not the status of a room as this version knows it"),
        (Response(status_code=404), ["--entry", "1"], "/v1/rooms/demo answers 404 Not Found"),
    ],
)
async def test_what_cannot_be_said_is_no_accusation(
    serve: Serve, answer: object, options: list[str], words: str
) -> None:
    result = await ask(serve, answer, *options)
    assert result.exit_code == 2
    assert words in result.stderr


def test_an_edge_that_does_not_answer_is_named() -> None:
    port = free_port()
    result = run("--edge", f"http://127.0.0.1:{port}", "--entry", "1")
    assert result.exit_code == 2
    assert f"cannot read http://127.0.0.1:{port}/v1/rooms/demo" in result.stderr


def test_it_can_be_checked_without_a_network() -> None:
    result = run(*offline())
    assert result.exit_code == 0, result.output
    assert f"Entry 17 has place {place(17)}." in result.stdout


def test_without_a_network_too_a_seed_that_was_not_promised_is_found() -> None:
    result = run(*offline(seed=OTHER.hex()))
    assert result.exit_code == 1
    assert "the seed is not the one that was promised" in result.stderr


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--entry", "1"],
        offline()[2:],
        offline()[:-2],
        [*offline(), "--edge", "http://127.0.0.1:1"],
    ],
    ids=["nothing", "no source", "no seed", "no entry", "two sources"],
)
def test_something_left_out_or_said_twice_is_explained(options: list[str]) -> None:
    result = run(*options)
    assert result.exit_code == 2
    assert "Invalid value" in result.stderr


def test_all_places_are_written_for_whoever_wants_to_count(tmp_path: Path) -> None:
    file = tmp_path / "places.csv"
    result = run(*offline(entries="20001"), "--all", str(file))
    assert result.exit_code == 0, result.output
    with file.open(newline="") as text:
        rows = list(csv.DictReader(text))
    assert [int(row["entry"]) for row in rows] == list(range(1, 20_002))
    assert sorted(int(row["place"]) for row in rows) == list(range(1, 20_002))
    assert int(rows[16]["place"]) == place(17, entries=20_001)
    assert "Drawing" in result.stderr, "it takes a while: the progress is shown"


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    result = run(*offline(), "--all", str(tmp_path / "nowhere" / "places.csv"))
    assert result.exit_code == 2
    assert "cannot write" in result.stderr


def test_the_command_brings_neither_service_nor_a_store_in() -> None:
    code = (
        "import json, sys\nfrom deploy.cli import app\n"
        f"app({['lottery', 'verify', '--room', 'demo', *offline()]!r}, standalone_mode=False)\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    modules = json.loads(done.stdout.splitlines()[-1])
    ours = {name for name in modules if name.partition(".")[0] in {"edge", "origin"}}
    thinking = {"edge.base32", "edge.guard.passes", "edge.line.lottery"}
    assert ours <= {"edge", "edge.guard", "edge.line"} | thinking
    assert not {"asyncpg", "redis", "starlette", "uvicorn"} & set(modules)
