"""The first format of rule documents. Stored ones are read and replayed for ever; new ones are better written as v2.

    Document
    ├── requires      a clause that everybody must meet (optional)
    ├── offers        in order of preference: a clause and what it grants
    ├── texts         one text per reason code, for when its clause is met and when not, by language
    └── labels        what people call the values of region, job_code and conditions, by language

A clause is ``all``, ``any`` or ``not`` over clauses, or one comparison on a fact with its reason code.
"""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

import msgspec

from origin.eligibility.formats.texts import LANGUAGE, Code, InvalidDocument, Texts, Value, Values

MAX_BYTES = 65_536
MAX_DEPTH = 8
MAX_CLAUSES = 256

Age = Annotated[int, msgspec.Meta(ge=0, le=150)]


class All(msgspec.Struct, frozen=True, tag_field="is", tag="all", forbid_unknown_fields=True):
    """Met when every clause is met."""

    of: "Annotated[list[Clause], msgspec.Meta(min_length=1, max_length=256)]"


class AnyOf(msgspec.Struct, frozen=True, tag_field="is", tag="any", forbid_unknown_fields=True):
    """Met when one of the clauses is met."""

    of: "Annotated[list[Clause], msgspec.Meta(min_length=1, max_length=256)]"


class Not(msgspec.Struct, frozen=True, tag_field="is", tag="not", forbid_unknown_fields=True):
    """Met when the clause is not met; unknown stays unknown."""

    of: "Clause"


class AgeIs(msgspec.Struct, frozen=True, tag_field="is", tag="age", forbid_unknown_fields=True):
    """Compares the age in full years on the as-of date."""

    op: Literal["<", "<=", "=", ">=", ">"]
    value: Age
    reason: Code


class BirthDateIs(msgspec.Struct, frozen=True, tag_field="is", tag="birth_date", forbid_unknown_fields=True):
    """Compares the birth date."""

    op: Literal["<", "<=", "=", ">=", ">"]
    value: date
    reason: Code


class RegionIs(msgspec.Struct, frozen=True, tag_field="is", tag="region", forbid_unknown_fields=True):
    """Met when the person lives in one of the regions."""

    one_of: Values
    reason: Code


class JobCodeIs(msgspec.Struct, frozen=True, tag_field="is", tag="job_code", forbid_unknown_fields=True):
    """Met when the person does one of the jobs."""

    one_of: Values
    reason: Code


class ConditionsInclude(msgspec.Struct, frozen=True, tag_field="is", tag="conditions", forbid_unknown_fields=True):
    """Met when the person has one of the conditions."""

    one_of: Values
    reason: Code


Leaf = AgeIs | BirthDateIs | RegionIs | JobCodeIs | ConditionsInclude
Clause = All | AnyOf | Not | AgeIs | BirthDateIs | RegionIs | JobCodeIs | ConditionsInclude


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an offer gives: products by CVX code, the preferred one first, and which dose of the programme it is."""

    products: Annotated[list[Value], msgspec.Meta(min_length=1, max_length=16)]
    dose: Annotated[int, msgspec.Meta(ge=1, le=99)]


class Offer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Grants something to those who meet its clause."""

    id: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9-]{0,62}$")]
    when: Clause
    grants: Grant


class ReasonText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person reads when the clause is met, and when it is not, by language."""

    met: Texts
    unmet: Texts


class Labels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What people call the values that can be declared: value, then language."""

    region: dict[Value, Texts] = {}
    job_code: dict[Value, Texts] = {}
    conditions: dict[Value, Texts] = {}


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole document."""

    v: Literal[1]
    title: Texts
    offers: Annotated[list[Offer], msgspec.Meta(min_length=1, max_length=64)]
    texts: dict[Code, ReasonText]
    labels: Labels = Labels()
    requires: Clause | None = None


def parse(raw: bytes) -> Document:
    """Return the document.

    Raises:
        InvalidDocument: it is too large or too deep, has another form, or lacks a text for a reason code.
    """
    if len(raw) > MAX_BYTES:
        raise InvalidDocument(f"larger than {MAX_BYTES} bytes")
    try:
        document = msgspec.json.decode(raw, type=Document)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidDocument(str(error)) from None
    _check(document)
    return document


def leaves(clause: Clause, depth: int = 1) -> Iterator[tuple[int, Leaf]]:
    """Yield every comparison with its depth."""
    match clause:
        case All(of) | AnyOf(of):
            for each in of:
                yield from leaves(each, depth + 1)
        case Not(of=inner):
            yield from leaves(inner, depth + 1)
        case _:
            yield depth, clause


def _check(document: Document) -> None:
    clauses = [offer.when for offer in document.offers]
    if document.requires is not None:
        clauses.append(document.requires)
    found = [leaf for clause in clauses for leaf in leaves(clause)]
    if max(depth for depth, _ in found) > MAX_DEPTH:
        raise InvalidDocument(f"nested deeper than {MAX_DEPTH}")
    if len(found) > MAX_CLAUSES:
        raise InvalidDocument(f"more than {MAX_CLAUSES} comparisons")
    untold = sorted({leaf.reason for _, leaf in found} - document.texts.keys())
    if untold:
        raise InvalidDocument(f"no text for {', '.join(untold)}")
    tongueless = sorted(
        code for code, text in document.texts.items() if LANGUAGE not in text.met.keys() & text.unmet.keys()
    )
    if tongueless:
        raise InvalidDocument(f"no text in {LANGUAGE!r} for {', '.join(tongueless)}")
    if len({offer.id for offer in document.offers}) != len(document.offers):
        raise InvalidDocument("two offers have the same id")
