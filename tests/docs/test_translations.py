"""Every text that people see is in every language, and says the same things."""

import re
import string
from collections.abc import Iterator

import pytest
from babel.messages.catalog import Catalog, Message

from deploy.translations import ROOMS, ROOT, TRANSLATED, Room, gathered, kept
from origin.eligibility.document import parse
from origin.eligibility.versions import DEMO
from shared.web.languages import LANGUAGES
from shared.web.texts import texts

_EACH = [pytest.param(room, language, id=f"{room.code}-{language}") for room in ROOMS for language in TRANSLATED]
_TAG = re.compile(r"%\(\w+\)s")


def messages(catalogue: Catalog) -> dict[object, Message]:
    return {
        tuple(message.id) if isinstance(message.id, list | tuple) else message.id: message
        for message in catalogue
        if message.id
    }


def strings(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list | tuple) else [str(value or "")]


def placeholders(text: str) -> set[str]:
    return set(_TAG.findall(text)) | {name for _, name, _, _ in string.Formatter().parse(text) if name}


def faults(catalogue: Catalog) -> Iterator[str]:
    for key, message in messages(catalogue).items():
        said = strings(message.string)
        wanted = catalogue.num_plurals if isinstance(key, tuple) else 1
        if len(said) != wanted or not all(text.strip() for text in said):
            yield f"not translated: {key}"
        elif message.fuzzy:
            yield f"fuzzy: {key}"
        elif any(placeholders(text) != placeholders(strings(message.id)[-1]) for text in said):
            yield f"other placeholders: {key}"
        elif any(text != text.strip() for text in said) and strings(message.id)[0] == strings(message.id)[0].strip():
            yield f"stray spaces: {key}"


@pytest.mark.parametrize(("room", "language"), _EACH)
def test_every_marked_text_is_in_the_catalogue_and_nothing_else(room: Room, language: str) -> None:
    assert set(messages(kept(room, language))) == set(messages(gathered(room))), "run `make texts`, then translate"


@pytest.mark.parametrize(("room", "language"), _EACH)
def test_every_text_is_translated_with_its_placeholders(room: Room, language: str) -> None:
    assert list(faults(kept(room, language))) == []


def test_what_is_missing_fuzzy_or_has_other_placeholders_is_found() -> None:
    catalogue = Catalog(locale="fr")
    catalogue.add("One", "")
    catalogue.add("Two", "Deux", flags=["fuzzy"])
    catalogue.add("up to {high}", "jusqu’à {haut}")
    catalogue.add(("%(num)s place", "%(num)s places"), ("%(num)s place", ""))
    found = sorted(fault.partition(":")[0] for fault in faults(catalogue))
    assert found == ["fuzzy", "not translated", "not translated", "other placeholders"]


def test_templates_have_no_text_that_is_not_marked() -> None:
    """Letters between tags, outside of expressions, would be shown in English to everybody."""
    bare = re.compile(r">([^<>{}]*[A-Za-z]{2,}[^<>{}]*)<")
    skipped = re.compile(r"<(script|style|svg|code)\b.*?</\1>|{#.*?#}|{%.*?%}|{{.*?}}", re.DOTALL)
    found = []
    for folder in ("shared/web/templates", "edge/templates", "origin/templates"):
        for path in sorted((ROOT / folder).glob("*.html")):
            found += [f"{path.name}: {text.strip()}" for text in bare.findall(skipped.sub("", path.read_text()))]
    assert found == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_gives_its_texts_and_the_common_ones(language: str) -> None:
    said = texts(language, ROOT / "origin/locale")
    assert said.gettext("Sign out") != "Sign out"
    assert said.gettext("less than a minute") != "less than a minute"
    assert said.gettext("Your appointment") != "Your appointment"
    plural = "There are problems with your answers"
    assert said.ngettext("There is a problem with your answer", plural, 3) != plural


def test_the_rules_that_we_ship_speak_every_language() -> None:
    document = parse(DEMO.read_bytes())
    reasons = [text for reason in document.texts.values() for text in (reason.met, reason.unmet)]
    labels = document.labels
    names = [texts for each in (labels.region, labels.job_code, labels.conditions) for texts in each.values()]
    assert len(reasons) > 30
    assert [each for each in (document.title, *reasons, *names) if set(each) != set(LANGUAGES)] == []
