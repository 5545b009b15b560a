"""What the calls of the search take, and what it comes to: where, when, what."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import msgspec

from origin import errors
from origin.db.sql import Connection
from origin.inventory import gazetteer
from origin.inventory.gazetteer import Place, PlaceNotClear, PlaceNotFound
from origin.inventory.search import Area, Cursor, CursorUnknown, Sort, Span, Wanted, digest, read_cursor
from origin.inventory.slots import Feature
from shared.problem import INVALID_QUERY, Problem

LONGEST_WINDOW = timedelta(days=62)
_DEFAULT_WINDOW = timedelta(days=14)
_FURTHEST = timedelta(days=3653)
DECIMALS = 7  # a centimetre; numbers near 1e-308 make PostgreSQL's trigonometry fail
_EARLIEST_ZONE, _LATEST_ZONE = timedelta(hours=14), timedelta(hours=12)

Time = Annotated[datetime, msgspec.Meta(tz=True)]
Product = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9.-]{1,64}$")]
Typed = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]


class Where(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Where and what. Either ``lat`` and ``lng``, or ``place``: a town or postal code as people type it.

    ``product`` may be given several times, for any of them; ``accessibility`` too, for all of them. Kilometres.
    """

    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    lng: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    place: Typed | None = None
    radius_km: Annotated[float, msgspec.Meta(gt=0, le=1000)] = 50
    product: Annotated[list[Product], msgspec.Meta(max_length=20)] = []
    step_free: bool = False
    accessibility: Annotated[list[Feature], msgspec.Meta(max_length=7)] = []

    def check(self) -> None:
        """Raise Problem ``invalid_query`` unless it says where, once."""
        if (self.lat is None) != (self.lng is None) or (self.lat is None) == (self.place is None):
            raise Problem(INVALID_QUERY, "say where: `lat` and `lng`, or `place`")

    def wanted(self, programme: str) -> Wanted:
        """Return what is looked for."""
        return Wanted(programme, list(self.product) or None, self.step_free, list(self.accessibility))

    async def area(self, connection: Connection) -> Area:
        """Return the circle.

        Raises:
            Problem: ``place_unknown`` or ``place_ambiguous``, with the places that could have been meant.
        """
        if self.place is not None:
            place = await find_place(connection, self.place)
            lat, lng = place.lat, place.lng
        else:
            assert self.lat is not None  # `check` has seen to it
            assert self.lng is not None
            lat, lng = self.lat, self.lng
        return Area(round(lat, DECIMALS), round(lng, DECIMALS), max(1, self.radius_km * 1000))


class SearchForm(
    Where, forbid_unknown_fields=True, kw_only=True, rename={"starts_from": "from", "starts_before": "to"}
):
    """Also when: ``from`` counts, ``to`` does not; without them the next 14 days. ``after``: the ``next`` of a page."""

    starts_from: Time | None = None
    starts_before: Time | None = None
    sort: Sort = "nearest"
    rule_version: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)] | None = None
    per_site: Annotated[int, msgspec.Meta(ge=1, le=200)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    after: Annotated[str, msgspec.Meta(min_length=1, max_length=400)] | None = None

    def check(self) -> None:
        """Raise Problem ``invalid_query`` unless it says where, once, and what goes together."""
        super().check()
        if self.per_site is not None and self.sort != "nearest":
            raise Problem(INVALID_QUERY, "`per_site` goes with `sort=nearest`")

    def digest(self, programme: str) -> str:
        """Return what tells this search from others, whichever page of it is asked for."""
        left_out = {"after": None, "limit": 0, "rule_version": None}
        return digest(programme, msgspec.structs.replace(self, **left_out))

    def cursor(self, programme: str) -> Cursor | None:
        """Return where to go on, None for the first page; raises Problem ``cursor_unknown``."""
        if self.after is None:
            return None
        try:
            return read_cursor(self.after, self.digest(programme))
        except CursorUnknown:
            raise Problem(errors.CURSOR_UNKNOWN) from None

    def span(self, now: datetime, until: datetime | None = None) -> Span:
        """Return from when, not before now, until when to look; ``until``: as the first page did.

        Raises:
            Problem: ``invalid_query`` for times that lie before each other, too far apart, or too far away.
        """
        return window(self.starts_from, self.starts_before, now, until)


class DaysForm(Where, forbid_unknown_fields=True, kw_only=True):
    """Also which month: ``2027-03``."""

    month: Annotated[str, msgspec.Meta(pattern="^[0-9]{4}-(0[1-9]|1[0-2])$")]

    def first_day(self, today: date) -> date:
        """Return the month's first day; raises Problem ``invalid_query`` for one that is ten years away."""
        first = month_of(self.month)
        if first is None or abs(first - today) > _FURTHEST:
            raise Problem(INVALID_QUERY, "`month` must lie within ten years of now")
        return first


def window(
    asked_from: datetime | None, asked_before: datetime | None, now: datetime, until: datetime | None = None
) -> Span:
    """Return from when, not before now, until when to look: ``until``, what is asked for, or 14 days.

    Raises:
        Problem: ``invalid_query`` for times that lie before each other, too far apart, or too far away.
    """
    for asked in (asked_from, asked_before):
        if asked is not None and abs(asked - now) > _FURTHEST:
            raise Problem(INVALID_QUERY, "`from` and `to` must lie within ten years of now")
    starts_from = max(now, asked_from or now)
    starts_before = until or asked_before or _full_hour(starts_from + _DEFAULT_WINDOW)
    if asked_from is not None and starts_before < asked_from:
        raise Problem(INVALID_QUERY, "`to` lies before `from`")
    if starts_before - starts_from > LONGEST_WINDOW:
        raise Problem(INVALID_QUERY, "the window is longer than 62 days")
    return Span(starts_from, starts_before)


def month_of(text: str) -> date | None:
    """Return the first day of ``2027-03``, None for what is no month."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return None


def month_after(first: date) -> date:
    """Return the first day of the next month."""
    return (first + timedelta(days=31)).replace(day=1)


def span_of_days(first: date, end: date, now: datetime) -> Span:
    """Return when it is one of these days anywhere on Earth, from now on."""
    begins = datetime(first.year, first.month, first.day, tzinfo=UTC) - _EARLIEST_ZONE
    ends = datetime(end.year, end.month, end.day, tzinfo=UTC) + _LATEST_ZONE
    return Span(max(now, begins), ends)


async def find_place(connection: Connection, typed: str) -> Place:
    """Return the place that somebody typed.

    Raises:
        Problem: ``place_unknown`` or ``place_ambiguous``, with the places that could have been meant.
    """
    try:
        return await gazetteer.find(connection, typed)
    except PlaceNotFound as fault:
        raise Problem(errors.PLACE_UNKNOWN, places=fault.similar) from None
    except PlaceNotClear as fault:
        raise Problem(errors.PLACE_AMBIGUOUS, places=fault.places) from None


def _full_hour(moment: datetime) -> datetime:
    """Return the next full hour, so that what is asked again a moment later is the same question."""
    return moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
