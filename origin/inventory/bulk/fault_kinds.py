"""Every kind of fault of supply files: its stable code, and what to say of it; pages say it in their readers' language.

What has to be written as it is (examples, words, names of columns) is a parameter, so that no translation changes it.
"""

from collections.abc import Mapping
from enum import Enum


def marked(text: str) -> str:
    """Return the text as it is: it is gathered for the catalogues here, and translated where it is shown."""
    return text


Given = str | int
_NOTHING: Mapping[str, Given] = {}
_HOURS = {"opens": "opens", "closes": "closes"}


class FaultKind(Enum):
    """A kind of fault. Several may share a ``code``; ``fixed``: the parameters of ``text`` that are always the same."""

    # Files
    UNREADABLE = "unreadable", marked("it cannot be read: %(error)s")
    ENCODING_SPREADSHEET = (
        "encoding",
        marked("this is a spreadsheet's own file; save it as %(format)s"),
        {"format": "CSV UTF-8"},
    )
    ENCODING_ARCHIVE = (
        "encoding",
        marked("this is an archive or a spreadsheet's own file; unpack it, or save it as %(format)s"),
        {"format": "CSV UTF-8"},
    )
    ENCODING_UTF16 = "encoding", marked("this is UTF-16; save it as %(format)s"), {"format": "CSV UTF-8"}
    ENCODING_COMPRESSED = "encoding", marked("this is compressed; unpack it first")
    ENCODING = "encoding", marked("this is not UTF-8; save it as %(format)s"), {"format": "CSV UTF-8"}
    NO_ROWS = "no_rows", marked("the file is empty")
    LINE_TOO_LONG = "line_too_long", marked("no line has more than %(limit)s bytes"), {"limit": "65,536"}
    COLUMNS_TWICE = "columns", marked("columns that are there twice: %(columns)s")
    COLUMNS_NEAREST_MISSING = "columns", marked("nearest to a file of %(table)s; missing: %(missing)s")
    COLUMNS_NEAREST_UNKNOWN = "columns", marked("nearest to a file of %(table)s; unknown: %(unknown)s")
    COLUMNS_NEAREST_BOTH = (
        "columns",
        marked("nearest to a file of %(table)s; missing: %(missing)s; unknown: %(unknown)s"),
    )
    COLUMNS_READ_MISSING = "columns", marked("read as a file of %(table)s; missing: %(missing)s")
    COLUMNS_READ_UNKNOWN = "columns", marked("read as a file of %(table)s; unknown: %(unknown)s")
    COLUMNS_READ_BOTH = "columns", marked("read as a file of %(table)s; missing: %(missing)s; unknown: %(unknown)s")
    MALFORMED_ROW = "malformed", marked("this is no row of a table: %(error)s")
    MALFORMED_JSON = (
        "malformed",
        marked("write one JSON object a line, with texts, numbers, %(true)s, %(false)s and lists of texts"),
        {"true": "true", "false": "false"},
    )
    CELLS = "cells", marked("%(cells)s cells in a table of %(columns)s columns")
    # Rows
    ROW_TWICE = "row_twice", marked("the same is in %(place)s")
    ROW_TWICE_SLOT = "row_twice", marked("the same slot is in %(place)s")
    ROW_TWICE_CLINIC = (
        "row_twice",
        marked("makes slots at the same site, for the same times and product, as %(clinic)s"),
    )
    REGION_UNKNOWN = "region_unknown", marked("there is no region %(region)s")
    REGION_UNKNOWN_ALL = "region_unknown", marked("none of its divisions is a region here: %(divisions)s")
    SITE_UNKNOWN = "site_unknown", marked("there is no site %(site)s")
    PRODUCT_NOT_AT_SITE = (
        "product_not_at_site",
        marked("%(site)s gives %(products)s; add %(product)s to its products first"),
    )
    ZONE_IN_USE = (
        "zone_in_use",
        marked("%(site)s has slots to come in %(zone)s: their hours would change for people who have been told them"),
    )
    ORDER_SLOT = "order", marked("a slot ends after it starts")
    ORDER_SLOT_LONG = "order", marked("a slot is %(hours)s hours long at most"), {"hours": 24}
    ORDER_CLINIC = "order", marked("a clinic closes later on the day on which it opens")
    ORDER_DAYS = "order", marked("`%(until)s` lies before `%(first)s`"), {"until": "until", "first": "from"}
    SCOPE = "scope", marked("name a region, or a site, or neither for all")
    HOURS_MISSING = "hours", marked("other hours need `%(opens)s` and a later `%(closes)s`"), _HOURS
    HOURS_UNUSED = (
        "hours",
        marked("leave `%(opens)s` and `%(closes)s` empty, unless `%(what)s` is %(hours)s"),
        {**_HOURS, "what": "what", "hours": "hours"},
    )
    # Cells
    EMPTY = "empty", marked("this may not be empty")
    EMPTY_PLACE = "empty", marked("name the town, or its postal code")
    TOO_LONG = "too_long", marked("write at most %(limit)s characters")
    CHARACTERS = "characters", marked("write one line of text, without control characters")
    CODE = (
        "code",
        marked("write 1 to %(limit)s letters, digits, dots, hyphens or underscores, a letter or digit first"),
        {"limit": 64},
    )
    COUNTRY = (
        "country",
        marked("write the two capital letters of %(standard)s: %(example)s"),
        {"standard": "ISO 3166-1", "example": "ES"},
    )
    LETTERS = "letters", marked("write at least one letter or digit")
    PRODUCT = (
        "product",
        marked(
            "write a CVX code of two or three digits; spreadsheets drop zeros in front: %(example)s, not %(dropped)s"
        ),
        {"example": "08", "dropped": "8"},
    )
    NUMBER = "number", marked("write a whole number from %(low)s to %(high)s")
    NUMBER_DEGREES = (
        "number",
        marked("write decimal degrees from %(low)s to %(high)s, with a point: %(example)s"),
        {"example": "40.4168"},
    )
    YES_NO = "yes_no", marked("write %(yes)s or %(no)s"), {"yes": "yes", "no": "no"}
    TIME_ZONE = (
        "time_zone",
        marked("write a name of the IANA time zone database: %(example)s"),
        {"example": "Europe/Madrid"},
    )
    EMAIL = "email", marked("write one address: %(example)s"), {"example": "clinic@example.org"}
    URL = "url", marked("write an address that begins with %(start)s"), {"start": "https://"}
    ACCESSIBILITY = "accessibility", marked("write words out of: %(words)s")
    WEEKDAYS = (
        "weekdays",
        marked("write %(words)s, or %(example)s"),
        {"words": "mon tue wed thu fri sat sun", "example": "mon-fri"},
    )
    WEEKDAYS_NONE = "weekdays", marked("write at least one day: %(example)s"), {"example": "mon"}
    CLOCK = (
        "clock",
        marked("write a time from %(first)s to %(last)s, with two digits for the hour: %(example)s"),
        {"first": "00:00", "last": "23:59", "example": "09:00"},
    )
    BREAKS = "breaks", marked("write each break as %(example)s, the earlier time first"), {"example": "12:00-13:00"}
    BREAKS_OVERLAP = "breaks", marked("breaks lie over each other")
    DAY = "day", marked("write a date that exists, year first: %(example)s"), {"example": "2027-03-01"}
    MOMENT = (
        "moment",
        marked("write %(example)s on the site's own clock, or with an offset: %(offset)s"),
        {"example": "2027-03-01T09:00", "offset": "2027-03-01T09:00+01:00"},
    )
    WHAT = (
        "what",
        marked("write %(closed)s, %(hours)s, or %(none)s to take an exception back"),
        {"closed": "closed", "hours": "hours", "none": "none"},
    )
    TIME_GAP = "time_gap", marked("%(time)s does not exist on %(day)s in %(zone)s: clocks go forward")
    TIME_FOLD = "time_fold", marked("%(time)s comes twice on %(day)s in %(zone)s: write %(first)s or %(second)s")

    def __init__(self, code: str, text: str, fixed: Mapping[str, Given] = _NOTHING) -> None:
        self.code = code
        self.text = text
        self.fixed = fixed

    @property
    def id(self) -> str:
        """What a report calls it."""
        return self.name.lower()

    def said(self, given: Mapping[str, Given]) -> str:
        """Return what to say of it, in English."""
        return self.text % {**self.fixed, **given}


BY_ID = {kind.id: kind for kind in FaultKind}
