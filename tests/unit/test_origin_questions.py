"""As few questions as can be: whatever is not asked would have changed nothing, and what is asked could."""

import random
from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.eligibility import versions
from origin.eligibility.document import Document, parse
from origin.eligibility.evaluator import Evaluation, Evaluator
from origin.eligibility.formats.lift import lifted
from origin.eligibility.person import Facts, LastDose
from origin.eligibility.questions import QUESTIONS, Interview, Question
from origin.web.questions import _choices

RULESETS = sorted(path for path in versions.DEMO.parent.glob("*.json") if ".cases" not in path.name)
DOCUMENTS = {path.stem: parse(path.read_bytes()) for path in RULESETS}
TODAY = date(2024, 11, 20)


def _answer(question: Question, known: Facts, whole: Facts) -> Facts:
    """Answer one question out of everything that is true of somebody."""
    names = {"birth": "birth_date", "job": "job_code"}
    if question not in {"doses", "dosed", "product"}:
        name = names.get(question, question)
        return msgspec.structs.replace(known, **{name: getattr(whole, name)})
    dose, told = known.last_dose or LastDose(), whole.last_dose or LastDose()
    if told.number == 0:
        return msgspec.structs.replace(known, last_dose=told)
    part = {"doses": "number", "dosed": "given_on", "product": "product"}[question]
    return msgspec.structs.replace(known, last_dose=msgspec.structs.replace(dose, **{part: getattr(told, part)}))


def _asked(document: Document, whole: Facts, *, day: date = TODAY) -> tuple[list[Question], Facts]:
    interview, known = Interview(document), Facts()
    asked: list[Question] = []
    while (question := interview.next(known, day, set(QUESTIONS) - set(asked))) is not None:
        asked.append(question)
        known = _answer(question, known, whole)
    return asked, known


def _came_out(evaluation: Evaluation) -> object:
    grant = evaluation.grant
    return evaluation.outcome, grant and (grant.products, grant.dose)


def _somebody(document: Document, chance: random.Random) -> Facts:
    labels = document.labels
    household = list(getattr(labels, "household", {}))
    number = chance.choice([0, 1, 2, 3])
    given = TODAY - timedelta(days=chance.randrange(0, 400))
    product = chance.choice(["207", "208", "210"])
    return Facts(
        birth_date=TODAY - timedelta(days=chance.randrange(0, 36_000)),
        region=chance.choice([*labels.region, "elsewhere"]),
        job_code=chance.choice([*labels.job_code, "none"]),
        conditions=chance.sample(list(labels.conditions), chance.randrange(0, min(3, len(labels.conditions) + 1))),
        household=chance.sample(household, chance.randrange(0, len(household) + 1)),
        pregnant=chance.random() < 0.2,
        last_dose=LastDose(number, product, given) if number else LastDose(number=0),
    )


@pytest.mark.parametrize("name", DOCUMENTS)
@given(seed=st.integers(0, 2**32))
def test_what_is_not_asked_would_have_changed_nothing(name: str, seed: int) -> None:
    document = DOCUMENTS[name]
    whole = _somebody(document, random.Random(seed))
    _, known = _asked(document, whole)
    evaluator = Evaluator(document)
    assert _came_out(evaluator.evaluate(known, TODAY)) == _came_out(evaluator.evaluate(whole, TODAY))


@pytest.mark.parametrize("name", DOCUMENTS)
@given(seed=st.integers(0, 2**32))
def test_every_question_is_asked_once_and_nothing_after_the_answer_is_certain(name: str, seed: int) -> None:
    document = DOCUMENTS[name]
    whole = _somebody(document, random.Random(seed))
    asked, _ = _asked(document, whole)
    assert len(set(asked)) == len(asked)
    evaluator, known = Evaluator(document), Facts()
    for question in asked:
        before = evaluator.evaluate(known, TODAY)
        assert before.outcome != "not_eligible"
        known = _answer(question, known, whole)


@pytest.mark.parametrize(
    ("person", "asked"),
    [
        (Facts(birth_date=date(2022, 1, 1)), ["birth"]),
        (Facts(birth_date=date(1950, 1, 1), region="elsewhere"), ["birth", "region"]),
        (Facts(birth_date=date(1950, 1, 1), region="ES-MD", conditions=[]), ["birth", "region", "conditions"]),
        (
            Facts(birth_date=date(1990, 1, 1), region="ES-MD", conditions=["diabetes"]),
            ["birth", "region", "conditions"],
        ),
        (
            Facts(birth_date=date(1990, 1, 1), region="ES-MD", conditions=[], job_code="none"),
            ["birth", "region", "conditions", "job"],
        ),
    ],
    ids=["a child", "somebody from elsewhere", "a senior", "a diabetic", "an adult"],
)
def test_the_demo_asks_people_this(person: Facts, asked: list[Question]) -> None:
    assert _asked(DOCUMENTS["demo"], person)[0] == asked


def test_a_second_dose_is_asked_for_its_day_and_a_first_one_is_not() -> None:
    document = DOCUMENTS["two-doses"]
    adult = Facts(birth_date=date(1990, 1, 1), conditions=[])
    first = msgspec.structs.replace(adult, last_dose=LastDose(number=0))
    assert _asked(document, first)[0] == ["birth", "conditions", "doses"]
    second = msgspec.structs.replace(adult, last_dose=LastDose(number=1, given_on=date(2024, 10, 1)))
    assert _asked(document, second)[0] == ["birth", "conditions", "doses", "dosed"]


def test_whoever_may_have_something_is_still_asked_for_what_the_rules_prefer() -> None:
    text = versions.DEMO.read_bytes()
    document = msgspec.json.decode(text)
    job = {"is": "job_code", "one_of": ["ISCO-221"], "reason": "HEALTH_CARE_WORKER"}
    age = {"is": "age", "op": ">=", "value": 5, "reason": "AGE_5_OR_OLDER"}
    better = {"id": "better", "when": job, "grants": {"products": ["168"], "dose": 1}}
    plain = {"id": "plain", "when": age, "grants": {"products": ["140"], "dose": 1}}
    made = parse(msgspec.json.encode(document | {"requires": None, "offers": [better, plain]}))
    adult = Facts(birth_date=date(1990, 1, 1), job_code="ISCO-221")
    assert _asked(made, adult)[0] == ["birth", "job"]
    same = parse(
        msgspec.json.encode(document | {"requires": None, "offers": [better | {"grants": plain["grants"]}, plain]})
    )
    assert _asked(same, adult)[0] == ["birth"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_everybody_finds_an_answer_about_their_work_that_is_true(name: str) -> None:
    jobs = _choices(lifted(DOCUMENTS[name]), "en")["job"]
    assert not jobs or jobs[-1].text.startswith(("None", "Another", "Other")), [each.text for each in jobs]
