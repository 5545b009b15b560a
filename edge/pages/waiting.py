"""The waiting room as pages: complete without JavaScript, live with it. No token is ever part of an address."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope

from edge import errors
from edge.line.desk import Desk
from edge.line.line import Closed, LineError, Moved
from edge.line.room import Kind, Phase
from edge.line.ticket import TicketRefused
from edge.pages import doorstep
from edge.pages.browser import Plain, Visitor
from edge.pages.doorstep import Note
from edge.pages.sheets import SOONEST_REFRESH_S, Sheets
from edge.state import EdgeState
from edge.visitors import devices, visits
from edge.visitors.lineup import Wish
from shared import problem
from shared.problem import Problem
from shared.quick import Answer
from shared.web import languages
from shared.web.environment import environments
from shared.web.errors import ErrorPages
from shared.web.shell import Page
from shared.web.statics import Statics
from shared.web.theme import PLAIN, Theme

Visit = Callable[["Visitor"], Awaitable[Response]]

_HERE = Path(__file__).parent


class Pages:
    """The edge's pages, their static files and their errors."""

    def __init__(self, theme: Theme = PLAIN, *, secure_cookies: bool = True) -> None:
        self._statics = Statics(_HERE / "static", theme.files)
        self._environments = environments(_HERE / "templates", _HERE.parent / "locale", self._statics, theme)
        self._sheets = Sheets(self._environments)
        self._switch = languages.switch(secure=secure_cookies)
        self.errors = ErrorPages(self._environments)
        self.room = self._visit(self._room)

    def routes(self) -> list[BaseRoute]:
        """Return the routes, the busiest first."""
        return [
            Route("/rooms/{room}", Plain(self.room), methods=["GET"]),
            self._statics.route(),
            Route("/rooms/{room}/join", self._act(self._join, "joins"), methods=["POST"]),
            Route("/rooms/{room}/enter", self._act(self._enter), methods=["POST"]),
            Route("/rooms/{room}/leave", self._act(self._leave), methods=["POST"]),
            Route("/rooms/{room}/code", self._act(self._code), methods=["POST"]),
            Route("/rooms/{room}/resume", self._act(self._resume), methods=["POST"]),
            Route("/", self._rooms, methods=["GET"]),
            self._switch,
        ]

    def _visit(self, visit: Visit) -> Answer:
        async def run(scope: Scope, receive: Receive) -> Response:
            edge: EdgeState = scope["state"]["edge"]
            room: str = scope["path_params"]["room"]
            visitor = Visitor(edge, edge.desk(room), scope, receive)
            try:
                return await visit(visitor)
            except (TicketRefused, Moved) as refused:
                return self._lost(visitor, refused)
            except LineError as error:
                return self._failed(visitor, error)

        return run

    def _act(self, visit: Visit, kind: Kind = "acts") -> Plain:
        """As ``_visit``, for what changes something: another site's form only gets to see the page."""

        async def only_ours(visitor: Visitor) -> Response:
            if visitor.request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
                return _see(visitor.address)
            try:
                limit = await visitor.edge.guard.limit(visitor.scope, visitor.desk.plan.id, kind)
                response = await visit(visitor)
            except Problem as refused:
                if refused.kind is not errors.TOO_MANY_REQUESTS:
                    raise
                return self.errors.render(refused, again=visitor.address, lang=visitor.language)
            response.raw_headers.extend(limit)
            return response

        return Plain(self._visit(only_ours))

    async def _rooms(self, request: Request) -> Response:
        edge: EdgeState = request.scope["state"]["edge"]
        rooms = [{"id": desk.plan.id, "name": desk.plan.name, "state": _state(desk)} for desk in edge.desks.values()]
        language = languages.language_of(request.scope)
        template = self._environments[language].get_template("rooms.html")
        html = template.render(back="/", rooms=rooms, origin_url=edge.config.origin_public_url)
        return Page(language, html.encode())

    async def _room(self, visitor: Visitor) -> Response:
        if visitor.ticket is None:
            return self._sheets.door(visitor, visitor.desk.view(), doorstep.told(visitor))
        try:
            standing = await visits.standing(visitor.edge, visitor.desk, visitor.ticket)
        except Moved:
            raise
        except LineError as error:
            return self._sheets.away(visitor, _retry_after(error))
        if standing.state == "left":
            return self._gone(visitor)
        return self._sheets.line(visitor, standing)

    async def _join(self, visitor: Visitor) -> Response:
        response = _see(visitor.address)
        try:
            brought, wish = await doorstep.proof(visitor), Wish(pass_text=await doorstep.letter(visitor) or None)
            result = await visits.join(visitor.edge, visitor.desk, visitor.ticket, brought, wish)
        except Closed:
            return response
        except Problem as refused:
            return await self._doorstep(visitor, refused)
        if result.new:
            visitor.remember(response, result.joined.ticket, result.joined.ahead or 0)
        return response

    async def _doorstep(self, visitor: Visitor, refused: Problem) -> Response:
        if refused.kind in doorstep.NOTES:
            letter = await doorstep.letter(visitor)
            return self._sheets.door(
                visitor, visitor.desk.view(), doorstep.NOTES[refused.kind], refused.kind.status, letter
            )
        if refused.kind is errors.COOKIE_REQUIRED:
            response = _see(f"{visitor.address}?note=cookie")
            doorstep.come_back(visitor, response)
            return response
        values = await doorstep.asked_to_wait(visitor, refused)
        return self._sheets.wait(visitor, values, refused.kind.status)

    async def _leave(self, visitor: Visitor) -> Response:
        await visits.leave(visitor.edge, visitor.desk, visitor.ticket)
        return self._gone(visitor)

    async def _enter(self, visitor: Visitor) -> Response:
        try:
            admission = await visits.claim(visitor.edge, visitor.desk, visitor.ticket)
        except Problem as refused:
            if refused.kind not in {errors.PACED, errors.REENTRY_SPENT}:
                return _see(visitor.address)
            standing = await visits.standing(visitor.edge, visitor.desk, visitor.ticket)
            if refused.kind is errors.REENTRY_SPENT:
                return self._sheets.line(visitor, standing, spent=True)
            response = self._sheets.line(visitor, standing, paced=True)
            response.headers["Refresh"] = f"{refused.retry_after_s}; url={visitor.address}"
            return response
        return self._sheets.through(visitor, admission)

    async def _code(self, visitor: Visitor) -> Response:
        try:
            code = await devices.carry(visitor.edge, visitor.desk, visitor.ticket)
        except Problem:
            return _see(visitor.address)
        standing = await visits.standing(visitor.edge, visitor.desk, visitor.ticket)
        return self._sheets.line(visitor, standing, code=code)

    async def _resume(self, visitor: Visitor) -> Response:
        typed = await doorstep.typed(visitor, "code")
        try:
            joined = await devices.resume(visitor.edge, visitor.desk, typed)
        except Problem as refused:
            return self._sheets.door(visitor, visitor.desk.view(), "code", refused.kind.status)
        response = _see(visitor.address)
        visitor.remember(response, joined.ticket, joined.ahead or 0)
        return response

    def _lost(self, visitor: Visitor, refused: TicketRefused | Moved) -> Response:
        is_stale = isinstance(refused, Moved) or refused.reason == "stale"
        note: Note = "stale" if is_stale else "lost" if visitor.ticket else ""
        try:
            response = self._sheets.door(visitor, visitor.desk.view(), note)
        except LineError as error:
            return self._failed(visitor, error)
        visitor.forget(response)
        return response

    def _gone(self, visitor: Visitor) -> Response:
        response = _see(f"{visitor.address}?note=left")
        visitor.forget(response)
        return response

    def _failed(self, visitor: Visitor, error: LineError) -> Response:
        after = _retry_after(error)
        told = Problem(problem.STORE_UNAVAILABLE, retry_after_s=after)
        response = self.errors.render(told, again=visitor.address, lang=visitor.language)
        response.headers["Refresh"] = f"{max(SOONEST_REFRESH_S, after)}; url={visitor.address}"
        return response


def _state(desk: Desk) -> Phase | None:
    try:
        return desk.view().picture.shown
    except LineError:
        return None


def _retry_after(error: LineError) -> int:
    return errors.as_problem(error).retry_after_s or 2


def _see(address: str) -> Response:
    return RedirectResponse(address, 303, {"Cache-Control": "no-store"})
