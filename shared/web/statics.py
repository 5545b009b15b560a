"""Static files out of memory, under addresses that change with their content, so that browsers keep them for ever."""

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_SHARED = Path(__file__).parent / "static"
_IMPORT = re.compile(rb'(?<=from "\./)([a-z]+\.js)(?=";)')
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class _File:
    content: bytes
    packed: bytes
    media_type: str
    version: str


class Statics:
    """The files of ``folder`` and the common ones, read once, and ``made`` ones; the last of a name wins.

    A module's imports (``from "./words.js"``) are given the versions too, so that a changed module is loaded by all who
    import it. Modules must not import each other in a circle.
    """

    def __init__(self, folder: Path, made: Mapping[str, bytes] | None = None) -> None:
        paths = [path for root in (_SHARED, folder) for path in sorted(root.glob("*.*"))]
        contents = {path.name: path.read_bytes() for path in paths} | dict(made or {})
        self._files: dict[str, _File] = {}
        for name in contents:
            self._take(name, contents)

    def url(self, name: str) -> str:
        """Return the address of a file, with its version; KeyError where there is no such file."""
        return f"/static/{name}?v={self._files[name].version}"

    def content(self, name: str) -> bytes:
        """Return a file as it is sent; KeyError where there is no such file."""
        return self._files[name].content

    def _take(self, name: str, contents: Mapping[str, bytes]) -> _File:
        """Pack a file, and before it what it imports: its own version changes with theirs."""

        def versioned(found: re.Match[bytes]) -> bytes:
            return found[1] + b"?v=" + self._take(found[1].decode(), contents).version.encode()

        if name not in self._files:
            content = contents[name]
            self._files[name] = _pack(name, _IMPORT.sub(versioned, content) if name.endswith(".js") else content)
        return self._files[name]

    def route(self) -> Route:
        """Return the route that serves them."""
        return Route("/static/{name}", self._answer, methods=["GET"])

    async def _answer(self, request: Request) -> Response:
        found = self._files.get(request.path_params["name"])
        if found is None:
            raise HTTPException(404)
        current = request.query_params.get("v") == found.version
        headers = {
            "Cache-Control": "public, max-age=31536000, immutable" if current else "public, max-age=60",
            "ETag": f'"{found.version}"',
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
        }
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        content = found.content
        if len(found.packed) < len(content) and "gzip" in request.headers.get("accept-encoding", ""):
            content = found.packed
            headers["Content-Encoding"] = "gzip"
        return Response(content, headers=headers, media_type=found.media_type)


def _pack(name: str, content: bytes) -> _File:
    media_type = _TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    version = hashlib.sha256(content).hexdigest()[:12]
    return _File(content, gzip.compress(content, 9, mtime=0), media_type, version)
