"""The report says what happened, and its page can be read."""

import re
from html.parser import HTMLParser

import msgspec
import pytest

from loadtest.drill import charts
from loadtest.drill.figures import Asked, rate_error, rate_used
from loadtest.drill.page import render
from loadtest.drill.report import MUST_BE_ZERO, Report, judge
from loadtest.drill.trail import Event
from loadtest.drill.waits import Waited
from tests.unit.test_loadtest_invariants import Evidence, books, event

PROMISED = {
    *("visitors", "joined", "called", "admitted", "exchanged", "evaluated", "attempted", "booked", "left", "errors"),
    *("tokens_per_s", "overshoot", "rate_error", "double_bookings", "oversold_slots", "order_inversions"),
    *("wait_rises", "wait_within_p90", "wait_within_p50", "wait_ratio_p50", "rate_used"),
    *("lost_places", "audit_mismatches", "wait_p50_s", "wait_p99_s", "book_p50_ms", "book_p99_ms", "passed"),
}
ASKED = Asked(
    room="demo",
    rate_per_s=50,
    burst=10,
    spike_s=10,
    no_show=0.2,
    visitors=3,
    started_at="2027-01-04T08:00:00+00:00",
    wall_ahead_s=0.0,
)


def good() -> Report:
    return judge(Evidence().events, books(), ASKED)


def test_a_good_day_passes_with_its_funnel() -> None:
    report = good()
    assert report.passed
    assert report.broken == []
    assert (report.joined, report.called, report.admitted, report.booked, report.left) == (3, 3, 3, 3, 0)
    assert report.tokens_per_s[4:7] == [1, 1, 1]
    assert sum(report.tokens_per_s) == 3


def test_the_json_has_every_promised_key() -> None:
    written = msgspec.json.decode(msgspec.json.encode(good()))
    assert set(written) >= PROMISED
    assert isinstance(written["tokens_per_s"], list)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"double_bookings": 1}, "double_bookings"),
        ({"oversold_slots": 2}, "oversold_slots"),
        ({"decisions_without_audit": 1}, "audit_mismatches"),
        ({"bookings_without_notice": 1}, "missing_notices"),
        ({"bookings": []}, "missing_bookings"),
        ({"decisions": []}, "missing_decisions"),
    ],
)
def test_books_that_do_not_add_up_fail_the_drill(changes: dict[str, object], name: str) -> None:
    report = judge(Evidence().events, books(**changes), ASKED)
    assert not report.passed
    assert [sentence.split(":")[0] for sentence in report.broken] == [name]
    assert getattr(report, name) > 0


def test_a_burst_above_the_limit_fails_the_drill() -> None:
    day = Evidence().events
    day += [event(100 + n, "claim", 5, 201, token_id=f"more-{n}", issued_at=5.2) for n in range(70)]
    report = judge(day, books(), ASKED)
    assert report.overshoot > 1
    assert any("overshoot" in sentence for sentence in report.broken)


def test_a_day_on_which_nobody_was_booked_fails() -> None:
    assert "nobody was booked" in judge([], books(bookings=[], decisions=[]), ASKED).broken


def test_every_invariant_is_counted_and_explained() -> None:
    page = render(good())
    for name in MUST_BE_ZERO:
        assert f"<code>{name}</code>" in page


def test_waits_are_from_the_first_join_to_the_first_token() -> None:
    report = good()
    assert report.wait_p50_s == 4.0
    assert report.wait_p99_s == 4.0


def test_rate_error_is_measured_from_the_second_minute_on_where_the_day_is_long_enough() -> None:
    slow_start = [n / 25 for n in range(25 * 60)]
    settled = [60 + n / 50 for n in range(50 * 40)]
    error, measured = rate_error(slow_start + settled, [100.0], 50)
    assert error < 0.001
    assert measured == "40 s, from the second minute on"
    assert rate_error(slow_start, [60.0], 50)[0] == pytest.approx(0.5, abs=0.001)


def test_rate_error_without_a_line_says_so() -> None:
    assert rate_error([1.0, 2.0], [], 50) == (0.0, "nobody waited")


def test_the_rate_used_is_told_for_each_full_minute_while_people_waited() -> None:
    slow_start = [n / 25 for n in range(25 * 60)]
    minutes = [60 + n / 50 for n in range(50 * 60)] + [120 + n / 40 for n in range(40 * 70)]
    issued = slow_start + minutes
    assert rate_used(issued, [1.0, 185.0], 50, 60.0) == pytest.approx([1.0, 0.8], abs=0.001)
    assert rate_used(issued, [1.0, 179.0], 50, 60.0) == pytest.approx([1.0], abs=0.001)
    assert rate_used(issued, [1.0, 119.0], 50, 60.0) is None
    assert rate_used([], [], 50, 60.0) is None


def test_a_day_too_short_for_a_rate_used_says_null() -> None:
    assert good().rate_used is None
    assert b'"rate_used":null' in msgspec.json.encode(good())


def a_wait_shown() -> list[Event]:
    shown = event(0, "join", 0, 201, took=0, place=1, state="waiting", ahead=0, wait_p50_s=1.0, wait_p90_s=4.0)
    return [shown, *Evidence().events[1:]]


def test_shown_and_real_waits_are_reported_and_drawn() -> None:
    report = judge(a_wait_shown(), books(), ASKED)
    assert (report.wait_within_p90, report.wait_within_p50, report.wait_ratio_p50) == (1.0, 0.0, 1.5)
    assert "shown 1 to 4 s, called after 1.5 s" in render(report)
    assert "Called within the wait shown" in render(report)


def test_a_shown_wait_that_rises_without_a_reason_fails_the_drill() -> None:
    again = event(0, "standing", 1, place=1, state="waiting", ahead=0, wait_p50_s=1.0, wait_p90_s=9.0)
    report = judge([*a_wait_shown(), again], books(), ASKED)
    assert report.wait_rises == 1
    assert not report.passed


class Collector(HTMLParser):
    """Collects tags, so that a page can be asked what it refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = render(good())
    parsed = Collector()
    parsed.feed(page)
    assert not {tag for tag, _ in parsed.tags} & {"link", "script", "img", "iframe", "object"}
    assert not [attributes for _, attributes in parsed.tags if {"src", "href"} & set(attributes)]
    assert not re.search(r"url\(|@import|https?://", page)


def test_every_plot_has_its_text_for_those_who_do_not_see_it() -> None:
    parsed = Collector()
    parsed.feed(render(good()))
    drawings = [attributes for tag, attributes in parsed.tags if tag == "svg"]
    assert len(drawings) == 5
    assert all(drawing["role"] == "img" and drawing["aria-label"] for drawing in drawings)


def test_the_page_says_what_is_broken_and_escapes_what_servers_sent() -> None:
    day: list[Event] = [*Evidence().events, event(0, "standing", 3.2, 500, code="<b>odd</b>")]
    page = render(judge(day, books(), ASKED))
    assert "✗ Failed." in page
    assert "<b>odd" not in page
    assert "&lt;b&gt;odd" in page


def test_bars_stand_on_the_axis_and_stay_below_the_top() -> None:
    plot = charts.bars("Tokens", "tokens", [0, 50, 25], limit=50)
    assert len(plot.bars) == 2
    for bar in plot.bars:
        assert bar.y >= plot.top
        assert bar.y + bar.height == pytest.approx(plot.bottom, abs=0.05)
    assert plot.bars[0].height == pytest.approx(2 * plot.bars[1].height, abs=0.05)
    assert plot.limit is not None
    assert plot.limit.at == plot.bars[0].y


def test_the_mean_of_a_minute_is_drawn_where_the_minute_is() -> None:
    plot = charts.bars("Tokens", "tokens", [0, 50] * 50, limit=50, level=charts.Level([50.0, 25.0], 20, 40, "means"))
    second = (plot.right - plot.left) / 100
    assert plot.limit is not None
    first = f"M{plot.left + 20 * second:.2f},{plot.limit.at:.2f} h{40 * second:.2f}"
    assert plot.steps.startswith(first + " M")


def test_a_visitor_called_too_late_is_drawn_above_the_interval() -> None:
    plot = charts.intervals("Waits", [Waited(2, 4, 3, 0.1), Waited(2, 4, 8, 0.1)])
    assert [dot.is_beyond for dot in plot.dots] == [False, True]
    assert plot.bars[0].y < plot.dots[0].y < plot.bars[0].y + plot.bars[0].height
    assert plot.dots[1].y < plot.bars[1].y
    assert "1 were called later" in plot.summary


def test_an_empty_day_can_be_drawn() -> None:
    assert charts.bars("Tokens", "tokens", []).summary == "no tokens"
    assert charts.area("Waiting", "waiting", []).area == ""
    assert charts.intervals("Waits", []).summary == "nobody was shown a wait"
