"""What support and the ombudsman are told about a decision. Nothing here says what a person has answered."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from origin.admin.override_models import Override
from origin.admin.proof import Proof
from origin.eligibility.decisions import Granted


class FindForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose decisions: a pseudonym in hex."""

    person: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Summary(msgspec.Struct, frozen=True):
    """A decision in a list."""

    decision_ref: UUID
    programme: str
    decided_at: datetime
    outcome: str
    rule_version: int
    override: UUID | None
    expires_at: datetime


class Found(msgspec.Struct, frozen=True):
    """A person's decisions, newest first, at most fifty."""

    person: str
    decisions: list[Summary]


class Asked(msgspec.Struct, frozen=True):
    """A comparison of the rules and how it came out: ``met`` is null where the answer was missing.

    ``asks``: what the rules ask; ``said``: what the person reads; ``plainly``: what the rules' authors wrote for staff.
    """

    path: str
    reason: str
    met: bool | None
    asks: str
    said: str
    plainly: str


class InForceBy(msgspec.Struct, frozen=True):
    """Who put these rules in force, when and why."""

    act: Literal["activated", "rolled_back"]
    by: str
    reason: str
    since: datetime


class Rules(msgspec.Struct, frozen=True):
    """The rules of that day, and who published them. ``ruleset``: SHA-256 of the document."""

    version: int
    region: str | None
    ruleset: str
    title: str
    author: str
    drafted_at: datetime
    reviewer: str | None
    reviewed_at: datetime | None
    in_force: list[InForceBy]


class Booked(msgspec.Struct, frozen=True):
    """An appointment of the person in this programme."""

    id: UUID
    status: str
    decision_ref: UUID
    product: str
    dose: int
    starts_at: datetime
    created_at: datetime


class Recorded(msgspec.Struct, frozen=True):
    """A line of the audit: what was done, when and in which role."""

    at: datetime
    kind: str
    role: str


class Answer(msgspec.Struct, frozen=True):
    """Why somebody was decided about so: outcome, branches, rules, proof, and what came after.

    ``person``: a pseudonym. ``stands_for``: the version in force that could not be read, where these rules decided in
    its stead. ``overrides``: all that were made for the person in this programme, also those of other decisions.
    """

    decision_ref: UUID
    programme: str
    person: str
    region: str | None
    outcome: str
    grants: Granted | None
    as_of: date
    decided_at: datetime
    expires_at: datetime
    stands_for: int | None
    override: UUID | None
    branches: list[Asked]
    rules: Rules
    proof: Proof
    overrides: list[Override]
    appointments: list[Booked]
    audit: list[Recorded]
