"""Exceptions from the rules: made by one official, confirmed by another, and undone by any of them.

Each act is a row of its own, in one transaction with its audit row. That two people are needed, that neither is whom
it is for, and that nothing is edited, the database's constraints and triggers see to as well.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from origin import errors
from origin.admin.officials import QUERIES as OFFICIALS
from origin.admin.officials import audit, require_programme
from origin.admin.override_models import LONGEST_DAYS, Override, OverrideForm, Overrides, State, Step
from origin.admin.proof import decided_in
from origin.db.constraints import refused_by
from origin.db.sql import Connection, load
from origin.eligibility.digest import digest
from origin.eligibility.document import parse
from origin.eligibility.formats.lift import lifted
from origin.identity import Official
from shared.problem import Problem, ProblemType

QUERIES = Path(__file__).with_name("overrides.sql")

_BY_CONSTRAINT: dict[str, ProblemType] = {
    "override_not_ones_own": errors.OWN_OVERRIDE,
    "override_takes_two": errors.OWN_OVERRIDE,
    "override_confirmed_once": errors.ALREADY_CONFIRMED,
}


@dataclass(frozen=True)
class Overriding:
    """Makes, confirms and revokes overrides in the name of one official. Each method is one transaction."""

    connection: Connection
    official: Official
    now: datetime

    async def make(self, ref: UUID, form: OverrideForm, id_: UUID) -> Override:
        """Ask for an exception from a decision, for its person. It waits for somebody else; sent twice, it is one.

        Raises:
            Problem: 404 ``reference_unknown``; 422 ``by_override``, ``grant_unknown``, ``override_length``,
                ``key_reused``; 403 ``own_override`` where it is for the official.
        """
        if not self.now < form.expires_at <= self.now + timedelta(days=LONGEST_DAYS):
            raise Problem(errors.OVERRIDE_LENGTH)
        async with self._transaction():
            found = await load(QUERIES)["overruled"].row(self.connection, ref=ref)
            if found is None:
                raise Problem(errors.REFERENCE_UNKNOWN)
            if found["override"] is not None:
                raise Problem(errors.BY_OVERRIDE)
            if (form.product, form.dose) not in grants_of(found["document"]):
                raise Problem(errors.GRANT_UNKNOWN)
            if await self._add(ref, form, id_):
                await self._audit("override_made", await self._told(id_))
            told = await self._told(id_)
        if (told.overrules, told.product, told.dose, told.made.by) != (
            ref,
            form.product,
            form.dose,
            self.official.name,
        ):
            raise Problem(errors.KEY_REUSED, "this id was used for another override")
        return told

    async def confirm(self, id_: UUID, reason: str, ref: UUID) -> Override:
        """Put an override of somebody else in force, as a decision of its own that is known by ``ref``.

        Raises:
            Problem: 404 ``override_unknown``; 403 ``own_override``; 409 ``already_confirmed``, ``override_over``.
        """
        async with self._transaction():
            told = await self._held(id_)
            if told.confirmed is not None:
                raise Problem(errors.ALREADY_CONFIRMED)
            if told.state != "pending":
                raise Problem(errors.OVERRIDE_OVER)
            await load(QUERIES)["add_confirmation"].run(
                self.connection,
                id=id_,
                confirmer=self.official.name,
                confirmed_by=self.official.pseudonym,
                reason=reason,
                now=self.now,
            )
            await self._decide(told, ref)
            await self._audit("override_confirmed", told, decision=str(ref))
            return await self._told(id_)

    async def revoke(self, id_: UUID, reason: str) -> Override:
        """End an override, confirmed or not; one that has ended stays as it is.

        It waits for bookings under way that rest on it: when it returns, none can commit with it any more. What was
        booked with it stays booked.

        Raises:
            Problem: 404 ``override_unknown``.
            asyncpg.LockNotAvailableError: those bookings took too long; nothing was changed.
        """
        async with self._transaction():
            told = await self._held(id_)
            if told.state in {"pending", "live"}:
                await load(QUERIES)["add_revocation"].run(
                    self.connection, id=id_, actor=self.official.name, reason=reason, now=self.now
                )
                await self._audit("override_revoked", told)
            return await self._told(id_)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        with refused_by(_BY_CONSTRAINT):
            async with self.connection.transaction():
                await load(OFFICIALS)["patience"].row(self.connection)
                yield

    async def _add(self, ref: UUID, form: OverrideForm, id_: UUID) -> int:
        return await load(QUERIES)["add_override"].run(
            self.connection,
            id=id_,
            ref=ref,
            product=form.product,
            dose=form.dose,
            author=self.official.name,
            made_by=self.official.pseudonym,
            reason=form.reason,
            now=self.now,
            expires_at=form.expires_at,
        )

    async def _decide(self, told: Override, ref: UUID) -> None:
        row = await load(QUERIES)["add_decision"].row(
            self.connection, id=told.id, ref=ref, today=self.now.date(), now=self.now
        )
        assert row is not None
        await audit(
            self.connection,
            self.official,
            "decided",
            programme=told.programme,
            about=ref,
            now=self.now,
            outcome="eligible",
            rule_version=row["rule_version"],
            evaluator="override",
            override=str(told.id),
            digest=digest(decided_in(row)),
        )

    async def _held(self, id_: UUID) -> Override:
        if await load(QUERIES)["hold_override"].row(self.connection, id=id_) is None:
            raise Problem(errors.OVERRIDE_UNKNOWN)
        return await self._told(id_)

    async def _told(self, id_: UUID) -> Override:
        return await override(self.connection, id_, self.now)

    async def _audit(self, kind: str, told: Override, **details: str) -> None:
        await audit(
            self.connection,
            self.official,
            kind,
            programme=told.programme,
            about=told.id,
            now=self.now,
            overrules=str(told.overrules),
            **details,
        )


async def override(connection: Connection, id_: UUID, now: datetime) -> Override:
    """Return an override.

    Raises:
        Problem: 404 ``override_unknown``.
    """
    row = await load(QUERIES)["override"].row(connection, id=id_)
    if row is None:
        raise Problem(errors.OVERRIDE_UNKNOWN)
    return _of(row, now)


async def overrides_in(connection: Connection, programme: str, now: datetime) -> Overrides:
    """Return the newest overrides of a programme.

    Raises:
        Problem: 404 ``programme_unknown``.
    """
    await require_programme(connection, programme)
    rows = await load(QUERIES)["overrides_in"].rows(connection, programme=programme)
    return Overrides(programme, [_of(row, now) for row in rows])


async def overrides_for(connection: Connection, person: bytes, programme: str, now: datetime) -> list[Override]:
    """Return all overrides that were made for a person in a programme, newest first."""
    rows = await load(QUERIES)["overrides_for"].rows(connection, person=person, programme=programme)
    return [_of(row, now) for row in rows]


def grants_of(document: bytes) -> list[tuple[str, int]]:
    """Return every product with its dose that a stored document gives to anybody, in order."""
    cohorts = lifted(parse(document)).cohorts
    return list(dict.fromkeys((product, each.grants.dose) for each in cohorts for product in each.grants.products))


def _of(row: Any, now: datetime) -> Override:
    return Override(
        id=row["id"],
        programme=row["programme"],
        person=row["person"].hex(),
        state=_state(row, now),
        product=row["product"],
        dose=row["dose"],
        expires_at=row["expires_at"],
        overrules=row["overrules"],
        made=Step(row["author"], row["reason"], row["made_at"]),
        confirmed=_step(row["confirmer"], row["confirmed_because"], row["confirmed_at"]),
        revoked=_step(row["revoked_by"], row["revoked_because"], row["revoked_at"]),
        decision_ref=row["decision_ref"],
    )


def _step(by: str | None, reason: str, at: datetime) -> Step | None:
    return None if by is None else Step(by, reason, at)


def _state(row: Any, now: datetime) -> State:
    if row["revoked_at"] is not None:
        return "revoked"
    if row["expires_at"] <= now:
        return "expired"
    return "pending" if row["confirmed_at"] is None else "live"
