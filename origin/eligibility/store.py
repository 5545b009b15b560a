"""Decisions in the database. A decision and its audit row exist together or not at all."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from origin.db.sql import Connection, load
from origin.eligibility.digest import Decided, digest
from origin.eligibility.versions import QUERIES


class NewDecision(msgspec.Struct, frozen=True):
    """What is stored of a decision; ``products`` and ``branches`` as JSON.

    Of ``region`` only what is a region of ours is stored. ``stands_for``: the version in force that could not be
    loaded, where the last known rules decided instead. ``asker``: who asked, for one of their household; None where the
    person did.
    """

    ref: UUID
    programme: str
    region: str | None
    person: bytes
    outcome: str
    version: int
    stands_for: int | None
    ruleset: str
    evaluator: str
    as_of: date
    products: str | None
    dose: int | None
    inputs_hash: bytes
    branches: str
    facts_sealed: bytes
    now: datetime
    expires_at: datetime
    asker: bytes | None = None


class SealedFacts(NamedTuple):
    """The facts of a decision, and who asked for it where that was the holder of a household."""

    facts: bytes
    asker: bytes | None


class DecisionStore:
    """Each method is one statement; the caller's connection, the caller's transaction."""

    async def add(self, connection: Connection, decisions: Sequence[NewDecision]) -> set[UUID]:
        """Store decisions with their audit rows; return those stored.

        The others' rules are no longer in force, and nothing of them is stored. A fault stores none.
        """
        rows = await load(QUERIES)["add_decisions"].rows(
            connection,
            refs=[each.ref for each in decisions],
            programmes=[each.programme for each in decisions],
            regions=[each.region for each in decisions],
            persons=[each.person for each in decisions],
            outcomes=[each.outcome for each in decisions],
            versions=[each.version for each in decisions],
            stand_for=[each.stands_for for each in decisions],
            rulesets=[each.ruleset for each in decisions],
            evaluators=[each.evaluator for each in decisions],
            as_of=[each.as_of for each in decisions],
            products=[each.products for each in decisions],
            doses=[each.dose for each in decisions],
            inputs_hashes=[each.inputs_hash for each in decisions],
            branches=[each.branches for each in decisions],
            facts_sealed=[each.facts_sealed for each in decisions],
            nows=[each.now for each in decisions],
            expires_at=[each.expires_at for each in decisions],
            digests=[_digest(each) for each in decisions],
            askers=[each.asker for each in decisions],
        )
        return {row["kept"] for row in rows}

    async def facts_of(
        self, connection: Connection, ref: UUID, *, person: bytes, programme: str, now: datetime
    ) -> SealedFacts | None:
        """Return the sealed facts of a person's own decision; None where it has expired, or they are erased."""
        row = await load(QUERIES)["facts_of"].row(connection, ref=ref, person=person, programme=programme, now=now)
        return None if row is None or row["facts_sealed"] is None else SealedFacts(row["facts_sealed"], row["asker"])

    async def erase_facts(self, connection: Connection, *, now: datetime, at_most: int) -> int:
        """Forget the facts of at most ``at_most`` expired decisions; return how many."""
        return await load(QUERIES)["erase_facts"].run(connection, now=now, at_most=at_most)


def _digest(new: NewDecision) -> str:
    return digest(
        Decided(
            new.ref,
            new.programme,
            new.person,
            new.outcome,
            new.version,
            new.stands_for,
            new.ruleset,
            new.evaluator,
            new.as_of,
            None if new.products is None else msgspec.json.decode(new.products, type=list[str]),
            new.dose,
            new.inputs_hash,
            msgspec.Raw(new.branches.encode()),
        )
    )
