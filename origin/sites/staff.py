"""Who works at a site: whoever has the role ``site_staff:CODE``, with the code of the site; operators may for any.

The provider of identities says so, as of every other role: nobody keeps a second list of who works where.
"""

import re
from pathlib import Path

import msgspec
from starlette.requests import Request

from origin import errors
from origin.admin.officials import OPERATOR
from origin.db.sql import Connection, load
from origin.identity import Official
from origin.state import state_of
from shared.problem import Problem

SITE_STAFF = "site_staff"
QUERIES = Path(__file__).with_name("queries.sql")
_CODE = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class StaffedSite(msgspec.Struct, frozen=True):
    """A site as its staff know it. ``time_zone``: IANA name."""

    id: int
    code: str
    name: str
    town: str
    time_zone: str


def roles_at(code: str) -> tuple[str, str]:
    """Return the roles that may act for a site."""
    return OPERATOR, f"{SITE_STAFF}:{code}"


async def staff_of(request: Request) -> Official:
    """Return the caller, who may act for the site that the path names.

    Raises:
        Problem: 401 ``unauthenticated``; 403 ``forbidden``, also for sites that are not there; 503 while the
            issuer's keys cannot be loaded.
    """
    return await state_of(request).people.official(request, *roles_at(request.path_params["site"]))


async def site_by_code(connection: Connection, code: str) -> StaffedSite:
    """Return the site.

    Raises:
        Problem: 404 ``site_unknown``.
    """
    row = await load(QUERIES)["site"].row(connection, code=code) if _CODE.fullmatch(code) else None
    if row is None:
        raise Problem(errors.SITE_UNKNOWN)
    return StaffedSite(**dict(row))
