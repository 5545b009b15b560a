"""What all formats of rule documents share: codes, values, texts by language, and how a document is refused."""

from dataclasses import dataclass
from typing import Annotated

import msgspec

LANGUAGE = "en"

Code = Annotated[str, msgspec.Meta(pattern="^[A-Z][A-Z0-9_]{0,62}$")]
Value = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Values = Annotated[list[Value], msgspec.Meta(min_length=1, max_length=256)]
Texts = Annotated[dict[str, str], msgspec.Meta(min_length=1)]


@dataclass(frozen=True, order=True)
class Fault:
    """What is wrong with a document, and where. ``path``: as in JSONPath, ``$.cohorts[0].when.value``."""

    path: str
    what: str

    def __str__(self) -> str:
        return f"{self.what} - at `{self.path}`"


class Faulty(ValueError):
    """Something that was written and cannot be taken: ``faults`` has all that is wrong with it, the message too."""

    def __init__(self, *faults: Fault | str) -> None:
        self.faults = tuple(each if isinstance(each, Fault) else Fault("$", each) for each in faults)
        super().__init__("; ".join(str(fault) for fault in self.faults))


class InvalidDocument(Faulty):
    """A document that is not a rule document."""


def in_language(texts: Texts, language: str) -> str:
    """Return the text in a language, else in English; an empty text where there is neither."""
    return texts.get(language) or texts.get(LANGUAGE, "")
