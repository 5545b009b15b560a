"""Which language a page is in: what the visitor has chosen, else what the browser asks for, else English.

The choice is a cookie that a small form sets; it works without scripts, and the page comes back as it was.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Scope


@dataclass(frozen=True)
class Language:
    """A language as its readers name it, and which way it is written."""

    code: str
    name: str
    direction: str = "ltr"


DEFAULT = "en"
LANGUAGES = {
    language.code: language
    for language in (
        Language(DEFAULT, "English"),
        Language("es", "Español"),
        Language("fr", "Français"),
        Language("ar", "العربية", "rtl"),
    )
}
COOKIE = "vestibule_lang"
SWITCH = "/language"
_YEAR_S = 365 * 86_400
_GIVEN = f"{COOKIE}=".encode()
_COOKIE = re.compile(rb"(?:^|[;\s])" + _GIVEN + rb"([a-z]{2})(?=$|[;\s])")
_RANGE = re.compile(r"([a-z]{1,8}|\*)(?:-[a-z0-9]{1,8})*(?:;q=([01](?:\.[0-9]{0,3})?))?")
_OURS = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,500}")
_MOST_RANGES = 32


def language_of(scope: Scope) -> str:
    """Return the language for the answer to a request: one of ``LANGUAGES``."""
    asked, cookies = b"", b""
    for name, value in scope["headers"]:
        if name == b"cookie":
            cookies = cookies + b"; " + value if cookies else value
        elif name == b"accept-language":
            asked = value
    return chosen(cookies, asked)


def chosen(cookies: bytes, accept_language: bytes) -> str:
    """Return the language for these values of the headers ``Cookie`` and ``Accept-Language``; empty: not there."""
    if _GIVEN in cookies:  # a ticket beside it is long to search through
        found = _COOKIE.search(cookies)
        if found and (code := str(found[1], "latin-1")) in LANGUAGES:
            return code
    return preferred(accept_language) if accept_language else DEFAULT


@lru_cache(maxsize=4096)
def preferred(accept_language: bytes) -> str:
    """Return the best of our languages for an Accept-Language header (RFC 9110, 12.5.4), else English.

    A region does not matter: who asks for ``fr-CA`` gets French. Among equals the first wins.
    """
    best, best_weight = DEFAULT, 0.0
    for part in str(accept_language, "latin-1").lower().split(",")[:_MOST_RANGES]:
        found = _RANGE.fullmatch("".join(part.split()))
        if found is None:
            continue
        code, weight = found[1], float(found[2] or 1)
        if code in LANGUAGES and weight > best_weight:
            best, best_weight = code, weight
    return best


def headers(language: str) -> dict[str, str]:
    """Return what an answer says about its language, for caches and readers."""
    return {"Content-Language": language, "Vary": "Accept-Language, Cookie"}


def keep(response: Response, language: str, *, secure: bool) -> None:
    """Make the browser carry the chosen language."""
    response.set_cookie(COOKIE, language, max_age=_YEAR_S, path="/", secure=secure, httponly=True, samesite="lax")


def ours(address: object) -> str:
    """Return an address where it is one on this host, else ``/``."""
    return address if isinstance(address, str) and _OURS.fullmatch(address) else "/"


def switch(*, secure: bool) -> Route:
    """Return the route that the switch posts to: keeps the language and leads back to where it was pressed."""

    async def run(request: Request) -> Response:
        form = await request.form(max_files=0, max_fields=8)
        back, chosen = form.get("back"), form.get("lang")
        response = RedirectResponse(ours(back), 303, {"Cache-Control": "no-store"})
        if isinstance(chosen, str) and chosen in LANGUAGES:
            keep(response, chosen, secure=secure)
        return response

    return Route(SWITCH, run, methods=["POST"])
