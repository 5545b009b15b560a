"""The map of sites: to scale, with the numbers of the list, and nothing on top of anything."""

import math
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.web.site_map import SIZE, Drawn, SiteMap, nice_km, site_map
from tests.origin_world import MADRID

KM = 1 / 111.2
MIDDLE = SIZE / 2


def drawn(*offsets: tuple[float, float], town: str = "Getafe") -> SiteMap:
    """Sites so many kilometres north and east of Madrid."""
    lat, lng = MADRID
    east = KM / math.cos(math.radians(lat))
    sites = [Drawn(n, lat + north * KM, lng + to * east, town) for n, (north, to) in enumerate(offsets, 1)]
    return site_map(sites, lat, lng, "Madrid", "en")


def test_a_site_lies_where_the_scale_and_the_rings_say() -> None:
    made = drawn((10, 0), (0, -20), (-5, 5))
    assert [ring.text for ring in made.rings] == ["10 km", "20 km"]
    assert (made.bar.text, made.bar.px) == ("10 km", made.rings[0].px)
    north, west, _ = (marker.site for marker in made.markers)
    assert (north.x, MIDDLE - north.y) == pytest.approx((MIDDLE, made.rings[0].px), abs=0.2)
    assert (MIDDLE - west.x, west.y) == pytest.approx((made.rings[1].px, MIDDLE), abs=0.2)
    assert [marker.number for marker in made.markers] == [1, 2, 3]
    assert not any(marker.is_moved for marker in made.markers)


@pytest.mark.parametrize(("at_most", "nice"), [(1, 1), (1.9, 1), (2, 2), (9.99, 5), (10, 10), (0.25, 0.2), (49, 20)])
def test_scales_are_round_numbers(at_most: float, nice: float) -> None:
    assert nice_km(at_most) == pytest.approx(nice)


_NEAR = st.floats(-30, 30)


@given(st.lists(st.tuples(_NEAR, _NEAR), min_size=1, max_size=12))
def test_no_number_covers_another_or_leaves_the_map(offsets: list[tuple[float, float]]) -> None:
    markers = drawn(*offsets).markers
    assert [marker.number for marker in markers] == list(range(1, len(offsets) + 1))
    for marker in markers:
        assert 11 <= marker.at.x <= SIZE - 11
        assert 11 <= marker.at.y <= SIZE - 11
    for one, other in combinations(markers, 2):
        assert math.dist((one.at.x, one.at.y), (other.at.x, other.at.y)) > 18


def test_sites_in_one_spot_are_drawn_beside_each_other_with_a_line_to_the_spot() -> None:
    markers = drawn((3, 3), (3, 3), (3, 3)).markers
    assert len({marker.site for marker in markers}) == 1
    assert len({marker.at for marker in markers}) == 3
    assert all(marker.is_moved for marker in markers)


@given(st.lists(st.tuples(_NEAR, _NEAR), min_size=1, max_size=12))
def test_words_cover_no_number(offsets: list[tuple[float, float]]) -> None:
    made = drawn(*offsets)
    for label in made.labels:
        for marker in made.markers:
            assert abs(label.at.y - marker.at.y) >= 18 or abs(label.at.x - marker.at.x) >= 11
    assert len({label.text for label in made.labels if label.kind == "town"}) <= 1


def test_the_place_itself_is_named_once() -> None:
    made = drawn((1, 1), (5, 0), town="Madrid")
    assert [(label.text, label.kind) for label in made.labels if label.kind != "km"] == [("Madrid", "here")]
