"""How a page books: it waits for the first of two clicks, and says what a refusal means."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from starlette.responses import Response

from origin import errors
from origin.eligibility.decisions import Reason
from origin.gate import Admission
from origin.inventory.slots import Slot
from origin.web.site import Site
from origin.web.visit import Outcome, Visit
from shared import problem
from shared.problem import Problem

_IN_FLIGHT_TRIES = 30
_IN_FLIGHT_PAUSE_S = 0.1

T = TypeVar("T")


async def settled(book: Callable[[], Awaitable[T]]) -> T:
    """Book; where the first of two clicks is still on its way, wait for its answer."""
    for _ in range(_IN_FLIGHT_TRIES):
        try:
            return await book()
        except Problem as refused:
            if refused.kind is not errors.KEY_IN_FLIGHT:
                raise
        await asyncio.sleep(_IN_FLIGHT_PAUSE_S)
    raise Problem(errors.KEY_IN_FLIGHT)


async def explained(
    site: Site,
    visit: Visit,
    refused: Problem,
    outcome: Outcome,
    admission: Admission,
    *,
    key: str | None = None,
    path: str | None = None,
) -> Response:
    """Return the page for a refusal, which leads to ``path``.

    Where the database did not answer, and the form had a ``key``, one that sends the same form again.
    """
    if key is not None and refused.kind is problem.STORE_UNAVAILABLE:
        return site.unsure(visit, refused, key)
    if refused.kind in {errors.INELIGIBLE, errors.DECISION_EXPIRED, errors.DECISION_UNKNOWN, errors.OVERRIDE_ENDED}:
        outcome.expires_at = 0  # the questions must be answered again
    given = _member(refused, "reasons", list[Reason], [])
    version = _member(refused, "rule_version", int, outcome.version)
    said = await site.reasons(visit, admission.programme, given, version) if given else []
    return site.refuse(visit, refused, said, path=path)


def offered(refused: Problem) -> list[Slot]:
    """Return what a refusal offers instead."""
    return _member(refused, "alternatives", list[Slot], [])


def part_of(refused: Problem) -> int:
    """Return which part of a booking was refused, counted from 1."""
    return _member(refused, "part", int, 1)


def _member(refused: Problem, name: str, kind: type[T], default: T) -> T:
    raw = msgspec.json.encode(refused.members.get(name, default))
    return msgspec.json.decode(raw, type=kind)
