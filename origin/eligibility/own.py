"""What people are told later about decisions on themselves and their household: kindly, why not, from when, what to do.

Support is told more of how it came out (``origin.admin.answers``), and neither is told what was answered.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import msgspec

from origin import errors
from origin.db.pool import Database
from origin.db.sql import load
from origin.eligibility.again import opened
from origin.eligibility.decisions import Granted, Reason, reasons
from origin.eligibility.document import in_language
from origin.eligibility.evaluator import Evaluation, Outcome
from origin.eligibility.facts import FactSealer
from origin.eligibility.rulebook import RuleBook, RulesUnavailable
from origin.eligibility.versions import Rules
from shared.problem import Problem
from shared.web.texts import marked

QUERIES = Path(__file__).with_name("own.sql")

Stand = Literal["open", "exception", "exception_ended", "expired", "not_yet", "incomplete"]
"""``open`` and ``exception`` can be booked with; ``expired`` could be once."""

_SAID: dict[Stand, str] = {
    "open": marked("You can book now"),
    "exception": marked("An exception was made for you: you can book"),
    "exception_ended": marked("The exception that was made for you has ended"),
    "expired": marked("You could book then; please answer the questions again"),
    "not_yet": marked("Not yet, but your turn will come"),
    "incomplete": marked("We need one more answer"),
}
_SAID_OF_MEMBER: dict[Stand, str] = {
    "open": marked("Can book now"),
    "exception": marked("An exception was made, so a booking is possible"),
    "exception_ended": marked("The exception that was made has ended"),
    "expired": marked("Could book then; please answer the questions again"),
    "not_yet": marked("Not yet, but their turn will come"),
    "incomplete": marked("We need one more answer"),
}
_AGAIN = marked("If one of your answers was not right, or something has changed, answer the questions again.")
_LATER = marked("Come back on that day; you do not need to do anything until then.")
_WIDER = marked("The rules widen as more supply arrives.")
_ASK = marked(
    "If you think this is wrong, contact support with the reference. They see how each rule came out, not your answers."
)
_BOOK = marked("Choose a time and a place while it lasts.")
_CAN: dict[Stand, tuple[str, ...]] = {
    "open": (_BOOK,),
    "exception": (_BOOK,),
    "exception_ended": (_AGAIN, _ASK),
    "expired": (_AGAIN,),
    "not_yet": (_AGAIN, _WIDER, _ASK),
    "incomplete": (_AGAIN, _ASK),
}


SOON = timedelta(days=366)
"""A day that is further away is no comfort: it is told to programs, not on pages."""


class OwnDecision(msgspec.Struct, frozen=True):
    """A decision, as its person is told of it.

    ``reasons``: those that decided, or, once the answers were deleted, all that were not met. ``changes_on``: the first
    later day with another outcome, while that can be told. ``can``: what can be done now. ``detailed``: the answers
    are still there. ``member``: whom of the caller's household it is about; null, the caller.
    """

    decision_ref: UUID
    programme: str
    programme_name: str
    decided_at: datetime
    stand: Stand
    said: str
    outcome: Outcome
    rule_version: int
    region: str | None
    grants: Granted | None
    reasons: list[Reason]
    missing: list[str]
    changes_on: date | None
    can: list[str]
    expires_at: datetime
    detailed: bool
    member: UUID | None = None


class MemberDecisions(msgspec.Struct, frozen=True):
    """What the caller has asked for about somebody who is in their household now, newest first, at most twenty.

    ``name``: empty where it cannot be read any more.
    """

    member: UUID
    name: str
    decisions: list[OwnDecision]


class OwnDecisions(msgspec.Struct, frozen=True):
    """A person's own decisions, newest first, at most twenty; and their household's, in the order of adding."""

    decisions: list[OwnDecision]
    household: list[MemberDecisions] = []


@dataclass(frozen=True)
class Mirror:
    """Tells people about themselves, in one language: ``say`` speaks it."""

    database: Database
    rules: RuleBook
    sealer: FactSealer
    now: datetime
    language: str
    say: Callable[[str], str]

    async def all(self, person: bytes) -> dict[UUID | None, list[OwnDecision]]:
        """Return the person's decisions, by None, and by id those of their household that they have asked for.

        Raises:
            Problem: 503 ``store_unavailable``.
        """
        async with self.database.connection() as connection:
            rows = await load(QUERIES)["own_decisions"].rows(connection, person=person)
        found: dict[UUID | None, list[OwnDecision]] = {}
        for row in rows:
            found.setdefault(row["member"], []).append(await self._told(row))
        return found

    async def one(self, person: bytes, ref: UUID) -> OwnDecision:
        """Return one of them.

        Raises:
            Problem: 404 ``decision_unknown``, also for other people's, members taken out among them; 503
                ``store_unavailable``.
        """
        async with self.database.connection() as connection:
            row = await load(QUERIES)["own_decision"].row(connection, person=person, ref=ref)
        if row is None:
            raise Problem(errors.DECISION_UNKNOWN)
        return await self._told(row)

    async def exception(self, person: bytes) -> UUID | None:
        """Return the exception that the person can book with now, the newest where there are more.

        Raises:
            Problem: 503 ``store_unavailable``.
        """
        async with self.database.connection() as connection:
            row = await load(QUERIES)["live_exception"].row(connection, person=person, now=self.now)
        return None if row is None else row["ref"]

    async def _told(self, row: Any) -> OwnDecision:
        stand = _stand(row, self.now)
        rules = await self._rules(row)
        made = None if rules is None or row["override"] is not None else self._again(row, rules)
        changes_on = None if made is None else made.changes_on
        soon = changes_on is not None and changes_on - self.now.date() <= SOON
        can = [_LATER if each is _WIDER and soon else each for each in _CAN[stand]]
        products: list[str] | None = row["products"]
        said = _SAID if row["member"] is None else _SAID_OF_MEMBER
        return OwnDecision(
            decision_ref=row["ref"],
            programme=row["programme"],
            programme_name=row["name"],
            decided_at=row["created_at"],
            stand=stand,
            said=self.say(said[stand]),
            outcome=row["outcome"],
            rule_version=row["rule_version"],
            region=row["region"],
            grants=None if products is None else Granted(products[0], products, row["dose"]),
            reasons=self._reasons(row, rules, made),
            missing=[] if made is None else made.missing,
            changes_on=changes_on,
            can=[self.say(each) for each in can],
            expires_at=row["expires_at"],
            detailed=made is not None,
            member=row["member"],
        )

    async def _rules(self, row: Any) -> Rules | None:
        try:
            return await self.rules.version(row["programme"], row["rule_version"])
        except RulesUnavailable:
            return None

    def _again(self, row: Any, rules: Rules) -> Evaluation | None:
        """Return the decision made again, for what is not stored of it; None where that cannot be, or is another."""
        facts = opened(self.sealer, row["facts_sealed"], row["ref"])
        if facts is None:
            return None
        made = rules.evaluator.evaluate(facts, row["as_of"])
        return made if made.outcome == row["outcome"] else None

    def _reasons(self, row: Any, rules: Rules | None, made: Evaluation | None) -> list[Reason]:
        if rules is None or row["override"] is not None:
            return []
        if made is not None:
            return reasons(rules.document, made.decisive, self.language)
        stored = msgspec.json.decode(row["branches"], type=list[tuple[str, str, bool | None]])
        wanted = row["outcome"] == "eligible"
        codes = dict.fromkeys(code for _, code, met in stored if bool(met) is wanted)
        texts = rules.document.texts
        return [
            Reason(code, in_language(texts[code].met if wanted else texts[code].unmet, self.language))
            for code in codes
            if code in texts
        ]


def _stand(row: Any, now: datetime) -> Stand:
    over: bool = row["expires_at"] <= now
    if row["override"] is not None:
        return "exception_ended" if over or row["ended"] else "exception"
    if row["outcome"] == "eligible":
        return "expired" if over else "open"
    return "not_yet" if row["outcome"] == "not_eligible" else "incomplete"
