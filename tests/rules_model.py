"""A second model of the rules: slow, plain, over raw JSON, and written from the description, not from the evaluator."""

from datetime import date
from typing import Any

from hypothesis import strategies as st

Truth = bool | None
OPS = ["<", "<=", "=", ">=", ">"]
ORDER = {False: 0, None: 1, True: 2}
BACK: list[Truth] = [False, None, True]
VALUES = ["R1", "R2", "R3"]
SEASON = (9, 1)


def ruleset(when: Any, **more: Any) -> dict[str, Any]:
    """One cohort."""
    cohort = {"id": "only", "when": when, "grants": {"products": ["140"], "dose": 1}}
    return {
        "v": 2,
        "programme": "test",
        "title": {"en": "T"},
        "season_starts": "09-01",
        "cohorts": [cohort],
        "texts": {code: {"met": {"en": "Yes."}, "unmet": {"en": "No."}} for code in ("A", "B", "C")},
        **more,
    }


_reason = st.sampled_from(["A", "B", "C"])
_op = st.sampled_from(OPS)
_verified = {"verified": st.sampled_from([False, False, False, True])}
_values = st.lists(st.sampled_from(VALUES), min_size=1, max_size=2)
_born = st.one_of(
    st.dates(date(2017, 1, 1), date(2024, 12, 31)), st.sampled_from([date(2020, 2, 29), date(2022, 8, 31)])
)
_given = st.dates(date(2022, 1, 1), date(2024, 12, 31))


def _leaf(kind: str, **fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"is": st.just(kind), "reason": _reason, **fields}, optional=_verified)


_comparisons = st.one_of(
    _leaf("age", op=_op, value=st.integers(0, 9), at=st.sampled_from(["as_of", "end_of_year", "end_of_season"])),
    _leaf("age", op=_op, value=st.integers(0, 90), unit=st.just("months")),
    _leaf("age", op=_op, value=st.integers(0, 9), on=_born.map(date.isoformat)),
    _leaf("birth_date", op=_op, value=_born.map(date.isoformat)),
    _leaf("days_since_dose", op=_op, value=st.integers(0, 400)),
    _leaf("dose_date", op=_op, value=_given.map(date.isoformat)),
    _leaf("dose_number", op=_op, value=st.integers(0, 3)),
    _leaf("pregnant"),
    *(_leaf(kind, one_of=_values) for kind in ("region", "job_code", "conditions", "household", "dose_product")),
)


def _more(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        st.fixed_dictionaries({"is": st.sampled_from(["all", "any"]), "of": several}),
        st.fixed_dictionaries({"is": st.just("not"), "of": inner}),
    )


def _depth(clause: Any) -> int:
    inner = clause.get("of", [])
    return 1 + max((_depth(each) for each in (inner if isinstance(inner, list) else [inner])), default=0)


clauses = st.recursive(_comparisons, _more, max_leaves=5).filter(lambda clause: _depth(clause) <= 8)
_window: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"from": st.just("2024-03-01"), "reason": _reason}),
    st.fixed_dictionaries({"until": st.just("2024-10-31"), "reason": _reason}),
    st.fixed_dictionaries({"from": st.just("2023-12-01"), "until": st.just("2024-04-30"), "reason": _reason}),
)


@st.composite
def _rulesets(draw: st.DrawFn) -> dict[str, Any]:
    raw = ruleset({})
    raw["cohorts"] = [
        {
            "id": f"c{number}",
            "when": draw(clauses),
            "grants": {"products": ["140"], "dose": 1, **draw(_window)},
        }
        for number in range(draw(st.integers(1, 3)))
    ]
    if draw(st.booleans()):
        raw["requires"] = draw(clauses)
    if draw(st.booleans()):
        raw["exclusions"] = [{"id": "x", "when": draw(clauses)}]
    return raw


rulesets = _rulesets()
_number = st.none() | st.integers(1, 3)
_dose = st.just({"number": 0}) | st.fixed_dictionaries(
    {
        "number": _number,
        "product": st.none() | st.sampled_from(VALUES),
        "given_on": st.none() | _given.map(date.isoformat),
    }
)
_several = st.none() | st.lists(st.sampled_from(VALUES), max_size=2)
_one = st.none() | st.sampled_from(VALUES)
_NAMES = ["birth_date", "region", "job_code", "conditions", "pregnant", "household", "last_dose"]
facts_of_people = st.fixed_dictionaries(
    {
        "birth_date": st.none() | _born.map(date.isoformat),
        "region": _one,
        "job_code": _one,
        "conditions": _several,
        "pregnant": st.none() | st.booleans(),
        "household": _several,
        "last_dose": st.none() | _dose,
        "sources": st.dictionaries(st.sampled_from(_NAMES), st.sampled_from(["register", "staff"]), max_size=4),
    }
)


def model(raw: dict[str, Any], facts: dict[str, Any], day: date) -> tuple[str, str | None, list[Truth]]:
    """Return outcome, granting cohort, and how each comparison came out, in order of the document."""
    found = [met_by(leaf, facts, day) for leaf in _leaves(raw)]
    cohorts = _judge(raw, iter(found))
    return cohorts[0], cohorts[1], found


def turned(raw: dict[str, Any], found: list[Truth], flips: dict[int, bool]) -> str:
    """Return the outcome if some comparisons, and those that ask the same, had come out as told."""
    changed = list(found)
    for index, met in flips.items():
        for same in same_as(raw, index):
            changed[same] = met
    return _judge(raw, iter(changed))[0]


def same_as(raw: dict[str, Any], index: int) -> list[int]:
    """Return where the same is asked, whatever it is called."""
    asked = [_asks(leaf) for leaf in _leaves(raw)]
    return [number for number, each in enumerate(asked) if each == asked[index]]


def _leaves(raw: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for clause in [raw["requires"]] if "requires" in raw else []:
        found += _within(clause)
    for exclusion in raw.get("exclusions", []):
        found += _within(exclusion["when"])
    for cohort in raw["cohorts"]:
        found += _within(cohort["when"])
        if "reason" in cohort["grants"]:
            found.append({"is": "window", **cohort["grants"]})
    return found


def _within(clause: dict[str, Any]) -> list[dict[str, Any]]:
    if clause["is"] in {"all", "any"}:
        return [leaf for each in clause["of"] for leaf in _within(each)]
    return _within(clause["of"]) if clause["is"] == "not" else [clause]


def _judge(raw: dict[str, Any], found: Any) -> tuple[str, str | None]:
    gate = [kleene(raw["requires"], found)] if "requires" in raw else []
    gate += [BACK[2 - ORDER[kleene(each["when"], found)]] for each in raw.get("exclusions", [])]
    offered: list[tuple[str, Truth]] = []
    for cohort in raw["cohorts"]:
        met = [kleene(cohort["when"], found)]
        if "reason" in cohort["grants"]:
            met.append(next(found))
        offered.append((cohort["id"], BACK[min(ORDER[each] for each in met)]))
    best = BACK[max(ORDER[met] for _, met in offered)]
    verdict = BACK[min(ORDER[each] for each in [*gate, best])]
    if verdict:
        return "eligible", next(id_ for id_, met in offered if met)
    return ("incomplete" if verdict is None else "not_eligible"), None


def kleene(clause: dict[str, Any], found: Any) -> Truth:
    """Judge a clause by Kleene's tables, taking comparisons as they come."""
    if clause["is"] == "not":
        return BACK[2 - ORDER[kleene(clause["of"], found)]]
    if clause["is"] not in {"all", "any"}:
        met: Truth = next(found)
        return met
    inner = [ORDER[kleene(each, found)] for each in clause["of"]]
    return BACK[min(inner) if clause["is"] == "all" else max(inner)]


def met_by(leaf: dict[str, Any], facts: dict[str, Any], day: date) -> Truth:
    """Compare."""
    kind = leaf["is"]
    if kind == "window":
        return bool(leaf.get("from", "0001-01-01") <= day.isoformat() <= leaf.get("until", "9999-12-31"))
    if leaf.get("verified") and fact_of(kind) not in facts.get("sources", {}):
        return None
    value = facts.get(fact_of(kind))
    return None if value is None else _met_by(leaf, value, day)


def _met_by(leaf: dict[str, Any], value: Any, day: date) -> Truth:
    kind = leaf["is"]
    if kind in {"age", "birth_date"}:
        return _of_birth(leaf, date.fromisoformat(value), day)
    if fact_of(kind) == "last_dose":
        return _of_dose(leaf, value, day)
    if kind == "pregnant":
        return bool(value)
    return bool(set(leaf["one_of"]) & set([value] if isinstance(value, str) else value))


def fact_of(kind: str) -> str:
    """Return the fact behind a comparison."""
    if kind == "age":
        return "birth_date"
    return "last_dose" if "dose" in kind else kind


def _of_birth(leaf: dict[str, Any], born: date, day: date) -> Truth:
    if born > day:
        return None
    if leaf["is"] == "birth_date":
        return _compare(born, leaf["op"], date.fromisoformat(leaf["value"]))
    at = leaf.get("at", "as_of")
    on = (
        date.fromisoformat(leaf["on"])
        if "on" in leaf
        else {"as_of": day, "end_of_year": date(day.year, 12, 31)}.get(at)
    )
    if on is None:  # the last day of August, this year or next
        on = date(day.year + ((day.month, day.day) >= SEASON), 8, 31)
    years = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    months = (on.year - born.year) * 12 + on.month - born.month - (1 if on.day < born.day else 0)
    return _compare(months if leaf.get("unit") == "months" else years, leaf["op"], leaf["value"])


def _of_dose(leaf: dict[str, Any], dose: dict[str, Any], day: date) -> Truth:
    kind, number = leaf["is"], dose.get("number")
    if kind == "dose_number":
        return None if number is None else _compare(number, leaf["op"], leaf["value"])
    if number == 0:
        return False
    if kind == "dose_product":
        return None if dose.get("product") is None else bool(dose["product"] in leaf["one_of"])
    given = dose.get("given_on")
    if given is None or date.fromisoformat(given) > day:
        return None
    if kind == "dose_date":
        return _compare(given, leaf["op"], leaf["value"])
    return _compare((day - date.fromisoformat(given)).days, leaf["op"], leaf["value"])


def _compare(one: Any, op: str, other: Any) -> bool:
    return bool({"<": one < other, "<=": one <= other, "=": one == other, ">=": one >= other, ">": one > other}[op])


def _asks(leaf: dict[str, Any]) -> object:
    """Return what tells comparisons apart that can come out differently."""
    kind, verified = leaf["is"], leaf.get("verified", False)
    if kind == "window":
        return kind, leaf.get("from"), leaf.get("until")
    if kind == "pregnant":
        return kind, verified
    if "one_of" in leaf:
        return kind, verified, frozenset(leaf["one_of"])
    value, step = leaf["value"], 1
    if kind == "age":
        step = 1 if leaf.get("unit") == "months" else 12
        value *= step
    elif isinstance(value, str):
        value = date.fromisoformat(value).toordinal()
    low = {">=": value, ">": value + step, "=": value}.get(leaf["op"])
    high = {"<": value, "<=": value + step, "=": value + step}.get(leaf["op"])
    return kind, verified, leaf.get("on", leaf.get("at", "as_of")), low, high
