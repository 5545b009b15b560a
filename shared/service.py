"""What both services answer besides their own calls: ``/healthz /readyz /metrics /openapi.json``."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared import problem
from shared.http import Json
from shared.problem import Problem


def routes(
    *, ready: Callable[[Request], Awaitable[bool]], registry: CollectorRegistry, document: dict[str, Any]
) -> list[Route]:
    """Return the common routes.

    Args:
        ready: whether the stores this service needs answer now; False makes ``/readyz`` a 503.
        registry: the metrics to expose, in Prometheus' text format.
        document: the OpenAPI document.
    """
    encoded = msgspec.json.encode(document)

    async def healthz(_request: Request) -> Response:
        return Json({"status": "ok"})

    async def readyz(request: Request) -> Response:
        if not await ready(request):
            raise Problem(problem.STORE_UNAVAILABLE, retry_after_s=2)
        return Json({"status": "ready"})

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type})

    async def openapi(_request: Request) -> Response:
        return Response(encoded, media_type="application/json")

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
        Route("/openapi.json", openapi),
    ]
