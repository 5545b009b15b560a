"""Example cases of a version, tried out: those that are shipped with a ruleset, or those that somebody brings."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from origin.eligibility.cases import Case, Mismatch, check, parse_cases
from origin.eligibility.document import Document, InvalidDocument, canonical, parse, ruleset_id
from origin.eligibility.versions import DEMO

_CASES = ".cases.json"


@dataclass(frozen=True)
class TriedCase:
    """A case, and what came out otherwise than expected."""

    case: Case
    mismatches: Sequence[Mismatch]


@dataclass(frozen=True)
class Tried:
    """All cases, those that failed first. ``brought``: by whoever looks, and kept nowhere."""

    cases: list[TriedCase]
    brought: bool = False

    @property
    def failed(self) -> int:
        """How many came out otherwise."""
        return sum(1 for each in self.cases if each.mismatches)


def tried(document: Document, cases: list[Case], *, brought: bool = False) -> Tried | None:
    """Return how cases come out; None where there are none."""
    if not cases:
        return None
    found = check(document, cases)
    told = [TriedCase(case, [each for each in found if each.case == case.name]) for case in cases]
    return Tried(sorted(told, key=lambda each: not each.mismatches), brought)


def shipped_cases(ruleset: str) -> list[Case]:
    """Return the cases that lie beside a ruleset that we ship; none for any other."""
    return _shipped().get(ruleset, [])


@lru_cache(maxsize=1)
def _shipped() -> dict[str, list[Case]]:
    found = {}
    for path in sorted(DEMO.parent.glob(f"*{_CASES}")):
        try:
            document = parse(path.with_name(path.name.removesuffix(_CASES) + ".json").read_bytes())
        except (OSError, InvalidDocument):
            continue
        found[ruleset_id(canonical(document))] = parse_cases(path.read_bytes())
    return found
