"""What staff do with rules on the pages: the acts of the admin API, by forms."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from starlette.datastructures import FormData
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin import errors
from origin.admin import freeze
from origin.admin.freeze import FreezeForm
from origin.eligibility import reports
from origin.eligibility.cases import NO_CASES, InvalidCases, parse_cases
from origin.eligibility.may import MAY, RulesAct
from origin.eligibility.publishing import Publisher
from origin.eligibility.version_models import Verdict
from origin.web.site import Site, see
from origin.web.staff.rules import (
    ADMIN,
    PROGRAMME,
    VERSION,
    Refused,
    RulesPages,
    number_of,
    programme_of,
    readable,
    zones_of,
)
from origin.web.staff.rules_cases import tried
from origin.web.staff.rules_forms import (
    MOST_FILES,
    REASON_MISSING,
    TIME_SKIPPED,
    TIME_TWICE,
    file_or_text,
    moment_in,
    region_in,
    typed_in,
    why,
)
from origin.web.visit import FORM_STALE, Visit, text_of
from shared import problem
from shared.problem import Problem

_SAID = frozenset(
    kind.code
    for kind in (
        FORM_STALE,
        REASON_MISSING,
        TIME_SKIPPED,
        TIME_TWICE,
        errors.INVALID_RULES,
        errors.CASES_INVALID,
        errors.CASES_FAILED,
        errors.SAME_PERSON,
        errors.ALREADY_REVIEWED,
        errors.NOT_APPROVED,
        errors.RULES_MOVED,
        errors.NOTHING_BEFORE,
        errors.ACTIVATION_PAST,
        errors.REGION_UNKNOWN,
        problem.STORE_UNAVAILABLE,
        problem.FORBIDDEN,
    )
)
Show = Callable[[Visit, Refused], Awaitable[Response]]
Change = Callable[[Publisher, int, FormData, str], Awaitable[None]]


class RulesActs:
    """The forms of ``/admin/programmes/{programme}/rules…``."""

    def __init__(self, site: Site, shown: RulesPages) -> None:
        self._site = site
        self._shown = shown

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        acts = [("rollback", _rolled_back), ("freeze", _frozen), ("unfreeze", _unfrozen)]
        return [
            self._route(PROGRAMME + "/draft", self._draft),
            *(self._route(f"{PROGRAMME}/{name}", self._on_programme(name, act)) for name, act in acts),
            *(self._route(f"{VERSION}/{name}", self._on_version(name, act)) for name, act in _ON_VERSION.items()),
            self._route(VERSION + "/cases", self._cases),
        ]

    def _route(self, path: str, act: Callable[[Visit], Awaitable[Response]]) -> Route:
        return Route(path, self._site.endpoint(act), methods=["POST"])

    def _on_version(self, name: RulesAct, act: Change) -> Callable[[Visit], Awaitable[Response]]:
        async def run(visit: Visit) -> Response:
            try:
                async with self._publisher(visit, name) as (publisher, form):
                    await act(publisher, number_of(visit), form, why(form))
            except Problem as refused:
                return await self._refused(visit, refused, f"{_path(visit)}/{number_of(visit)}", self._shown.version)
            return see(f"{_path(visit)}/{number_of(visit)}?done={name}")

        return run

    def _on_programme(
        self, name: str, act: Callable[[Publisher, FormData, str], Awaitable[None]]
    ) -> Callable[[Visit], Awaitable[Response]]:
        needs: RulesAct = "rollback" if name == "rollback" else "freeze"

        async def run(visit: Visit) -> Response:
            try:
                async with self._publisher(visit, needs) as (publisher, form):
                    await act(publisher, form, why(form))
            except Problem as refused:
                return await self._refused(visit, refused, _path(visit), self._shown.overview)
            return see(f"{_path(visit)}?done={name}")

        return run

    async def _draft(self, visit: Visit) -> Response:
        try:
            async with self._publisher(visit, "draft") as (publisher, form):
                document = await file_or_text(form, "document")
                cases = await file_or_text(form, "cases") or NO_CASES
                version = await publisher.draft(document, cases, region_in(form), why(form))
        except Problem as refused:
            return await self._refused(visit, refused, _path(visit), self._shown.overview)
        return see(f"{_path(visit)}/{version}?done=draft")

    async def _cases(self, visit: Visit) -> Response:
        try:
            async with self._publisher(visit, "read") as (publisher, form):
                cases = parse_cases(await file_or_text(form, "cases"))
                one = await reports.version(publisher.connection, publisher.programme, number_of(visit))
        except InvalidCases as fault:
            refused = Problem(errors.CASES_INVALID, str(fault))
            return await self._refused(visit, refused, f"{_path(visit)}/{number_of(visit)}", self._shown.version)
        except Problem as refused:
            return await self._refused(visit, refused, f"{_path(visit)}/{number_of(visit)}", self._shown.version)
        document = readable(one)
        brought = None if document is None else await asyncio.to_thread(tried, document, cases, brought=True)
        return await self._shown.version(visit, brought=brought)

    async def _refused(self, visit: Visit, refused: Problem, path: str, show: Show) -> Response:
        """Show the page again with what was refused; what the page cannot say is a page of its own, leading back."""
        if refused.kind.code not in _SAID:
            return self._site.refuse(visit, refused, path=path)
        is_ours = refused.kind is not FORM_STALE  # what another site made the browser send is not to stay
        typed = typed_in(await visit.form(max_files=MOST_FILES)) if is_ours else {}
        act = visit.request.url.path.rpartition("/")[2]
        return await show(visit, Refused(refused.kind.status, act, refused.kind.code, refused.detail, typed))

    @asynccontextmanager
    async def _publisher(self, visit: Visit, act: RulesAct) -> AsyncIterator[tuple[Publisher, FormData]]:
        """Lend a publisher in the name of who has signed in, and the form, once both may be used."""
        official = visit.state.people.official_signed_in(visit.request, *MAY[act])
        form = await visit.form(max_files=MOST_FILES)  # before a connection is taken: bodies may come slowly
        try:
            visit.check_form(form)
            programme = await programme_of(visit)
            async with visit.state.database.connection() as connection:
                yield Publisher(connection, programme.id, official, visit.state.clock.now()), form
        finally:
            await form.close()


async def _reviewed(publisher: Publisher, number: int, form: FormData, reason: str) -> None:
    verdict: Verdict = "approved" if text_of(form, "verdict") == "approved" else "rejected"
    await publisher.review(number, verdict, reason)


async def _shadowed(publisher: Publisher, number: int, _form: FormData, reason: str) -> None:
    await publisher.shadow(number, reason)


async def _unshadowed(publisher: Publisher, number: int, _form: FormData, reason: str) -> None:
    await publisher.unshadow(number, reason)


async def _activated(publisher: Publisher, number: int, form: FormData, reason: str) -> None:
    one = await reports.version(publisher.connection, publisher.programme, number)
    zones = await zones_of(publisher.connection, one.region)
    await publisher.activate(number, moment_in(form, zones), reason)


async def _retired(publisher: Publisher, number: int, _form: FormData, reason: str) -> None:
    await publisher.retire(number, reason)


_ON_VERSION: dict[RulesAct, Change] = {
    "review": _reviewed,
    "shadow": _shadowed,
    "unshadow": _unshadowed,
    "activate": _activated,
    "retire": _retired,
}


async def _rolled_back(publisher: Publisher, form: FormData, reason: str) -> None:
    version = text_of(form, "version", at_most=9)
    if not (version.isascii() and version.isdigit()):
        raise Problem(errors.RULES_MOVED)
    await publisher.rollback(int(version), region_in(form), None, reason)


async def _frozen(publisher: Publisher, form: FormData, reason: str) -> None:
    wanted = FreezeForm(reason, region_in(form))
    await freeze.change(publisher.connection, publisher.official, publisher.programme, wanted, "frozen", publisher.now)


async def _unfrozen(publisher: Publisher, form: FormData, reason: str) -> None:
    wanted = FreezeForm(reason, region_in(form))
    await freeze.change(
        publisher.connection, publisher.official, publisher.programme, wanted, "unfrozen", publisher.now
    )


def _path(visit: Visit) -> str:
    return f"{ADMIN}/programmes/{visit.request.path_params['programme']}/rules"
