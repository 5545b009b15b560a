"""The ticket that a request carries, read from the raw headers: this runs for every poll of everybody who waits."""

import re
from functools import lru_cache

from starlette.types import Scope

_TICKET_SCHEME = b"ticket "
_NO_GZIP = re.compile(rb"gzip\s*;\s*q=0(?:\.0*)?\s*(?:,|$)")


def cookie_name(room: str) -> str:
    """Return the name of the cookie that holds the room's ticket."""
    return f"vestibule_ticket_{room}"


def ticket_of(scope: Scope, room: str) -> str | None:
    """Return the ticket's text from ``Authorization: Ticket …``, else from the room's cookie, else None."""
    found: str | None = None
    for name, value in scope["headers"]:
        if name == b"cookie":
            found = found or _from_cookies(value, b"vestibule_ticket_%b=" % room.encode("latin-1"))
        elif name == b"authorization" and value[:7].lower() == _TICKET_SCHEME:
            return str(value[7:].strip(), "latin-1")
    return found


def cookie_of(scope: Scope, name: str) -> str | None:
    """Return a cookie's value."""
    return cookie_in(cookies_of(scope), name)


def cookies_of(scope: Scope) -> bytes:
    """Return all cookies, as one header would hold them."""
    found = [value for name, value in scope["headers"] if name == b"cookie"]
    return found[0] if len(found) == 1 else b"; ".join(found)


def cookie_in(cookies: bytes, name: str) -> str | None:
    """Return a cookie's value out of what ``cookies_of`` returns."""
    return _from_cookies(cookies, _wanted(name)) if cookies else None


@lru_cache(maxsize=4096)
def _wanted(name: str) -> bytes:
    return f"{name}=".encode("latin-1")


def _from_cookies(cookies: bytes, wanted: bytes) -> str | None:
    begin = cookies.find(wanted)
    while begin > 0 and cookies[begin - 1 : begin] not in b"; ":  # the end of a longer name
        begin = cookies.find(wanted, begin + 1)
    if begin < 0:
        return None
    value, _, _ = cookies[begin + len(wanted) :].partition(b";")
    return str(value.strip(), "latin-1") or None


def takes_gzip(scope: Scope) -> bool:
    """Whether the answer may be compressed (RFC 9110, 12.5.3)."""
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            return b"gzip" in value and not _NO_GZIP.search(value)
    return False


def has_body(scope: Scope) -> bool:
    """Whether the request announces a body."""
    for name, value in scope["headers"]:
        if (name == b"content-length" and value != b"0") or name == b"transfer-encoding":
            return True
    return False
