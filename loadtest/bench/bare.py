"""The yardstick of the edge: a Starlette handler that answers a constant as JSON, under the same uvicorn settings."""

import sys

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared import server


async def bare(_request: Request) -> Response:
    """Answer a constant."""
    return JSONResponse({"status": "ok"})


app = Starlette(routes=[Route("/bare", bare)])


def serve(application: Starlette, port: int) -> None:
    """Serve as edge and origin do."""
    server.serve(application, host="127.0.0.1", port=port, proxy_headers=False)


if __name__ == "__main__":
    serve(app, int(sys.argv[1]))
