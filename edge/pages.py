"""The waiting room as pages: complete without JavaScript, live with it. No token is ever part of an address.

A page is rendered once for each mode of a room; what differs between visitors is filled in between, so that showing it
costs little more than saying where somebody stands.
"""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Literal

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from edge import doorstep, errors, outlook, visits
from edge.browser import Plain, Visitor
from edge.desk import Desk
from edge.line import Closed, LineError, Moved
from edge.room import Kind, Phase
from edge.standing import Standing, expect
from edge.state import EdgeState
from edge.ticket import TicketRefused
from edge.view import View
from shared import problem
from shared.problem import Problem
from shared.web import languages, words
from shared.web.environment import environments
from shared.web.errors import ErrorPages
from shared.web.shell import Page, Shell, Slots
from shared.web.statics import Statics
from shared.web.theme import PLAIN, Theme

Mode = Literal["waiting", "called", "admitted", "away"]
Note = Literal["", "left", "lost", "cookie"]
Visit = Callable[["Visitor"], Awaitable[Response]]

_HERE = Path(__file__).parent
_SOONEST_REFRESH_S = 5
_CLOSED_REFRESH_S = 30


class Pages:
    """The edge's pages, their static files and their errors."""

    def __init__(self, theme: Theme = PLAIN, *, secure_cookies: bool = True) -> None:
        self._statics = Statics(_HERE / "static", theme.files)
        self._environments = environments(_HERE / "templates", _HERE / "locale", self._statics, theme)
        self._shells: dict[tuple[object, ...], Shell] = {}
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
            Route("/", self._rooms, methods=["GET"]),
            self._switch,
        ]

    def _visit(self, visit: Visit) -> Callable[[Request], Awaitable[Response]]:
        async def run(request: Request) -> Response:
            edge: EdgeState = request.scope["state"]["edge"]
            room: str = request.path_params["room"]
            visitor = Visitor(edge, edge.desk(room), request)
            try:
                return await visit(visitor)
            except (TicketRefused, Moved):
                return self._lost(visitor)
            except LineError as error:
                return self._failed(visitor, error)

        return run

    def _act(self, visit: Visit, kind: Kind = "acts") -> Callable[[Request], Awaitable[Response]]:
        """As ``_visit``, for what changes something: another site's form only gets to see the page."""

        async def only_ours(visitor: Visitor) -> Response:
            if visitor.request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
                return _see(visitor.address)
            try:
                limit = await visitor.edge.guard.limit(visitor.request.scope, visitor.desk.plan.id, kind)
                response = await visit(visitor)
            except Problem as refused:
                if refused.kind is not errors.TOO_MANY_REQUESTS:
                    raise
                return self.errors.render(refused, again=visitor.address, lang=visitor.language)
            response.raw_headers.extend(limit)
            return response

        return self._visit(only_ours)

    async def _rooms(self, request: Request) -> Response:
        edge: EdgeState = request.scope["state"]["edge"]
        rooms = [{"id": desk.plan.id, "name": desk.plan.name, "state": _state(desk)} for desk in edge.desks.values()]
        language = languages.language_of(request.scope)
        template = self._environments[language].get_template("rooms.html")
        html = template.render(back="/", rooms=rooms, origin_url=edge.config.origin_public_url)
        return Page(language, html.encode())

    async def _room(self, visitor: Visitor) -> Response:
        if visitor.ticket is None:
            given = visitor.request.query_params.get("note")
            note: Note = "left" if given == "left" else "cookie" if given == "cookie" else ""
            return self._door(visitor, visitor.desk.view(), note)
        try:
            standing = await visits.standing(visitor.edge, visitor.desk, visitor.ticket)
        except Moved:
            raise
        except LineError as error:
            return self._away(visitor, error)
        if standing.state == "left":
            return self._gone(visitor)
        return self._line(visitor, standing, paced=False)

    async def _join(self, visitor: Visitor) -> Response:
        response = _see(visitor.address)
        try:
            result = await visits.join(visitor.edge, visitor.desk, visitor.ticket, await doorstep.proof(visitor))
        except Closed:
            return response
        except Problem as refused:
            return await self._doorstep(visitor, refused)
        if result.new:
            visitor.remember(response, result.joined.ticket, result.joined.ahead or 0)
        return response

    async def _doorstep(self, visitor: Visitor, refused: Problem) -> Response:
        if refused.kind is errors.COOKIE_REQUIRED:
            response = _see(f"{visitor.address}?note=cookie")
            doorstep.come_back(visitor, response)
            return response
        values = await doorstep.asked_to_wait(visitor, refused)
        shell = self._shell(visitor, "wait.html", state="open")
        return _page(visitor, shell, values, refused.kind.status)

    async def _leave(self, visitor: Visitor) -> Response:
        await visits.leave(visitor.edge, visitor.desk, visitor.ticket)
        return self._gone(visitor)

    async def _enter(self, visitor: Visitor) -> Response:
        try:
            admission = await visits.claim(visitor.edge, visitor.desk, visitor.ticket)
        except Problem as refused:
            if refused.kind is not errors.PACED:
                return _see(visitor.address)
            standing = await visits.standing(visitor.edge, visitor.desk, visitor.ticket)
            response = self._line(visitor, standing, paced=True)
            response.headers["Refresh"] = f"{refused.retry_after_s}; url={visitor.address}"
            return response
        shell = self._shell(visitor, "through.html", state="open")
        return _page(visitor, shell, {"token": admission.token, "enter_url": admission.enter_url})

    def _door(self, visitor: Visitor, view: View, note: Note) -> Response:
        seen, lane = view.picture, visitor.desk.plan.open_lane() or 0
        expected = expect(view, lane, seen.lanes[lane].waiting)
        shell = self._shell(
            visitor, "join.html", state=seen.shown, note=note, challenge=view.challenge, **outlook.notes(view)
        )
        values = {
            "ahead": words.number(seen.waiting, visitor.language),
            "wait": words.maybe_wait(expected, visitor.language),
        }
        response = _page(visitor, shell, values)
        if seen.shown == "closed" and not visitor.is_live:
            response.headers["Refresh"] = str(_CLOSED_REFRESH_S)
        if visitor.desk.plan.require_cookie:
            doorstep.come_back(visitor, response)
        return response

    def _line(self, visitor: Visitor, standing: Standing, *, paced: bool) -> Response:
        mode: Mode = "waiting"
        if standing.state in {"called", "admitted"}:
            mode = "called" if standing.state == "called" else "admitted"
        known = visitor.started_with()
        ahead = standing.ahead or 0
        start = max(ahead, known or 0, 1)
        shell = self._shell(
            visitor, "line.html", state=standing.room_state, mode=mode, paced=paced, **outlook.notes(standing)
        )
        values = _place(standing, visitor.language)
        values["start"] = values["max"] = start
        values["done"] = start - ahead
        response = _page(visitor, shell, values)
        if known is None:
            visitor.remember_start(response, ahead)
        if mode == "waiting" and not visitor.is_live:
            response.raw_headers.append((b"refresh", b"%d" % max(_SOONEST_REFRESH_S, round(standing.poll_after_s))))
        return response

    def _away(self, visitor: Visitor, error: LineError) -> Response:
        """The store does not answer; the place that the ticket holds is shown all the same."""
        ticket = visits.open_ticket(visitor.edge, visitor.desk, visitor.ticket)
        after = _retry_after(error)
        shell = self._shell(visitor, "line.html", state="open", mode="away", paced=False, **outlook.notes(None))
        values: dict[str, object] = {
            "place": words.number(ticket.number, visitor.language),
            "poll": after,
            "start": 1,
            "max": 1,
            "done": 0,
        }
        values |= dict.fromkeys(("ahead", "wait", "as_of", "time"), "")
        response = _page(visitor, shell, values, 503)
        response.headers["Retry-After"] = str(after)
        if not visitor.is_live:
            response.headers["Refresh"] = str(max(_SOONEST_REFRESH_S, after))
        return response

    def _lost(self, visitor: Visitor) -> Response:
        try:
            response = self._door(visitor, visitor.desk.view(), "lost" if visitor.ticket else "")
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
        response.headers["Refresh"] = f"{max(_SOONEST_REFRESH_S, after)}; url={visitor.address}"
        return response

    def _shell(self, visitor: Visitor, template: str, *, state: Phase, **switches: object) -> Shell:
        plan, language = visitor.desk.plan, visitor.language
        key = (plan.id, language, template, state, *switches.values())
        shell = self._shells.get(key)
        if shell is None:
            context = {
                "room": {"id": plan.id, "name": plan.name, "state": state},
                "slot": Slots(),
                "back": visitor.address,
                "texts": self._texts(language, plan.name),
            }
            shell = Shell(self._environments[language].get_template(template).render(context | switches))
            self._shells[key] = shell
        return shell

    def _texts(self, language: str, room_name: str) -> dict[str, object]:
        """What the script says by itself."""
        module = self._environments[language].get_template("texts.html").make_module({"room_name": room_name})
        return {"wait": words.wait_patterns(language)} | {
            name: str(getattr(module, name)) for name in ("title", "turn", "turn_news", "soon", "news")
        }


def _place(standing: Standing, language: str) -> dict[str, object]:
    return {
        "place": words.number(standing.place or standing.entry or 0, language),
        "ahead": words.number(standing.ahead or 0, language),
        "wait": words.maybe_wait(standing.wait, language),
        "poll": standing.poll_after_s,
        "as_of": standing.as_of,
        "time": f"{standing.as_of[11:19]} UTC",
    }


def _state(desk: Desk) -> Phase | None:
    try:
        return desk.view().picture.shown
    except LineError:
        return None


def _retry_after(error: LineError) -> int:
    return errors.as_problem(error).retry_after_s or 2


def _page(visitor: Visitor, shell: Shell, values: Mapping[str, object], status: int = 200) -> Response:
    return Page(visitor.language, shell.fill(values, visitor.encoding), status, visitor.encoding)


def _see(address: str) -> Response:
    return RedirectResponse(address, 303, {"Cache-Control": "no-store"})
