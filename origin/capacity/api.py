"""``GET /v1/capacity``: for the waiting room in front, and for everybody; it names nobody."""

from starlette.requests import Request
from starlette.responses import Response

from origin.state import state_of
from shared.capacity import Capacity
from shared.http import Endpoint

_CACHE = "public, max-age=1"


async def read_capacity(request: Request) -> Response:
    """Answer out of memory; the database is asked once a second, however many ask here."""
    body, tag = await state_of(request).capacity.encoded()
    headers = {"ETag": tag, "Cache-Control": _CACHE}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/capacity",
        read_capacity,
        "What the booking system can take now, how it is, and what is left of each programme",
        answers={200: Capacity, 304: None},
    ),
)
