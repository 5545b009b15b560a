"""Why was I denied? What support and the ombudsman are told about a decision, by its reference or a pseudonym.

Whoever looks leaves an audit row. What the person has answered is never told: only which comparison came out how.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from origin import errors
from origin.admin.answer_models import Answer, Asked, Booked, Found, InForceBy, Recorded, Rules, Summary
from origin.admin.officials import audit
from origin.admin.overrides import overrides_for
from origin.admin.proof import Proof, Status, prove
from origin.db.sql import Connection, load
from origin.eligibility.decisions import Granted
from origin.eligibility.document import InvalidDocument, in_language, parse
from origin.eligibility.evaluator import Facts, UnknownEvaluator, evaluator_of
from origin.eligibility.facts import FactSealer
from origin.eligibility.formats.lift import lifted
from origin.eligibility.formats.v2 import Document
from origin.eligibility.reading import Reader
from origin.identity import Official
from shared.problem import Problem
from shared.web.texts import marked

Say = Callable[[str], str]
"""From English into the reader's language."""
QUERIES = Path(__file__).with_name("answers.sql")

_PROVEN: dict[Status, str] = {
    "same": marked("Recorded and recomputed the same: %(digest)s"),
    "erased": marked(
        "The answers have been deleted, so it cannot be computed again. It is stored as recorded: %(digest)s"
    ),
    "by_override": marked("Decided by people, so there is nothing to compute. It is stored as recorded: %(digest)s"),
    "undigested": marked("Made before digests were recorded. Stored is: %(digest)s"),
    "different": marked("Computed again, it comes out differently. Please report this: it must never happen."),
    "altered": marked("What is stored is not what was recorded. Please report this: it must never happen."),
    "rules_altered": marked(
        "The stored rules are not those it was decided by. Please report this: it must never happen."
    ),
    "evaluator_unknown": marked("The program that decided is not here any more, so it cannot be computed again."),
}


@dataclass(frozen=True)
class Desk:
    """Answers one official, over one connection, in one language: ``say`` speaks it."""

    connection: Connection
    official: Official
    now: datetime
    language: str
    say: Say

    async def answer(self, ref: UUID, sealer: FactSealer) -> Answer:
        """Return all that there is to say about a decision.

        Raises:
            Problem: 404 ``reference_unknown``.
        """
        async with self.connection.transaction():
            row = await load(QUERIES)["decision"].row(self.connection, ref=ref)
            if row is None:
                raise Problem(errors.REFERENCE_UNKNOWN)
            told = await self._told(row, sealer)
            await self._seen("decision_viewed", row["programme"], ref)
        return told

    async def find(self, person: str) -> Found:
        """Return the decisions of a person, by pseudonym."""
        async with self.connection.transaction():
            rows = await load(QUERIES)["decisions_of"].rows(self.connection, person=bytes.fromhex(person))
            found = [Summary(**dict(row)) for row in rows]
            if found:
                await self._seen("decisions_listed", found[0].programme, found[0].decision_ref)
        return Found(person, found)

    async def rule_text(self, ref: UUID) -> bytes:
        """Return the rules that a decision was made by: the stored document, whose SHA-256 is its name.

        Raises:
            Problem: 404 ``reference_unknown``.
        """
        row = await load(QUERIES)["rule_text"].row(self.connection, ref=ref)
        if row is None:
            raise Problem(errors.REFERENCE_UNKNOWN)
        document: bytes = row["document"]
        return document

    async def _told(self, row: Any, sealer: FactSealer) -> Answer:
        whose = {"person": row["person"], "programme": row["programme"]}
        overrides = await overrides_for(self.connection, **whose, now=self.now)
        booked = [Booked(**dict(each)) for each in await load(QUERIES)["booked_by"].rows(self.connection, **whose)]
        about = [row["ref"], *(each.id for each in overrides), *(each.id for each in booked)]
        recorded = await load(QUERIES)["recorded_about"].rows(self.connection, about=about)
        return Answer(
            decision_ref=row["ref"],
            programme=row["programme"],
            person=row["person"].hex(),
            region=row["region"],
            outcome=row["outcome"],
            grants=granted(row),
            as_of=row["as_of"],
            decided_at=row["created_at"],
            expires_at=row["expires_at"],
            stands_for=row["stands_for"],
            override=row["override"],
            branches=self._branches(row),
            rules=await self._rules(row),
            proof=self._proof(row, sealer),
            overrides=overrides,
            appointments=booked,
            audit=[Recorded(**dict(each)) for each in recorded],
        )

    def _branches(self, row: Any) -> list[Asked]:
        stored = msgspec.json.decode(row["branches"], type=list[tuple[str, str, bool | None]])
        try:
            document = parse(row["document"])
        except InvalidDocument:
            return [Asked(path, reason, met, "", "", "") for path, reason, met in stored]
        second = lifted(document)
        try:  # which comparisons there are does not depend on anybody's answers
            asked = evaluator_of(row["evaluator"], document).evaluate(Facts(), row["as_of"]).branches
        except UnknownEvaluator:
            asked = []
        reader = Reader(document, self.language)
        asks = {each.path: reader.branch(each) for each in asked}
        return [self._asked(second, path, reason, met, asks.get(path, "")) for path, reason, met in stored]

    def _asked(self, document: Document, path: str, reason: str, met: bool | None, asks: str) -> Asked:
        text = document.texts.get(reason)
        if text is None:  # the record was altered; the proof tells
            return Asked(path, reason, met, asks, "", "")
        said = in_language(text.met if met else text.unmet, self.language)
        return Asked(path, reason, met, asks, said, in_language(text.support or {}, self.language))

    async def _rules(self, row: Any) -> Rules:
        moves = await load(QUERIES)["put_in_force"].rows(
            self.connection, programme=row["programme"], version=row["rule_version"]
        )
        try:
            title = in_language(parse(row["document"]).title, self.language)
        except InvalidDocument:
            title = ""
        return Rules(
            version=row["rule_version"],
            region=row["rules_region"],
            ruleset=row["ruleset"],
            title=title,
            author=row["author"],
            drafted_at=row["drafted_at"],
            reviewer=row["reviewer"],
            reviewed_at=row["reviewed_at"],
            in_force=[InForceBy(**dict(move)) for move in moves],
        )

    def _proof(self, row: Any, sealer: FactSealer) -> Proof:
        status, stored, recomputed = prove(row, row["document"], row["digest"], sealer)
        said = self.say(_PROVEN[status]) % {"digest": stored}
        return Proof(status, said, row["digest"], stored, recomputed)

    async def _seen(self, kind: str, programme: str, ref: UUID) -> None:
        await audit(self.connection, self.official, kind, programme=programme, about=ref, now=self.now)


def granted(row: Any) -> Granted | None:
    """Return what a row of ``decision`` grants."""
    products: list[str] | None = row["products"]
    return None if products is None else Granted(products[0], products, row["dose"])
