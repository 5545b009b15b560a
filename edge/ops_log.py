"""The room's log over HTTP."""

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from edge.ops_access import desk_of
from edge.ops_answers import LogPage
from shared.http import Json, read_query

MOST_ON_A_PAGE = 500


class LogQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``limit`` rows at most, of those below the version ``before``."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_ON_A_PAGE)] = 50
    before: Annotated[int, msgspec.Meta(ge=0, le=2**53)] | None = None


async def read_log(request: Request) -> Response:
    """Return what was changed, newest first, up to this moment."""
    _, desk, _ = await desk_of(request)
    query = read_query(request, LogQuery)
    await desk.refresh()
    rows = desk.log.page(query.limit + 1, query.before)
    page = rows[: query.limit]
    return Json(LogPage(page, page[-1].version if len(rows) > query.limit else None))
