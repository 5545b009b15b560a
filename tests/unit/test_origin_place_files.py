"""Files of places: our columns and GeoNames' postal codes, read or refused with line, column and code."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from origin.inventory.bulk.faults import Fault, FileRefused
from origin.inventory.bulk.rows import Line
from origin.inventory.places.files import PlaceFile
from origin.inventory.places.rows import Reader, StagedPlace
from origin.inventory.places.zones import spots_by_region, zone_at

HEADER = "country,region,name,postcode,lat,lng,population,time_zone"
ROW = "ES,ES-MD,Alcalá de Henares,28801,40.48,-3.36,190000,"
POSTAL = 'ES\t28801\tAlcalá "de" Henares\tMadrid\tMD\tMadrid\tM\tAlcalá de Henares\t28005\t40.4818\t-3.3643\t4'
Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def writing(content: str | bytes) -> Path:
        path = tmp_path / "places.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return writing


def read(path: Path, **regions: str) -> tuple[list[StagedPlace], list[tuple[int, str, str]], dict[str, int]]:
    """The good rows of a file, its faults, and what was left out; the regions are ES-MD and ES-CM."""
    reader = Reader({"ES-MD", "ES-CM"}, {name.replace("_", "-"): region for name, region in regions.items()})
    places, faults = [], []
    with PlaceFile(path) as file:
        for number, cells in file:
            if isinstance(cells, Fault):
                faults.append((number, cells.field, cells.code))
                continue
            line = Line(cells)
            place = (reader.postal if file.is_postal else reader.place)(line)
            faults += [(number, column, fault.kind.code) for column, fault in line.faults]
            if place is not None and not line.faults:
                places.append(place)
    return places, faults, reader.left_out


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_our_columns_are_read_as_spreadsheets_write_them(write: Write, separator: str) -> None:
    path = write(f"\ufeff{HEADER}\r\n{ROW}\r\n".replace(",", separator))
    place = ("ES", "ES-MD", "", "Alcalá de Henares", "28801", 40.48, -3.36, "Europe/Madrid", 190_000)
    assert read(path) == ([place], [], {})


def test_postal_codes_of_geonames_are_read_as_they_are_published(write: Write) -> None:
    [place], faults, left_out = read(write(f"{POSTAL}\n"))
    name = 'Alcalá "de" Henares'
    assert place == ("ES", "ES-MD", "M/28005", name, "28801", 40.4818, -3.3643, "Europe/Madrid", None)
    assert (faults, left_out) == ([], {})


def test_a_region_goes_by_the_codes_of_its_divisions_or_by_what_was_said(write: Write) -> None:
    path = write(f"{POSTAL}\n{POSTAL.replace('Madrid	MD', 'Castilla - La Mancha	CLM')}\n")
    places, faults, left_out = read(path)
    assert ([place[1] for place in places], faults) == (["ES-MD"], [])
    assert left_out == {"ES-CLM Castilla - La Mancha": 1}
    assert [place[1] for place in read(path, ES_CLM="ES-CM")[0]] == ["ES-MD", "ES-CM"]
    assert [place[1] for place in read(path, ES="ES-CM")[0]] == ["ES-MD", "ES-CM"]
    assert [place[1] for place in read(path, ES_MD="ES-CM", ES_M="ES-MD")[0]] == ["ES-CM", "ES-MD"]


@pytest.mark.parametrize(
    ("before", "after", "field", "code"),
    [
        ("ES,", "es,", "country", "country"),
        ("ES-MD", "XX", "region", "region_unknown"),
        ("Alcalá de Henares,28801", ",", "name", "empty"),
        ("Alcalá de Henares", "---", "name", "letters"),
        ("Alcalá de Henares", "½ª", "name", "letters"),
        ("Alcalá de Henares", "x" * 201, "name", "too_long"),
        ("28801", "-", "postcode", "letters"),
        ("28801", "9" * 21, "postcode", "too_long"),
        (",190000,", ",190000", "", "cells"),
        ("40.48", "91", "lat", "number"),
        ("-3.36", "", "lng", "number"),
        ("190000", "-1", "population", "number"),
        (",190000,", ",190000,Madrid", "time_zone", "time_zone"),
    ],
)
def test_a_bad_row_is_told_with_line_field_and_code(
    write: Write, before: str, after: str, field: str, code: str
) -> None:
    assert before in ROW
    assert read(write(f"{HEADER}\n{ROW}\n\n{ROW.replace(before, after)}\n"))[1] == [(4, field, code)]


@pytest.mark.parametrize(
    ("before", "after", "field", "code"),
    [
        ("\t4", "", "", "cells"),
        ("ES\t", "\t", "country", "country"),
        ("40.4818", "", "lat", "number"),
        ("28801", "9" * 21, "postcode", "too_long"),
    ],
)
def test_a_bad_row_of_geonames_is_told_too(write: Write, before: str, after: str, field: str, code: str) -> None:
    bad = (
        POSTAL[::-1].replace(before[::-1], after[::-1], 1)[::-1]
        if before == "\t4"
        else POSTAL.replace(before, after, 1)
    )
    assert read(write(f"{POSTAL}\n{bad}\n"))[1] == [(2, field, code)]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "no_rows"),
        (b"PK\x03\x04....", "encoding"),
        (POSTAL.encode("latin-1"), "encoding"),
        (b"country,name\nES,Madrid\n", "columns"),
        (b"ES\t28001\tMadrid\n", "columns"),
    ],
)
def test_what_is_no_file_of_places_is_refused(write: Write, content: bytes, code: str) -> None:
    with pytest.raises(FileRefused) as refused:
        read(write(content))
    assert refused.value.fault.code == code


@given(st.binary(max_size=300) | st.text('ES\t0\n,;"-.é', max_size=300).map(str.encode))
@example(POSTAL.encode() + b"\n\xff")
def test_no_bytes_make_it_fall_over(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("bytes") / "places.txt"
    path.write_bytes(content)
    with suppress(FileRefused):
        read(path)


@pytest.mark.parametrize(
    ("country", "lat", "lng", "zone"),
    [
        ("ES", 28.1, -15.4, "Atlantic/Canary"),
        ("ES", 42.85, -2.67, "Europe/Madrid"),
        ("PT", 37.74, -25.67, "Atlantic/Azores"),
        ("US", 40.7, -74.0, "America/New_York"),
        ("FJ", -16.8, 179.97, "Pacific/Fiji"),
        ("XK", 42.66, 21.16, "Europe/Skopje"),
    ],
)
def test_the_zone_is_that_of_the_nearest_town_that_the_database_names(
    country: str, lat: float, lng: float, zone: str
) -> None:
    assert zone_at(country, (), lat, lng) == zone


def test_the_zone_is_that_of_the_nearest_site_of_the_region_where_it_has_any() -> None:
    near = spots_by_region(
        [("US-TN", 36.2, -86.8, "America/Chicago"), ("US-TN", 36.0, -83.9, "America/New_York")]
        + [("US-WA", 47.6 + n / 10, -122.3, "America/Los_Angeles") for n in range(9)]
    )
    assert zone_at("US", near["US-TN"], 35.1, -90.0) == "America/Chicago"
    assert zone_at("US", near["US-TN"], 36.5, -82.5) == "America/New_York"
    assert zone_at("US", near["US-WA"], 47.6, -117.4) == "America/Los_Angeles"
    assert len(near["US-WA"]) == 1
