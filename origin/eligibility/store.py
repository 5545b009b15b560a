"""Decisions in the database. A decision and its audit row exist together or not at all."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import asyncpg

from origin.db.sql import Connection, load
from origin.eligibility.versions import QUERIES


@dataclass(frozen=True)
class NewDecision:
    """What is stored of a decision; ``branches`` as JSON. Of ``region`` only what is a region of ours is stored."""

    ref: UUID
    programme: str
    region: str | None
    person: bytes
    outcome: str
    version: int
    ruleset: str
    evaluator: str
    as_of: date
    products: list[str] | None
    dose: int | None
    inputs_hash: bytes
    branches: str
    facts_sealed: bytes
    now: datetime
    expires_at: datetime


class DecisionStore:
    """Each method is one statement; the caller's connection, the caller's transaction."""

    async def add(self, connection: Connection, decision: NewDecision) -> bool:
        """Store a decision with its audit row; False, and nothing stored, when its rules are no longer in force."""
        row = await load(QUERIES)["add_decision"].row(connection, **vars(decision))
        assert row is not None
        kept: bool = row["kept"]
        return kept

    async def facts_of(
        self, connection: Connection, ref: UUID, *, person: bytes, programme: str
    ) -> asyncpg.Record | None:
        """Return ``facts_sealed``, ``outcome`` and ``rule_version`` of a person's own decision."""
        return await load(QUERIES)["facts_of"].row(connection, ref=ref, person=person, programme=programme)

    async def erase_facts(self, connection: Connection, *, now: datetime, at_most: int) -> int:
        """Forget the facts of at most ``at_most`` expired decisions; return how many."""
        return await load(QUERIES)["erase_facts"].run(connection, now=now, at_most=at_most)
