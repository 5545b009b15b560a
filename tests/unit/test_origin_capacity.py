"""What a process knows of itself: its traffic, who is inside, how it is."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from origin.capacity.crowd import IDLE_S, Crowd
from origin.capacity.feed import FEWEST_SAMPLES, health
from origin.capacity.traffic import WINDOW_S, Measured, Traffic
from shared.capacity import Errors, Latency


@dataclass
class Watch:
    """Seconds, moved by hand."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def test_latency_is_told_by_its_percentiles() -> None:
    traffic = Traffic(Watch())
    for ms in range(1, 101):
        traffic.answered(ms / 1000, failed=False)
    assert traffic.latency(500) == Latency(51, 100, 500, 100)


def test_what_happened_longer_ago_than_the_window_is_forgotten() -> None:
    watch = Watch()
    traffic = Traffic(watch)
    traffic.answered(9, failed=True)
    watch.now += WINDOW_S + 0.1
    assert traffic.latency(500) is None
    assert traffic.errors(0.05) is None
    traffic.answered(0.001, failed=False)
    assert traffic.errors(0.05) == Errors(0, 0.05, 1)


async def test_answers_are_noted_with_their_faults_but_not_what_machines_ask_for() -> None:
    watch = Watch()
    traffic = Traffic(watch)
    under_way = []

    async def app(scope: object, receive: object, send: object) -> None:
        under_way.append(traffic.in_flight)
        watch.now += 0.25
        if scope["path"] == "/broken":  # type: ignore[index]  # a scope, loosely
            raise RuntimeError
        await send({"type": "http.response.start", "status": 503})  # type: ignore[operator]  # likewise

    async def never(*_: object) -> None:
        """Nobody listens."""

    async def ask(path: str) -> None:
        await Measured(app, traffic)({"type": "http", "path": path}, never, never)  # type: ignore[arg-type]  # likewise

    await ask("/v1/slots")
    try:
        await ask("/broken")
    except RuntimeError:
        under_way.append(traffic.in_flight)
    await ask("/healthz")
    await ask("/static/base.css")
    assert under_way == [1, 1, 0, 0, 0]
    assert traffic.errors(0.05) == Errors(1, 0.05, 2)
    latency = traffic.latency(500)
    assert latency is not None
    assert (latency.p50_ms, latency.samples) == (250, 2)


def test_people_are_inside_until_they_have_booked_or_are_not_heard_from() -> None:
    watch = Watch()
    crowd = Crowd(watch)
    for admission in ("ana", "ben", "cem"):
        crowd.heard(admission)
    assert (crowd.inside, crowd.mean_stay_s) == (3, None)
    watch.now += 30
    crowd.heard("ben")
    crowd.booked("ana")
    assert (crowd.inside, crowd.mean_stay_s) == (2, 30)
    crowd.heard("ana")
    assert crowd.inside == 2, "whoever has booked looks at the appointment, and is not inside"
    watch.now += IDLE_S - 10
    assert crowd.inside == 1, "the third was never heard from again"
    watch.now += 20
    assert crowd.inside == 0


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["heard", "booked"]), st.floats(0, 200))))
def test_nobody_is_counted_twice_and_no_stay_is_negative(acts: list[tuple[str, str, float]]) -> None:
    watch = Watch()
    crowd = Crowd(watch)
    booked = set()
    for admission, act, later in acts:
        watch.now += later
        getattr(crowd, act)(admission)
        if act == "booked":
            booked.add(admission)
        assert 0 <= crowd.inside <= 6 - len(booked)
        assert crowd.mean_stay_s is None or crowd.mean_stay_s >= 0


def test_health_follows_the_database_then_latency_and_errors_once_there_is_enough_to_judge() -> None:
    slow = Latency(10, 2000, 1000, FEWEST_SAMPLES)
    faulty = Errors(0.06, 0.05, FEWEST_SAMPLES)
    assert health(None, None, answered=True) == "ok"
    assert health(None, None, answered=False) == "unhealthy"
    assert health(slow, None, answered=True) == "degraded"
    assert health(None, faulty, answered=True) == "degraded"
    assert health(Latency(10, 2000, 1000, 3), Errors(0.5, 0.05, 2), answered=True) == "ok"
    assert health(slow, faulty, answered=False) == "unhealthy"
