"""The edge against its own OpenAPI document: no 5xx, no undocumented status, nothing but the documented shapes."""

import asyncio
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from deploy.stores import Valkey
from edge.app import create_app, endpoints
from tests.edge_world import Issuer, client, config, plan
from tests.fuzzing import fuzz
from tests.serving import Serve

CALLED = plan(rate_per_s=5000.0, burst=1000)


async def test_the_document_names_every_operation(valkey: Redis, valkey_server: Valkey, serve: Serve) -> None:
    async with client(await serve(create_app(config(valkey_server.url)))) as anyone:
        paths = (await anyone.get("/openapi.json")).json()["paths"]
    named = {(method.upper(), path) for path, operations in paths.items() for method in operations}
    assert named == {(endpoint.method, endpoint.path) for endpoint in endpoints()}


async def test_every_answer_to_any_request_is_documented(
    valkey: Redis, valkey_server: Valkey, serve: Serve, tmp_path: Path
) -> None:
    issuer = Issuer(tmp_path)
    base = await serve(create_app(config(valkey_server.url, CALLED, issuers=(issuer.trusted,))))
    async with client(base) as visitor:
        document = (await visitor.get("/openapi.json")).json()
        ticket = (await visitor.post("/v1/rooms/demo/tickets")).json()["ticket"]
    holder = {"Authorization": f"Ticket {ticket}"}
    seen = await asyncio.to_thread(fuzz, document, base, issuer.operator(), 15)
    seen |= await asyncio.to_thread(fuzz, only_room("demo", document), base, holder, 15)
    operators = {path: of for path, of in document["paths"].items() if path.startswith("/v1/ops/")}
    behind = only_room("demo", document | {"paths": operators})
    seen |= await asyncio.to_thread(fuzz, behind, base, issuer.operator(), 60)
    assert {operation for operation, _ in seen} == {f"{e.method} {e.path}" for e in endpoints()}
    # It got in, and was refused at every door.
    assert {("POST /v1/rooms/{room}/tickets", status) for status in (200, 201, 404)} <= seen
    assert {("POST /v1/rooms/{room}/admissions", status) for status in (201, 404)} <= seen
    assert {("GET /v1/rooms/{room}/tickets/me", status) for status in (200, 401, 404)} <= seen
    assert {("POST /v1/ops/rooms/{room}:pause", status) for status in (200, 401, 404, 422)} <= seen
    assert {("PATCH /v1/ops/rooms/{room}", status) for status in (401, 404, 422)} <= seen


def only_room(room: str, document: dict[str, Any]) -> dict[str, Any]:
    """The document with the one room that there is, so that requests get past the door."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    parameter["schema"] = {"type": "string", "enum": [room]}
    return document
