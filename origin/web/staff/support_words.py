"""What the pages for support staff say: decisions and exceptions in words, and what was typed for a new one. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import msgspec
from starlette.datastructures import FormData

from origin.admin.answer_models import Answer, Asked, Booked, Summary
from origin.admin.override_models import Override, OverrideForm, Step
from origin.admin.proof import FAULTS
from origin.web.form import Complaint
from origin.web.visit import text_of
from origin.words import clock_time, day, product
from shared.web.texts import marked

_COMPLAINTS = {
    "grant": marked("Choose what the person may get"),
    "day": marked("The last day must be from today on, and at most 30 days ahead"),
    "reason": marked("Say why, in at most 200 characters"),
}
_BY_CODE = {"override_length": "day", "grant_unknown": "grant"}


@dataclass(frozen=True)
class Wish:
    """The form for a new exception as it was typed. ``id``: the same for as often as it is sent."""

    id: str
    grant: str = ""
    day: str = ""
    reason: str = ""

    def form(self) -> OverrideForm | None:
        """Return what is asked for, until the end of the day (UTC); None where something cannot be read."""
        product_code, _, dose = self.grant.rpartition(" ")
        try:
            last = date.fromisoformat(self.day)
            asked = {
                "product": product_code,
                "dose": int(dose),
                "expires_at": datetime.combine(last + timedelta(days=1), time(), UTC),
                "reason": self.reason,
                "id": UUID(self.id),
            }
            return msgspec.convert(asked, OverrideForm)
        except (ValueError, OverflowError):
            return None


def wish_in(form: FormData) -> Wish:
    """Return the form as it was typed."""
    return Wish(
        text_of(form, "id"), text_of(form, "grant"), text_of(form, "day"), text_of(form, "reason", at_most=1000)
    )


def complaints(wish: Wish, code: str, say: Callable[[str], str]) -> list[Complaint]:
    """Return what is wrong with a wish: what a refusal's ``code`` says, or what cannot be read."""
    groups = [_BY_CODE[code]] if code in _BY_CODE else [name for name in _COMPLAINTS if _is_wrong(wish, name)]
    return [Complaint(group, group, say(_COMPLAINTS[group]), (group,)) for group in groups]


def _is_wrong(wish: Wish, group: str) -> bool:
    """Try each field beside others that are right."""
    right = {"grant": "140 1", "day": "2027-01-01", "reason": "why"}
    return Wish(wish.id, **right | {group: str(getattr(wish, group))}).form() is None


@dataclass(frozen=True)
class GrantWords:
    """What can be asked for, said; ``value``: as the form sends it."""

    value: str
    product: str
    dose: int


def grant_words(code: str, dose: int, locale: str) -> GrantWords:
    """Return a product with its dose in words."""
    return GrantWords(f"{code} {dose}", product(code, locale), dose)


def moment(value: datetime, locale: str) -> str:
    """Return ``Monday 1 March 2027, 09:00 UTC``."""
    at = value.astimezone(UTC)
    return f"{day(at.date(), locale)}, {clock_time(at, locale)} UTC"


@dataclass(frozen=True)
class StepWords:
    """A step with an exception, said."""

    by: str
    reason: str
    at: str


@dataclass(frozen=True)
class OverrideWords:
    """An exception, said."""

    id: UUID
    state: str
    product: str
    dose: int
    until: str
    overrules: UUID
    decision_ref: UUID | None
    made: StepWords
    confirmed: StepWords | None
    revoked: StepWords | None


def override_words(each: Override, locale: str) -> OverrideWords:
    """Return an exception in words."""
    made = _step(each.made, locale)
    assert made is not None
    return OverrideWords(
        id=each.id,
        state=each.state,
        product=product(each.product, locale),
        dose=each.dose,
        until=moment(each.expires_at, locale),
        overrules=each.overrules,
        decision_ref=each.decision_ref,
        made=made,
        confirmed=_step(each.confirmed, locale),
        revoked=_step(each.revoked, locale),
    )


def _step(step: Step | None, locale: str) -> StepWords | None:
    return None if step is None else StepWords(step.by, step.reason, moment(step.at, locale))


@dataclass(frozen=True)
class DecisionWords:
    """A decision in a list, said."""

    ref: UUID
    outcome: str
    by_override: bool
    decided: str
    programme: str


def decision_words(each: Summary, locale: str) -> DecisionWords:
    """Return a decision in words."""
    return DecisionWords(
        each.decision_ref, each.outcome, each.override is not None, moment(each.decided_at, locale), each.programme
    )


@dataclass(frozen=True)
class BookedWords:
    """An appointment, said."""

    status: str
    product: str
    dose: int
    starts: str


@dataclass(frozen=True)
class AnswerWords:
    """All there is to say about a decision, said. ``told``: as it is, for what needs no words."""

    told: Answer
    decided: str
    until: str
    products: list[str]
    unmet: list[Asked]
    unknown: list[Asked]
    met: list[Asked]
    is_faulty: bool
    in_force: list[StepWords]
    drafted: str
    reviewed: str
    overrides: list[OverrideWords]
    appointments: list[BookedWords]
    audit: list[tuple[str, str, str]]


def answer_words(told: Answer, locale: str) -> AnswerWords:
    """Return an answer in words."""
    rules = told.rules
    return AnswerWords(
        told=told,
        decided=moment(told.decided_at, locale),
        until=moment(told.expires_at, locale),
        products=[] if told.grants is None else [product(code, locale) for code in told.grants.products],
        unmet=[each for each in told.branches if each.met is False],
        unknown=[each for each in told.branches if each.met is None],
        met=[each for each in told.branches if each.met],
        is_faulty=told.proof.status in FAULTS,
        in_force=[StepWords(each.by, each.reason, moment(each.since, locale)) for each in rules.in_force],
        drafted=moment(rules.drafted_at, locale),
        reviewed="" if rules.reviewed_at is None else moment(rules.reviewed_at, locale),
        overrides=[override_words(each, locale) for each in told.overrides],
        appointments=[_booked(each, locale) for each in told.appointments],
        audit=[(moment(each.at, locale), each.kind, each.role) for each in told.audit],
    )


def _booked(each: Booked, locale: str) -> BookedWords:
    return BookedWords(each.status, product(each.product, locale), each.dose, moment(each.starts_at, locale))
