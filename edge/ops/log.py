"""The room's log over HTTP."""

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from edge.ops.access import desk_of
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
    return Json(desk.log.page(query.limit, query.before))
