"""The rules of a programme for those who run it: what is in force, each version in words, what differs, what to do.

Everything here is read and done by the use cases that the admin API has; these pages only show them.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from origin import errors
from origin.admin import freeze
from origin.admin.officials import QUERIES as OFFICIALS
from origin.admin.programmes import Programme
from origin.db.sql import Connection, load
from origin.eligibility import reports
from origin.eligibility.document import Document, InvalidDocument, parse
from origin.eligibility.may import MAY, RULES_ACTS
from origin.eligibility.version_models import Version, VersionWithDocument
from origin.inventory.uploads.receiving import MAY as SUPPLY_MAY
from origin.web.site import Site, see
from origin.web.staff.clocks import UTC_NAME, in_utc, on_clocks
from origin.web.staff.rules_cases import Tried, cases_of, examples, tried
from origin.web.staff.rules_changed import changes
from origin.web.staff.rules_drawn import WIDTH, compared, timeline
from origin.web.staff.rules_words import RulesReader
from origin.web.visit import Visit
from shared.problem import Problem

ADMIN = "/admin"
PROGRAMME = ADMIN + "/programmes/{programme}/rules"
VERSION = PROGRAMME + "/{version:int}"
_LARGEST = 2**31 - 1
_MOST_MOVES = 40


@dataclass(frozen=True)
class Refused:
    """What was refused just now, said on the page that it came from.

    ``act``: whose form it came by, ``typed``: what stays in that form.
    """

    status: int = 200
    act: str = ""
    fault: str = ""
    detail: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)

    def stays(self, act: str, name: str) -> str:
        """Return what stays in a field of an act's form; an empty text where nothing does."""
        return self.typed.get(name, "") if act == self.act else ""


NOTHING = Refused()


class RulesPages:
    """``/admin`` and ``/admin/programmes/{programme}/rules…``, as far as they only show."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        serve = self._site.endpoint
        return [
            Route(ADMIN, serve(self._programmes), methods=["GET"]),
            Route(PROGRAMME, serve(self.overview), methods=["GET"]),
            Route(VERSION, serve(self.version), methods=["GET"]),
            Route(VERSION + "/diff", serve(self._diff), methods=["GET"]),
        ]

    async def _programmes(self, visit: Visit) -> Response:
        official = visit.state.people.official_signed_in(visit.request, *MAY["read"], *SUPPLY_MAY)
        await visit.state.programmes.refresh()
        known = sorted(visit.state.programmes.by_room.values(), key=lambda each: each.name)
        rooms = ["rules"] * (official.role in MAY["read"]) + ["supply"] * may_supply(visit)
        if len(known) == 1:
            return see(f"{ADMIN}/programmes/{known[0].id}/{rooms[0]}")
        return self._site.page(visit, "admin.html", programmes=known, rooms=rooms)

    async def overview(self, visit: Visit, refused: Refused = NOTHING) -> Response:
        """Show what is in force, all versions, and what happened."""
        visit.state.people.official_signed_in(visit.request, *MAY["read"])
        programme = await programme_of(visit)
        async with visit.state.database.connection() as connection:
            told = await reports.versions(connection, programme.id)
            moves = (await reports.history(connection, programme.id)).moves
            frozen = (await freeze.freezes(connection, programme.id)).frozen
            names = await _names(connection)
        return self._page(
            visit,
            "rules.html",
            programme,
            refused,
            told=told,
            by_number={each.version: each for each in told.versions},
            moves=list(reversed(moves))[:_MOST_MOVES],
            line=timeline(moves, visit.state.clock.now()),
            frozen=frozen,
            names=names,
        )

    async def version(self, visit: Visit, refused: Refused = NOTHING, brought: Tried | None = None) -> Response:
        """Show one version: its state, what may be done with it, what it would change, its cases, and what it says.

        ``brought``: cases to be shown beside its own.
        """
        visit.state.people.official_signed_in(visit.request, *MAY["read"])
        programme, number = await programme_of(visit), number_of(visit)
        async with visit.state.database.connection() as connection:
            told = await reports.versions(connection, programme.id)
            one = await reports.version(connection, programme.id, number)
            shadow = await reports.shadow_report(connection, programme.id, number)
            names = await _names(connection)
            zones = await zones_of(connection, one.region)
        document = readable(one)
        return self._page(
            visit,
            "rules_version.html",
            programme,
            refused,
            one=one,
            names=names,
            others=[each.version for each in told.versions if each.version != number],
            beside=_beside(one, told.in_force),
            shadow=compared(shadow) if shadow.compared or shadow.waiting else None,
            read=None if document is None else RulesReader(document, visit.language).read(),
            cases=None if document is None else await asyncio.to_thread(tried, document, cases_of(one)),
            brought=brought,
            zones=zones,
            clocks=on_clocks(one.since, zones, visit.language),
        )

    async def _diff(self, visit: Visit) -> Response:
        visit.state.people.official_signed_in(visit.request, *MAY["read"])
        programme, number = await programme_of(visit), number_of(visit)
        other = visit.request.query_params.get("with", "")
        if not (other.isascii() and other.isdigit() and int(other) <= _LARGEST):
            raise Problem(errors.VERSION_UNKNOWN)
        async with visit.state.database.connection() as connection:
            after = await reports.version(connection, programme.id, number)
            before = await reports.version(connection, programme.id, int(other))
        documents = [each for each in (readable(before), readable(after)) if each is not None]
        both = len(documents) == 2
        return self._page(
            visit,
            "rules_diff.html",
            programme,
            before=before,
            after=after,
            found=changes(documents[0], documents[1], visit.language) if both else None,
            examples=await asyncio.to_thread(examples, before, after, documents) if both else [],
        )

    def _page(
        self, visit: Visit, template: str, programme: Programme, refused: Refused = NOTHING, **context: Any
    ) -> Response:
        roles = frozenset() if visit.person is None else visit.person.roles
        path = f"{ADMIN}/programmes/{programme.id}/rules"
        return self._site.page(
            visit,
            template,
            refused.status,
            programme=programme,
            refused=refused,
            path=path,
            may={act for act in RULES_ACTS if roles & set(MAY[act])},
            may_supply=may_supply(visit),
            done=visit.request.query_params.get("done", "") if not refused.fault else "",
            moment=lambda at: in_utc(at, visit.language),
            drawn=WIDTH,
            **context,
        )


async def programme_of(visit: Visit) -> Programme:
    """Return the programme of the address; raises Problem ``programme_unknown``."""
    wanted: str = visit.request.path_params["programme"]
    await visit.state.programmes.refresh()
    found = next((each for each in visit.state.programmes.by_room.values() if each.id == wanted), None)
    if found is None:
        raise Problem(errors.PROGRAMME_UNKNOWN)
    return found


def number_of(visit: Visit) -> int:
    """Return the version of the address; raises Problem ``version_unknown``."""
    number: int = visit.request.path_params["version"]
    if not 1 <= number <= _LARGEST:
        raise Problem(errors.VERSION_UNKNOWN)
    return number


def readable(one: VersionWithDocument) -> Document | None:
    """Return a version's document; None where it is in no form that is known here."""
    try:
        return parse(bytes(one.document))
    except InvalidDocument:
        return None


async def _names(connection: Connection) -> dict[str, str]:
    """Return what regions are called, by name."""
    rows = await load(OFFICIALS)["regions"].rows(connection)
    return {row["id"]: row["name"] for row in rows}


async def zones_of(connection: Connection, region: str | None) -> list[str]:
    """Return the clocks that a moment can be typed on: those of the sites, that of the most first, and UTC."""
    rows = await load(OFFICIALS)["time_zones"].rows(connection, region=region)
    return list(dict.fromkeys([*(row["time_zone"] for row in rows), UTC_NAME]))


def _beside(one: Version, in_force: list[Any]) -> int | None:
    """Return the version that decides where this one would; None where it is this one, or none."""
    there = {each.region: each.version for each in in_force}
    deciding: int | None = there.get(one.region) or there.get(None)
    return None if deciding == one.version else deciding


def may_supply(visit: Visit) -> bool:
    """Return whether whoever is signed in may bring supply."""
    return visit.person is not None and bool(visit.person.roles & set(SUPPLY_MAY))
