"""The yardstick of the edge: a Starlette handler that answers a constant as JSON, under the same uvicorn settings."""

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


async def bare(_request: Request) -> Response:
    """Answer a constant."""
    return JSONResponse({"status": "ok"})


app = Starlette(routes=[Route("/bare", bare)])


def serve(application: Starlette, port: int) -> None:
    """Serve as edge and origin do."""
    uvicorn.run(
        application,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        proxy_headers=False,
    )


if __name__ == "__main__":
    serve(app, int(sys.argv[1]))
