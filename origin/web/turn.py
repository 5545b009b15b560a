"""More time for booking, asked for on any page of the way: with a script on the spot, without one there and back."""

from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin import admission
from origin.web.form import has_answers, typed_in
from origin.web.site import Site, see
from origin.web.visit import Typed, Visit
from origin.web.wish import NAMES
from shared.http import Json
from shared.problem import Problem
from shared.web.languages import ours

EXTEND = "/turn/extend"


class TurnPages:
    """``/turn/extend``."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [Route(EXTEND, self._site.endpoint(self._extend), methods=["POST"])]

    async def _extend(self, visit: Visit) -> Response:
        """Give more time and lead back; a script gets the new end instead, and stays where it is."""
        form = await visit.form()
        if has_answers(form):  # the questions came along
            visit.kept.typed = typed_in(form, visit.kept.typed or Typed())  # kept whatever happens next
        back = _back(visit, form)
        try:
            visit.check_form(form)
            extended, cookie = await admission.extend(visit.state, visit.request)
        except Problem as refused:
            return self._site.refuse(visit, refused, path=back)
        response = Json(extended) if "json" in visit.request.headers.get("accept", "") else see(back)
        admission.set_cookie(visit.state, response, cookie, extended.expires_at)
        visit.stay(response, int(extended.expires_at.timestamp()))
        return response


def _back(visit: Visit, form: FormData) -> str:
    """Return where the button was pressed; on the page of times, with the search as it stands in its fields."""
    back = ours(visit.request.query_params.get("back"))
    search = [
        (name, value[:256]) for name, value in form.multi_items() if name in NAMES and isinstance(value, str) and value
    ]
    return f"/slots?{urlencode(search)}" if search and back.partition("?")[0] == "/slots" else back
