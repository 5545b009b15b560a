"""A browser that visits a room: what it carries in cookies, and what we make it carry."""

from functools import cached_property

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from edge.line.desk import Desk
from edge.state import EdgeState
from edge.visitors.api import ticket_cookie
from edge.visitors.carried import Carried
from shared.quick import Answer
from shared.web import languages
from shared.web.shell import Encoding

_START_DAYS = 30


class Plain:
    """What answers a request as an ASGI app: spares Starlette's wrapping of each. Errors take the app's way."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(scope, receive)
        await response(scope, receive, send)


class Visitor:
    """One request to a room: ``ticket`` is the ticket's text, ``language`` and ``encoding`` are the answer's."""

    def __init__(self, edge: EdgeState, desk: Desk, scope: Scope, receive: Receive) -> None:
        self.edge = edge
        self.desk = desk
        self.scope = scope
        self._receive = receive
        self.carried = carried = Carried(scope)
        self.ticket = carried.ticket(desk.plan.id)
        self.language = languages.chosen(carried.cookies, carried.languages)
        self.encoding: Encoding = "gzip" if carried.takes_gzip else ""
        self._start_cookie = f"vestibule_start_{desk.plan.id}"  # how many were ahead at the beginning, for the bar only

    @cached_property
    def request(self) -> Request:
        """The whole request, for what few need of it."""
        return Request(self.scope, self._receive)

    @property
    def address(self) -> str:
        """The room's page."""
        return f"/rooms/{self.desk.plan.id}"

    @property
    def is_live(self) -> bool:
        """Whether a script of ours said that it keeps the page fresh by itself."""
        return self.carried.cookie("vestibule_live") is not None

    def started_with(self) -> int | None:
        """How many people were ahead at the beginning, as far as the browser remembers."""
        text = self.carried.cookie(self._start_cookie)
        return int(text) if text and text.isascii() and text.isdigit() and len(text) < 12 else None

    def remember(self, response: Response, ticket: str, ahead: int) -> None:
        """Make the browser carry a new ticket, and how many were ahead when it got it."""
        cookie = ticket_cookie(self.desk.plan.id, ticket, secure=self.edge.config.secure_cookies)
        response.headers.append("set-cookie", cookie)
        self.remember_start(response, ahead)

    def remember_start(self, response: Response, ahead: int) -> None:
        """Make the browser carry how many were ahead."""
        response.raw_headers.append((b"set-cookie", self._start(str(ahead), _START_DAYS * 86_400)))

    def forget(self, response: Response) -> None:
        """Take the ticket and the start away from the browser."""
        secure = self.edge.config.secure_cookies
        response.headers.append("set-cookie", ticket_cookie(self.desk.plan.id, "", secure=secure, max_age_s=0))
        response.raw_headers.append((b"set-cookie", self._start("", 0)))

    def _start(self, value: str, max_age_s: int) -> bytes:
        ending = "; Secure" if self.edge.config.secure_cookies else ""
        cookie = f"{self._start_cookie}={value}; Path=/rooms/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{ending}"
        return cookie.encode("latin-1")
