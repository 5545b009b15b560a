"""The operators' client: every operators' call of an edge, typed. It needs nothing of the server.

    async with OperatorClient("https://wait.example.org", token) as edge:
        room = await edge.change_room("demo", RoomChange(rate_per_s=5, reason="two booking servers are down"))

What is sent and returned are the structs of ``edge.ops.models`` and ``edge.ops.answers``. What goes wrong:

    Exception
    └── ClientError
        ├── ApiError            the edge refuses; ``code`` is one of docs/errors.md
        └── ApiUnreachable      nobody answers, or somebody who is no edge; a change may or may not have happened
"""

from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from edge.line.logrow import LogPage
from edge.ops.answers import RoomReport, RoomReports
from edge.ops.models import BypassChange, NewRoom, Reset, Revocation, RoomChange, StateChange

T = TypeVar("T")

_PROBLEM = "application/problem+json"
_ROOMS = "/v1/ops/rooms"


class ClientError(Exception):
    """A call that did not do what was asked."""


class ApiError(ClientError):
    """The edge refuses. ``code`` is stable; ``retry_after_s`` is there where the same call may succeed later."""

    def __init__(self, status: int, code: str, detail: str, retry_after_s: int | None = None) -> None:
        super().__init__(f"{code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s


class ApiUnreachable(ClientError):
    """No answer of an edge came; whatever was asked may or may not have happened."""


class _Problem(msgspec.Struct, frozen=True):
    status: int
    code: str
    title: str
    detail: str = ""
    retry_after_s: int | None = None


class OperatorClient:
    """Speaks to one edge, or to what balances several, in the name of one operator.

    Args:
        base_url: where the edge answers.
        token: a bearer token of a trusted issuer, with the role ``operator``.
        http: what to send requests with, for a proxy or a certificate of one's own; the caller closes it. Without it,
            nothing of the environment (proxies, ``.netrc``) has a say, and an answer may take ``timeout_s``.

    Every method raises ApiError and ApiUnreachable. No call is tried again by itself.
    """

    def __init__(
        self, base_url: str, token: str, *, http: httpx.AsyncClient | None = None, timeout_s: float = 10
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._owns = http is None
        self._http = http or httpx.AsyncClient(trust_env=False, timeout=timeout_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections, unless they are the caller's."""
        if self._owns:
            await self._http.aclose()

    async def list_rooms(self) -> list[RoomReport]:
        """Return all rooms."""
        return (await self._call("GET", _ROOMS, RoomReports)).rooms

    async def create_room(self, room: NewRoom) -> RoomReport:
        """Create a room; within a second it is open on every edge.

        Raises:
            ApiError: ``room_exists``, ``too_many_rooms``, ``invalid_body`` among others.
        """
        return await self._call("POST", _ROOMS, RoomReport, room)

    async def read_room(self, room: str) -> RoomReport:
        """Return a room."""
        return await self._call("GET", _address(room), RoomReport)

    async def change_room(self, room: str, change: RoomChange) -> RoomReport:
        """Change a room; in force on every edge when this returns."""
        return await self._call("PATCH", _address(room), RoomReport, change)

    async def pause_room(self, room: str, reason: str) -> RoomReport:
        """Stop calling people; everybody keeps their place."""
        return await self._act(room, "pause", StateChange(reason))

    async def resume_room(self, room: str, reason: str) -> RoomReport:
        """Go on where the pause began."""
        return await self._act(room, "resume", StateChange(reason))

    async def open_room(self, room: str, reason: str) -> RoomReport:
        """Open a room that is closed, draining or paused, as far as its schedule goes."""
        return await self._act(room, "open", StateChange(reason))

    async def drain_room(self, room: str, reason: str) -> RoomReport:
        """Take nobody new in, and serve the line to its end."""
        return await self._act(room, "drain", StateChange(reason))

    async def close_room(self, room: str, reason: str) -> RoomReport:
        """Take nobody in and call nobody; tickets stay good, should the room open again."""
        return await self._act(room, "close", StateChange(reason))

    async def reset_room(self, room: str, confirm: str, reason: str) -> RoomReport:
        """Begin a new line: every ticket of the old one is stale. ``confirm`` is the room's id once more."""
        return await self._act(room, "reset", Reset(confirm, reason))

    async def set_bypass(self, room: str, change: BypassChange) -> RoomReport:
        """Let holders of passes pass by the line, at a rate of their own, or no longer."""
        return await self._act(room, "bypass", change)

    async def revoke_passes(self, room: str, revocation: Revocation) -> RoomReport:
        """Take passes back that have not been used, or make a batch good again."""
        return await self._act(room, "revoke-passes", revocation)

    async def read_log(self, room: str, *, limit: int = 50, before: int | None = None) -> LogPage:
        """Return what was changed, newest first; ``before``: only what is older than this version."""
        query = f"?limit={limit}" if before is None else f"?limit={limit}&before={before}"
        return await self._call("GET", f"{_address(room)}/log{query}", LogPage)

    async def _act(self, room: str, act: str, body: msgspec.Struct) -> RoomReport:
        return await self._call("POST", f"{_address(room)}:{act}", RoomReport, body)

    async def _call(self, method: str, path: str, form: type[T], body: msgspec.Struct | None = None) -> T:
        headers, content = self._headers, None
        if body is not None:
            headers, content = {**headers, "Content-Type": "application/json"}, msgspec.json.encode(body)
        try:
            answer = await self._http.request(method, self._base_url + path, headers=headers, content=content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ApiUnreachable(f"no answer from {self._base_url} ({type(error).__name__})") from error
        try:
            if answer.is_success:
                return msgspec.json.decode(answer.content, type=form)
            raise _refusal(answer)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ApiUnreachable(f"what answers at {self._base_url} is no edge ({answer.status_code})") from error


def _address(room: str) -> str:
    return f"{_ROOMS}/{quote(room, safe='')}"


def _refusal(answer: httpx.Response) -> ApiError:
    """Return the refusal; raises MsgspecError where it is no problem of ours."""
    if answer.headers.get("content-type", "").partition(";")[0] != _PROBLEM:
        raise msgspec.DecodeError("not a problem")
    told = msgspec.json.decode(answer.content, type=_Problem)
    return ApiError(told.status, told.code, told.detail or told.title, told.retry_after_s)
