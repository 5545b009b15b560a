"""``report.html``: one file that needs nothing else, readable in light and dark, by eye and by screen reader."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from loadtest.drill import charts
from loadtest.drill.report import MUST_BE_ZERO, Report

_FUNNEL = ("visitors", "joined", "called", "admitted", "exchanged", "evaluated", "attempted", "booked")
_MEANING = {
    "double_bookings": "One person holds a dose more than once",
    "oversold_slots": "A slot has more appointments than places, or its count of free places is wrong",
    "order_inversions": "Somebody was called before a lower place",
    "lost_places": "A place changed, went to two visitors, or more people were ahead than before",
    "wait_rises": "A visitor was shown a longer wait than before, and not told why",
    "audit_mismatches": "A booking or decision without its audit row, or the reverse",
    "missing_bookings": "A visitor was promised an appointment that the database does not hold",
    "unseen_bookings": "The database holds an appointment that its visitor was not told of",
    "missing_decisions": "A visitor was given a decision that the database does not hold",
    "missing_notices": "A booking without its notice in the outbox",
    "replay_mismatches": "One Idempotency-Key made two appointments",
    "token_doubles": "One ticket got two tokens, or two tickets one",
    "stranded": "A visitor who stayed was not booked, though there was supply",
    "errors": "An answer that nobody should get",
}


def _tokens(report: Report) -> charts.Plot:
    title, unit, level = "Admission tokens per second", "tokens", None
    if report.rate_used:
        text = "Solid line: the mean of each full minute, " + ", ".join(f"{share:.1%}" for share in report.rate_used)
        means = [share * report.rate_per_s for share in report.rate_used]
        level = charts.Level(means, report.rate_used_from_s, 60, f"{text} of the rate.")
    return charts.bars(title, unit, report.tokens_per_s, limit=report.rate_per_s, level=level)


def render(report: Report) -> str:
    """Return the page."""
    environment = Environment(
        loader=PackageLoader("loadtest.drill", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.jinja").render(
        report=report,
        funnel=[(name, getattr(report, name)) for name in _FUNNEL],
        invariants=[(name, _MEANING[name], getattr(report, name)) for name in MUST_BE_ZERO],
        plots=[
            charts.bars("Arrivals per second", "arrivals", report.series.arrivals),
            charts.area("Waiting", "waiting", report.series.waiting),
            _tokens(report),
            charts.bars("Bookings per second", "bookings", report.series.bookings),
            charts.intervals("Wait shown first and real wait", report.waits),
        ],
        slowest_ms=max((latency.p99_ms for latency in report.latencies), default=1.0) or 1.0,
    )
