"""What is asked of a search, and where its next page goes on. Pure."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Literal

import msgspec

Sort = Literal["nearest", "first_available"]
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
_NUMBER = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class CursorUnknown(Exception):
    """Not a cursor of ours, or one of another search."""


class Area(msgspec.Struct, frozen=True):
    """A circle; ``radius_m`` in metres."""

    lat: float
    lng: float
    radius_m: float


class Wanted(msgspec.Struct, frozen=True):
    """What a slot and its site must have. ``products``: CVX codes, any of them; None for all.

    ``accessibility``: words of supply files, all of them.
    """

    programme: str
    products: list[str] | None = None
    step_free: bool = False
    accessibility: list[str] = []


class Span(msgspec.Struct, frozen=True):
    """From ``starts_from`` until before ``starts_before``."""

    starts_from: datetime
    starts_before: datetime


class Position(msgspec.Struct, frozen=True, array_like=True):
    """A place in an order, at a slot; the order goes on behind it."""

    distance_m: Annotated[float, msgspec.Meta(ge=-1, le=1e8)] = -1.0
    site: _NUMBER = 0
    starts_at: Annotated[datetime, msgspec.Meta(tz=True)] = _BEGINNING
    slot: _NUMBER = 0


FIRST = Position()


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended, of which search. The circle and the end of the time stay those of the first page.

    ``search``: a digest of what was asked; a cursor is good for no other.
    """

    search: Annotated[str, msgspec.Meta(min_length=16, max_length=16)]
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lng: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    starts_before: Annotated[datetime, msgspec.Meta(tz=True)]
    at: Position

    def text(self) -> str:
        """Return it as clients carry it: opaque to them, and no secret."""
        return urlsafe_b64encode(msgspec.json.encode(self)).rstrip(b"=").decode()


def digest(*asked: object) -> str:
    """Return what tells a search from others."""
    return sha256(msgspec.json.encode(asked)).hexdigest()[:16]


def read_cursor(text: str, search: str) -> Cursor:
    """Read a cursor of the search with that digest.

    Raises:
        CursorUnknown: it is not one.
    """
    try:
        cursor = msgspec.json.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Cursor)
    except (ValueError, msgspec.DecodeError):
        raise CursorUnknown from None
    if cursor.search != search:
        raise CursorUnknown
    return cursor
