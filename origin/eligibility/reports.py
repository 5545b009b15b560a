"""What is told about the versions of a programme's rules: their states, their history, what candidates said."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg
import msgspec

from origin import errors
from origin.admin.officials import require_programme
from origin.db.sql import Connection, load
from origin.eligibility.history import Move, State, held, state_of
from origin.eligibility.moves import QUERIES, clock_of, moves_of
from origin.eligibility.version_models import (
    Difference,
    History,
    InForce,
    Review,
    ShadowReport,
    Version,
    Versions,
    VersionWithDocument,
)
from shared.problem import Problem

_Moves = Mapping[str | None, Sequence[Move]]


async def versions(connection: Connection, programme: str) -> Versions:
    """Return all versions, newest first, each with its state now.

    Raises:
        Problem: 404 ``programme_unknown``.
    """
    await require_programme(connection, programme)
    now = await clock_of(connection)
    active = _by_region(await moves_of(connection, programme, "active"))
    shadow = _by_region(await moves_of(connection, programme, "shadow"))
    rows = await load(QUERIES)["versions"].rows(connection, programme=programme)
    in_force = {region: came[-1].version for region, moves in active.items() if (came := held(moves, now))}
    return Versions(
        programme,
        [InForce(region, in_force[region]) for region in sorted(in_force, key=lambda region: region or "")],
        [_version(programme, row, active, shadow, now) for row in rows],
    )


async def version(connection: Connection, programme: str, number: int) -> VersionWithDocument:
    """Return one version with its document.

    Raises:
        Problem: 404 ``programme_unknown``, ``version_unknown``.
    """
    found = [each for each in (await versions(connection, programme)).versions if each.version == number]
    row = await load(QUERIES)["version_with_cases"].row(connection, programme=programme, version=number)
    if not found or row is None:
        raise Problem(errors.VERSION_UNKNOWN)
    return VersionWithDocument(
        **msgspec.structs.asdict(found[0]), document=msgspec.Raw(row["document"]), cases=msgspec.Raw(row["cases"])
    )


async def history(connection: Connection, programme: str) -> History:
    """Return every move of every pointer, in the order in which they were made.

    Raises:
        Problem: 404 ``programme_unknown``.
    """
    await require_programme(connection, programme)
    moves = await moves_of(connection, programme, "active") + await moves_of(connection, programme, "shadow")
    return History(programme, sorted(moves, key=lambda move: move.id))


async def shadow_report(connection: Connection, programme: str, number: int) -> ShadowReport:
    """Return what a candidate would have decided otherwise.

    Raises:
        Problem: 404 ``programme_unknown``, ``version_unknown``.
    """
    await require_programme(connection, programme)
    queries, which = load(QUERIES), {"programme": programme, "version": number}
    if await queries["one_version"].row(connection, **which) is None:
        raise Problem(errors.VERSION_UNKNOWN)
    totals = await queries["shadow_totals"].row(connection, **which)
    assert totals is not None
    rows = await queries["shadow_report"].rows(connection, **which)
    return ShadowReport(programme, number, **dict(totals), differences=[Difference(**dict(row)) for row in rows])


def _by_region(moves: Sequence[Move]) -> _Moves:
    found: dict[str | None, list[Move]] = defaultdict(list)
    for move in moves:
        found[move.region].append(move)
    return found


def _version(programme: str, row: asyncpg.Record, active: _Moves, shadow: _Moves, now: datetime) -> Version:
    review = None
    if row["verdict"] is not None:
        review = Review(row["verdict"], row["reviewer"], row["review_reason"], row["reviewed_at"])
    state: State = "draft" if review is None else review.verdict
    since: datetime = row["created_at"] if review is None else review.at
    region: str | None = row["region"]
    moved = state_of(row["version"], active.get(region, ()), shadow.get(region, ()), now)
    if moved is not None:
        state, since = moved
    return Version(
        programme=programme,
        version=row["version"],
        region=region,
        state=state,
        since=since,
        ruleset=row["ruleset"],
        author=row["author"],
        reason=row["reason"],
        drafted_at=row["created_at"],
        review=review,
    )
