"""Versions of a programme's rules. Documents are never edited: a new one gets a new version, and one pointer moves."""

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


async def publish(connection: Connection, programme: str, document: bytes, now: datetime) -> int:
    """Store a rule document, give it the next version, and put it in force; return that version.

    Waits for bookings under way: when it returns, none can commit under older rules any more.

    Raises:
        InvalidDocument: it is no rule document.
    """
    text = canonical(parse(document))
    ruleset = ruleset_id(text)
    queries = load(QUERIES)
    async with connection.transaction():
        await queries["lock_programme"].row(connection, programme=programme)
        await queries["keep_ruleset"].run(connection, id=ruleset, document=text, now=now)
        row = await queries["add_version"].row(connection, programme=programme, ruleset=ruleset, now=now)
        assert row is not None
        version: int = row["version"]
        await queries["put_in_force"].run(connection, programme=programme, version=version, now=now)
    return version


class RuleBook:
    """The rules in force, as last read. Whoever stores a decision finds out whether they still are."""

    def __init__(self) -> None:
        self._known: dict[str, Rules] = {}

    async def current(self, connection: Connection, programme: str, *, fresh: bool = False) -> Rules | None:
        """Return the rules in force, from memory unless ``fresh``; None where the programme has none."""
        known = self._known.get(programme)
        if known is not None and not fresh:
            return known
        row = await load(QUERIES)["in_force"].row(connection, programme=programme)
        if row is None:
            return None
        if known is None or known.version != row["version"]:
            document = parse(row["document"])
            known = Rules(programme, row["version"], row["ruleset"], document, Evaluator(document))
            self._known[programme] = known
        return known
