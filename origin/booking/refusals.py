"""How bookings, moves and holds are refused, and how a refusal is kept as the answer to its key."""

from collections.abc import Mapping

import msgspec

from origin import errors
from origin.booking.hold_store import HoldOutcome
from origin.booking.store import MoveOutcome, Outcome
from origin.eligibility.decisions import Reason
from shared.problem import Problem, ProblemType

FINAL: Mapping[Outcome | MoveOutcome | HoldOutcome, ProblemType] = {
    "slot_unknown": errors.SLOT_UNKNOWN,
    "slot_past": errors.SLOT_PAST,
    "decision_unknown": errors.DECISION_UNKNOWN,
    "decision_expired": errors.DECISION_EXPIRED,
    "override_ended": errors.OVERRIDE_ENDED,
    "not_eligible": errors.INELIGIBLE,
    "product_not_granted": errors.INELIGIBLE,
    "admission_used": errors.ADMISSION_USED,
    "already_booked": errors.ALREADY_BOOKED,
    "slot_gone": errors.SLOT_GONE,
    "unknown": errors.APPOINTMENT_UNKNOWN,
    "already_cancelled": errors.APPOINTMENT_CANCELLED,
    "too_late": errors.TOO_LATE,
    "too_often": errors.TOO_OFTEN,
    "interval_not_kept": errors.INTERVAL_NOT_KEPT,
    "next_dose_missing": errors.NEXT_DOSE_MISSING,
    "member_unknown": errors.MEMBER_UNKNOWN,
}
"""Answers to the request as it was; they are kept under its key."""

PASSING: Mapping[Outcome | MoveOutcome | HoldOutcome, ProblemType] = {
    "key_in_flight": errors.KEY_IN_FLIGHT,
    "key_reused": errors.KEY_REUSED,
    "frozen": errors.FROZEN,
}
"""The request was not looked at; the same key may get another answer later."""

PRODUCT_NOT_GRANTED = Reason("PRODUCT_NOT_GRANTED", "The decision is for another product than this slot's.")

_BY_CODE = {kind.code: kind for kind in FINAL.values()}
_encode = msgspec.json.encode


class Refusal(msgspec.Struct, frozen=True, tag_field="kept", tag="refusal"):
    """A refusal as it is kept: ``members`` are the problem's further members, each already JSON."""

    code: str
    members: dict[str, msgspec.Raw] = {}

    @classmethod
    def of(cls, kind: ProblemType, **members: object) -> "Refusal":
        """Return the refusal of this kind, with further members."""
        return cls(kind.code, {name: msgspec.Raw(_encode(value)) for name, value in members.items()})

    @property
    def kind(self) -> ProblemType:
        """What it is."""
        return _BY_CODE[self.code]

    def problem(self, encoded: bytes | None = None) -> Problem:
        """Return the answer; ``encoded``: the same in JSON, where it is there already."""
        refused = Problem(_BY_CODE[self.code], ready=encoded)
        refused.members |= self.members
        return refused


KEPT_REFUSAL = '{"kept":"refusal"'
"""How the JSON of a kept refusal begins."""
