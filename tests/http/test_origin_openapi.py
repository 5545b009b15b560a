"""The origin against its own OpenAPI document: no 5xx, no undocumented status, nothing but the documented shapes."""

import asyncio
from pathlib import Path

from tests import origin_world
from tests.fuzzing import fuzz


async def test_every_answer_to_any_request_is_documented(database_url: str, tmp_path: Path) -> None:
    async with origin_world.origin(database_url, tmp_path) as origin:
        document = (await origin.client.get("/openapi.json")).json()
        base = str(origin.client.base_url)
        await origin.world.slot(capacity=100)
        seen = await asyncio.to_thread(fuzz, document, base, origin.visitor().headers, 60)
        assert {operation for operation, _ in seen} == {
            "POST /v1/appointments",
            "GET /v1/appointments/{id}",
            "DELETE /v1/appointments/{id}",
            "GET /v1/slots",
            "POST /v1/eligibility:evaluate",
            "POST /v1/admission:exchange",
            "POST /v1/admission:extend",
            "GET /v1/capacity",
        }
        # It got behind the gate, and was refused there and before it.
        assert {("GET /v1/slots", 200), ("GET /v1/slots", 403), ("GET /v1/slots", 422)} <= seen
        assert {("POST /v1/eligibility:evaluate", 200), ("POST /v1/appointments", 404)} <= seen
