"""The questions that somebody is asked, one after the other, as far as their answers go.

Each next question follows from the answers before it, so an answer that is changed may make others needless: those stay
typed, and count for nothing as long as they are not asked.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from starlette.datastructures import FormData

from origin import errors
from origin.admin.programmes import Programme
from origin.eligibility.decisions import no_rules_refused
from origin.eligibility.document import Texts, in_language
from origin.eligibility.formats import check, v2
from origin.eligibility.formats.lift import lifted
from origin.eligibility.person import Facts
from origin.eligibility.questions import QUESTIONS, Interview, Question
from origin.eligibility.rulebook import RuleBook
from origin.eligibility.versions import Rules
from origin.web.form import FIELDS, NONE, Answered, Complaint, read
from origin.web.visit import Typed
from origin.words import product, texts_in
from shared.problem import Problem
from shared.web.texts import marked

_ELSEWHERE = "elsewhere"
_OTHER_PRODUCT = "another"
_ALWAYS: tuple[Question, ...] = ("birth", "doses", "dosed", "pregnant")
_MOST_KEPT = 32
_RECENT_S = 1.0


@dataclass(frozen=True)
class Choice:
    """One value that can be chosen, with what people call it."""

    code: str
    text: str


@dataclass(frozen=True)
class Script:
    """Rules, made ready to ask about in one language. ``choices``: of every question that has some."""

    rules: Rules
    interview: Interview
    choices: dict[Question, list[Choice]]

    @property
    def askable(self) -> set[Question]:
        """What can be asked: nobody can choose from nothing."""
        return {*_ALWAYS, *(question for question, choices in self.choices.items() if choices)}


@dataclass(frozen=True)
class Asked:
    """A question that is shown. ``never``: whether "never" is an answer to it."""

    name: Question
    choices: Sequence[Choice]
    never: bool = False


@dataclass
class Walk:
    """As far as the answers go.

    ``open``: the question that they do not get beyond, with what is wrong; None once all is said. ``complaints``: what
    is wrong with questions that were shown, to be told.
    """

    script: Script
    facts: Facts = field(default_factory=Facts)
    asked: list[Asked] = field(default_factory=list)
    open: Complaint | None = None
    complaints: list[Complaint] = field(default_factory=list)

    def has_unseen(self, form: FormData) -> bool:
        """Return whether a question is asked that the form did not show: nobody is judged by what they do not see."""
        shown = shown_by(form)
        return any(asked.name not in shown for asked in self.asked)

    def carried(self, typed: Typed) -> Iterator[tuple[str, str]]:
        """Yield what was typed and is not shown, as fields with their texts."""
        shown = {asked.name for asked in self.asked}
        for question, names in FIELDS.items():
            for name in () if question in shown else names:
                value: str | list[str] = getattr(typed, name)
                yield from ((name, text) for text in ([value] if isinstance(value, str) else value) if text)


class Asker:
    """Asks about the rules in force. Scripts are kept: a version never changes."""

    def __init__(self) -> None:
        self._scripts: dict[tuple[str, str], Script] = {}

    async def walk(
        self,
        book: RuleBook,
        programme: Programme,
        typed: Typed,
        language: str,
        today: date,
        shown: Collection[str] = (),
    ) -> Walk:
        """Return the walk through the questions under the rules in force, as of at most a second ago.

        Where a region has rules of its own, the region is asked first, and its rules ask the rest. Where one of the
        questions that were ``shown`` must be corrected, the others stay, so that nothing vanishes under a mistake.

        Raises:
            Problem: 503 ``rules_missing``, ``rules_unavailable``, ``store_unavailable``.
        """
        with no_rules_refused():
            regions = [each for each in await book.in_force(programme.id, within_s=_RECENT_S) if each is not None]
            general = await book.current(programme, within_s=_RECENT_S)
            local = await book.current(programme, typed.region, within_s=_RECENT_S) if regions else general
        if general is None or local is None:
            raise Problem(errors.RULES_MISSING, retry_after_s=30)
        walk = Walk(self._script(general, language))
        if regions:
            _ask(walk, _where(walk.script, regions), typed, today)
            walk.script = self._script(local, language)
        while walk.open is None:
            left = walk.script.askable - {asked.name for asked in walk.asked}
            question = walk.script.interview.next(walk.facts, today, left)
            if question is None:
                break
            _ask(walk, _question(walk, question), typed, today)
        if walk.open is not None and walk.open.group in shown:
            _keep(walk, shown, typed, today)
        return walk

    def _script(self, rules: Rules, language: str) -> Script:
        key = rules.ruleset, language
        script = self._scripts.get(key)
        if script is None:
            if len(self._scripts) >= _MOST_KEPT:
                self._scripts.clear()
            document = lifted(rules.document)
            script = self._scripts[key] = Script(rules, Interview(rules.document), _choices(document, language))
        return script if script.rules is rules else replace(script, rules=rules)


def _ask(walk: Walk, asked: Asked, typed: Typed, today: date) -> None:
    answer = _answer(walk, asked, typed, today)
    if isinstance(answer, Complaint):
        walk.open = answer
    else:
        walk.facts = answer


def _keep(walk: Walk, shown: Collection[str], typed: Typed, today: date) -> None:
    """Go on asking what was shown, for all that is wrong with it."""
    assert walk.open is not None
    walk.complaints.append(walk.open)
    left = walk.script.askable - {asked.name for asked in walk.asked}
    for question in QUESTIONS:
        if question in shown and question in left:
            answer = _answer(walk, _question(walk, question), typed, today)
            if isinstance(answer, Complaint):
                walk.complaints.append(answer)


def _answer(walk: Walk, asked: Asked, typed: Typed, today: date) -> Facts | Complaint:
    walk.asked.append(asked)
    codes = [choice.code for choice in asked.choices]
    return read(asked.name, Answered(typed, walk.facts, codes, today))


def shown_by(form: FormData) -> Collection[str]:
    """Return the questions that a form showed; one that does not say so showed all."""
    return {each for each in form.getlist("asked") if isinstance(each, str)} or QUESTIONS


def _where(script: Script, regions: list[str]) -> Asked:
    """Return the question where one lives, with every region that has rules of its own."""
    named = script.choices["region"]
    codes = {choice.code for choice in named}
    return Asked("region", [*(Choice(code, code) for code in regions if code not in codes), *named])


def _question(walk: Walk, question: Question) -> Asked:
    dose = walk.facts.last_dose
    return Asked(question, walk.script.choices.get(question, ()), never=dose is None or dose.number is None)


def _choices(document: v2.Document, language: str) -> dict[Question, list[Choice]]:
    labels, said = document.labels, texts_in(language).gettext
    asked = _compared(document)
    return {
        "region": _one_of(labels.region, asked["region"], Choice(_ELSEWHERE, said(marked("Somewhere else"))), language),
        "job": _one_of(labels.job_code, asked["job_code"], Choice(NONE, said(marked("None of these"))), language),
        "conditions": [each for each in _named(labels.conditions, language) if each.code != NONE],
        "household": [each for each in _named(labels.household, language) if each.code != NONE],
        "product": _products(asked["dose_product"], language),
    }


def _compared(document: v2.Document) -> dict[str, set[str]]:
    """Return the values that comparisons look for, by what they compare."""
    found: dict[str, set[str]] = {name: set() for name in ("region", "job_code", "dose_product")}
    for _, _, leaf in check.comparisons(document):
        if isinstance(leaf, v2.RegionIs | v2.JobCodeIs | v2.DoseProductIs):
            found[str(leaf.__struct_config__.tag)].update(leaf.one_of)
    return found


def _one_of(labels: dict[str, Texts], asked: set[str], other: Choice, language: str) -> list[Choice]:
    """Return what can be chosen, and behind it that nothing fits, where none of the choices says so."""
    named = _named(labels, language)
    return [*named, other] if named and labels.keys() <= asked else named


def _named(labels: dict[str, Texts], language: str) -> list[Choice]:
    """Return the choices in the order of their names, "none" last."""
    choices = [Choice(code, in_language(texts, language) or code) for code, texts in labels.items()]
    return sorted(choices, key=lambda choice: (choice.code in {NONE, _ELSEWHERE}, choice.text))


def _products(codes: set[str], language: str) -> list[Choice]:
    other = Choice(_OTHER_PRODUCT, texts_in(language).gettext(marked("Another vaccine")))
    return [*(Choice(code, product(code, language)) for code in sorted(codes)), other] if codes else []
