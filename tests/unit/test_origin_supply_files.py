"""Files of supply, as people and their spreadsheets write them: read, or refused in words that help."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from origin.inventory.bulk.checking import Checker, Directory, KnownSite, StagedSlot
from origin.inventory.bulk.faults import Fault, Faults, FileRefused
from origin.inventory.bulk.files import SupplyFile
from origin.inventory.bulk.rows import KINDS

HEADER = "site,starts_at,ends_at,product,capacity"
ROW = "1,2027-03-02T09:00,2027-03-02T09:30,140,5"
Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def writing(content: str | bytes) -> Path:
        path = tmp_path / "slots.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return writing


def read(path: Path) -> tuple[list[StagedSlot], list[Fault]]:
    """The good slots of a file and its faults; there is one site, in Madrid, which gives 140 and 168."""
    faults = Faults(100)
    checker = Checker(Directory({"ES-MD"}, {"1": KnownSite("Europe/Madrid", ["140", "168"])}), faults)
    with SupplyFile(path) as file:
        return list(checker.slots(file, 0)), faults.kept


def codes(path: Path) -> list[tuple[int, str, str]]:
    return [(fault.line, fault.field, fault.code) for fault in read(path)[1]]


PLAIN = f"{HEADER}\n{ROW}\n"


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + PLAIN,
        PLAIN.replace(",", ";").replace("\n", "\r\n"),
        "sep=;\r\n" + PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        "\n\n" + PLAIN + "\n,,,,\n\n",
        PLAIN.upper(),
        f"{HEADER},,\n{ROW},,\n",
        f'"{HEADER.replace(",", chr(34) + "," + chr(34))}"\n"{ROW.replace(",", chr(34) + "," + chr(34))}"\n',
        "capacity, product ,site,ends_at,starts_at\n5,140, 1 ,2027-03-02 09:30:00,2027-03-02T09:00+01:00\n",
        '{"site":"1","starts_at":"2027-03-02T09:00","ends_at":"2027-03-02T08:30Z","product":"140","capacity":5}\n',
    ],
    ids=[
        "bom",
        "semicolons",
        "sep",
        "tabs",
        "empty-lines",
        "capitals",
        "more-columns",
        "quotes",
        "other-order",
        "ndjson",
    ],
)
def test_a_table_is_read_however_a_spreadsheet_writes_it(write: Write, content: str) -> None:
    slots, faults = read(write(content))
    assert faults == []
    [(_, _, site, starts_at, ends_at, product, capacity, template)] = slots
    assert (site, product, capacity, template) == ("1", "140", 5, None)
    assert (starts_at.isoformat(), ends_at.isoformat()) == ("2027-03-02T08:00:00+00:00", "2027-03-02T08:30:00+00:00")


@pytest.mark.parametrize(
    ("content", "code", "word"),
    [
        (b"", "no_rows", "empty"),
        (b"PK\x03\x04more", "encoding", "CSV UTF-8"),
        ("\ufeff" + PLAIN, "encoding", "UTF-16"),
        (PLAIN.encode() + "1,Málaga".encode("latin-1"), "encoding", "UTF-8"),
        (b"\x1f\x8bzip", "encoding", "unpack"),
        (b"site,starts,ends_at,product,capacity\n", "columns", "missing: starts_at; unknown: starts"),
        (b"site,site,starts_at,ends_at,product,capacity\n", "columns", "twice: site"),
        (b"name\nx\n", "columns", "nearest to a file of regions; missing: region"),
        (b"[1]", "malformed", "one JSON object a line"),
        (b'{"region": 1', "malformed", "one JSON object a line"),
        (b"x" * 70_000, "line_too_long", "65,536"),
    ],
)
def test_what_is_no_table_of_ours_is_refused_and_told_how_to_save_it(
    write: Write, content: str | bytes, code: str, word: str
) -> None:
    path = write(content.encode("utf-16") if isinstance(content, str) else content)
    with pytest.raises(FileRefused) as refused:
        read(path)
    assert refused.value.fault.code == code
    assert word in refused.value.fault.what


def row(**cells: str) -> str:
    given = dict(zip(HEADER.split(","), ROW.split(","), strict=True)) | cells
    return ",".join(given.values())


@pytest.mark.parametrize(
    ("cells", "field", "code"),
    [
        ({"site": "2"}, "site", "site_unknown"),
        ({"site": "a b"}, "site", "code"),
        ({"site": ""}, "site", "code"),
        ({"starts_at": "02/03/2027 09:00"}, "starts_at", "moment"),
        ({"starts_at": "2027-02-30T09:00"}, "starts_at", "moment"),
        ({"starts_at": "2027-03-02T09:00+01"}, "starts_at", "moment"),
        ({"starts_at": "0027-03-02T09:00"}, "starts_at", "moment"),
        ({"starts_at": "2027-03-28T02:30", "ends_at": "2027-03-28T04:00"}, "starts_at", "time_gap"),
        ({"starts_at": "2027-10-31T02:30", "ends_at": "2027-10-31T04:00"}, "starts_at", "time_fold"),
        ({"ends_at": "2027-03-02T09:00"}, "ends_at", "order"),
        ({"ends_at": "2027-03-03T09:01"}, "ends_at", "order"),
        ({"product": "8"}, "product", "product"),
        ({"product": "213"}, "product", "product_not_at_site"),
        ({"capacity": "-1"}, "capacity", "number"),
        ({"capacity": "5.0"}, "capacity", "number"),
        ({"capacity": "100001"}, "capacity", "number"),
        ({"capacity": "٣"}, "capacity", "number"),
        ({"capacity": "5,6"}, "", "cells"),
        ({"capacity": '"5'}, "", "malformed"),
    ],
)
def test_a_bad_row_is_told_with_line_field_and_code(write: Write, cells: dict[str, str], field: str, code: str) -> None:
    assert codes(write(f"{HEADER}\n{ROW}\n{row(**cells)}\n")) == [(3, field, code)]


def test_everything_that_is_wrong_with_a_row_is_told_at_once(write: Write) -> None:
    text = row(starts_at="2027-03-28T02:30", ends_at="soon", product="8", capacity="many")
    assert {field for _, field, _ in codes(write(f"{HEADER}\n{text}\n"))} == {
        "starts_at",
        "ends_at",
        "product",
        "capacity",
    }


def test_a_time_that_the_clock_shows_twice_is_taken_with_its_offset(write: Write) -> None:
    first = row(starts_at="2027-10-31T02:30+02:00", ends_at="2027-10-31T02:30+01:00")
    [(_, _, _, starts_at, ends_at, *_)], faults = read(write(f"{HEADER}\n{first}\n"))
    assert faults == []
    assert (ends_at - starts_at).total_seconds() == 3600


def test_lines_count_as_an_editor_counts_them(write: Write) -> None:
    note = '{"site":"1","starts_at":"2027-03-02T09:00","ends_at":"2027-03-02T09:30","product":"140","capacity":"x"}'
    assert codes(write(f"\n{note}\n\n{note}\n")) == [(2, "capacity", "number"), (4, "capacity", "number")]
    assert codes(write(f'\nsep=,\n{HEADER}\n"a\nb",,,,\n{row(capacity="x")}\n'))[-1] == (6, "capacity", "number")


def test_an_object_needs_all_fields_and_no_others(write: Write) -> None:
    good = '{"site":"1","starts_at":"2027-03-02T09:00","ends_at":"2027-03-02T09:30","product":"140","capacity":5}'
    short, long = good.replace('"capacity":5', '"capacity":null'), good.replace("}", ',"note":"x"}')
    assert codes(write(f"{good}\n{short}\n{long}\n{{}}\n[]")) == [
        (2, "", "columns"),
        (3, "", "columns"),
        (4, "", "columns"),
        (5, "", "malformed"),
    ]


@given(st.binary(max_size=300))
@example(b'"')
def test_no_bytes_make_it_fall_over(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    for start in (b"", HEADER.encode() + b"\n", b'{"site":'):
        path.write_bytes(start + content)
        with suppress(FileRefused):
            read(path)


@given(st.lists(st.text(max_size=12), min_size=5, max_size=5))
def test_whatever_is_in_the_cells_a_row_is_good_or_told(
    tmp_path_factory: pytest.TempPathFactory, cells: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "cells.csv"
    quoted = ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)
    path.write_text(f"{HEADER}\n{quoted}\n{ROW}\n", encoding="utf-8", errors="replace")
    slots, faults = read(path)
    assert len(slots) >= 1
    assert bool(faults) or all(not cell.strip() for cell in cells)


def test_kinds_are_told_apart_by_the_columns_they_need() -> None:
    for kind in KINDS:
        others = [other for other in KINDS if other is not kind]
        assert not any(set(other.required) <= set(kind.required) <= other.columns for other in others)
        assert not any(set(other.required) <= kind.columns <= other.columns for other in others)
