"""The crowd's own process: a locust file. ``VESTIBULE_DRILL_PLAN`` names the plan that it carries out.

It is a process of its own because locust replaces the standard library's sockets and threads with gevent's.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import gevent
import msgspec
from locust import FastHttpUser, LoadTestShape, events, task
from locust.env import Environment
from locust.exception import StopUser

from loadtest.drill.answers import Answer
from loadtest.drill.plan import Plan
from loadtest.drill.trail import Event, Writer
from loadtest.drill.visitor import Visitor

_FLUSH_S = 0.25


class Crowd:
    """What all visitors of this process share."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.trail = Writer(Path(plan.trail))
        self.opened = time.monotonic()
        self.arrived = 0
        self.finished = 0

    def open_doors(self) -> None:
        """The day begins now."""
        self.opened = time.monotonic()
        gevent.spawn(self._keep_flushing)

    def next_visitor(self) -> int:
        """Return the number of the next to arrive.

        Raises:
            StopUser: everybody has come; locust replaces users that went home with new ones.
        """
        if self.arrived == len(self.plan.people):
            raise StopUser
        self.arrived += 1
        return self.arrived - 1

    @property
    def is_over(self) -> bool:
        """Whether everybody has come and gone, or the time is up."""
        late = time.monotonic() - self.opened > self.plan.deadline_s + 15
        return late or self.finished == len(self.plan.people)

    def _keep_flushing(self) -> None:
        while True:
            gevent.sleep(_FLUSH_S)
            self.trail.flush()


crowd = Crowd(msgspec.json.decode(Path(os.environ["VESTIBULE_DRILL_PLAN"]).read_bytes(), type=Plan))


class VisitorUser(FastHttpUser):
    """A locust user that is one visitor and goes home afterwards."""

    host = crowd.plan.edge_url
    network_timeout = 30.0
    connection_timeout = 30.0

    @task
    def visit(self) -> None:
        """Arrive at one's own moment, walk the way, stop."""
        number = crowd.next_visitor()
        gevent.sleep(max(0.0, crowd.opened + crowd.plan.people[number].arrives_s - time.monotonic()))
        visitor = Visitor(
            number, crowd.plan, self._request, crowd.trail.write, gevent.sleep, crowd.opened + crowd.plan.deadline_s
        )
        try:
            visitor.walk()
        except Exception as fault:  # one visitor's fault is a line in the report, not the end of the drill
            now = time.monotonic()
            crowd.trail.write(Event(number, "crash", now, now, code=f"{type(fault).__name__}: {fault}"[:300]))
        crowd.finished += 1
        raise StopUser

    def _request(
        self, method: str, url: str, *, name: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        data = None if body is None else msgspec.json.encode(body).decode()
        sent = dict(headers or {})
        if data is not None:
            sent["Content-Type"] = "application/json"
        with self.client.request(
            method, url, name=name, data=data, headers=sent, catch_response=True, allow_redirects=False
        ) as response:
            status = response.status_code or 0
            content = response.content or b""
            response.success()
        return Answer(status, _object(content), _seconds(response.headers))


def _object(content: bytes) -> dict[str, Any]:
    try:
        decoded = msgspec.json.decode(content) if content else {}
    except msgspec.DecodeError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _seconds(headers: Mapping[str, str] | None) -> float | None:
    text = (headers or {}).get("retry-after")
    return float(text) if text and text.isdigit() else None


class Spike(LoadTestShape):
    """Everybody within ``spike_s``, densest at the opening; the plan says who comes when."""

    use_common_options: ClassVar[bool] = False

    def tick(self) -> tuple[int, float] | None:
        """Return how many must have arrived a little later; they are started at once and wait for their moment."""
        if crowd.is_over:
            return None
        soon = time.monotonic() - crowd.opened + 1.5
        due = sum(1 for person in crowd.plan.people if person.arrives_s <= soon)
        return max(due, 1), len(crowd.plan.people)


def _open(environment: Environment, **_rest: object) -> None:
    del environment
    crowd.open_doors()


def _close(**_rest: object) -> None:
    crowd.trail.close()


events.test_start.add_listener(_open)  # type: ignore[no-untyped-call]  # locust leaves its hooks untyped
events.quit.add_listener(_close)  # type: ignore[no-untyped-call]  # locust leaves its hooks untyped
