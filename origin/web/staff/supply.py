"""Supply by upload, for those who bring it: checked first, row by row; then what has to be decided; then brought.

All is read and done by the use cases of ``/v1/admin/programmes/{programme}/supply…``; these pages only show them.
"""

from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin import errors
from origin.inventory.bulk.report import Booked
from origin.inventory.uploads import receiving
from origin.inventory.uploads.models import Run, Upload
from origin.inventory.uploads.receiving import KEPT_HOURS, MAY, MOST_FILES
from origin.web.site import Site, see
from origin.web.staff.clocks import in_utc
from origin.web.staff.rules import ADMIN, programme_of
from origin.web.staff.supply_words import fault_said, source_said
from origin.web.visit import FORM_STALE, Visit, text_of
from shared import problem
from shared.problem import Problem

SUPPLY = ADMIN + "/programmes/{programme}/supply"
_REFRESH_S = 2
_SAID = frozenset(
    kind.code
    for kind in (
        FORM_STALE,
        errors.UPLOAD_FILES_MISSING,
        errors.UPLOAD_FILES_GONE,
        errors.UPLOAD_RUNS,
        problem.STORE_UNAVAILABLE,
    )
)


class SupplyPages:
    """``/admin/programmes/{programme}/supply…``."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        serve = self._site.endpoint
        return [
            Route(SUPPLY, serve(self._overview), methods=["GET"]),
            Route(SUPPLY, serve(self._bring), methods=["POST"]),
            Route(SUPPLY + "/{upload}", serve(self._upload), methods=["GET"]),
            Route(SUPPLY + "/{upload}/run", serve(self._run), methods=["POST"]),
        ]

    async def _overview(self, visit: Visit, status: int = 200, fault: str = "") -> Response:
        visit.state.people.official_signed_in(visit.request, *MAY)
        programme = await programme_of(visit)
        told = await receiving.supplied(visit.state, programme.id)
        return self._page(visit, "supply.html", status, programme=programme, told=told, fault=fault)

    async def _bring(self, visit: Visit) -> Response:
        official = visit.state.people.official_signed_in(visit.request, *MAY)
        programme = await programme_of(visit)
        form = await visit.form(max_files=MOST_FILES)
        try:
            visit.check_form(form)
            files = receiving.from_form(form)
            upload = await receiving.keep(visit.state, programme.id, files, Run(dry_run=True), official)
        except Problem as refused:
            if refused.kind.code not in _SAID:
                raise
            return await self._overview(visit, refused.kind.status, refused.kind.code)
        finally:
            await form.close()
        return see(f"{_path(visit)}/{upload}")

    async def _upload(self, visit: Visit, status: int = 200, fault: str = "") -> Response:
        visit.state.people.official_signed_in(visit.request, *MAY)
        programme = await programme_of(visit)
        one = await receiving.upload_of(visit.state, programme.id, visit.request.path_params["upload"])
        page = self._page(
            visit, "supply_upload.html", status, programme=programme, one=one, share=_share(one), fault=fault
        )
        if not one.is_over and visit.request.method == "GET":
            page.headers["Refresh"] = str(_REFRESH_S)
        return page

    async def _run(self, visit: Visit) -> Response:
        official = visit.state.people.official_signed_in(visit.request, *MAY)
        programme, upload = await programme_of(visit), visit.request.path_params["upload"]
        form = await visit.form()
        try:
            visit.check_form(form)
            run = Run(text_of(form, "dry_run") == "yes", _booked(text_of(form, "booked")))
            await receiving.run_again(visit.state, programme.id, upload, run, official)
        except Problem as refused:
            if refused.kind.code not in _SAID:
                raise
            return await self._upload(visit, refused.kind.status, refused.kind.code)
        return see(f"{_path(visit)}/{upload}")

    def _page(self, visit: Visit, template: str, status: int, **context: Any) -> Response:
        return self._site.page(
            visit,
            template,
            status,
            path=_path(visit),
            moment=lambda at: in_utc(at, visit.language),
            fault_said=lambda each: fault_said(each, visit.language),
            source_said=lambda kind: source_said(kind, visit.language),
            most_files=MOST_FILES,
            most_mb=visit.state.config.supply_upload_mb,
            kept_hours=KEPT_HOURS,
            **context,
        )


def _path(visit: Visit) -> str:
    return f"{ADMIN}/programmes/{visit.request.path_params['programme']}/supply"


def _booked(text: str) -> Booked | None:
    match text:
        case "cut" | "leave":
            return text
        case _:
            return None


def _share(one: Upload) -> int | None:
    """Return how much of the step is done, in per cent; None where nobody knows."""
    return min(100, 100 * one.done // one.total) if one.total else None
