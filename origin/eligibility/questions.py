"""Which question to ask next: only what can still change what comes out, first what may end the asking. Pure.

What everybody must meet is asked first, for one "no" there ends it; among the rest, what is quick to answer comes
before what is private. What comes out is the outcome and what it grants: whoever may have something is still asked for
what could give them something that the rules prefer.
"""

from collections.abc import Collection, Iterator
from datetime import date
from typing import Literal, get_args

from origin.eligibility.document import Document
from origin.eligibility.evaluators.v2_axes import UNKNOWN
from origin.eligibility.evaluators.v2_made_ready import ReadyCohort, made_ready
from origin.eligibility.evaluators.v2_tree import Leaf, What, grounds, truth
from origin.eligibility.person import Facts

Question = Literal["birth", "region", "doses", "dosed", "product", "job", "pregnant", "conditions", "household"]
QUESTIONS: tuple[Question, ...] = get_args(Question)
"""In the order in which they are asked where nothing else decides."""

_ASKS: dict[What, Question] = {
    "age": "birth",
    "birth_date": "birth",
    "region": "region",
    "job_code": "job",
    "conditions": "conditions",
    "household": "household",
    "pregnant": "pregnant",
    "dose_number": "doses",
    "dose_product": "product",
    "dose_date": "dosed",
    "days_since_dose": "dosed",
}
_EVERYBODY = ("requires", "exclusions.")


class Interview:
    """A document, made ready to ask about."""

    def __init__(self, document: Document) -> None:
        self._ready = made_ready(document)

    def next(self, facts: Facts, day: date, askable: Collection[Question]) -> Question | None:
        """Return what to ask somebody with these facts; None where nothing that is ``askable`` can change anything.

        A comparison that takes only what was verified asks nothing: no answer would count.
        """
        wanted: dict[Question, bool] = {}
        for leaf in self._open(*self._known(facts, day)):
            branch = leaf.outcomes[0]
            question = None if branch.verified else _ASKS.get(branch.fact)
            if question is not None and question in askable:
                wanted[question] = wanted.get(question, False) or branch.path.startswith(_EVERYBODY)
        return min(wanted, key=lambda each: (not wanted[each], QUESTIONS.index(each)), default=None)

    def _known(self, facts: Facts, day: date) -> tuple[int, int]:
        held = known = 0
        for axis in (*self._ready.lasting, *self._ready.dated):
            bits = axis.read(facts, day)
            if bits != UNKNOWN:
                held |= bits
                known |= axis.mask
        return held, known

    def _open(self, held: int, known: int) -> Iterator[Leaf]:
        """Yield the comparisons that nobody knows and that could still matter."""
        verdict = truth(self._ready.root, held, known)
        if verdict is None:
            yield from grounds(self._ready.root, held, known)
        elif verdict:
            yield from self._preferred(held, known)

    def _preferred(self, held: int, known: int) -> Iterator[Leaf]:
        """Yield what could still give something else than the first cohort that is met does."""
        granting = next(each for each in self._ready.cohorts if truth(each.node, held, known))
        for cohort in self._ready.cohorts[: self._ready.cohorts.index(granting)]:
            if truth(cohort.node, held, known) is None and _given(cohort) != _given(granting):
                yield from grounds(cohort.node, held, known)


def _given(cohort: ReadyCohort) -> tuple[list[str], int]:
    return cohort.grant.products, cohort.grant.dose
