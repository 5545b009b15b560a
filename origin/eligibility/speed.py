"""``python -m origin.eligibility.speed [RULESET …]``: how long one evaluation takes, with its full explanation, in µs.

Of the rulesets that are named, or all that are shipped, the slowest is printed as JSON. ``us`` is the mean over many
different people, the best of several rounds: what a service reaches that has run for a while. People are made from what
the ruleset has names for; most are in good health, few have told nothing. ``first_us`` is the mean of the first meeting
with somebody's answers, when nothing is prepared.
"""

import sys
import time
from datetime import date, timedelta
from pathlib import Path

import msgspec

from origin.eligibility.document import Document, parse
from origin.eligibility.evaluator import Evaluator, Facts
from origin.eligibility.formats.lift import lifted
from origin.eligibility.person import LastDose

PEOPLE = 10_000
ROUNDS = 7
AS_OF = date(2024, 11, 25)
_FIRST_MEETINGS = 500
_OLDEST_DAYS = 36_000
_RULESETS = Path(__file__).with_name("rulesets")


class _Dice:
    """The same numbers in every run, so that runs can be compared (a linear congruential generator)."""

    def __init__(self) -> None:
        self._state = 1

    def below(self, bound: int) -> int:
        """Return the next number below a bound."""
        self._state = (self._state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        return (self._state >> 33) % bound


def people(document: Document, number: int) -> list[Facts]:
    """Return different people that the rules could meet."""
    dice, labels = _Dice(), lifted(document).labels
    return [
        Facts(
            birth_date=AS_OF - timedelta(days=dice.below(_OLDEST_DAYS)),
            region=_one(dice, [*labels.region]),
            job_code=_one(dice, [*labels.job_code, *["none"] * len(labels.job_code)]),
            conditions=_some(dice, [*labels.conditions]),
            pregnant=dice.below(50) == 0,
            household=_some(dice, [*labels.household]),
            last_dose=LastDose(0) if dice.below(3) else LastDose(1, "208", AS_OF - timedelta(days=dice.below(500))),
        )
        for _ in range(number)
    ]


def _one(dice: _Dice, values: list[str]) -> str | None:
    return values[dice.below(len(values))] if values and dice.below(50) else None


def _some(dice: _Dice, values: list[str]) -> list[str] | None:
    chosen = [value for value in values if dice.below(4 * len(values)) == 0]
    return chosen if dice.below(50) else None


def mean_us(evaluator: Evaluator, crowd: list[Facts]) -> float:
    """Return the mean time of one evaluation in µs."""
    evaluate = evaluator.evaluate
    began = time.perf_counter()
    for facts in crowd:
        evaluate(facts, AS_OF)
    return (time.perf_counter() - began) / len(crowd) * 1e6


def first_us(document: Document, crowd: list[Facts]) -> float:
    """Return the mean time of the first evaluation by an evaluator that has met nobody, in µs."""
    spent = 0.0
    for facts in crowd:
        evaluator = Evaluator(document)
        spent += mean_us(evaluator, [facts])
    return spent / len(crowd)


class Speed(msgspec.Struct, frozen=True):
    """What one ruleset takes."""

    us: float
    first_us: float
    ruleset: str


def measured(file: Path, number: int = PEOPLE, rounds: int = ROUNDS) -> Speed:
    """Measure one ruleset."""
    document = parse(file.read_bytes())
    evaluator, crowd = Evaluator(document), people(document, number)
    best = min(mean_us(evaluator, crowd) for _ in range(rounds))
    return Speed(round(best, 3), round(first_us(document, crowd[:_FIRST_MEETINGS]), 3), file.stem)


def shipped() -> list[Path]:
    """Return the rulesets that are shipped."""
    return sorted(path for path in _RULESETS.glob("*.json") if not path.name.endswith(".cases.json"))


def main() -> None:
    """Measure, and print the slowest."""
    files = [Path(name) for name in sys.argv[1:]] or shipped()
    slowest = max((measured(file) for file in files), key=lambda speed: speed.us)
    sys.stdout.write(msgspec.json.encode(slowest).decode() + "\n")


if __name__ == "__main__":
    main()
