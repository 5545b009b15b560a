"""Plain numbers tell what the library's metrics would."""

import prometheus_client
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from shared.metrics import Counter, Histogram
from shared.middleware import HttpMetrics

BOUNDS = (0.5, 1, 2.5)


def exposed(registry: CollectorRegistry) -> list[str]:
    lines = generate_latest(registry).decode().splitlines()
    return sorted(line for line in lines if "_created" not in line)


def test_a_counter_reads_as_the_librarys() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    for registry, counter in ((ours, Counter), (theirs, prometheus_client.Counter)):
        counter("untouched", "Nothing yet.", registry=registry)
        counter("plain", "No labels.", registry=registry).inc()
        labelled = counter("by", "Labels.", ["code", "room"], registry=registry)
        labelled.labels("gone", 'a "b"').inc()
        labelled.labels("gone", 'a "b"').inc(2)
        labelled.labels("seen", "c")
    assert exposed(ours) == exposed(theirs)


def test_a_histogram_reads_as_the_librarys() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    for registry, histogram in ((ours, Histogram), (theirs, prometheus_client.Histogram)):
        histogram("untouched", "Nothing yet.", buckets=BOUNDS, registry=registry)
        plain = histogram("plain", "No labels.", buckets=BOUNDS, registry=registry)
        labelled = histogram("by", "Labels.", ["act"], buckets=BOUNDS, registry=registry)
        for value in (0, 0.25, 0.5, 0.75, 1, 2.5, 3, 100):
            plain.observe(value)
            labelled.labels("join").observe(value)
    assert exposed(ours) == exposed(theirs)


def test_all_that_was_counted_is_told_whatever_its_labels() -> None:
    counter = Counter("by", "Labels.", ["code"], registry=CollectorRegistry())
    counter.labels("a").inc()
    counter.labels("b").inc(2)
    assert counter.total == 3


def test_labels_are_as_many_as_they_are() -> None:
    counter = Counter("by", "Labels.", ["code"], registry=CollectorRegistry())
    with pytest.raises(ValueError, match="code"):
        counter.labels("a", "b")
    with pytest.raises(ValueError, match="code"):
        counter.labels()


def test_a_name_is_taken_once() -> None:
    registry = CollectorRegistry()
    Counter("one", "One.", registry=registry)
    with pytest.raises(ValueError, match="Duplicated"):
        Histogram("one", "Another.", buckets=BOUNDS, registry=registry)


def test_methods_that_nobody_knows_are_counted_as_one_and_cost_no_memory() -> None:
    registry = CollectorRegistry()
    http = HttpMetrics(registry, "a")
    for number in range(50):
        http.observe(f"MADE{number}", 405, 0.02)
    http.observe("GET", 200, 0.3)
    http.observe("GET", 200, 0.4)
    assert registry.get_sample_value("a_http_requests_total", {"method": "OTHER", "status": "405"}) == 50
    assert registry.get_sample_value("a_http_seconds_bucket", {"method": "OTHER", "le": "0.025"}) == 50
    assert registry.get_sample_value("a_http_requests_total", {"method": "GET", "status": "200"}) == 2
    assert registry.get_sample_value("a_http_seconds_sum", {"method": "GET"}) == pytest.approx(0.7)
    assert len(exposed(registry)) < 200
