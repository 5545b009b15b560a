"""From the inventory to lines: whatever it holds, the checker finds nothing wrong with what is made of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from deploy.feed.check import check
from deploy.feed.findings import Report
from deploy.feed.sources import Opened
from origin.inventory.feeds import shapes
from origin.inventory.feeds.shapes import FILES, Publisher, SiteFacts, SlotFacts

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
PUBLISHER = Publisher.of("https://book.example.org/", "https://wait.example.org/", programme="demo", room="demo")
SITE = SiteFacts(
    7, "ES-MD", "Health centre", "Calle Mayor 1", "Madrid", "28013", "+34 910 000 000", 40.4, -3.7, "Europe/Madrid"
)

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)  # PostgreSQL's text
WORDS = st.sampled_from(["Centre", " a\tb ", "Ávila", "x\x07y"]) | TEXT


@st.composite
def site(draw: st.DrawFn, number: int) -> SiteFacts:
    """A site as the database may hold it, texts and all."""
    return SiteFacts(
        id=number,
        region=draw(st.sampled_from(["ES-MD", "a b/c?d", "Ñ&"])),
        name=draw(WORDS),
        address=draw(WORDS),
        town=draw(WORDS),
        postcode=draw(st.just("") | WORDS),
        phone=draw(TEXT | st.sampled_from(["+34 910 000 000", "ask the porter"])),
        lat=draw(st.floats(-90, 90)),
        lng=draw(st.floats(-180, 180)),
        time_zone=draw(st.sampled_from(["Europe/Madrid", "America/St_Johns", "Mars/Olympus", ""])),
    )


@st.composite
def slot(draw: st.DrawFn, number: int) -> SlotFacts:
    """A slot within the table's constraints."""
    starts_at = NOW + timedelta(seconds=draw(st.integers(-(10**9), 2 * 10**9)))
    capacity = draw(st.integers(0, 1000))
    return SlotFacts(
        id=number,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(microseconds=draw(st.integers(1, 10**11))),
        product=draw(st.sampled_from(["140", "208", "310", "x_1", "a.b", "12345"]) | TEXT),
        capacity=capacity,
        remaining=draw(st.integers(0, capacity)),
    )


@st.composite
def inventory(draw: st.DrawFn) -> list[tuple[SiteFacts, list[SlotFacts]]]:
    sites = [draw(site(number)) for number in range(1, draw(st.integers(0, 4)) + 1)]
    ids = iter(range(1, 100))
    return [(each, [draw(slot(next(ids))) for _ in range(draw(st.integers(0, 4)))]) for each in sites]


class Made:
    """A feed as the origin would serve it."""

    def __init__(self, held: list[tuple[SiteFacts, list[SlotFacts]]], *, frozen: bool) -> None:
        regions = sorted({each.region for each, _ in held})
        self.address: str | None = f"{PUBLISHER.feed}/$bulk-publish"
        self._manifest = msgspec.json.encode(shapes.manifest(PUBLISHER, regions, NOW))
        self._files: dict[str, bytes] = {}
        told = [(each, slots) for each, slots in held if shapes.location(PUBLISHER, each)]
        for output in shapes.manifest(PUBLISHER, regions, NOW).output:
            here = [pair for pair in told if shapes._plain(pair[0].region) == output.extension.state[0]]
            self._files[output.url] = msgspec.json.Encoder().encode_lines(self._lines(output.type, here, frozen))

    def _lines(self, kind: str, held: list[tuple[SiteFacts, list[SlotFacts]]], frozen: bool) -> list[object]:
        if kind == "Location":
            return [shapes.location(PUBLISHER, each) for each, _ in held]
        if kind == "Schedule":
            return [
                shapes.schedule(each.id, product)
                for each, slots in held
                for product in sorted({slot.product for slot in slots})
            ]
        return [
            line
            for each, slots in held
            for slot in slots
            for line in shapes.slots(PUBLISHER, each, slot, frozen=frozen)
        ]

    @contextmanager
    def manifest(self) -> Iterator[Opened]:
        yield Opened("manifest", iter([self._manifest]))

    @contextmanager
    def file(self, url: str) -> Iterator[Opened]:
        yield Opened(url, iter([self._files[url]]))


def _quiet(file: str, lines: int) -> None:
    pass


@given(held=inventory(), frozen=st.booleans())
def test_any_inventory_makes_a_feed_without_fault(held: list[tuple[SiteFacts, list[SlotFacts]]], frozen: bool) -> None:
    report = Report("feed")

    check(Made(held, frozen=frozen), report, now=NOW, max_mb=1, progress=_quiet)

    told = {each.id for each, _ in held if shapes.location(PUBLISHER, each)}
    assert report.number("error") == 0, report
    assert set(report.counts) <= {"phone_missing", "output_none"}
    assert report.resources["Location"] == len(told)
    places = sum(slot.capacity for each, slots in held for slot in slots if each.id in told)
    assert _places(held, told, frozen=frozen) == places  # free and taken places are all there are


def _places(held: list[tuple[SiteFacts, list[SlotFacts]]], told: set[int], *, frozen: bool) -> int:
    lines = [
        line
        for each, slots in held
        if each.id in told
        for slot in slots
        for line in shapes.slots(PUBLISHER, each, slot, frozen=frozen)
    ]
    assert not frozen or all(line.status == "busy" for line in lines)
    return sum(msgspec.to_builtins(line)["extension"][-1]["valueInteger"] for line in lines)


def test_a_site_says_what_is_known_of_it_and_nothing_else() -> None:
    told = shapes.location(PUBLISHER, SITE)

    assert msgspec.to_builtins(told) == {
        "resourceType": "Location",
        "id": "7",
        "identifier": [{"system": "https://book.example.org/v1/feeds", "value": "7"}],
        "name": "Health centre",
        "telecom": [
            {"system": "phone", "value": "+34 910 000 000"},
            {"system": "url", "value": "https://wait.example.org/rooms/demo"},
        ],
        "address": {"line": ["Calle Mayor 1"], "city": "Madrid", "state": "ES-MD", "postalCode": "28013"},
        "position": {"latitude": 40.4, "longitude": -3.7},
    }


def test_a_covid_19_product_is_told_in_both_code_systems_and_what_is_no_cvx_code_in_none() -> None:
    codes = [coding.code for concept in shapes.schedule(7, "208").service_type for coding in concept.coding]
    assert codes == ["57", "covid19-immunization"]
    influenza = msgspec.to_builtins(shapes.schedule(7, "140"))
    assert influenza["extension"][0]["valueCoding"] == {
        "system": "http://hl7.org/fhir/sid/cvx",
        "code": "140",
        "display": "Influenza vaccine",
    }
    assert len(influenza["serviceType"][0]["coding"]) == 1
    assert "extension" not in msgspec.to_builtins(shapes.schedule(7, "flu"))


def test_products_that_make_no_id_get_one_each() -> None:
    ids = {shapes.schedule(7, product).id for product in ("a_b", "a b", "é", "", "x" * 300, "140")}

    assert len(ids) == 6
    assert all(len(each) <= 64 for each in ids)


def test_the_files_of_a_region_are_asked_for_by_its_id_whatever_it_is() -> None:
    made = shapes.manifest(PUBLISHER, ["a b/c?d"], NOW)

    assert [output.url.rpartition("/")[2] for output in made.output] == [
        f"{name}?region=a%20b%2Fc%3Fd" for name in FILES.values()
    ]
