"""The rules in force, as an origin remembers them. Which version it is, the database says when a decision is stored."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from origin.db.sql import Connection, load
from origin.eligibility.document import Document, canonical, parse, ruleset_id
from origin.eligibility.evaluator import Evaluator

QUERIES = Path(__file__).with_name("queries.sql")
DEMO = Path(__file__).with_name("rulesets") / "demo.json"


@dataclass(frozen=True)
class Rules:
    """One version of a programme's rules, ready to evaluate. ``ruleset``: SHA-256 of the canonical document."""

    programme: str
    version: int
    ruleset: str
    document: Document
    evaluator: Evaluator


async def publish(
    connection: Connection,
    programme: str,
    document: bytes,
    now: datetime,
    *,
    author: str = "set-up: author",
    reviewer: str = "set-up: reviewer",
) -> int:
    """Draft, review and activate rules at once, to set up a programme; return their version.

    People publish through ``origin.eligibility.publishing``, each step in their own name. Waits for bookings under way:
    when it returns, none can commit under older rules any more.

    Raises:
        InvalidDocument: it is no rule document.
        asyncpg.CheckViolationError: author and reviewer are the same.
    """
    text = canonical(parse(document))
    ruleset = ruleset_id(text)
    queries = load(QUERIES)
    async with connection.transaction():
        await queries["lock_programme"].row(connection, programme=programme)
        await queries["keep_ruleset"].run(connection, id=ruleset, document=text, now=now)
        row = await queries["publish"].row(
            connection, programme=programme, ruleset=ruleset, now=now, author=author, reviewer=reviewer
        )
    assert row is not None
    version: int = row["version"]
    return version


class RuleBook:
    """The rules in force, as last read. Whoever stores a decision finds out whether they still are."""

    def __init__(self) -> None:
        self._in_force: dict[str, dict[str | None, int]] = {}
        self._known: dict[tuple[str, int], Rules] = {}

    async def current(
        self, connection: Connection, programme: str, region: str | None = None, *, fresh: bool = False
    ) -> Rules | None:
        """Return the rules in force for people of a region, from memory unless ``fresh``; None where there are none.

        A region without rules of its own, or that nobody knows, has the programme's.
        """
        pointers = self._in_force.get(programme)
        if fresh or not pointers:
            pointers = await self.in_force(connection, programme)
        version = pointers.get(region, pointers.get(None))
        return None if version is None else await self.version(connection, programme, version)

    async def in_force(self, connection: Connection, programme: str) -> dict[str | None, int]:
        """Return the versions in force by region, freshly read; None is the programme itself."""
        rows = await load(QUERIES)["in_force"].rows(connection, programme=programme)
        pointers: dict[str | None, int] = {row["region"]: row["version"] for row in rows}
        self._in_force[programme] = pointers
        return pointers

    async def version(self, connection: Connection, programme: str, version: int) -> Rules | None:
        """Return one version, in force or not; a version never changes, so that it is read once."""
        known = self._known.get((programme, version))
        if known is None:
            row = await load(QUERIES)["version"].row(connection, programme=programme, version=version)
            if row is None:
                return None
            document = parse(row["document"])
            known = Rules(programme, version, row["ruleset"], document, Evaluator(document))
            self._known[programme, version] = known
        return known
