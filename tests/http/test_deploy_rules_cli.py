"""``vestibule rules``, ``freeze`` and ``unfreeze``, against a served origin."""

import asyncio
import csv
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from deploy import official_cli
from deploy.cli import app
from deploy.datadir import DataDir, write_addresses
from deploy.issuer import LocalIssuer
from shared.bearer import TrustedIssuer
from tests import origin_world
from tests.origin_world import ISSUER, SENIOR, Origin, bearer
from tests.rules_world import from_age

Run = Callable[..., Awaitable[Result]]
YOUNG = SENIOR | {"birth_date": "1960-01-01"}


@pytest.fixture
async def origin(database_url: str, tmp_path: Path) -> AsyncIterator[Origin]:
    local = LocalIssuer(DataDir(tmp_path).issuer)
    local.ensure()
    ours = TrustedIssuer(issuer=ISSUER, audience="vestibule", jwks_file=tmp_path / "jwks.json")
    trusted = [ours, TrustedIssuer.model_validate(local.trusted())]
    async with origin_world.origin(database_url, tmp_path, trusted_issuers=trusted) as made:
        addresses = {"edge_url": "", "origin_url": str(made.client.base_url), "identity_url": "", "redis_url": ""}
        write_addresses(
            DataDir(tmp_path).running,
            {**addresses, "database_url": database_url, "data_dir": "", "pids": {}},  # type: ignore[typeddict-item]
        )
        yield made


@pytest.fixture
def run(origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run the command beside that origin, which answers meanwhile, at its time."""
    monkeypatch.setattr(official_cli, "SystemClock", lambda: origin.world.clock)

    async def run(*arguments: str, **environment: str | None) -> Result:
        told = {
            "VESTIBULE_DATA_DIR": str(tmp_path),
            "VESTIBULE_ORIGIN_KEYS_FILE": str(tmp_path / "origin.json"),
            "VESTIBULE_PERSON_KEYS_FILE": str(tmp_path / "person.json"),
            "COLUMNS": "200",
        }
        return await asyncio.to_thread(CliRunner().invoke, app, list(arguments), env={**told, **environment})

    with capture_logs():  # of the origin, which would write on the command's output: both are in this process
        yield run


def lines(result: Result) -> list[list[str]]:
    assert result.exit_code == 0, result.output
    return [line.split() for line in result.stdout.splitlines()]


@pytest.fixture
def document(tmp_path: Path) -> str:
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(from_age(60), indent=2))
    return str(file)


def rules(*arguments: str, who: str = "") -> list[str]:
    return ["rules", *arguments, *(["--reason", "a test"] if who else []), *(["--as", who] if who else [])]


async def publish(run: Run, document: str, *options: str) -> str:
    drafted = lines(await run(*rules("draft", "demo", document, *options, who="olga")))
    number = drafted[1][0]
    lines(await run(*rules("review", "demo", number, "--approve", who="rosa")))
    lines(await run(*rules("activate", "demo", number, who="rosa")))
    return number


async def test_the_playbook_for_wrong_rules_from_end_to_end(
    origin: Origin, run: Run, document: str, tmp_path: Path
) -> None:
    nothing = await run("rules", "verify-decisions", "demo")
    assert lines(nothing) == [["There", "are", "no", "decisions", "to", "verify."]]
    wrong = await publish(run, document)
    slot, ana = await origin.world.slot(capacity=5), origin.visitor()
    assert (await ana.book(slot, await ana.decision(YOUNG))).status_code == 201
    bo = origin.visitor("bo")
    decision = await bo.decision(YOUNG)
    assert lines(await run("freeze", "demo", "--reason", "too young", "--as", "oscar"))[1][0] == "(programme)"
    assert (await bo.book(slot, decision)).status_code == 423
    listed = lines(await run(*rules("rollback", "demo", who="oscar")))
    assert [(line[0], line[2]) for line in listed[1:]] == [(wrong, "retired"), ("1", "active")]
    (tmp_path / "right.json").write_text(json.dumps(from_age(70)))
    right = await publish(run, str(tmp_path / "right.json"))
    report = tmp_path / "affected.csv"
    shown = await run("rules", "replay", "demo", "--from", wrong, "--to", right, "--report", str(report))
    assert lines(shown)[0][:8] == ["2", "decisions", "seen,", "2", "come", "out", "differently,", "0"]
    assert lines(shown)[2] == ["ES-MD", "eligible", "not_eligible", "AGE_65_OR_OLDER", "2", "2", "1"]
    rows = list(csv.DictReader(report.read_text().splitlines()))
    assert [(row["after"], row["reasons"], bool(row["appointment"])) for row in rows] == [
        ("not_eligible", "AGE_65_OR_OLDER", True),
        ("not_eligible", "AGE_65_OR_OLDER", False),
    ]
    assert report.stat().st_mode & 0o777 == 0o600
    assert lines(await run("unfreeze", "demo", "--reason", "done", "--as", "oscar")) == [
        ["Nothing", "is", "frozen", "in", "demo."]
    ]
    refused = await bo.book(slot, decision)
    assert (refused.status_code, refused.json()["code"]) == (403, "ineligible")
    assert lines(await run("rules", "verify-decisions", "demo")) == [["same:", "3"]]
    acts = [line[3] for line in lines(await run(*rules("history", "demo")))[1:]]
    assert acts == ["activated", "activated", "rolled_back", "activated"]


async def test_a_candidate_runs_in_the_shadow_of_a_region(origin: Origin, run: Run, document: str) -> None:
    drafted = lines(await run(*rules("draft", "demo", document, "--region", "ES-MD", who="olga")))
    assert drafted[1][:3] == ["2", "ES-MD", "draft"]
    await run(*rules("review", "demo", "2", "--approve", who="rosa"))
    assert lines(await run(*rules("shadow", "demo", "2", who="olga")))[1][2] == "shadow"
    await origin.visitor().decision(YOUNG)
    told = await run(*rules("shadow-report", "demo", "2"))
    assert told.stdout.startswith("0 decisions compared, 0 differ, 1 wait\n")
    assert lines(await run(*rules("shadow", "demo", "2", "--end", who="olga")))[1][2] == "approved"
    assert lines(await run(*rules("activate", "demo", "2", "--at", "2099-01-01T00:00:00Z", who="rosa")))[1][2:4] == [
        "scheduled",
        "2099-01-01",
    ]
    assert lines(await run(*rules("activate", "demo", "2", who="rosa")))[1][2] == "active"
    assert lines(await run(*rules("retire", "demo", "2", who="rosa")))[1][2] == "retired"


def case(name: str, birth_date: str, outcome: str) -> dict[str, object]:
    return {
        "name": name,
        "on": "2027-03-01",
        "facts": SENIOR | {"birth_date": birth_date},
        "expect": {"outcome": outcome},
    }


async def test_a_version_takes_the_cases_beside_its_document_along_and_is_tried_on_them(
    origin: Origin, run: Run, document: str, tmp_path: Path
) -> None:
    beside, other = tmp_path / "rules.cases.json", tmp_path / "other.json"
    beside.write_text(
        json.dumps([case("Sixty-five", "1962-01-01", "eligible"), case("Fifty", "1977-01-01", "eligible")])
    )
    other.write_text(json.dumps([case("Fifty", "1977-01-01", "not_eligible")]))
    lines(await run(*rules("draft", "demo", document, who="olga")))
    tried = await run("rules", "test", "demo", "2", "--as", "rosa")
    assert tried.exit_code == 1
    assert [line.strip() for line in tried.stdout.splitlines()] == [
        "✗ Fifty",
        "outcome: expected eligible, found not_eligible",
        "1 of 2 cases came out as expected",
    ]
    refused = await run(*rules("review", "demo", "2", "--approve", who="rosa"))
    assert refused.exit_code == 2
    told = "Fifty (outcome: expected eligible, found not_eligible)"
    assert refused.stderr == f"vestibule: cases_failed: {told}\n"
    assert lines(await run("rules", "test", "demo", "2", "--cases", str(other)))[0][:3] == ["1", "of", "1"]
    lines(await run(*rules("draft", "demo", document, "--cases", str(other), who="olga")))
    lines(await run(*rules("review", "demo", "3", "--approve", who="rosa")))
    assert (await run("rules", "test", "demo", "3")).stdout == "1 of 1 cases came out as expected\n"
    beside.unlink()
    lines(await run(*rules("draft", "demo", document, who="olga")))
    without = await run("rules", "test", "demo", "4")
    assert (without.exit_code, without.stderr) == (2, "vestibule: no cases (demo 4 carries none): give --cases\n")
    beside.write_text('[{"name": "x", "on": "soon", "facts": {}, "expect": {"outcome": "eligible"}}]')
    faulty = await run(*rules("draft", "demo", document, who="olga"))
    assert faulty.stderr == "vestibule: cases_invalid: Invalid RFC3339 encoded date - at `$[0].on`\n"


async def test_what_decides_where_rules_cannot_be_read_is_chosen_and_taken_back(origin: Origin, run: Run) -> None:
    for choice, name in (("--last-known", "last_known"), ("--refuse", "refuse")):
        assert lines(await run(*rules("fallback", "demo", choice, who="oscar"))) == [["demo:", name]]
        assert await origin.world.count("programme", "last_known_rules") == (name == "last_known")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["rules", "list", "nowhere"], "vestibule: programme_unknown: There is no such programme\n"),
        (rules("review", "demo", "1", "--approve", who="set-up: author"), "vestibule: same_person: "),
        (rules("activate", "demo", "7", who="rosa"), "vestibule: version_unknown: "),
        (rules("activate", "demo", "1", "--at", "soon", who="rosa"), "vestibule: not a moment: soon\n"),
        (rules("activate", "demo", "1", "--at", "2099-01-01", who="rosa"), "vestibule: 2099-01-01: say the offset"),
        (rules("rollback", "demo", who="oscar"), "vestibule: nothing_before: "),
        (rules("rollback", "demo", "--region", "ES-MD", who="oscar"), "vestibule: ES-MD has no rules of its own"),
        (["rules", "replay", "demo", "--from", "1", "--to", "5"], "vestibule: demo has no version 1 or no version 5\n"),
        (["rules", "list", "demo", "--origin", "http://127.0.0.1:9"], "vestibule: no token for http://127.0.0.1:9: "),
    ],
)
async def test_what_goes_wrong_is_said_in_one_line(run: Run, arguments: list[str], error: str) -> None:
    result = await run(*arguments)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1), result.output
    assert result.stderr.startswith(error)


async def test_a_token_of_ones_own_says_who_one_is(origin: Origin, run: Run, document: str) -> None:
    token = {"VESTIBULE_OPERATOR_TOKEN": bearer("olga", "rules_author")}
    drafted = await run("rules", "draft", "demo", document, "--reason", "a test", **token)
    assert lines(drafted)[1][5] == "olga"
    forbidden = await run("freeze", "demo", "--reason", "a test", **token)
    assert (forbidden.exit_code, forbidden.stderr) == (2, "vestibule: forbidden: needs the role operator\n")
    both = await run("freeze", "demo", "--reason", "a test", "--as", "oscar", **token)
    assert both.exit_code == 2


async def test_altered_decisions_make_the_verification_fail(origin: Origin, run: Run) -> None:
    ref = await origin.visitor().decision()
    await origin.world.connection.execute("UPDATE decision SET as_of = '1970-01-01'")
    result = await run("rules", "verify-decisions", "demo")
    assert (result.exit_code, result.stdout.splitlines()) == (1, ["different: 1", f"{ref} different"])
