"""A booking system to follow: a small real server that speaks the capacity feed, whose faults are ours to choose."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.capacity import Capacity, Funnel, ProgrammeSupply


def told(*, remaining: int | None = 1000, frozen: bool = False, **changes: Any) -> Capacity:
    """What a booking system that is well says of the programme behind the room ``demo``."""
    base: dict[str, Any] = {
        "bookings_per_s": None,
        "in_flight": 0,
        "inside": 0,
        "time_inside_s": None,
        "latency": None,
        "errors": None,
        "health": "ok",
        "programmes": [ProgrammeSupply("demo", "demo", remaining, frozen, "recall" if frozen else None)],
        "funnel": Funnel(0, 0, 0, 0, 0),
        "as_of": datetime(2027, 3, 1, 9, tzinfo=UTC),
    }
    return Capacity(**(base | changes))


@dataclass
class StandIn:
    """Says what it is told to say; ``fault``: answer with that status, with nonsense, or not at all."""

    says: Capacity = field(default_factory=told)
    fault: int | str | None = None
    asked: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def app(self) -> Starlette:
        """The server."""
        return Starlette(routes=[Route("/v1/capacity", self._answer)])

    async def _answer(self, _request: Request) -> Response:
        self.asked += 1
        if self.fault == "hangs":
            await self.released.wait()
        if isinstance(self.fault, int):
            return Response(status_code=self.fault)
        body = b'{"health": 5}' if self.fault == "nonsense" else msgspec.json.encode(self.says)
        return Response(body, media_type="application/json")
