"""The yardstick of booking: a Starlette endpoint that runs one CTE, and checks nothing.

Equal work: the JSON body is read; slot, appointment, outbox and audit rows are written to the same tables in one
statement and one commit; the pool has the same size, statement cache and (absent) reset. Left out, as the definition
says: admission, identity, eligibility, idempotency, refusals.

This is the one place of the crowd that speaks to PostgreSQL itself: as a server to be measured, not as a visitor.
"""

import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypedDict
from uuid import uuid4

import asyncpg
import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from loadtest.bench.bare import serve

_STATEMENT = Path(__file__).with_name("baseline.sql").read_text(encoding="utf-8")


class Body(msgspec.Struct):
    """What is sent to the real endpoint too."""

    slot_id: int
    decision_ref: str


class State(TypedDict):
    """Kept for the app's life."""

    pool: Any


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[State]:
    """Open the pool, set as the origin's is."""
    size = int(os.environ.get("VESTIBULE_POOL_SIZE", "16"))
    async with asyncpg.create_pool(
        os.environ["VESTIBULE_DATABASE_URL"],
        min_size=0,
        max_size=size,
        max_queries=1_000_000_000,
        max_inactive_connection_lifetime=0,
        max_cached_statement_lifetime=0,
        server_settings={"jit": "off"},
        reset=_leave_as_it_is,
    ) as pool:
        yield {"pool": pool}


async def _leave_as_it_is(_connection: object) -> None:
    """Reset nothing between uses."""


async def book(request: Request) -> Response:
    """Take a place of the slot."""
    body = msgspec.json.decode(await request.body(), type=Body)
    appointment = uuid4()
    async with request.state.pool.acquire() as connection:
        taken = await connection.fetchval(
            _STATEMENT,
            body.slot_id,
            appointment,
            body.decision_ref,
            secrets.token_bytes(32),
            secrets.token_urlsafe(18),
            uuid4(),
        )
    return JSONResponse({"id": str(appointment), "slot": taken}, 201 if taken else 409)


async def healthz(_request: Request) -> Response:
    """Say that it answers."""
    return JSONResponse({"status": "ok"})


app = Starlette(routes=[Route("/book", book, methods=["POST"]), Route("/healthz", healthz)], lifespan=lifespan)

if __name__ == "__main__":
    serve(app, int(sys.argv[1]))
