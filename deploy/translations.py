"""Gather every text that is shown to people into the catalogues: ``make texts``.

Texts are gathered from templates (``_``, ``ngettext``) and from Python (``marked``). What is new gets an empty
translation, which a test then finds; what is gone is dropped. Nothing is guessed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

from shared.web.languages import DEFAULT, LANGUAGES

ROOT = Path(__file__).resolve().parent.parent
_KEYWORDS = {"_": None, "marked": None, "gettext": None, "ngettext": (1, 2)}


@dataclass(frozen=True)
class Room:
    """A part of the code with catalogues of its own."""

    code: str
    catalogues: str

    def path(self, language: str) -> Path:
        """Return where the catalogue of a language is."""
        return ROOT / self.catalogues / f"{language}.po"


ROOMS = (Room("shared", "shared/web/locale"), Room("edge", "edge/locale"), Room("origin", "origin/locale"))
TRANSLATED = tuple(code for code in LANGUAGES if code != DEFAULT)


def gathered(room: Room) -> Catalog:
    """Return the catalogue of all texts of a room, untranslated."""
    found = Catalog(project="Vestibule", charset="utf-8", fuzzy=False)
    for path in sorted((ROOT / room.code).rglob("*")):
        for text, context in _texts(path):
            found.add(text, locations=[(str(path.relative_to(ROOT)), 0)], context=context)
    return found


def _texts(path: Path) -> Iterator[tuple[str | tuple[str, ...], str | None]]:
    method = {".py": "python", ".html": "jinja2"}.get(path.suffix)
    if method is None:
        return
    with path.open("rb") as file:
        for _, text, _, context in extract(method, file, _KEYWORDS):
            yield text, context


def kept(room: Room, language: str) -> Catalog:
    """Return the catalogue as it is in the repository."""
    with room.path(language).open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def write(room: Room, language: str, catalogue: Catalog) -> None:
    """Write a catalogue; the same texts give the same file."""
    header = (
        f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n'
        f'"Plural-Forms: {catalogue.plural_forms}\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    )
    with room.path(language).open("wb") as file:
        file.write(header.encode())
        write_po(file, catalogue, width=120, sort_output=True, omit_header=True, include_lineno=False)


def gather() -> None:
    """Bring every catalogue up to date."""
    for room in ROOMS:
        found = gathered(room)
        for language in TRANSLATED:
            path = room.path(language)
            catalogue = kept(room, language) if path.exists() else Catalog(locale=language, charset="utf-8")
            catalogue.update(found, no_fuzzy_matching=True)
            catalogue.obsolete.clear()
            path.parent.mkdir(exist_ok=True)
            write(room, language, catalogue)


if __name__ == "__main__":
    gather()
