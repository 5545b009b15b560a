"""Versions of rules, as they are stored and made ready to evaluate."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from origin.db.sql import Connection, load
from origin.eligibility.cases import NO_CASES, canonical_cases
from origin.eligibility.document import Document, canonical, parse, ruleset_id
from origin.eligibility.evaluator import Evaluator

QUERIES = Path(__file__).with_name("queries.sql")
DEMO = Path(__file__).with_name("rulesets") / "demo.json"
DEMO_CASES = DEMO.with_suffix(".cases.json")


@dataclass(frozen=True)
class Rules:
    """One version of a programme's rules, ready to evaluate. ``ruleset``: SHA-256 of the canonical document.

    ``stands_for``: the version in force that cannot be loaded, where these are the last known rules in its stead.
    """

    programme: str
    version: int
    ruleset: str
    document: Document
    evaluator: Evaluator
    stands_for: int | None = None


async def publish(
    connection: Connection,
    programme: str,
    document: bytes,
    now: datetime,
    *,
    cases: bytes = NO_CASES,
    author: str = "set-up: author",
    reviewer: str = "set-up: reviewer",
) -> int:
    """Draft, review and activate rules at once, to set up a programme; return their version.

    People publish through ``origin.eligibility.publishing``, each step in their own name. Waits for bookings under way:
    when it returns, none can commit under older rules any more.

    Raises:
        InvalidDocument: it is no rule document.
        InvalidCases: its example cases are none.
        asyncpg.CheckViolationError: author and reviewer are the same.
    """
    text = canonical(parse(document))
    ruleset = ruleset_id(text)
    queries = load(QUERIES)
    async with connection.transaction():
        await queries["lock_programme"].row(connection, programme=programme)
        await queries["keep_ruleset"].run(connection, id=ruleset, document=text, now=now)
        row = await queries["publish"].row(
            connection,
            programme=programme,
            ruleset=ruleset,
            cases=canonical_cases(cases),
            now=now,
            author=author,
            reviewer=reviewer,
        )
    assert row is not None
    version: int = row["version"]
    return version


class RulesAltered(Exception):
    """A stored document is not the one that its name, a hash, was given to."""


def ready(programme: str, version: int, ruleset: str, document: bytes) -> Rules:
    """Return a stored version, ready to evaluate.

    Raises:
        RulesAltered: its document does not hash to ``ruleset``.
        InvalidDocument: it is in no form that is known here.
    """
    if ruleset_id(document) != ruleset:
        raise RulesAltered
    parsed = parse(document)
    return Rules(programme, version, ruleset, parsed, Evaluator(parsed))
