"""Publish rules: drafted by one person, reviewed by another, tried in the shadow, activated, rolled back.

Nothing is edited: each step adds a row, in one transaction with its audit row. That author and reviewer differ, that
only what was approved is put in force, and that history stays, the database's constraints and triggers see to as well.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from origin import errors
from origin.admin.officials import audit, require_programme, require_region
from origin.db.constraints import refused_by
from origin.db.sql import Connection, load
from origin.eligibility.document import ruleset_id
from origin.eligibility.examples import named, require_met, taken
from origin.eligibility.history import Act, Move, held, is_done, trail
from origin.eligibility.moves import QUERIES, clock_of, moves_of
from origin.eligibility.version_models import Verdict
from origin.eligibility.versions import QUERIES as RULES
from origin.identity import Official
from shared.problem import Problem, ProblemType

_BY_CONSTRAINT: dict[str, ProblemType] = {
    "rule_review_once": errors.ALREADY_REVIEWED,
    "rule_review_takes_two": errors.SAME_PERSON,
    "rule_move_reviewed": errors.NOT_APPROVED,
}


@dataclass(frozen=True)
class Publisher:
    """Publishes rules of one programme, in the name of one official. Each method is one transaction.

    Every method raises Problem: 404 ``programme_unknown``, ``version_unknown``, ``region_unknown``; and what it names.
    """

    connection: Connection
    programme: str
    official: Official
    now: datetime

    async def draft(self, document: bytes, cases: bytes, region: str | None, reason: str) -> int:
        """Keep a document with its example cases as the next version, and return its number.

        It may be reviewed at once. That a case fails keeps nobody from drafting: the reviewer is to see it.

        Raises:
            Problem: ``invalid_rules``, ``cases_invalid``, which say where and why.
        """
        text, kept = taken(document, cases)
        ruleset = ruleset_id(text)
        async with self._transaction():
            await require_region(self.connection, region)
            await load(QUERIES)["lock_drafts"].row(self.connection, programme=self.programme)
            await load(RULES)["keep_ruleset"].run(self.connection, id=ruleset, document=text, now=self.now)
            row = await load(QUERIES)["add_draft"].row(
                self.connection,
                programme=self.programme,
                ruleset=ruleset,
                cases=kept,
                now=self.now,
                region=region,
                author=self.official.name,
                reason=reason,
            )
            assert row is not None
            version: int = row["version"]
            drafted = row["id"]
            await self._audit(
                "rules_drafted", drafted, version=version, ruleset=ruleset, region=region, cases=named(kept)
            )
        return version

    async def review(self, version: int, verdict: Verdict, reason: str) -> None:
        """Approve or reject a version, for good.

        Raises:
            Problem: ``same_person`` for its author; ``already_reviewed``; ``cases_failed`` (with the ``cases``) when a
                version is approved whose own cases come out otherwise now.
        """
        async with self._transaction():
            found = await self._version(version)
            await load(QUERIES)["add_review"].row(
                self.connection,
                programme=self.programme,
                version=version,
                reviewer=self.official.name,
                verdict=verdict,
                reason=reason,
                now=self.now,
            )
            if verdict == "approved":  # behind the insert: who may not review is told that first
                await require_met(self.connection, self.programme, version)
            await self._audit("rules_reviewed", found["id"], version=version, verdict=verdict)

    async def shadow(self, version: int, reason: str) -> None:
        """Let a version be asked about every decision of its region or programme, in place of any other candidate.

        Raises:
            Problem: ``not_approved``.
        """
        async with self._transaction():
            found = await self._version(version)
            if await self._shadow_of(found["region"]) != version:
                await self._move("shadowed", found, version, reason)

    async def unshadow(self, version: int, reason: str) -> None:
        """Ask it no more. What it said stays."""
        async with self._transaction():
            await self._unshadow(await self._version(version), reason)

    async def activate(self, version: int, at: datetime | None, reason: str) -> None:
        """Put a version in force, at once or at ``at`` by the database's clock; done already, it changes nothing.

        It waits for bookings and decisions under way: when it returns, none can commit under the rules before it, nor
        after ``at``. Whatever was planned for later is void. The version leaves the shadow when it is put in force.

        Raises:
            Problem: ``not_approved``, ``activation_past``.
        """
        async with self._transaction(moving=True):
            found = await self._version(version)
            clock = await clock_of(self.connection)
            if at is not None and at <= clock:
                raise Problem(errors.ACTIVATION_PAST)
            moves = await self._moves(found["region"])
            if is_done(moves, clock, version, at):
                return
            await self._move("activated", found, version, reason, at)
            if at is None:
                await self._unshadow(found, reason)

    async def rollback(self, version: int, region: str | None, to: int | None, reason: str) -> int | None:
        """Go back from ``version`` to the one before it, or to ``to``; return where that is.

        None: a region's people are under the programme's rules again. In force when it returns, on every origin.
        Whatever was planned is void.

        Raises:
            Problem: ``rules_moved`` (with ``in_force``) when ``version`` is not in force; ``nothing_before``.
        """
        async with self._transaction(moving=True):
            await require_region(self.connection, region)
            came = held(await self._moves(region), await clock_of(self.connection))
            now_at = came[-1].version if came else None
            if now_at != version:
                raise Problem(errors.RULES_MOVED, in_force=now_at)
            target = _target(came, to, regional=region is not None)
            found = await self._version(version)
            await self._move("rolled_back", found, target, reason)
        return target

    async def retire(self, version: int, reason: str) -> None:
        """Take a region's version out of force: the programme's rules hold there again.

        Raises:
            Problem: ``rules_moved`` when it is not in force in a region.
        """
        async with self._transaction(moving=True):
            found = await self._version(version)
            came = held(await self._moves(found["region"]), await clock_of(self.connection))
            now_at = came[-1].version if came else None
            if found["region"] is None or now_at != version:
                raise Problem(errors.RULES_MOVED, in_force=now_at)
            await self._move("retired", found, None, reason)

    @asynccontextmanager
    async def _transaction(self, *, moving: bool = False) -> AsyncIterator[None]:
        with refused_by(_BY_CONSTRAINT):
            async with self.connection.transaction():
                await require_programme(self.connection, self.programme)
                if moving:
                    await load(QUERIES)["patience"].row(self.connection)
                    await load(RULES)["lock_programme"].row(self.connection, programme=self.programme)
                yield

    async def _version(self, version: int) -> asyncpg.Record:
        row = await load(QUERIES)["one_version"].row(self.connection, programme=self.programme, version=version)
        if row is None:
            raise Problem(errors.VERSION_UNKNOWN)
        return row

    async def _moves(self, region: str | None) -> list[Move]:
        return [move for move in await moves_of(self.connection, self.programme, "active") if move.region == region]

    async def _shadow_of(self, region: str | None) -> int | None:
        moves = await moves_of(self.connection, self.programme, "shadow")
        return next((move.version for move in reversed(moves) if move.region == region), None)

    async def _unshadow(self, found: asyncpg.Record, reason: str) -> None:
        if await self._shadow_of(found["region"]) == found["version"]:
            await self._move("unshadowed", found, None, reason)

    async def _move(
        self, act: Act, found: asyncpg.Record, version: int | None, reason: str, at: datetime | None = None
    ) -> None:
        await load(QUERIES)["add_move"].run(
            self.connection,
            pointer="shadow" if act in {"shadowed", "unshadowed"} else "active",
            act=act,
            programme=self.programme,
            region=found["region"],
            version=version,
            at=at,
            actor=self.official.name,
            reason=reason,
        )
        moment = None if at is None else at.isoformat()
        await self._audit(
            f"rules_{act}", found["id"], version=found["version"], to=version, region=found["region"], at=moment
        )

    async def _audit(self, kind: str, about: UUID, **details: str | int | None) -> None:
        await audit(
            self.connection, self.official, kind, programme=self.programme, about=about, now=self.now, **details
        )


def _target(came: list[Move], to: int | None, *, regional: bool) -> int | None:
    behind = trail(came, regional=regional)[:-1]
    if to is None:
        if not behind:
            raise Problem(errors.NOTHING_BEFORE)
        return behind[-1]
    if to == came[-1].version or to not in {move.version for move in came}:
        raise Problem(errors.NOTHING_BEFORE, "that version was not in force here before")
    return to
