"""What must hold of a v2 document besides its form, and what an author may have overlooked. Pure."""

from collections.abc import Iterator

from origin.eligibility.formats import v2
from origin.eligibility.formats.texts import LANGUAGE, Fault, Texts
from origin.eligibility.formats.v2 import AgeIs, All, AnyOf, Clause, Document, Leaf, Not, ReasonText

_LANGUAGES_OF = ("met", "unmet", "support")


def clauses(document: Document) -> Iterator[tuple[str, Clause]]:
    """Yield every clause of a document with its JSON path."""
    if document.requires is not None:
        yield "$.requires", document.requires
    for index, exclusion in enumerate(document.exclusions):
        yield f"$.exclusions[{index}].when", exclusion.when
    for index, cohort in enumerate(document.cohorts):
        yield f"$.cohorts[{index}].when", cohort.when


def leaves(clause: Clause, path: str, depth: int = 1) -> Iterator[tuple[str, int, Leaf]]:
    """Yield every comparison with its JSON path and its depth."""
    match clause:
        case All(of) | AnyOf(of):
            for index, each in enumerate(of):
                yield from leaves(each, f"{path}.of[{index}]", depth + 1)
        case Not(of=inner):
            yield from leaves(inner, f"{path}.of", depth + 1)
        case _:
            yield path, depth, clause


def comparisons(document: Document) -> list[tuple[str, int, Leaf]]:
    """Return every comparison of a document with its JSON path and its depth."""
    return [found for path, clause in clauses(document) for found in leaves(clause, path)]


def faults(document: Document) -> Iterator[Fault]:
    """Yield what is wrong."""
    found = comparisons(document)
    if len(found) > v2.MAX_COMPARISONS:
        yield Fault("$", f"more than {v2.MAX_COMPARISONS} comparisons")
    for path, depth, leaf in found:
        if depth > v2.MAX_DEPTH:
            yield Fault(path, f"nested deeper than {v2.MAX_DEPTH}")
        if isinstance(leaf, AgeIs):
            yield from _age(document, leaf, path)
    yield from _untold(document)
    yield from _tongueless(document)
    for part in ("cohorts", "exclusions"):
        yield from _doubled(part, [each.id for each in getattr(document, part)])
    for index, cohort in enumerate(document.cohorts):
        yield from _window(cohort.grants, f"$.cohorts[{index}].grants")


def used_codes(document: Document) -> Iterator[tuple[str, str]]:
    """Yield every reason code that is used, with the JSON path of its use."""
    for path, _, leaf in comparisons(document):
        yield f"{path}.reason", leaf.reason
    for index, cohort in enumerate(document.cohorts):
        if cohort.grants.reason is not None:
            yield f"$.cohorts[{index}].grants.reason", cohort.grants.reason


def _age(document: Document, leaf: AgeIs, path: str) -> Iterator[Fault]:
    if leaf.on is not None and leaf.at != "as_of":
        yield Fault(path, "`at` and `on` exclude each other")
    if leaf.at == "end_of_season" and document.season_starts is None:
        yield Fault(f"{path}.at", "the document does not say when a season starts: `season_starts`")


def _untold(document: Document) -> Iterator[Fault]:
    for path, code in used_codes(document):
        if code not in document.texts:
            yield Fault(path, f"no text for {code}")


def _tongueless(document: Document) -> Iterator[Fault]:
    if LANGUAGE not in document.title:
        yield Fault("$.title", f"no text in {LANGUAGE!r}")
    for code, text in document.texts.items():
        for name in _LANGUAGES_OF:
            said = getattr(text, name)
            if said is not None and LANGUAGE not in said:
                yield Fault(f"$.texts.{code}.{name}", f"no text in {LANGUAGE!r}")


def _doubled(part: str, ids: list[str]) -> Iterator[Fault]:
    for index, id_ in enumerate(ids):
        if id_ in ids[:index]:
            yield Fault(f"$.{part}[{index}].id", f"two {part} have the id {id_}")


def _window(grant: v2.Grant, path: str) -> Iterator[Fault]:
    bounded = grant.first is not None or grant.until is not None
    if bounded and grant.reason is None:
        yield Fault(path, "what begins or ends needs a `reason` that says so")
    if not bounded and grant.reason is not None:
        yield Fault(f"{path}.reason", "a reason for `from` and `until`, of which there is none")
    if grant.first is not None and grant.until is not None and grant.first > grant.until:
        yield Fault(path, "ends before it begins")


def warnings(document: Document) -> Iterator[Fault]:
    """Yield what is allowed and probably not meant."""
    used = {code for _, code in used_codes(document)}
    for code in document.texts:
        if code not in used:
            yield Fault(f"$.texts.{code}", "no comparison has this reason")
    for index, cohort in enumerate(document.cohorts):
        same = [
            each.id for each in document.cohorts[:index] if each.when == cohort.when and each.grants == cohort.grants
        ]
        if same:
            yield Fault(f"$.cohorts[{index}]", f"asks and grants the same as {same[0]}")
    yield from _unnamed(document)
    yield from _untranslated(document)


def _unnamed(document: Document) -> Iterator[Fault]:
    for path, _, leaf in comparisons(document):
        labels: dict[str, Texts] | None = getattr(document.labels, str(leaf.__struct_config__.tag), None)
        if labels is not None:
            for value in getattr(leaf, "one_of", ()):
                if value not in labels:
                    yield Fault(path, f"{value} has no label: nobody can choose it")


def _untranslated(document: Document) -> Iterator[Fault]:
    spoken = set(document.title)
    for code, text in document.texts.items():
        for name in ("met", "unmet"):
            lacking = sorted(spoken - set(_said(text, name)))
            if lacking:
                yield Fault(f"$.texts.{code}.{name}", f"no text in {', '.join(lacking)}, as the title has")


def _said(text: ReasonText, name: str) -> dict[str, str]:
    said: dict[str, str] = getattr(text, name)
    return said
