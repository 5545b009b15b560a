"""The operators' client against an edge and its OpenAPI document."""

from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from deploy.stores import Valkey
from edge.app import create_app
from edge.client import ApiError, OperatorClient
from edge.ops.models import BypassChange, NewLane, NewRoom, Revocation, RoomChange
from tests.edge_world import Issuer, config
from tests.serving import Serve

SPRING = NewRoom(
    id="spring",
    name="Spring",
    rate_per_s=4.0,
    enter_url="https://book.example.org/enter",
    lanes=[NewLane(lane="general"), NewLane(lane="letters", access="pass")],
    reason="it opens",
)


class Listening(httpx.AsyncHTTPTransport):
    """Real connections, and a note of what was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[tuple[str, str]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.add((request.method, request.url.path.replace("/spring", "/{room}")))
        return await super().handle_async_request(request)


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer(tmp_path)


@pytest.fixture
async def base(valkey: Redis, valkey_server: Valkey, serve: Serve, issuer: Issuer) -> str:
    return await serve(create_app(config(valkey_server.url, issuers=(issuer.trusted,))))


async def test_every_operators_operation_has_a_method_that_does_it(base: str, issuer: Issuer) -> None:
    listening = Listening()
    async with httpx.AsyncClient(transport=listening) as http:
        edge = OperatorClient(base, issuer.token("operator"), http=http)
        created = await edge.create_room(SPRING)
        assert (created.name, created.state, created.reason) == ("Spring", "open", "it opens")
        changed = await edge.change_room("spring", RoomChange(rate_per_s=2.5, burst=3, reason="snow"))
        assert (changed.rate_per_s, changed.burst, changed.reason) == (2.5, 3, "snow")
        paused = await edge.pause_room("spring", "storm")
        assert (paused.state, paused.reason) == ("paused", "storm")
        resumed = await edge.resume_room("spring", "sun")
        assert (resumed.state, resumed.reason) == ("open", "sun")
        assert (await edge.drain_room("spring", "enough")).state == "draining"
        assert (await edge.close_room("spring", "the evening")).state == "closed"
        assert (await edge.open_room("spring", "the morning")).state == "open"
        bypass = await edge.set_bypass("spring", BypassChange(rate_per_s=2.0, burst=3, reason="a night shift"))
        assert (bypass.bypass.rate_per_s, bypass.bypass.burst) == (2, 3)
        revoked = await edge.revoke_passes("spring", Revocation(batch="K7Q2M9XD", numbers=[4, 17], reason="a leak"))
        assert revoked.revoked_passes == 2
        reset = await edge.reset_room("spring", "spring", "the wrong room")
        assert reset.epoch == created.epoch + 1
        read = await edge.read_room("spring")
        assert (read.rate_per_s, read.created) == (2.5, created.created)
        assert [room.room for room in await edge.list_rooms()] == ["demo", "spring"]
        newest = await edge.read_log("spring", limit=9)
        assert newest.next_before is not None
        older = await edge.read_log("spring", before=newest.next_before)
        assert [row.what for row in reversed(newest.rows + older.rows)] == [
            "room_created",
            "room_changed",
            "room_paused",
            "room_resumed",
            "room_draining",
            "room_closed",
            "room_opened",
            "bypass_on",
            "passes_revoked",
            "room_reset",
        ]
        paths = (await http.get(f"{base}/openapi.json")).json()["paths"]
    operations = {
        (method.upper(), path): operation["operationId"]
        for path, by_method in paths.items()
        for method, operation in by_method.items()
        if path.startswith("/v1/ops/")
    }
    missing = {name for name in operations.values() if not hasattr(OperatorClient, name)}
    assert missing == set(), "an operation has the name of its method"
    assert set(operations) == listening.asked - {("GET", "/openapi.json")}


async def test_what_the_edge_refuses_is_told_by_its_code(base: str, issuer: Issuer) -> None:
    async with OperatorClient(base, issuer.token("operator")) as edge:
        with pytest.raises(ApiError) as unknown:
            await edge.read_room("nowhere")
        assert (unknown.value.status, unknown.value.code) == (404, "not_found")
        with pytest.raises(ApiError) as wrong:
            await edge.change_room("demo", RoomChange(rate_per_s=-1, reason="faster"))
        assert (wrong.value.code, "$.rate_per_s" in wrong.value.detail) == ("invalid_body", True)
    async with OperatorClient(base, issuer.token("visitor")) as edge:
        with pytest.raises(ApiError) as visitor:
            await edge.list_rooms()
        assert (visitor.value.status, visitor.value.code) == (403, "forbidden")
