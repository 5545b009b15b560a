"""What the rules' admin calls take and tell."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from origin.admin.officials import RegionId, Why
from origin.eligibility.cases import NO_CASES
from origin.eligibility.history import Move, State

Verdict = Literal["approved", "rejected"]
VersionNumber = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]


class DraftForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule document, and why it is needed; ``region`` where it is for one region only.

    ``cases``: example cases, which are kept with the version and reviewed with it.
    """

    document: msgspec.Raw
    reason: Why
    region: RegionId | None = None
    cases: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(NO_CASES))


class ReviewForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody else than the author found."""

    verdict: Verdict
    reason: Why


class ReasonForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why."""

    reason: Why


class ActivateForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, and from when on; without ``at`` at once."""

    reason: Why
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class RollbackForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Away from ``version``, so that a rollback that is sent twice goes back once.

    Back to the version before it, or to ``to``: one that was in force already. ``region`` where the region's rules
    are meant; with nothing before it, a region goes back to the programme's.
    """

    version: VersionNumber
    reason: Why
    region: RegionId | None = None
    to: VersionNumber | None = None


class Review(msgspec.Struct, frozen=True):
    """The second person's verdict."""

    verdict: Verdict
    reviewer: str
    reason: str
    at: datetime


class Version(msgspec.Struct, frozen=True):
    """A version of rules. ``ruleset``: SHA-256 of its canonical document; ``since``: when its state began or begins."""

    programme: str
    version: int
    region: str | None
    state: State
    since: datetime
    ruleset: str
    author: str
    reason: str
    drafted_at: datetime
    review: Review | None


class VersionWithDocument(Version, frozen=True):
    """A version with its canonical document, and the example cases that it was drafted with."""

    document: msgspec.Raw
    cases: msgspec.Raw


class InForce(msgspec.Struct, frozen=True):
    """The version in force in a region, or in the programme; null where a region went back to the programme's."""

    region: str | None
    version: int | None


class Versions(msgspec.Struct, frozen=True):
    """All versions of a programme, newest first, and those in force."""

    programme: str
    in_force: list[InForce]
    versions: list[Version]


class History(msgspec.Struct, frozen=True):
    """Every move of the pointers: what was in force when, and which candidates ran in the shadow."""

    programme: str
    moves: list[Move]


class Difference(msgspec.Struct, frozen=True):
    """How many decisions came out as ``live`` and would have come out as ``candidate``, by its reason code.

    A decision with several reason codes counts under each. Where both are alike, the product or dose differs.
    """

    region: str | None
    live: str
    candidate: str
    reason: str | None
    decisions: int


class ShadowReport(msgspec.Struct, frozen=True):
    """What a candidate would have decided. ``waiting``: decisions that it was not asked about yet."""

    programme: str
    version: int
    compared: int
    different: int
    waiting: int
    differences: list[Difference]
