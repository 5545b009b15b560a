"""Which language a page is in, and how each says numbers and waits."""

import json
from pathlib import Path

import httpx
import pytest
from babel.numbers import format_decimal
from starlette.applications import Starlette

from shared.web import languages, words
from shared.web.theme import PLAIN, Theme, ThemeError, contrast


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("", "en"),
        ("fr", "fr"),
        ("fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("de-DE,de;q=0.9,ES;q=0.5,en;q=0.4", "es"),
        ("de", "en"),
        ("en;q=0.2, ar;q=0.7", "ar"),
        ("fr;q=0, en;q=0.1", "en"),
        ("*", "en"),
        ("es;q=2,fr", "fr"),
        (";;,,é=;q=", "en"),
    ],
)
def test_the_browsers_wish_is_weighed(asked: str, language: str) -> None:
    assert languages.preferred(asked.encode("latin-1", "replace")) == language


@pytest.mark.parametrize(
    ("cookie", "language"),
    [
        ("vestibule_lang=ar", "ar"),
        ("a=b; vestibule_lang=es; c=d", "es"),
        ("x_vestibule_lang=es", "fr"),
        ("vestibule_lang=xx", "fr"),
        ("vestibule_lang=esp", "fr"),
    ],
)
def test_what_was_chosen_comes_before_what_the_browser_asks(cookie: str, language: str) -> None:
    headers = [(b"accept-language", b"fr"), (b"cookie", cookie.encode())]
    assert languages.language_of({"type": "http", "headers": headers}) == language


@pytest.mark.parametrize("language", languages.LANGUAGES)
def test_numbers_are_grouped_as_babel_has_it(language: str) -> None:
    for value in (*range(2_000), *(10**digits - 1 for digits in range(1, 11)), 2**32 - 1):
        assert words.number(value, language) == format_decimal(value, locale=language)


@pytest.mark.parametrize(
    ("back", "to"),
    [
        ("/rooms/demo?note=left", "/rooms/demo?note=left"),
        ("//elsewhere.example/", "/"),
        ("/\\elsewhere.example", "/"),
        ("https://elsewhere.example/", "/"),
        ("/a\r\nx: y", "/"),
        ("", "/"),
    ],
)
async def test_the_switch_keeps_the_choice_and_leads_back_but_never_elsewhere(back: str, to: str) -> None:
    app = httpx.ASGITransport(Starlette(routes=[languages.switch(secure=True)]))
    async with httpx.AsyncClient(transport=app, base_url="http://edge") as client:
        answer = await client.post(languages.SWITCH, data={"lang": "fr", "back": back})
        foreign = await client.post(languages.SWITCH, data={"lang": "xx", "back": back})
    assert (answer.status_code, answer.headers["location"]) == (303, to)
    assert "vestibule_lang=fr" in answer.headers["set-cookie"]
    assert "Secure" in answer.headers["set-cookie"]
    assert "set-cookie" not in foreign.headers


@pytest.mark.parametrize(
    ("language", "number", "wait"),
    [
        ("es", "1.204", "entre 4 y 7 minutos"),
        ("fr", "1\u202f204", "entre 4 et 7 minutes"),
        ("ar", "1,204", "4 إلى 7 دقائق"),
    ],
)
def test_each_language_says_numbers_and_waits_in_its_own_way(language: str, number: str, wait: str) -> None:
    assert words.number(1204, language) == number
    assert words.wait(240, 401, language) == wait


def _theme(folder: Path, **content: object) -> Path:
    path = folder / "theme.json"
    path.write_text(json.dumps({"name": {"en": "Health", "es": "Salud"}} | content))
    return path


def test_a_theme_says_its_texts_by_language_and_makes_a_stylesheet(tmp_path: Path) -> None:
    (tmp_path / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    colours = {"accent": "#7a1f5c", "accent-hover": "#5a1344"}
    theme = Theme.load(_theme(tmp_path, logo="logo.svg", colours=colours, support="Call 900 100 200"))
    assert [theme.said(language).name for language in ("en", "es", "fr")] == ["Health", "Salud", "Health"]
    assert theme.said("ar").support == "Call 900 100 200"
    assert theme.said("en").logo == "logo.svg"
    assert b"--accent:#7a1f5c" in theme.files["theme.css"]
    assert Theme.load(None) is PLAIN


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ({"colours": {"accent": "#ffcc00"}}, "accent #ffcc00 on paper"),
        ({"dark_colours": {"ink": "#333333"}}, "dark_colours: ink #333333 on paper"),
        ({"colours": {"glow": "#000000"}}, "no such colour"),
        ({"colours": {"ink": "red"}}, "colours.ink"),
        ({"colour": {}}, "colour: Extra inputs"),
        ({"logo": "none.svg"}, "No such file"),
        ({"logo": "theme.json"}, "neither .svg nor .png"),
        ({"logo": "script.svg"}, "holds a script"),
        ({"logo": "large.png"}, "larger than"),
    ],
)
def test_a_theme_that_not_everybody_could_read_or_trust_is_refused(
    tmp_path: Path, content: dict[str, object], fault: str
) -> None:
    (tmp_path / "script.svg").write_text("<svg><script>1</script></svg>")
    (tmp_path / "large.png").write_bytes(b"x" * 9000)
    with pytest.raises(ThemeError, match=fault):
        Theme.load(_theme(tmp_path, **content))


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
