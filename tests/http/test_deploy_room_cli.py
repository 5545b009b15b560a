"""``vestibule room``, against a served edge."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from rich.console import Console
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from deploy import rooms
from deploy.cli import app
from deploy.datadir import DataDir, write_addresses
from deploy.issuer import LocalIssuer
from deploy.stores import Valkey
from edge.app import create_app
from edge.line.logrow import LogPage, LogRow
from shared.bearer import TrustedIssuer
from tests.edge_world import Issuer, config, plan
from tests.serving import Serve

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer(tmp_path)


@pytest.fixture
def local(tmp_path: Path) -> LocalIssuer:
    local = LocalIssuer(DataDir(tmp_path).issuer)
    local.ensure()
    return local


@pytest.fixture
async def base(valkey: Redis, valkey_server: Valkey, serve: Serve, issuer: Issuer, local: LocalIssuer) -> str:
    trusted = (issuer.trusted, TrustedIssuer.model_validate(local.trusted()))
    lanes = [{"lane": "general"}, {"lane": "letters", "access": "pass"}]
    return await serve(create_app(config(valkey_server.url, plan(lanes=lanes), issuers=trusted)))


@pytest.fixture
def run(base: str, issuer: Issuer, tmp_path: Path) -> Iterator[Run]:
    """Run the command as an operator of that edge; the edge answers meanwhile."""

    async def run(*arguments: str, typed: str = "", **environment: str | None) -> Result:
        told = {
            "VESTIBULE_EDGE_PUBLIC_URL": base,
            "VESTIBULE_OPERATOR_TOKEN": issuer.token("operator", sub="olga"),
            "VESTIBULE_DATA_DIR": str(tmp_path),
            "COLUMNS": "160",
        }
        whole = arguments if arguments[0] == "passes" else ("room", *arguments)
        return await asyncio.to_thread(CliRunner().invoke, app, whole, input=typed, env={**told, **environment})

    with capture_logs():  # of the edge, which would write on the command's output: both are in this process
        yield run


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


async def test_an_operators_day(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "spring.json"
    file.write_text('{"name": "Spring", "rate_per_s": 3, "enter_url": "https://book.example.org/enter", "burst": 7}')
    made = told(await run("create", "spring", "--file", str(file), "--rate", "4", "--reason", "it opens", "--json"))
    assert (made["rate_per_s"], made["burst"], made["created"]["actor"]) == (4, 7, "olga")
    assert told(await run("rate", "spring", "2.5", "--reason", "snow", "--json"))["rate_per_s"] == 2.5
    assert told(await run("burst", "spring", "9", "--reason", "sun", "--json"))["burst"] == 9
    paused = told(await run("pause", "spring", "--reason", "storm", "--json"))
    assert (paused["state"], paused["reason"]) == ("paused", "storm")
    listed = told(await run("list", "--json"))
    assert [(room["room"], room["state"]) for room in listed] == [("demo", "open"), ("spring", "paused")]
    resumed = told(await run("resume", "spring", "--reason", "calm", "--json"))
    assert (resumed["state"], resumed["reason"]) == ("open", "calm")
    assert told(await run("show", "spring", "--json"))["reason"] == "calm"


async def test_an_opening_day(run: Run) -> None:
    because = ("--reason", "opening day", "--json")
    times = ("--prequeue-at", "2099-03-01T08:00+01:00", "--opens-at", "2099-03-01T09:00+01:00")
    planned = told(await run("schedule", "demo", *times, *because))
    assert (planned["phase"], planned["opens_at"]) == ("scheduled", "2099-03-01T08:00:00.000Z")
    assert told(await run("schedule", "demo", "--closes-at", "none", *because))["opens_at"] == planned["opens_at"]
    by_lot = told(await run("schedule", "demo", "--discipline", "lottery", *because))
    assert (by_lot["discipline"], by_lot["opens_at"]) == ("lottery", planned["opens_at"])
    none = ("--prequeue-at", "none", "--opens-at", "none", "--discipline", "fifo")
    assert told(await run("schedule", "demo", *none, *because))["phase"] == "open"
    [_, letters] = told(await run("lanes", "demo", "letters", "--weight", "2", "--floor", "1.5", *because))
    assert (letters["weight"], letters["floor_per_s"]) == (2, 1.5)
    assert told(await run("bypass", "demo", "--rate", "5", "--burst", "3", *because))["bypass"]["rate_per_s"] == 5
    assert told(await run("bypass", "demo", "--off", *because))["bypass"]["rate_per_s"] == 0
    revoke = ("passes", "revoke", "--room", "demo", "--batch", "k7q2-m9xd")
    assert told(await run(*revoke, "--number", "4", "--number", "17", *because))["revoked_passes"] == 2
    assert told(await run(*revoke, *because))["revoked_passes"] == 1
    assert told(await run(*revoke, "--undo", *because))["revoked_passes"] == 0
    for act, state in (("drain", "draining"), ("close", "closed"), ("open", "open")):
        assert told(await run(act, "demo", *because))["state"] == state
    assert told(await run("reset", "demo", "--confirm", "demo", *because))["epoch"] == 2
    page = told(await run("log", "demo", "--limit", "2", "--json"))
    assert [row["what"] for row in page["rows"]] == ["room_reset", "room_opened"]
    older = told(await run("log", "demo", "--before", str(page["next_before"]), "--json"))
    assert (len(older["rows"]), older["rows"][0]["what"], older["next_before"]) == (12, "room_closed", None)


async def test_who_comes_and_how_fast(run: Run) -> None:
    because = ("--reason", "robots", "--json")
    assert told(await run("challenge", "demo", "altcha", *because))["challenge"] == "altcha"
    feed = ("--enter-url", "https://book.example.org/enter", "--capacity-url", "http://127.0.0.1:9/v1/capacity")
    told(await run("create", "spring", "--name", "Spring", "--rate", "4", *feed, *because))
    bounds = ("--min-rate", "2", "--max-rate", "8.5", "--max-inside", "300")
    governed = told(await run("governor", "spring", "--mode", "automatic", *bounds, *because))["governor"]
    assert [governed[name] for name in ("mode", "min_rate_per_s", "max_rate_per_s", "max_inside")] == [
        "automatic",
        2,
        8.5,
        300,
    ]
    assert "automatic, 2 to 8.5 tokens/s, 300 people inside at most" in (await run("show", "spring")).stdout
    freed = told(await run("governor", "spring", "--max-inside", "none", *because))["governor"]
    assert (freed["max_inside"], freed["max_rate_per_s"]) == (None, 8.5)


async def test_a_new_line_is_not_begun_by_mistake(run: Run) -> None:
    unsure = await run("reset", "demo", "--reason", "a mistake")
    assert (unsure.exit_code, unsure.stderr) == (
        2,
        "vestibule: everybody in line loses the place: give --confirm demo\n",
    )
    wrong = await run("reset", "demo", "--confirm", "spring", "--reason", "a mistake")
    assert (wrong.exit_code, wrong.stderr.startswith("vestibule: not_confirmed: ")) == (2, True)
    assert told(await run("show", "demo", "--json"))["epoch"] == 1


async def test_a_reset_asks_for_the_rooms_name_on_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.room_acts_cli._is_terminal", lambda: True)
    for typed, epoch in (("spring\n", 1), ("demo\n", 2)):
        answered = await run("reset", "demo", "--reason", "the wrong room", typed=typed)
        assert "type demo" in answered.stderr
        assert told(await run("show", "demo", "--json"))["epoch"] == epoch


async def test_people_are_shown_tables(run: Run) -> None:
    await run("pause", "demo", "--reason", "[red]storm[/red]")
    listed = (await run("list")).stdout.splitlines()
    assert listed[0].split() == ["Room", "State", "Rate/s", "Burst", "Waiting", "Called", "Admitted", "Why"]
    assert listed[1].split() == ["demo", "paused", "50", "10", "0", "0", "0", "[red]storm[/red]"]
    shown = (await run("show", "demo")).stdout
    assert "50 tokens/s, burst 10" in shown
    assert "by the rooms file" in shown
    assert "general, letters" in shown
    lanes = (await run("lanes", "demo")).stdout.splitlines()
    assert lanes[2].split() == ["letters", "pass", "paused", "1", "0", "0", "0", "0", "0", "with", "the", "room"]
    log = (await run("log", "demo", "--limit", "1")).stdout
    assert log.splitlines()[0].endswith("  olga  room_paused  [red]storm[/red]")
    assert log.splitlines()[1:] == ["    state: open → paused"]
    await run("bypass", "demo", "--rate", "5", "--reason", "a night shift")
    await run("passes", "revoke", "--room", "demo", "--batch", "K7Q2M9XD", "--number", "4", "--reason", "a leak")
    await run("reset", "demo", "--confirm", "demo", "--reason", "the wrong room")
    narrow = (await run("log", "demo", COLUMNS="40")).stdout
    assert "    bypass.rate_per_s: 0 → 5\n" in narrow
    assert "    batch: K7Q2M9XD\n    numbers: 4\n" in narrow
    shown = (await run("show", "demo")).stdout
    assert "it is line number 2" in shown
    assert "1 batches or single passes" in shown


def test_nothing_that_others_have_written_moves_the_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    row = LogRow(1, "now", "ol\x1b[2Jga", "", "room_\x07paused", "sn\now\x9b31m", {"state": "\x1b[31mred"}, {})
    rooms.show_log(Console(), LogPage([row], None))
    shown = capsys.readouterr().out
    assert {letter for letter in shown if not letter.isprintable()} == {"\n"}
    assert r"ol\x1b[2Jga" in shown
    assert shown.count("\n") == 2


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["show", "nowhere"], "vestibule: not_found: there is no such room\n"),
        (["rate", "demo", "0", "--reason", "x"], "vestibule: invalid_body: "),
        (["schedule", "demo", "--opens-at", "tomorrow", "--reason", "x"], "vestibule: 'tomorrow' is no time with its"),
        (
            ["schedule", "demo", "--opens-at", "2099-01-01T00:00", "--reason", "x"],
            "vestibule: '2099-01-01T00:00' is no",
        ),
        (
            ["lanes", "demo", "nobody", "--weight", "2", "--reason", "x"],
            "vestibule: invalid_body: there is no such lane",
        ),
        (["lanes", "demo", "general", "--weight", "2"], "vestibule: say why: give --reason\n"),
        (["lanes", "demo", "general", "--reason", "x"], "vestibule: nothing to change: give one of --weight, "),
        (["schedule", "demo", "--reason", "x"], "vestibule: nothing to change: give one of --prequeue-at, "),
        (["schedule", "demo", "--discipline", "raffle", "--reason", "x"], "vestibule: 'raffle' is no discipline: "),
        (["challenge", "demo", "riddle", "--reason", "x"], "vestibule: not a change: Invalid enum value 'riddle'"),
        (["governor", "demo", "--reason", "x"], "vestibule: nothing to change: give one of --mode, "),
        (["governor", "demo", "--mode", "manual", "--reason", "x"], "vestibule: no_capacity_feed: "),
        (["governor", "demo", "--max-inside", "many", "--reason", "x"], "vestibule: not a change: "),
        (["pause", "demo", "--reason", " "], "vestibule: invalid_body: say why in words, on one line"),
        (["bypass", "demo", "--reason", "x"], "vestibule: invalid_body: give either a rate or off"),
        (["create", "demo", "--rate", "1", "--reason", "x"], "vestibule: not a room: "),
        (
            ["create", "demo", "--name", "D", "--rate", "1", "--enter-url", "http://a.example", "--reason", "x"],
            "vestibule: room_exists: There is a room of this id\n",
        ),
        (["list", "--edge", "http://127.0.0.1:9"], "vestibule: no answer from http://127.0.0.1:9 (ConnectError)\n"),
    ],
)
async def test_what_goes_wrong_is_said_in_one_line_with_its_code(run: Run, arguments: list[str], error: str) -> None:
    result = await run(*arguments)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert result.stderr.startswith(error)


@pytest.mark.parametrize(
    "arguments",
    [
        ["pause", "demo"],
        ["resume", "demo"],
        ["open", "demo"],
        ["drain", "demo"],
        ["close", "demo"],
        ["schedule", "demo"],
        ["bypass", "demo", "--off"],
        ["reset", "demo", "--confirm", "demo"],
        ["rate", "demo", "5"],
        ["create", "a"],
        ["passes", "revoke", "--room", "demo", "--batch", "K7Q2M9XD"],
    ],
)
async def test_no_change_without_a_reason(run: Run, arguments: list[str]) -> None:
    result = await run(*arguments)
    assert (result.exit_code, "--reason" in result.stderr) == (2, True)


async def test_a_token_is_minted_for_the_stack_that_runs_here_and_for_no_other(
    run: Run, base: str, local: LocalIssuer, tmp_path: Path
) -> None:
    nothing = {"VESTIBULE_OPERATOR_TOKEN": None, "VESTIBULE_EDGE_PUBLIC_URL": None}
    lost = await run("list", **nothing)
    assert (lost.exit_code, "no edge" in lost.stderr) == (2, True)
    write_addresses(
        DataDir(tmp_path).running,
        {
            "edge_url": base,
            "origin_url": "",
            "identity_url": "",
            "database_url": "",
            "redis_url": "",
            "data_dir": str(tmp_path),
            "pids": {},
        },
    )
    assert [room["room"] for room in told(await run("list", "--json", **nothing))] == ["demo"]
    assert told(await run("list", "--json", "--edge", f"{base}/", **nothing))
    elsewhere = await run("list", "--edge", "https://wait.example.org", **nothing)
    assert elsewhere.exit_code == 2
    assert elsewhere.stderr == "vestibule: no token for https://wait.example.org: set VESTIBULE_OPERATOR_TOKEN\n"
