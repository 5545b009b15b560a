"""One visitor on the way from the line to the appointment, as a program that keeps to the contract.

The way: join, poll as told, claim on call, exchange, evaluate, search, book. Temporary refusals (429, 503, no answer)
are tried again after ``Retry-After``; a slot that is gone is replaced by an alternative under a fresh key.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import uuid4

from loadtest.drill.answers import Answer, facts_of
from loadtest.drill.plan import Person, Plan
from loadtest.drill.trail import Event, What

_TEMPORARY = frozenset({0, 429, 502, 503, 504})
_MOST_SLOTS_TRIED = 12
_FAULT_PAUSE_S = 1.0


class Http(Protocol):
    """The visitor's browser: keeps cookies between calls."""

    def __call__(
        self, method: str, url: str, *, name: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer: ...


class Ended(Exception):
    """The visit is over; ``outcome`` says how: booked, left, ineligible, refused, no_supply, out_of_time."""

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class Visitor:
    """Walks the way once, and writes down each step."""

    def __init__(
        self,
        number: int,
        plan: Plan,
        http: Http,
        record: Callable[[Event], None],
        sleep: Callable[[float], None],
        deadline: float,
    ) -> None:
        self.number = number
        self.plan = plan
        self.person: Person = plan.people[number]
        self._http = http
        self._record = record
        self._sleep = sleep
        self._deadline = deadline
        self._leaves_at = float("inf")
        self._products: set[str] = set()
        self._room = f"{plan.edge_url}/v1/rooms/{plan.room}"
        self._bearer = {"Authorization": f"Bearer {self.person.token}"}

    def walk(self) -> str:
        """Go all the way; return the outcome."""
        self._note("arrive")
        try:
            self._wait_in_line(self._join())
            self._enter(self._claim())
            outcome = self._book(self._evaluate())
        except Ended as ended:
            outcome = ended.outcome
        self._note("end", code=outcome)
        return outcome

    def _join(self) -> dict[str, Any]:
        answer = self._ask("join", "POST", f"{self._room}/tickets", body={})
        if answer.status not in {200, 201}:
            raise Ended("refused")
        if self.person.leaving:
            ahead = answer.body.get("ahead")
            expected = len(self.plan.people) / 2 if ahead is None else ahead  # an entry of a lottery is not drawn yet
            self._leaves_at = time.monotonic() + self.person.leaves_after * expected / self.plan.rate_per_s
        return answer.body

    def _wait_in_line(self, standing: dict[str, Any]) -> None:
        while True:
            is_called = standing["state"] in {"called", "admitted"}
            if self.person.leaving and (is_called or time.monotonic() >= self._leaves_at):
                self._leave()
            if is_called:
                return
            if standing["state"] == "left":
                raise Ended("left")
            self._pause(min(standing["poll_after_s"], max(0.0, self._leaves_at - time.monotonic())))
            if time.monotonic() < self._leaves_at:
                answer = self._ask("standing", "GET", f"{self._room}/tickets/me")
                if answer.status != 200:
                    raise Ended("refused")
                standing = answer.body

    def _leave(self) -> None:
        if self.person.leaving == "silent":
            self._note("vanish")
        else:
            self._ask("leave", "DELETE", f"{self._room}/tickets/me")
        raise Ended("left")

    def _claim(self) -> str:
        while True:
            answer = self._ask("claim", "POST", f"{self._room}/admissions", body={}, twice=self.person.double_click)
            if answer.status == 201:
                return str(answer.body["token"])
            if answer.code != "not_called":
                raise Ended("refused")
            self._pause(float(answer.body.get("poll_after_s", 1)))

    def _enter(self, token: str) -> None:
        url = f"{self.plan.origin_url}/v1/admission:exchange"
        if self._ask("exchange", "POST", url, body={"token": token}).status != 200:
            raise Ended("refused")

    def _evaluate(self) -> str:
        home = self.person.home
        facts: dict[str, object] = {
            "birth_date": self.person.birth_date.isoformat(),
            "region": home.region,
            "job_code": None,
            "conditions": [],
        }
        url = f"{self.plan.origin_url}/v1/eligibility:evaluate"
        answer = self._ask("evaluate", "POST", url, body={"facts": facts}, headers=self._bearer)
        if answer.status != 200:
            raise Ended("refused")
        if answer.body["outcome"] != "eligible":
            raise Ended("ineligible")
        grants = answer.body["grants"]
        self._products = set(grants.get("products") or [grants["product"]])
        return str(answer.body["decision_ref"])

    def _search(self, radius_km: int) -> list[str]:
        now = datetime.now(UTC).replace(microsecond=0)
        home = self.person.home
        query = (
            f"lat={home.lat:.5f}&lng={home.lng:.5f}&radius_km={radius_km}"
            f"&from={now:%Y-%m-%dT%H:%M:%SZ}&to={now + timedelta(days=14):%Y-%m-%dT%H:%M:%SZ}"
        )
        answer = self._ask("search", "GET", f"{self.plan.origin_url}/v1/slots?{query}", headers=self._bearer)
        if answer.status != 200:
            raise Ended("refused")
        return [slot["id"] for slot in answer.body["slots"] if slot["product"] in self._products]

    def _book(self, decision: str) -> str:
        wanted: list[Any] = []
        for attempt in range(_MOST_SLOTS_TRIED):
            if not wanted:
                wanted = self._search(25 if attempt == 0 else 200)
                if not wanted:
                    continue
                self._pause(self.person.thinks_s)
            # Most people want one of the first few: that is what makes slots fill up under their hands.
            slot = wanted[int(self.person.picks**2 * min(len(wanted), 10))]
            answer = self._try(slot, decision)
            if answer.status == 201:
                return "booked"
            if answer.code != "slot_gone":
                raise Ended("refused")
            wanted = [other["id"] for other in answer.body.get("alternatives", [])]
        raise Ended("no_supply")

    def _try(self, slot: object, decision: str) -> Answer:
        key = str(uuid4())
        headers = {**self._bearer, "Idempotency-Key": key}
        body = {"slot_id": slot, "decision_ref": decision}
        url = f"{self.plan.origin_url}/v1/appointments"
        return self._ask(
            "book", "POST", url, body=body, headers=headers, key=key, slot=str(slot), twice=self.person.double_click
        )

    def _ask(
        self,
        what: What,
        method: str,
        url: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        key: str = "",
        slot: str = "",
        twice: bool = False,
    ) -> Answer:
        """Ask until the answer is a lasting one; ``twice`` asks once more and keeps the second answer."""
        while True:
            answer = self._once(what, method, url, body, headers, key, slot)
            temporary = answer.status in _TEMPORARY or answer.code == "key_in_flight"
            if temporary:
                self._pause(answer.retry_after_s or _FAULT_PAUSE_S)
            elif twice:
                twice = False
            else:
                return answer

    def _once(
        self,
        what: What,
        method: str,
        url: str,
        body: object,
        headers: Mapping[str, str] | None,
        key: str,
        slot: str,
    ) -> Answer:
        sent = time.monotonic()
        answer = self._http(method, url, name=what, body=body, headers=headers)
        received = time.monotonic()
        seen = facts_of(what, answer)
        asked = {"key": key, "slot": slot, "retry_after_s": answer.retry_after_s}
        self._record(Event(self.number, what, sent, received, answer.status, answer.code, **(asked | seen)))
        return answer

    def _pause(self, seconds: float) -> None:
        if time.monotonic() + seconds > self._deadline:
            raise Ended("out_of_time")
        self._sleep(max(seconds, 0.01))

    def _note(self, what: What, code: str = "") -> None:
        now = time.monotonic()
        self._record(Event(self.number, what, now, now, code=code))
