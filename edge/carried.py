"""The ticket that a request carries, read from the raw headers: this runs for every poll of everybody who waits."""

from starlette.types import Scope

_TICKET_SCHEME = b"ticket "


def cookie_name(room: str) -> str:
    """Return the name of the cookie that holds the room's ticket."""
    return f"vestibule_ticket_{room}"


def ticket_of(scope: Scope, room: str) -> str | None:
    """Return the ticket's text from ``Authorization: Ticket …``, else from the room's cookie, else None."""
    cookies = b""
    for name, value in scope["headers"]:
        if name == b"cookie":
            cookies += b";" + value
        elif name == b"authorization" and value[:7].lower() == _TICKET_SCHEME:
            return str(value[7:].strip(), "latin-1")
    return _from_cookies(cookies, b"vestibule_ticket_" + room.encode("latin-1")) if cookies else None


def _from_cookies(cookies: bytes, wanted: bytes) -> str | None:
    for pair in cookies.split(b";"):
        name, _, value = pair.partition(b"=")
        if name.strip() == wanted:
            return str(value.strip(), "latin-1") or None
    return None


def has_body(scope: Scope) -> bool:
    """Whether the request announces a body."""
    return any(
        (name == b"content-length" and value != b"0") or name == b"transfer-encoding"
        for name, value in scope["headers"]
    )
