"""How a programme looks and signs: name, logo, colours, whom to ask, and what stands at the foot of each page.

A theme is a small JSON file. Colours are checked when it is read: what people could not read is refused, not shown.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.web.languages import DEFAULT

_LIGHT = {
    "paper": "#f5f3ee",
    "card": "#ffffff",
    "ink": "#17302c",
    "soft": "#4c5f5b",
    "edge": "#71807c",
    "accent": "#0b6557",
    "accent-hover": "#084a40",
    "on-accent": "#ffffff",
    "tint": "#e2f0ec",
}
_DARK = {
    "paper": "#101817",
    "card": "#18221f",
    "ink": "#e9efec",
    "soft": "#aebbb6",
    "edge": "#84958f",
    "accent": "#6ad0b9",
    "accent-hover": "#93e2cf",
    "on-accent": "#06231d",
    "tint": "#17332d",
}
_TEXT, _PART = 4.5, 3.0  # WCAG 2.2, 1.4.3 and 1.4.11, level AA
_PAIRS = [
    *((text, ground, _TEXT) for text in ("ink", "soft", "accent", "accent-hover") for ground in ("paper", "card")),
    *((text, "tint", _TEXT) for text in ("ink", "accent-hover")),
    *(("on-accent", ground, _TEXT) for ground in ("accent", "accent-hover")),
    *(("edge", ground, _PART) for ground in ("paper", "card")),
]
_LOGO_TYPES = {".svg", ".png"}
_LOGO_MOST_BYTES = 8 * 1024  # the waiting page weighs 20 KB in all

Colour = Annotated[str, Field(pattern="^#[0-9a-fA-F]{6}$")]
Line = Annotated[str, Field(min_length=1, max_length=300)]
Lines = Line | dict[str, Line]


class ThemeError(Exception):
    """A theme that cannot be used; the message says why."""


@dataclass(frozen=True)
class Said:
    """A theme in one language; empty texts where it says nothing."""

    name: str
    support: str
    footer: str
    logo: str
    is_styled: bool


@dataclass(frozen=True)
class Theme:
    """What is different for a programme. ``files``: the stylesheet and the logo, to be served with the static files."""

    names: Mapping[str, str] = field(default_factory=lambda: {DEFAULT: "Vestibule"})
    support: Mapping[str, str] = field(default_factory=dict)
    footer: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)

    def said(self, language: str) -> Said:
        """Return the texts in a language, else in English, else in the one that there is."""
        return Said(
            name=_in(self.names, language),
            support=_in(self.support, language),
            footer=_in(self.footer, language),
            logo=next((name for name in self.files if name.startswith("logo.")), ""),
            is_styled="theme.css" in self.files,
        )

    @classmethod
    def load(cls, path: Path | None) -> "Theme":
        """Read a theme; without a path, the plain one.

        Raises:
            ThemeError: it cannot be read, is not a theme, names a logo that cannot be used, or has colours whose
                contrast is below WCAG 2.2 AA.
        """
        if path is None:
            return PLAIN
        try:
            form = _Form.model_validate_json(path.read_bytes())
            logo = _logo(path.parent / form.logo) if form.logo else {}
        except OSError as error:
            raise ThemeError(f"cannot read the theme {path}: {error.filename}: {error.strerror}") from error
        except ValidationError as error:
            faults = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()]
            raise ThemeError(f"the theme {path} is not usable: {'; '.join(faults)}") from None
        faults = [*_faults("colours", _LIGHT | form.colours), *_faults("dark_colours", _DARK | form.dark_colours)]
        if faults:
            raise ThemeError(f"the theme {path} cannot be read by everybody: {'; '.join(faults)}")
        css = _css(form.colours, form.dark_colours)
        files = logo | ({"theme.css": css.encode()} if css else {})
        return cls(_by_language(form.name), _by_language(form.support), _by_language(form.footer), files)


PLAIN = Theme()


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Lines
    logo: Annotated[str, Field(max_length=200)] = ""
    colours: dict[str, Colour] = {}
    dark_colours: dict[str, Colour] = {}
    support: Lines | None = None
    footer: Lines | None = None


def _in(texts: Mapping[str, str], language: str) -> str:
    return texts.get(language) or texts.get(DEFAULT) or next(iter(texts.values()), "")


def _by_language(texts: Lines | None) -> Mapping[str, str]:
    return {} if texts is None else {DEFAULT: texts} if isinstance(texts, str) else texts


def _logo(path: Path) -> dict[str, bytes]:
    if path.suffix not in _LOGO_TYPES:
        raise ThemeError(f"the logo {path} is neither .svg nor .png")
    content = path.read_bytes()
    if len(content) > _LOGO_MOST_BYTES:
        raise ThemeError(f"the logo {path} is larger than {_LOGO_MOST_BYTES} bytes")
    if path.suffix == ".svg" and re.search(rb"<script|\son\w+\s*=|href\s*=\s*[\"'](?!#|data:)", content, re.IGNORECASE):
        raise ThemeError(f"the logo {path} holds a script or asks for something elsewhere")
    return {f"logo{path.suffix}": content}


def _faults(where: str, colours: Mapping[str, str]) -> list[str]:
    unknown = [f"{where}.{name}: there is no such colour" for name in colours if name not in _LIGHT]
    weak = [
        f"{where}: {text} {colours[text]} on {ground} {colours[ground]} has contrast {found:.2f}, less than {least}"
        for text, ground, least in _PAIRS
        if (found := contrast(colours[text], colours[ground])) < least
    ]
    return unknown + weak


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _css(light: Mapping[str, str], dark: Mapping[str, str]) -> str:
    rule = f":root{{{_declarations(light)}}}" if light else ""
    return rule + (
        f"@media (prefers-color-scheme: dark){{:root{{{_declarations(_DARK | dict(dark))}}}}}" if light or dark else ""
    )


def _declarations(colours: Mapping[str, str]) -> str:
    return ";".join(f"--{name}:{value}" for name, value in colours.items())
