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
            found = found or _from_cookies(value, _ticket_given(room))
        elif name == b"authorization" and value[:7].lower() == _TICKET_SCHEME:
            return str(value[7:].strip(), "latin-1")
    return found


class Carried:
    """The headers that a page depends on, as they came, read in one go; empty where there is none.

    Several ``Cookie`` headers are as good as one.
    """

    __slots__ = ("_authorization", "cookies", "encodings", "languages")

    def __init__(self, scope: Scope) -> None:
        cookies = authorization = languages = encodings = b""
        for name, value in scope["headers"]:
            if name == b"cookie":
                cookies = cookies + b"; " + value if cookies else value
            elif name == b"authorization":
                authorization = value
            elif name == b"accept-language":
                languages = value
            elif name == b"accept-encoding":
                encodings = encodings or value
        self.cookies, self.languages, self.encodings = cookies, languages, encodings
        self._authorization = authorization

    def ticket(self, room: str) -> str | None:
        """Return the ticket's text from ``Authorization: Ticket …``, else from the room's cookie, else None."""
        if self._authorization and self._authorization[:7].lower() == _TICKET_SCHEME:
            return str(self._authorization[7:].strip(), "latin-1")
        return _from_cookies(self.cookies, _ticket_given(room))

    def cookie(self, name: str) -> str | None:
        """Return a cookie's value."""
        return _from_cookies(self.cookies, _given(name))

    @property
    def takes_gzip(self) -> bool:
        """Whether the answer may be compressed (RFC 9110, 12.5.3)."""
        return b"gzip" in self.encodings and not _NO_GZIP.search(self.encodings)


@lru_cache(maxsize=4096)
def _ticket_given(room: str) -> bytes:
    return _given(cookie_name(room))


@lru_cache(maxsize=4096)
def _given(name: str) -> bytes:
    return f"{name}=".encode("latin-1")


def _from_cookies(cookies: bytes, wanted: bytes) -> str | None:
    begin = cookies.find(wanted)
    while begin > 0 and cookies[begin - 1 : begin] not in b"; ":  # the end of a longer name
        begin = cookies.find(wanted, begin + 1)
    if begin < 0:
        return None
    begin += len(wanted)
    end = cookies.find(b";", begin)
    value = cookies[begin:] if end < 0 else cookies[begin:end]
    return str(value.strip(), "latin-1") or None


def has_body(scope: Scope) -> bool:
    """Whether the request announces a body."""
    for name, value in scope["headers"]:
        if (name == b"content-length" and value != b"0") or name == b"transfer-encoding":
            return True
    return False
