"""The texts of a service by language: gettext catalogues, compiled in memory from the ``.po`` files beside the code."""

import io
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from shared.web.languages import DEFAULT

_SHARED = Path(__file__).parent / "locale"


def marked(text: str) -> str:
    """Return the text as it is: it is gathered for the catalogues here, and translated where it is shown."""
    return text


@lru_cache
def texts(language: str, folder: Path = _SHARED) -> NullTranslations:
    """Return the texts of ``folder`` and, behind them, the common ones; English needs no catalogue.

    Raises:
        OSError: there is no catalogue for this language.
    """
    if language == DEFAULT:
        return NullTranslations()
    found = _read(folder / f"{language}.po", language)
    if folder != _SHARED:
        found.add_fallback(texts(language))
    return found


def _read(path: Path, language: str) -> GNUTranslations:
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language, abort_invalid=True)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
