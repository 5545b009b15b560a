"""Templates: Jinja2 with escaping on, missing names as errors, and every text in the page's language."""

from collections.abc import Mapping
from functools import partial
from gettext import NullTranslations
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined

from shared.web import words
from shared.web.languages import DEFAULT, LANGUAGES, SWITCH
from shared.web.statics import Statics
from shared.web.texts import texts
from shared.web.theme import PLAIN, Theme

_SHARED = Path(__file__).parent


def environments(
    templates: Path, catalogues: Path, statics: Statics, theme: Theme = PLAIN
) -> Mapping[str, Environment]:
    """Return one environment for each language of one service."""
    return {code: environment(templates, statics, code, texts(code, catalogues), theme) for code in LANGUAGES}


def environment(
    templates: Path,
    statics: Statics,
    language: str = DEFAULT,
    catalogue: NullTranslations | None = None,
    theme: Theme = PLAIN,
) -> Environment:
    """Return an environment of one service in one language: its own templates first, then the common ones."""
    made = Environment(
        loader=ChoiceLoader([FileSystemLoader(templates), FileSystemLoader(_SHARED / "templates")]),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.install_gettext_translations(  # type: ignore[attr-defined]  # the i18n extension adds it
        catalogue or texts(language), newstyle=True
    )
    made.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "sort_keys": True}
    made.globals |= {
        "static": statics.url,
        "language": LANGUAGES[language],
        "languages": LANGUAGES.values(),
        "switch_url": SWITCH,
        "theme": theme.said(language),
        "back": None,  # where the switch leads back to; no switch without it
        "switch_form": None,  # the form that the switch sends along, so that nothing typed is lost
    }
    made.filters["number"] = partial(words.number, locale=language)
    return made
