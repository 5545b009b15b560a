"""The second format of rule documents.

    Document
    ├── requires      a clause that everybody must meet (optional)
    ├── exclusions    whoever meets one of these clauses gets nothing (optional)
    ├── cohorts       in order of preference: a clause and what it grants, from when and until when
    ├── texts         per reason code: what a person reads when it is met and when not, what staff read; by language
    └── labels        what people call the values of region, job_code, conditions and household, by language

A clause is ``all``, ``any`` or ``not`` over clauses, or one comparison on a fact with its reason code.
"""

from datetime import date
from typing import Annotated, Literal

import msgspec

from origin.eligibility.formats.texts import Code, Texts, Value, Values

MAX_BYTES = 262_144
MAX_DEPTH = 8
MAX_COMPARISONS = 256

Op = Literal["<", "<=", "=", ">=", ">"]
Id = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9-]{0,62}$")]
Count = Annotated[int, msgspec.Meta(ge=0, le=99)]
Number = Annotated[int, msgspec.Meta(ge=0, le=1800)]
Days = Annotated[int, msgspec.Meta(ge=0, le=36525)]
MonthDay = Annotated[
    str,
    msgspec.Meta(pattern="^(02-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(0[1-9]|[12][0-9]|30)|(0[13578]|1[02])-31)$"),
]


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How every part of a document is read: no unknown field, and what has its default is not spelled out."""


class All(Form, frozen=True, tag_field="is", tag="all"):
    """Met when every clause is met."""

    of: "Annotated[list[Clause], msgspec.Meta(min_length=1, max_length=256)]"


class AnyOf(Form, frozen=True, tag_field="is", tag="any"):
    """Met when one of the clauses is met."""

    of: "Annotated[list[Clause], msgspec.Meta(min_length=1, max_length=256)]"


class Not(Form, frozen=True, tag_field="is", tag="not"):
    """Met when the clause is not met; unknown stays unknown."""

    of: "Clause"


class Comparison(Form, frozen=True, kw_only=True):
    """One comparison. ``verified``: a fact that is declared only does not count, it is as good as not answered."""

    reason: Code
    verified: bool = False


class AgeIs(Comparison, frozen=True, tag_field="is", tag="age"):
    """Compares the age in full years or months.

    ``at``: on the day that is decided about, or on the last day of its calendar year or season; ``on``: a fixed date.
    """

    op: Op
    value: Number
    unit: Literal["years", "months"] = "years"
    at: Literal["as_of", "end_of_year", "end_of_season"] = "as_of"
    on: date | None = None


class BirthDateIs(Comparison, frozen=True, tag_field="is", tag="birth_date"):
    """Compares the birth date."""

    op: Op
    value: date


class RegionIs(Comparison, frozen=True, tag_field="is", tag="region"):
    """Met when the person lives in one of the regions."""

    one_of: Values


class JobCodeIs(Comparison, frozen=True, tag_field="is", tag="job_code"):
    """Met when the person does one of the jobs."""

    one_of: Values


class ConditionsInclude(Comparison, frozen=True, tag_field="is", tag="conditions"):
    """Met when the person has one of the conditions."""

    one_of: Values


class HouseholdIncludes(Comparison, frozen=True, tag_field="is", tag="household"):
    """Met when the person lives with somebody of whom one of these is true."""

    one_of: Values


class IsPregnant(Comparison, frozen=True, tag_field="is", tag="pregnant"):
    """Met when the person is pregnant."""


class DoseNumberIs(Comparison, frozen=True, tag_field="is", tag="dose_number"):
    """Compares which dose of the course the last one was; 0 when there was none."""

    op: Op
    value: Count


class DoseProductIs(Comparison, frozen=True, tag_field="is", tag="dose_product"):
    """Met when the last dose was one of the products (CVX codes); not met without a dose."""

    one_of: Values


class DoseDateIs(Comparison, frozen=True, tag_field="is", tag="dose_date"):
    """Compares the date of the last dose; not met without a dose."""

    op: Op
    value: date


class DaysSinceDose(Comparison, frozen=True, tag_field="is", tag="days_since_dose"):
    """Compares the full days since the last dose; not met without a dose."""

    op: Op
    value: Days


Leaf = (
    AgeIs
    | BirthDateIs
    | RegionIs
    | JobCodeIs
    | ConditionsInclude
    | HouseholdIncludes
    | IsPregnant
    | DoseNumberIs
    | DoseProductIs
    | DoseDateIs
    | DaysSinceDose
)
Clause = (
    All
    | AnyOf
    | Not
    | AgeIs
    | BirthDateIs
    | RegionIs
    | JobCodeIs
    | ConditionsInclude
    | HouseholdIncludes
    | IsPregnant
    | DoseNumberIs
    | DoseProductIs
    | DoseDateIs
    | DaysSinceDose
)


class Grant(Form, frozen=True):
    """What a cohort is given: products by CVX code, the preferred one first, and which dose of the programme it is.

    ``from`` and ``until``: the first and the last day of the offer. Where there is one, ``reason`` says it.
    """

    products: Annotated[list[Value], msgspec.Meta(min_length=1, max_length=16)]
    dose: Annotated[int, msgspec.Meta(ge=1, le=99)]
    first: date | None = msgspec.field(default=None, name="from")
    until: date | None = None
    reason: Code | None = None


class Cohort(Form, frozen=True):
    """Grants something to those who meet its clause."""

    id: Id
    when: Clause
    grants: Grant
    name: Texts | None = None


class Exclusion(Form, frozen=True):
    """Keeps those who meet its clause from everything."""

    id: Id
    when: Clause


class ReasonText(Form, frozen=True):
    """What is said of a comparison, by language: to a person when it is met and when not, and plainly to staff."""

    met: Texts
    unmet: Texts
    support: Texts | None = None


class Labels(Form, frozen=True):
    """What people call the values that can be declared: value, then language."""

    region: dict[Value, Texts] = {}
    job_code: dict[Value, Texts] = {}
    conditions: dict[Value, Texts] = {}
    household: dict[Value, Texts] = {}


class Source(Form, frozen=True):
    """Where the rules come from."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    year: Annotated[int, msgspec.Meta(ge=1900, le=2200)]


class Document(Form, frozen=True):
    """The whole document. ``season_starts``: month and day; it is needed where an age is asked at a season's end."""

    v: Literal[2]
    programme: Id
    title: Texts
    cohorts: Annotated[list[Cohort], msgspec.Meta(min_length=1, max_length=64)]
    texts: dict[Code, ReasonText]
    source: Annotated[list[Source], msgspec.Meta(max_length=16)] = []
    season_starts: MonthDay | None = None
    requires: Clause | None = None
    exclusions: Annotated[list[Exclusion], msgspec.Meta(max_length=64)] = []
    labels: Labels = Labels()
