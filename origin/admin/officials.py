"""Roles of those who run a programme, and the audit row of what they do."""

from datetime import datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import msgspec

from origin import errors
from origin.db.sql import Connection, load
from origin.identity import Official
from shared.problem import Problem

AUTHOR = "rules_author"
REVIEWER = "rules_reviewer"
OPERATOR = "operator"
SUPPORT = "support"
OMBUDSMAN = "ombudsman"
OVERRIDER = "overrider"
SUPPLY = "supply"

QUERIES = Path(__file__).with_name("queries.sql")

Why = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
RegionId = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[^\x00]+$")]


async def audit(
    connection: Connection,
    official: Official,
    kind: str,
    *,
    programme: str,
    about: UUID,
    now: datetime,
    **details: str | int | bool | None,
) -> None:
    """Write the audit row; it commits with what it tells of. ``details``: codes and versions, nothing about people."""
    await load(QUERIES)["add_audit"].run(
        connection,
        now=now,
        kind=kind,
        programme=programme,
        role=official.role,
        person=official.pseudonym,
        about=about,
        details=msgspec.json.encode(details).decode(),
    )


async def require_programme(connection: Connection, programme: str) -> None:
    """Return if there is such a programme.

    Raises:
        Problem: 404 ``programme_unknown``.
    """
    plausible = programme.isascii() and programme.isprintable()
    if not plausible or await load(QUERIES)["programme_is_there"].row(connection, programme=programme) is None:
        raise Problem(errors.PROGRAMME_UNKNOWN)


async def require_region(connection: Connection, region: str | None) -> None:
    """Return if there is such a region, or none is meant.

    Raises:
        Problem: 404 ``region_unknown``.
    """
    if region is not None and await load(QUERIES)["region_is_there"].row(connection, region=region) is None:
        raise Problem(errors.REGION_UNKNOWN)
