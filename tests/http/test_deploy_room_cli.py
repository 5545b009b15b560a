"""``vestibule room``, against a served edge."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from deploy.cli import app
from deploy.datadir import DataDir, write_addresses
from deploy.issuer import LocalIssuer
from deploy.stores import Valkey
from edge.app import create_app
from shared.bearer import TrustedIssuer
from tests.conftest import Serve
from tests.edge_world import Issuer, config

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
    return await serve(create_app(config(valkey_server.url, issuers=trusted)))


@pytest.fixture
def run(base: str, issuer: Issuer, tmp_path: Path) -> Iterator[Run]:
    """Run the command as an operator of that edge; the edge answers meanwhile."""

    async def run(*arguments: str, **environment: str | None) -> Result:
        told = {
            "VESTIBULE_EDGE_PUBLIC_URL": base,
            "VESTIBULE_OPERATOR_TOKEN": issuer.token("operator", sub="olga"),
            "VESTIBULE_DATA_DIR": str(tmp_path),
            "COLUMNS": "160",
        }
        return await asyncio.to_thread(CliRunner().invoke, app, ["room", *arguments], env={**told, **environment})

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


async def test_people_are_shown_tables(run: Run) -> None:
    await run("pause", "demo", "--reason", "[red]storm[/red]")
    listed = (await run("list")).stdout.splitlines()
    assert listed[0].split() == ["Room", "State", "Rate/s", "Burst", "Waiting", "Called", "Admitted", "Why"]
    assert listed[1].split() == ["demo", "paused", "50", "10", "0", "0", "0", "[red]storm[/red]"]
    shown = (await run("show", "demo")).stdout
    assert "50 tokens/s, burst 10" in shown
    assert "by the rooms file" in shown


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["show", "nowhere"], "vestibule: not_found: there is no such room\n"),
        (["rate", "demo", "0", "--reason", "x"], "vestibule: invalid_body: "),
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


@pytest.mark.parametrize("arguments", [["pause", "demo"], ["resume", "demo"], ["rate", "demo", "5"], ["create", "a"]])
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
