"""What staff write into the forms of the rules pages."""

from datetime import datetime

import msgspec
from starlette.datastructures import FormData, UploadFile

from origin import errors
from origin.admin.officials import RegionId, Why
from origin.web.staff.clocks import NoMoment, Skipped, Twice, moment_on
from origin.web.visit import text_of
from shared.problem import Problem, ProblemType

REASON_MISSING = ProblemType("reason_missing", 422, "Say why")
TIME_SKIPPED = ProblemType("time_skipped", 422, "There is no such time on that clock")
TIME_TWICE = ProblemType("time_twice", 422, "That time comes twice on that clock")
_MOST_TEXT = 400_000
MOST_FILES = 2
_STAYS = ("reason", "document", "cases", "region", "verdict", "at", "zone")


def why(form: FormData) -> str:
    """Return the reason that was given; raises Problem ``reason_missing``."""
    try:
        return msgspec.convert(" ".join(text_of(form, "reason", at_most=400).split()), Why)
    except msgspec.ValidationError:
        raise Problem(REASON_MISSING) from None


def moment_in(form: FormData, zones: list[str]) -> datetime | None:
    """Return the moment that was typed on the clock that was chosen; None: at once.

    Raises:
        Problem: ``time_skipped``, ``time_twice``; ``activation_past`` where it is no moment.
    """
    text = text_of(form, "at", at_most=32)
    if not text:
        return None
    try:
        return moment_on(text, text_of(form, "zone"), zones)
    except Skipped:
        raise Problem(TIME_SKIPPED) from None
    except Twice:
        raise Problem(TIME_TWICE) from None
    except NoMoment:
        raise Problem(errors.ACTIVATION_PAST) from None


def region_in(form: FormData) -> str | None:
    """Return the region that was chosen; None: the whole programme. Raises Problem ``region_unknown``."""
    text = text_of(form, "region", at_most=64)
    try:
        return msgspec.convert(text, RegionId) if text else None
    except msgspec.ValidationError:
        raise Problem(errors.REGION_UNKNOWN) from None


async def file_or_text(form: FormData, name: str) -> bytes:
    """Return what was uploaded, or else what was typed."""
    brought = form.get(f"{name}_file")
    if isinstance(brought, UploadFile) and brought.size:
        return await brought.read()
    return text_of(form, name, at_most=_MOST_TEXT).encode()


def typed_in(form: FormData) -> dict[str, str]:
    """Return what was typed and is to stay in a form that was refused; no file can."""
    return {name: text for name in _STAYS if (text := text_of(form, name, at_most=_MOST_TEXT))}
