"""``GET /v1/feeds…``: the public feed of each programme, for everybody; it names nobody."""

from collections.abc import Mapping
from email.utils import format_datetime
from hashlib import blake2b
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from origin import errors
from origin.admin.programmes import Programme
from origin.inventory.feeds import shapes
from origin.inventory.feeds.publish import Edition, Kind
from origin.inventory.feeds.resources import Manifest
from origin.inventory.feeds.spool import Reader
from origin.state import OriginState, state_of
from shared.http import IF_NONE_MATCH, Endpoint, Json, has_already, read_query
from shared.problem import Problem


class FileForm(msgspec.Struct):
    """Which region's file; what else a client sends is ignored, as the specification allows."""

    region: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Feed(msgspec.Struct, frozen=True):
    """A programme's feed. ``manifest``: the address to give to whoever reads feeds."""

    programme: str
    name: str
    manifest: str


class FeedList(msgspec.Struct, frozen=True):
    """The feeds of all programmes."""

    feeds: list[Feed]


async def list_feeds(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    await state.programmes.refresh()
    programmes = sorted(state.programmes.by_room.values(), key=lambda programme: programme.id)
    found = [Feed(each.id, each.name, f"{state.feeds.publisher(each).feed}/$bulk-publish") for each in programmes]
    return Json(FeedList(found), cache_control=_cached(state))


async def read_manifest(request: Request) -> Response:
    """Handle the request; ``_since`` and whatever else is asked with it are ignored."""
    state = state_of(request)
    manifest = await state.feeds.manifest(await _programme(request, state))
    body = msgspec.json.encode(manifest)
    headers = {
        "ETag": f'"{blake2b(body, digest_size=12).hexdigest()}"',
        "Cache-Control": _cached(state),
        "Last-Modified": format_datetime(manifest.transaction_time, usegmt=True),
    }
    if has_already(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


async def read_locations(request: Request) -> Response:
    """Handle the request."""
    return await _file(request, "Location")


async def read_schedules(request: Request) -> Response:
    """Handle the request."""
    return await _file(request, "Schedule")


async def read_slots(request: Request) -> Response:
    """Handle the request."""
    return await _file(request, "Slot")


async def _file(request: Request, kind: Kind) -> Response:
    state = state_of(request)
    programme = await _programme(request, state)
    region = read_query(request, FileForm).region
    edition, reader = await state.feeds.read(programme, kind, region)
    packed = _takes_gzip(request)
    headers = _headers(state, edition, packed=packed)
    if has_already(request, edition.spool.tag):
        reader.close()
        return Response(status_code=304, headers=headers)
    if request.method == "HEAD":
        reader.close()
        return _head(headers, packed=packed)
    return _Sent(reader, packed=packed, headers=headers)


def _head(headers: Mapping[str, str], *, packed: bool) -> Response:
    answer = Response(headers=headers, media_type=shapes.MEDIA_TYPE)
    if not packed:
        del answer.headers["Content-Length"]  # it is known packed only
    return answer


class _Sent(StreamingResponse):
    """A reading that is closed however the answer ends."""

    media_type = shapes.MEDIA_TYPE

    def __init__(self, reader: Reader, *, packed: bool, headers: Mapping[str, str]) -> None:
        super().__init__(reader.packed() if packed else reader.plain(), headers=headers)
        self._reader = reader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._reader.close()


async def _programme(request: Request, state: OriginState) -> Programme:
    wanted = request.path_params["programme"]
    for refreshed in (False, True):
        if refreshed:
            await state.programmes.refresh()
        for programme in state.programmes.by_room.values():
            if programme.id == wanted:
                return programme
    raise Problem(errors.PROGRAMME_UNKNOWN)


def _headers(state: OriginState, edition: Edition, *, packed: bool) -> dict[str, str]:
    headers = {
        "ETag": edition.spool.tag,
        "Cache-Control": _cached(state),
        "Last-Modified": format_datetime(edition.as_of, usegmt=True),
        "Vary": "Accept-Encoding",
    }
    if packed:
        headers |= {"Content-Encoding": "gzip", "Content-Length": str(edition.spool.length)}
    return headers


def _cached(state: OriginState) -> str:
    return f"public, max-age={state.feeds.fresh_s}"


def _takes_gzip(request: Request) -> bool:
    for each in request.headers.get("accept-encoding", "").lower().split(","):
        name, _, weight = each.replace(" ", "").partition(";q=")
        if name in {"gzip", "*"} and weight not in {"0", "0.0", "0.00", "0.000"}:
            return True
    return False


_PROGRAMME = {"programme": {"type": "string"}}
_FILE = {200: shapes.MEDIA_TYPE, 304: None}
_UNKNOWN = (errors.PROGRAMME_UNKNOWN, errors.REGION_UNKNOWN)

ENDPOINTS = (
    Endpoint("GET", "/v1/feeds", list_feeds, "The public feeds of all programmes", answers={200: FeedList}),
    Endpoint(
        "GET",
        "/v1/feeds/{programme}/$bulk-publish",
        read_manifest,
        "The manifest of a programme's public feed (SMART Scheduling Links)",
        answers={200: Manifest, 304: None},
        path_params=_PROGRAMME,
        headers=(IF_NONE_MATCH,),
        problems=(errors.PROGRAMME_UNKNOWN,),
    ),
    *(
        Endpoint(
            "GET",
            f"/v1/feeds/{{programme}}/{name}",
            handler,
            summary,
            answers=_FILE,
            query=FileForm,
            path_params=_PROGRAMME,
            headers=(IF_NONE_MATCH,),
            problems=_UNKNOWN,
        )
        for name, handler, summary in (
            ("locations.ndjson", read_locations, "A region's sites, one Location a line"),
            ("schedules.ndjson", read_schedules, "What its sites offer, one Schedule a line"),
            ("slots.ndjson", read_slots, "Its free and taken places, one Slot a line"),
        )
    ),
)
