"""Make past decisions again, with the evaluator and the rules of their day, and compare them byte for byte."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import asyncpg
import msgspec

from origin.db.sql import Connection, load
from origin.eligibility.again import EvaluateOnce, Verdict, as_on_its_day, branches, opened
from origin.eligibility.document import ruleset_id
from origin.eligibility.evaluator import UnknownEvaluator
from origin.eligibility.facts import FactSealer
from origin.eligibility.replay import BATCH, QUERIES
from origin.eligibility.versions import QUERIES as RULES

Result = Literal["same", "different", "erased", "evaluator_unknown", "rules_altered"]

_encode = msgspec.json.encode
_BEFORE_ALL = (datetime(1, 1, 1, tzinfo=UTC), UUID(int=0))
_MOST_NAMED = 1000


@dataclass
class Verified:
    """How many came out how, and the references of those that did not come out the same, the first thousand of them.

    ``rules_altered``: the document is not the one whose hash the decision was stored with.
    """

    counts: Counter[Result] = field(default_factory=Counter)
    wrong: list[tuple[UUID, Result]] = field(default_factory=list)

    def add(self, ref: UUID, result: Result) -> None:
        """Count one."""
        self.counts[result] += 1
        if result not in {"same", "erased"} and len(self.wrong) < _MOST_NAMED:
            self.wrong.append((ref, result))


@dataclass
class Verification:
    """Verifies the decisions of a programme. It only reads."""

    connection: Connection
    sealer: FactSealer
    _known: dict[tuple[bytes, str], EvaluateOnce] = field(default_factory=dict)

    async def versions(self, programme: str) -> dict[int, int]:
        """Return the versions that decisions were made under, each with how many."""
        rows = await load(QUERIES)["decided_versions"].rows(self.connection, programme=programme)
        return {row["version"]: row["decisions"] for row in rows}

    async def run(self, programme: str, version: int, verified: Verified, tell: Callable[[int], None]) -> None:
        """Verify all decisions under a version, telling how many after each batch."""
        rules = await load(RULES)["version"].row(self.connection, programme=programme, version=version)
        assert rules is not None
        document: bytes = rules["document"]
        at, ref = _BEFORE_ALL
        while True:
            rows = await load(QUERIES)["decisions_under"].rows(
                self.connection, programme=programme, version=version, after_at=at, after_ref=ref, at_most=BATCH
            )
            for row in rows:
                verified.add(row["ref"], self._verify(row, document))
            if not rows:
                return
            at, ref = rows[-1]["created_at"], rows[-1]["ref"]
            tell(len(rows))

    def _verify(self, row: asyncpg.Record, document: bytes) -> Result:
        if ruleset_id(document) != row["ruleset"]:
            return "rules_altered"
        try:
            evaluate = self._evaluator(document, row["evaluator"])
        except UnknownEvaluator:
            return "evaluator_unknown"
        facts = opened(self.sealer, row["facts_sealed"], row["ref"])
        if facts is None:
            return "erased"
        evaluation = evaluate(facts, row["as_of"])
        made = (_encode(Verdict.of(evaluation)), branches(evaluation), self.sealer.hash(facts))
        stored = (
            _encode(Verdict(row["outcome"], row["products"], row["dose"])),
            _encode(msgspec.json.decode(row["branches"])),
            row["inputs_hash"],
        )
        return "same" if made == stored else "different"

    def _evaluator(self, document: bytes, version: str) -> EvaluateOnce:
        known = self._known.get((document, version))
        if known is None:
            known = self._known[document, version] = as_on_its_day(document, version)
        return known
