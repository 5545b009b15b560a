"""Templates: Jinja2 with escaping on, missing names as errors, and texts ready for translation."""

from pathlib import Path

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined

from shared.web import words
from shared.web.statics import Statics

_SHARED = Path(__file__).parent


def environment(templates: Path, statics: Statics) -> Environment:
    """Return the environment of one service: its own templates first, then the common ones.

    Every text goes through ``_()`` or ``ngettext``; until there are catalogues they return what they are given.
    """
    made = Environment(
        loader=ChoiceLoader([FileSystemLoader(templates), FileSystemLoader(_SHARED / "templates")]),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.install_null_translations(newstyle=True)  # type: ignore[attr-defined]  # the i18n extension adds it
    made.globals["static"] = statics.url
    made.filters["number"] = words.number
    return made
