"""What a comparison looked at, for the person and those who help them. It is never stored. Pure."""

from datetime import date

from origin.eligibility.document import Document
from origin.eligibility.evaluator import Branch, Facts
from origin.eligibility.evaluators.v2_days import Season, months, year_end

Observed = bool | int | str | list[str] | None


def observed(branch: Branch, document: Document, facts: Facts, as_of: date) -> Observed:
    """Return what was known when a comparison was made; None where nothing was."""
    if branch.fact == "age":
        return _age(branch, document, facts.birth_date, as_of)
    if branch.fact == "date":
        return as_of.isoformat()
    if branch.fact == "birth_date":
        born = facts.birth_date
        return None if born is None or born > as_of else born.isoformat()
    if branch.fact in {"dose_number", "dose_product", "dose_date", "days_since_dose"}:
        return _dose(branch, facts, as_of)
    value: Observed = getattr(facts, branch.fact)
    return value


def _age(branch: Branch, document: Document, born: date | None, as_of: date) -> int | None:
    if born is None or born > as_of:
        return None
    day = as_of
    if branch.at == "end_of_year":
        day = year_end(as_of)
    elif branch.at == "end_of_season":
        starts: str = getattr(document, "season_starts", None) or "01-01"
        day = Season(starts).end(as_of)
    elif branch.at is not None:
        day = date.fromisoformat(branch.at)
    age = months(born, day)
    return age // 12 if branch.unit == "years" else age


def _dose(branch: Branch, facts: Facts, as_of: date) -> Observed:
    dose = facts.last_dose
    if dose is None:
        return None
    if branch.fact == "dose_number":
        return dose.number
    if branch.fact == "dose_product":
        return dose.product
    if dose.given_on is None or dose.given_on > as_of:
        return None
    return dose.given_on.isoformat() if branch.fact == "dose_date" else (as_of - dose.given_on).days
