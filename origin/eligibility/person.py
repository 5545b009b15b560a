"""What is known of a person: what they declare, and which of it was verified and by whom. Pure."""

from datetime import date
from typing import Annotated, Literal

import msgspec

FactName = Literal["birth_date", "region", "job_code", "conditions", "pregnant", "household", "last_dose"]
Source = Literal["register", "document", "staff"]
"""Who vouches for a fact: a register was asked, a document was seen, or staff have looked."""

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Texts = Annotated[list[_Text], msgspec.Meta(max_length=64)]


class LastDose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last dose that somebody was given. ``number``: which dose of the course, 0 for none yet; None: not known.

    Raises:
        ValueError: no dose is said to have a product or a date.
    """

    number: Annotated[int, msgspec.Meta(ge=0, le=99)] | None = None
    product: _Text | None = None
    given_on: date | None = None

    def __post_init__(self) -> None:
        if self.number == 0 and (self.product is not None or self.given_on is not None):
            raise ValueError("a dose that was never given has neither product nor date")


class Declared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person declares. None: not answered; no conditions, and nobody in need at home, are empty lists."""

    birth_date: date | None = None
    region: _Text | None = None
    job_code: _Text | None = None
    conditions: _Texts | None = None
    pregnant: bool | None = None
    household: _Texts | None = None
    last_dose: LastDose | None = None


class Facts(Declared, frozen=True, forbid_unknown_fields=True):
    """What a person declares, and who has verified it. A fact without a source is declared only.

    No visitor may send this: whoever could name a source could vouch for themselves.
    """

    sources: dict[FactName, Source] = {}


def facts_of(declared: Declared) -> Facts:
    """Return the facts of somebody whom nobody has verified."""
    return Facts(**msgspec.structs.asdict(declared))


def encoded(facts: Facts) -> bytes:
    """Return the one spelling of the facts. What was never asked of anybody before is left out where it is unknown.

    So that facts hash as they did before there were more of them.
    """
    known: dict[str, object] = {
        "birth_date": facts.birth_date,
        "region": facts.region,
        "job_code": facts.job_code,
        "conditions": facts.conditions,
    }
    for name in ("pregnant", "household", "last_dose"):
        value = getattr(facts, name)
        if value is not None:
            known[name] = value
    if facts.sources:
        known["sources"] = facts.sources
    return _encode(known)


_encode = msgspec.json.Encoder(order="deterministic").encode
