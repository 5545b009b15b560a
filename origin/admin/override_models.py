"""What the calls about overrides take and tell."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from origin.admin.officials import Why

State = Literal["pending", "live", "expired", "revoked"]
LONGEST_DAYS = 31


class OverrideForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is granted against the rules, until when, and why: in words that name no illness, for they are kept.

    ``id``: chosen by the caller, so that a form that is sent twice makes one override.
    """

    product: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    dose: Annotated[int, msgspec.Meta(ge=1, le=99)]
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)]
    reason: Why
    id: UUID | None = None


class OverrideReason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is confirmed or revoked."""

    reason: Why


class Step(msgspec.Struct, frozen=True):
    """Who did something with an override, why and when."""

    by: str
    reason: str
    at: datetime


class Override(msgspec.Struct, frozen=True):
    """An exception for one person (by pseudonym): one product and dose, until ``expires_at``.

    ``overrules``: the decision that it was made against; ``decision_ref``: the one to book with, once it is confirmed.
    ``state``: ``pending`` until somebody else has confirmed it; only ``live`` ones can be booked with.
    """

    id: UUID
    programme: str
    person: str
    state: State
    product: str
    dose: int
    expires_at: datetime
    overrules: UUID
    made: Step
    confirmed: Step | None
    revoked: Step | None
    decision_ref: UUID | None


class Overrides(msgspec.Struct, frozen=True):
    """The newest overrides of a programme, at most a hundred."""

    programme: str
    overrides: list[Override]
