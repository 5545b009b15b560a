"""What is wrong with supply files, in the reader's language. What is to be written as it is, is set apart."""

from markupsafe import Markup, escape

from origin.inventory.bulk.fault_kinds import BY_ID, Given
from origin.inventory.bulk.faults import Fault
from origin.words import texts_in
from shared.web.texts import marked

_SOURCES = {
    "regions": marked("Regions"),
    "sites": marked("Sites"),
    "templates": marked("Recurring clinics"),
    "exceptions": marked("Days that are not like others"),
    "slots": marked("Slots"),
    "places": marked("Towns and postal codes"),
    "clinic": marked("Slots of a recurring clinic"),
}
_LONGEST_UNBROKEN = 40
_AS_IT_IS = Markup('<code dir="ltr">{}</code>')
_UNBROKEN = Markup('<code class="unbroken" dir="ltr">{}</code>')  # not broken at the hyphens of a date
_IN_ENGLISH = Markup('<span lang="en" dir="ltr">{}</span>')


def source_said(kind: str, language: str) -> str:
    """Return what rows came from: a kind of file, or a clinic."""
    return texts_in(language).gettext(_SOURCES.get(kind, kind))


def fault_said(fault: Fault, language: str) -> Markup:
    """Return what is wrong as HTML; in English where this release does not know the kind, or what it is about."""
    kind = BY_ID.get(fault.kind)
    if kind is not None:
        say = texts_in(language).gettext
        given = {name: _shown(name, value, language) for name, value in {**kind.fixed, **fault.given}.items()}
        try:
            return escape(say(kind.text).replace("`", "")) % given
        except KeyError:
            pass
    return _IN_ENGLISH.format(fault.what)


def _shown(name: str, value: Given, language: str) -> Markup:
    match name:
        case "table":
            return escape(source_said(str(value), language))
        case "error":
            return _IN_ENGLISH.format(value)
        case _:
            text = str(value)
            return (_AS_IT_IS if " " in text or len(text) > _LONGEST_UNBROKEN else _UNBROKEN).format(text)
