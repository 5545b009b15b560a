"""What is shown to somebody at a room: the door, the place in line, the way through.

A page is rendered once for each mode of a room; what differs between visitors is filled in between, so that showing it
costs little more than saying where somebody stands.
"""

from collections.abc import Mapping

from jinja2 import Environment
from pydantic import HttpUrl
from starlette.responses import Response

from edge.line.standing import Standing, expect
from edge.line.view import View
from edge.pages import doorstep, draw, outlook, timetable
from edge.pages.browser import Visitor
from edge.pages.doorstep import Note
from edge.pages.outlook import Face
from edge.visitors import visits
from edge.visitors.devices import ResumeCode
from edge.visitors.visits import Admission
from shared.web import words
from shared.web.shell import Page, Shell, Slots

SOONEST_REFRESH_S = 5
_CLOSED_REFRESH_S = 60
_CALLED_REFRESH_S = 30
_REFRESHED = {"entered", "waiting", "called"}
_TEXTS = ("title", "in_line", "turn", "turn_news", "reminding", "soon", "news", "drawn", "now")


class Sheets:
    """The pages of all rooms, in all languages.

    A page that no script of ours keeps fresh says by ``Refresh`` when it is to be loaded again.
    """

    def __init__(self, environments: Mapping[str, Environment]) -> None:
        self._environments = environments
        self._shells: dict[tuple[object, ...], Shell] = {}
        self._lines: dict[tuple[str, str, Face], Shell] = {}

    def door(self, visitor: Visitor, view: View, note: Note, status: int = 200, letter: str = "") -> Response:
        """What is shown to who has no place: when and how to get one, and what came of the last attempt (``note``)."""
        seen, lane = view.picture, visitor.desk.plan.open_lane() or 0
        phase, moment = view.lanes[lane].phase, timetable.next_moment(view, lane)
        switches = outlook.notes(view) | {
            "state": phase,
            "note": note,
            "challenge": view.challenge,
            "lottery": seen.discipline == "lottery",
            "opening": moment is not None,
        }
        shell = self._shell(visitor, "join.html", switches)
        values = {
            "ahead": words.number(seen.waiting, visitor.language),
            "wait": words.maybe_wait(expect(view, lane, seen.lanes[lane].waiting), visitor.language),
            "state": seen.shown,
            "lane": visitor.desk.plan.lanes[lane].lane,
            "letter": letter,
        } | timetable.values(moment, view.as_of, visitor.language)
        response = _page(visitor, shell, values, status)
        if phase == "scheduled" and moment:
            _refresh(visitor, response, timetable.refresh_s(moment, view.as_of, visitor.edge.ids.spread(0, 1)))
        elif phase in {"closed", "draining"} and status == 200:  # not while somebody corrects what they have typed
            _refresh(visitor, response, _CLOSED_REFRESH_S)
        if visitor.desk.plan.require_cookie:
            doorstep.come_back(visitor, response)
        return response

    def line(
        self,
        visitor: Visitor,
        standing: Standing,
        *,
        paced: bool = False,
        spent: bool = False,
        code: ResumeCode | None = None,
    ) -> Response:
        """Where somebody stands. ``spent``: let through as often as may be; ``code``: for another device."""
        face = outlook.face(standing, paced=paced, spent=spent, code=code is not None)
        known, ahead = visitor.started_with(), standing.ahead or 0
        values = _place(standing, max(ahead, known or 0, 1), visitor.language)
        if standing.opens_at:
            values |= timetable.values(standing.opens_at, standing.as_of, visitor.language)
        if standing.entry:
            values |= draw.values(standing, visitor.desk.view(), visitor.language)
        if code:
            values |= {"code": code.code, "code_until": f"{code.expires_at[11:16]} UTC"}
        response = _page(visitor, self._line(visitor, face), values)
        if known is None:
            visitor.remember_start(response, ahead)
        if face.mode in _REFRESHED and code is None:  # it takes a while to type a code somewhere else
            _refresh(visitor, response, _CALLED_REFRESH_S if face.mode == "called" else standing.poll_after_s)
        return response

    def away(self, visitor: Visitor, after: int) -> Response:
        """The store does not answer; the place that the ticket holds is shown all the same. ``after``: seconds."""
        ticket = visits.open_ticket(visitor.edge, visitor.desk, visitor.ticket)
        place = visits.spot_of(visitor.desk, ticket).place
        values: dict[str, object] = {
            "place": words.number(place or ticket.number, visitor.language),
            "poll": after,
            "max": 1,
            "done": 0,
        }
        values |= dict.fromkeys(("ahead", "wait", "as_of", "time"), "")
        response = _page(visitor, self._line(visitor, Face("open", "away", undrawn=not place)), values, 503)
        response.headers["Retry-After"] = str(after)
        _refresh(visitor, response, after)
        return response

    def through(self, visitor: Visitor, admission: Admission) -> Response:
        """The button that carries the admission to booking, for those without scripts."""
        shell = self._shell(visitor, "through.html", {"state": "open"})
        return _page(visitor, shell, {"token": admission.token, "enter_url": admission.enter_url})

    def wait(self, visitor: Visitor, values: Mapping[str, object], status: int) -> Response:
        """The slow way round a challenge; ``values`` are those of ``doorstep.asked_to_wait``."""
        return _page(visitor, self._shell(visitor, "wait.html", {"state": "open"}), values, status)

    def _line(self, visitor: Visitor, face: Face) -> Shell:
        """Return the page for somebody in line: the busiest one by far, so it is found again by few steps."""
        key = (visitor.desk.plan.id, visitor.language, face)
        shell = self._lines.get(key)
        if shell is None:
            shell = self._lines[key] = self._rendered(visitor, "line.html", face._asdict())
        return shell

    def _shell(self, visitor: Visitor, template: str, switches: Mapping[str, object]) -> Shell:
        key = (visitor.desk.plan.id, visitor.language, template, *switches.values())
        shell = self._shells.get(key)
        if shell is None:
            shell = self._shells[key] = self._rendered(visitor, template, switches)
        return shell

    def _rendered(self, visitor: Visitor, template: str, switches: Mapping[str, object]) -> Shell:
        plan, language = visitor.desk.plan, visitor.language
        context = {
            "room": {"id": plan.id, "name": plan.name, "state": switches["state"]} | self._about(visitor),
            "slot": Slots(),
            "back": visitor.address,
            "texts": self._texts(language, plan.name),
        }
        return Shell(self._environments[language].get_template(template).render({**switches, **context}))

    @staticmethod
    def _about(visitor: Visitor) -> dict[str, object]:
        """What stays the same of a room as long as it is there."""
        plan, config = visitor.desk.plan, visitor.edge.config
        letters = any(lane.access == "pass" for lane in plan.lanes)
        return {
            "token_life": timetable.length(plan.token_ttl_s, visitor.language),
            "letters": letters,
            "invited": letters and plan.open_lane() is None,
            "edge_url": str(config.edge_public_url).rstrip("/"),
            "origin_url": str(config.origin_public_url).rstrip("/"),
            "check_url": _in_language(plan.check_url, visitor.language),
        }

    def _texts(self, language: str, room_name: str) -> dict[str, object]:
        """What the script says by itself."""
        module = self._environments[language].get_template("texts.html").make_module({"room_name": room_name})
        return {"wait": words.wait_patterns(language)} | {name: str(getattr(module, name)) for name in _TEXTS}


def _place(standing: Standing, start: int, language: str) -> dict[str, object]:
    """Return where somebody stands who began with ``start`` people ahead, at least one, for the bar's sake."""
    ahead = standing.ahead or 0
    return {
        "place": words.number(standing.place or standing.entry or 0, language),
        "ahead": words.number(ahead, language),
        "wait": words.maybe_wait(standing.wait, language),
        "poll": standing.poll_after_s,
        "max": start,
        "done": start - ahead,
        "as_of": standing.as_of,
        "time": f"{standing.as_of[11:19]} UTC",
    }


def _in_language(address: HttpUrl | None, language: str) -> str | None:
    """Return an address elsewhere that says in which language its page is wanted: no cookie of ours goes there."""
    if address is None:
        return None
    return f"{address}{'&' if address.query else '?'}lang={language}"


def _page(visitor: Visitor, shell: Shell, values: Mapping[str, object], status: int = 200) -> Response:
    return Page(visitor.language, shell.fill(values, visitor.encoding), status, visitor.encoding)


def _refresh(visitor: Visitor, response: Response, after_s: float) -> None:
    if not visitor.is_live:
        response.raw_headers.append((b"refresh", b"%d" % max(SOONEST_REFRESH_S, round(after_s))))
