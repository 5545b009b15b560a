"""The yardstick of the edge: a Starlette handler that answers a constant as JSON, under uvicorn as it comes.

The settings are those of edge and origin; the protocol is uvicorn's own, which theirs is quicker than. With ``ours``
behind the port it is served by theirs instead, which tells how much of a ratio that is.
"""

import sys

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared import server
from shared.protocol import Protocol


async def bare(_request: Request) -> Response:
    """Answer a constant."""
    return JSONResponse({"status": "ok"})


app = Starlette(routes=[Route("/bare", bare)])


def serve(application: Starlette, port: int, *, ours: bool = False) -> None:
    """Serve with the settings of edge and origin; ``ours``: with their protocol, too."""
    server.serve(application, host="127.0.0.1", port=port, http=Protocol if ours else "httptools")


if __name__ == "__main__":
    serve(app, int(sys.argv[1]), ours=sys.argv[2:] == ["ours"])
