"""Ask candidates about live decisions, behind the requests: on the sealed facts, keeping only what they say."""

from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from origin.db.pool import Database
from origin.db.sql import Connection, load
from origin.eligibility.again import Evaluate, Verdict, made_ready, opened, reason_codes
from origin.eligibility.facts import FactSealer
from origin.eligibility.versions import QUERIES as RULES

QUERIES = Path(__file__).with_name("batches.sql")
_BATCH = 500


@dataclass
class Shadow:
    """Evaluates what waits. Any number of them may run beside each other; what one crashes on, another takes up."""

    database: Database
    sealer: FactSealer
    _known: dict[tuple[str, int], Evaluate] = field(default_factory=dict)

    async def run(self) -> int:
        """Ask about every decision that waits now, and return how many answers were kept.

        Decisions whose facts are gone are dropped: nobody can tell.

        Raises:
            Problem: the database is away; what was asked stays asked.
        """
        total = 0
        while True:
            async with self.database.connection() as connection, connection.transaction():
                waiting = await load(QUERIES)["take_waiting"].rows(connection, at_most=_BATCH)
                for row in waiting:
                    total += await self._ask(connection, row)
            if len(waiting) < _BATCH:
                return total

    async def _ask(self, connection: Connection, row: asyncpg.Record) -> bool:
        facts = opened(self.sealer, row["facts_sealed"], row["ref"])
        if facts is None:
            return False
        evaluate = await self._candidate(connection, row["programme"], row["version"])
        evaluation = evaluate(facts, row["as_of"])
        await load(QUERIES)["keep_shadow"].run(
            connection,
            programme=row["programme"],
            version=row["version"],
            decision=row["ref"],
            same=Verdict.of(evaluation) == Verdict(row["outcome"], row["products"], row["dose"]),
            outcome=evaluation.outcome,
            reasons=reason_codes(evaluation),
            region=row["region"],
        )
        return True

    async def _candidate(self, connection: Connection, programme: str, version: int) -> Evaluate:
        known = self._known.get((programme, version))
        if known is None:
            row = await load(RULES)["version"].row(connection, programme=programme, version=version)
            assert row is not None
            known = self._known[programme, version] = made_ready(row["document"])
        return known
