"""The waiting room's pages over HTTP: in the reader's language, and in the programme's own look."""

import json
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from deploy.stores import Valkey
from edge.app import create_app
from shared.web.theme import Theme
from tests.edge_world import client, config, plan
from tests.serving import Serve

HTML = {"Accept": "text/html"}


@pytest.fixture
async def base(valkey: object, valkey_server: Valkey, serve: Serve, tmp_path: Path) -> str:
    """An edge with a look of its own."""
    (tmp_path / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    theme = {"name": {"en": "Health", "fr": "Santé"}, "logo": "logo.svg", "colours": {"accent": "#7a1f5c"}}
    path = tmp_path / "theme.json"
    path.write_text(json.dumps(theme | {"support": "Call 900 100 200"}))
    slow = plan(rate_per_s=0.01, burst=1)
    return await serve(create_app(replace(config(valkey_server.url, slow), theme=Theme.load(path))))


@pytest.mark.parametrize("path", ["/", "/rooms/demo", "/no/such/page", "/rooms/nowhere"])
@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("es", "ltr"), ("fr", "ltr"), ("ar", "rtl")])
async def test_pages_and_errors_come_in_the_language_asked_for(
    base: str, path: str, language: str, direction: str
) -> None:
    async with client(base) as visitor:
        answer = await visitor.get(path, headers=HTML | {"Accept-Language": f"{language};q=0.9,de"})
    assert f'<html lang="{language}" dir="{direction}">' in answer.text
    assert answer.headers["content-language"] == language
    assert {"Accept-Language", "Cookie"} <= set(answer.headers["vary"].split(", "))


async def test_the_choice_wins_over_the_browser_and_the_line_goes_on(base: str) -> None:
    async with client(base) as visitor:
        await visitor.post("/rooms/demo/join")
        chosen = await visitor.post("/language", data={"lang": "fr", "back": "/rooms/demo"})
        assert chosen.headers["location"] == "/rooms/demo"
        page = await visitor.get("/rooms/demo", headers={"Accept-Language": "es"})
    assert "Vous êtes dans la file" in page.text
    assert 'id="place">1<' in page.text


async def test_a_theme_is_served_under_the_strict_policy(base: str) -> None:
    async with client(base) as visitor:
        page = await visitor.get("/rooms/demo", headers={"Accept-Language": "fr"})
        style = await visitor.get("/static/theme.css")
        logo: httpx.Response = await visitor.get("/static/logo.svg")
    assert "<span>Santé</span>" in page.text
    assert "Call 900 100 200" in page.text
    assert "style-src 'self';" in page.headers["content-security-policy"]
    assert "/static/theme.css?v=" in page.text
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert "--accent:#7a1f5c" in style.text
    assert logo.headers["content-type"] == "image/svg+xml"
