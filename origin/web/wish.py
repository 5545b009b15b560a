"""Where, when and what somebody looks for, as the address of the page of free times says it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.datastructures import QueryParams

from origin.inventory.forms import month_of
from origin.inventory.gazetteer import Place
from origin.inventory.search import Area, Cursor, CursorUnknown, Sort, Span, Wanted, digest, read_cursor

RADII_KM = (5, 10, 25, 50, 100)
DAYS_AT_ONCE = 3
DAYS_AHEAD = 60
NAMES = ("place", "radius", "from", "sort", "product", "step_free", "accessibility")
_RADIUS_KM = 25
_LONGEST = 120


@dataclass(frozen=True)
class Wish:
    """A search. ``products``: what the person may have; ``product``: the one they want, empty for any of them.

    ``month``: the first day of the month that is shown at a glance; ``after``: where the page goes on.
    """

    place: Place
    radius_km: int
    day: date
    today: date
    sort: Sort
    products: Sequence[str]
    product: str
    step_free: bool
    features: tuple[str, ...]
    month: date
    after: str = ""
    move: str = ""  # the appointment that another time is looked for

    @property
    def last_day(self) -> date:
        """The last day that can be looked at."""
        return self.today + timedelta(days=DAYS_AHEAD)

    def address(self, **changes: object) -> str:
        """Return the page's address for the same wish, changed."""
        wish = replace(self, **{"after": "", **changes})  # type: ignore[arg-type]  # fields of its own
        query: list[tuple[str, object]] = [
            ("place", wish.place.place),
            ("radius", wish.radius_km),
            ("from", wish.day.isoformat()),
            ("sort", wish.sort),
            ("product", wish.product),
            ("step_free", "1" if wish.step_free else ""),
            *(("accessibility", feature) for feature in wish.features),
            ("month", f"{wish.month:%Y-%m}" if wish.month != wish.day.replace(day=1) else ""),
            ("after", wish.after),
            ("move", wish.move),
        ]
        return "/slots?" + urlencode([(name, value) for name, value in query if value])

    def on(self, day: date) -> str:
        """Return the page's address for the same wish from another day on."""
        return self.address(day=day, month=day.replace(day=1))

    def wanted(self, programme: str) -> Wanted:
        """Return what is looked for."""
        products = [self.product] if self.product else list(self.products)
        return Wanted(programme, products, self.step_free, list(self.features))

    @property
    def area(self) -> Area:
        """The circle."""
        return Area(self.place.lat, self.place.lng, self.radius_km * 1000)

    def span(self, now: datetime, first: date, end: date) -> Span:
        """Return from the beginning of ``first``, or now, until that of ``end``, on the place's clock."""
        zone = ZoneInfo(self.place.time_zone)
        begins, ends = datetime.combine(first, time(), zone), datetime.combine(end, time(), zone)
        return Span(max(now, begins), max(now, ends))

    def digest(self, programme: str) -> str:
        """Return what tells its pages from those of other searches."""
        return digest("page", programme, self.address(month=self.day.replace(day=1)), self.products)

    def cursor(self, programme: str) -> Cursor | None:
        """Return where the page goes on; None for the first, also where that is no page of this search."""
        try:
            return read_cursor(self.after, self.digest(programme)) if self.after else None
        except CursorUnknown:
            return None


def typed_place(query: QueryParams) -> str:
    """Return the place as it was typed, empty where nothing was."""
    typed = query.get("place", "").strip()[:_LONGEST]
    return "" if "\0" in typed else typed


def wish_of(
    query: QueryParams, place: Place, now: datetime, products: Sequence[str], features: Sequence[str], move: str = ""
) -> Wish:
    """Read the rest of the address; what it does not say, or says wrongly, is a good beginning."""
    today = now.astimezone(ZoneInfo(place.time_zone)).date()
    last = today + timedelta(days=DAYS_AHEAD)
    radius, product = query.get("radius", ""), query.get("product", "")
    day = min(max(_day(query.get("from", "")) or today, today), last)
    month = month_of(query.get("month", "")) or day.replace(day=1)
    return Wish(
        place=place,
        radius_km=int(radius) if radius in {str(km) for km in RADII_KM} else _RADIUS_KM,
        day=day,
        today=today,
        sort="first_available" if query.get("sort") == "first_available" else "nearest",
        products=products,
        product=product if product in products else "",
        step_free=query.get("step_free") == "1",
        features=tuple(each for each in features if each in query.getlist("accessibility")),
        month=min(max(month, today.replace(day=1)), last.replace(day=1)),
        after=query.get("after", "")[:400],
        move=move,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
