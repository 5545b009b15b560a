"""Make all decisions of one version again under another, to find whom wrong rules have touched.

In small batches, how far it got in the same transaction as what it found: killed at any point, it goes on behind the
last whole batch, and finds the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import msgspec

from origin.db.sql import Connection, load
from origin.eligibility.again import Evaluate, Verdict, made_ready, opened, reason_codes
from origin.eligibility.facts import FactSealer
from origin.eligibility.versions import QUERIES as RULES

QUERIES = Path(__file__).with_name("batches.sql")
BATCH = 500


class VersionMissing(Exception):
    """The programme has no such version."""


class Progress(msgspec.Struct, frozen=True):
    """How far a replay is: decisions ``seen`` out of ``total``; those that ``changed``; those whose facts are gone."""

    id: UUID
    total: int
    seen: int
    changed: int
    erased: int


class Affected(msgspec.Struct, frozen=True):
    """Decisions that came out ``before`` and come out ``after``, by a reason code; ``after`` null: nobody can tell."""

    region: str | None
    before: str
    after: str | None
    reason: str | None
    decisions: int
    people: int
    appointments: int


class Finding(msgspec.Struct, frozen=True):
    """A decision to look at, by its person's pseudonym, with the appointment that was booked with it.

    ``override``: the confirmed override that overrules it, live or ended.
    """

    person: str
    decision: UUID
    region: str | None
    before: str
    after: str | None
    reasons: list[str]
    decided_at: datetime
    appointment: UUID | None
    status: str | None
    starts_at: datetime | None
    site: int | None
    override: UUID | None


@dataclass(frozen=True)
class _Seen:
    """What a batch found, decision by decision: None where nothing has changed."""

    findings: list[tuple[UUID, str | None, list[str]]]
    changed: int
    erased: int


@dataclass(frozen=True)
class Replay:
    """Replays decisions over one connection, each batch in a transaction of its own."""

    connection: Connection
    sealer: FactSealer

    async def begin(self, id_: UUID, programme: str, from_version: int, to_version: int, now: datetime) -> Progress:
        """Begin, or go on with what was begun and not finished; the progress says which by its ``id``.

        Raises:
            VersionMissing: one of the versions is not there.
        """
        values = {"id": id_, "programme": programme, "from_version": from_version, "to_version": to_version, "now": now}
        try:
            row = await load(QUERIES)["begin_replay"].row(self.connection, **values)
        except asyncpg.ForeignKeyViolationError:
            raise VersionMissing from None
        assert row is not None
        return Progress(**dict(row))

    async def run(self, begun: Progress, now: datetime, tell: Callable[[Progress], None]) -> Progress:
        """Go through to the end, telling how far it is after each batch; return how it ended."""
        while True:
            progress = await self.step(begun)
            if progress is None:
                await load(QUERIES)["finish_replay"].run(self.connection, id=begun.id, now=now)
                return begun
            begun = progress
            tell(progress)

    async def step(self, begun: Progress) -> Progress | None:
        """Look at the next batch; None when nothing is left."""
        queries = load(QUERIES)
        async with self.connection.transaction():
            at = await queries["hold_replay"].row(self.connection, id=begun.id)
            assert at is not None
            which = {"programme": at["programme"], "version": at["from_version"]}
            behind = {"after_at": at["after_at"], "after_ref": at["after_ref"]}
            rows = await queries["decisions_under"].rows(self.connection, **which, **behind, at_most=BATCH)
            if not rows:
                return None
            seen = _look(rows, await self._rules(at["programme"], at["to_version"]), self.sealer)
            for decision, outcome, reasons in seen.findings:
                await queries["add_finding"].run(
                    self.connection, id=begun.id, decision=decision, outcome=outcome, reasons=reasons
                )
            counts = {"seen": len(rows), "changed": seen.changed, "erased": seen.erased}
            last = {"after_at": rows[-1]["created_at"], "after_ref": rows[-1]["ref"]}
            row = await queries["advance_replay"].row(self.connection, id=begun.id, **counts, **last)
        assert row is not None
        return msgspec.structs.replace(begun, **dict(row))

    async def affected(self, id_: UUID) -> list[Affected]:
        """Return who is affected, the most frequent first."""
        return [Affected(**dict(row)) for row in await load(QUERIES)["replay_summary"].rows(self.connection, id=id_)]

    async def findings(self, id_: UUID) -> list[Finding]:
        """Return every decision to look at, those with an appointment first."""
        return [Finding(**dict(row)) for row in await load(QUERIES)["replay_findings"].rows(self.connection, id=id_)]

    async def _rules(self, programme: str, version: int) -> Evaluate:
        row = await load(RULES)["version"].row(self.connection, programme=programme, version=version)
        assert row is not None
        return made_ready(row["document"])


def _look(rows: list[asyncpg.Record], evaluate: Evaluate, sealer: FactSealer) -> _Seen:
    findings: list[tuple[UUID, str | None, list[str]]] = []
    changed = erased = 0
    for row in rows:
        facts = opened(sealer, row["facts_sealed"], row["ref"])
        if facts is None:
            erased += 1
            if row["booked"]:
                findings.append((row["ref"], None, []))
            continue
        evaluation = evaluate(facts, row["as_of"])
        if Verdict.of(evaluation) != Verdict(row["outcome"], row["products"], row["dose"]):
            changed += 1
            findings.append((row["ref"], evaluation.outcome, reason_codes(evaluation)))
    return _Seen(findings, changed, erased)
