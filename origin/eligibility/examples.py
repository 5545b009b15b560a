"""A version's example cases: taken with its draft, and met before anybody approves it."""

import asyncio
import hashlib

from origin import errors
from origin.db.sql import Connection, load
from origin.eligibility.cases import NO_CASES, CaseResult, InvalidCases, canonical_cases, parse_cases, results
from origin.eligibility.document import InvalidDocument, canonical, parse
from origin.eligibility.moves import QUERIES
from shared.problem import Problem

_MOST_TOLD = 10


def taken(document: bytes, cases: bytes) -> tuple[bytes, bytes]:
    """Return a document and its cases in the one spelling that is kept.

    Raises:
        Problem: ``invalid_rules``, ``cases_invalid``, which say where and why.
    """
    try:
        return canonical(parse(document)), canonical_cases(cases)
    except InvalidDocument as fault:
        raise Problem(errors.INVALID_RULES, str(fault)) from None
    except InvalidCases as fault:
        raise Problem(errors.CASES_INVALID, str(fault)) from None


def named(cases: bytes) -> str | None:
    """Return what the audit calls cases, SHA-256 of their canonical form; None where there are none."""
    return None if cases == NO_CASES else hashlib.sha256(cases).hexdigest()


async def require_met(connection: Connection, programme: str, version: int) -> None:
    """Return if all cases of a version come out as they say, by the evaluator of now.

    Raises:
        Problem: ``cases_failed``: ``detail`` tells the first of them, ``cases`` names all; ``invalid_rules`` or
            ``cases_invalid`` where what is stored is in no form that is known here.
    """
    row = await load(QUERIES)["version_with_cases"].row(connection, programme=programme, version=version)
    assert row is not None
    if row["cases"] == NO_CASES:
        return
    taken(row["document"], row["cases"])
    parsed = parse(row["document"]), parse_cases(row["cases"])
    tried = await asyncio.to_thread(results, *parsed)  # the largest take a third of a second, and visitors do not wait
    if failed := [each for each in tried if each.mismatches]:
        raise Problem(errors.CASES_FAILED, _told(failed), cases=[each.case.name for each in failed])


def _told(failed: list[CaseResult]) -> str:
    told = [f"{each.case.name} ({'; '.join(map(str, each.mismatches))})" for each in failed[:_MOST_TOLD]]
    more = len(failed) - len(told)
    return "; ".join(told) + (f"; and {more} more" if more else "")
