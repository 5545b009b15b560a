"""The way to what everybody asks who was let through: past the router, with one error path."""

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope

from origin.capacity.traffic import Traffic
from shared import problem
from shared.http import Endpoint, Handler
from shared.middleware import HttpMetrics, bounded, log_fault
from shared.problem import Problem
from shared.quick import Answer, Quick
from shared.request import QuickRequest


class ActsFirst(Quick):
    """An app that answers those ``POST`` operations first whose address is always the same.

    Each answer is timed and counted; what nobody caught is logged and becomes a plain 500, as ``Boundary`` has it.
    """

    def __init__(
        self, endpoints: Sequence[Endpoint], metrics: HttpMetrics, traffic: Traffic, body_limit: int, **given: Any
    ) -> None:
        super().__init__(**given)
        acts = [each for each in endpoints if each.method == "POST" and "{" not in each.path]
        self._answers = {each.path: self._by(each.handler) for each in acts}
        self._metrics = metrics
        self._traffic = traffic
        self._body_limit = body_limit

    def find(self, scope: Scope) -> Answer | None:
        if scope["method"] != "POST":
            return None
        return self._answers.get(scope["path"].removeprefix(scope.get("root_path", "")))

    def begin(self) -> None:
        self._traffic.in_flight += 1

    def note(self, method: str, status: int, seconds: float) -> None:
        self._traffic.in_flight -= 1
        self._traffic.answered(seconds, failed=not status or status >= 500)
        self._metrics.observe(method, status, seconds)

    def _by(self, handler: Handler) -> Answer:
        async def answer(scope: Scope, receive: Receive) -> Response:
            try:
                return await handler(QuickRequest(scope, await bounded(scope, receive, self._body_limit)))
            except Problem as refused:
                return refused.response()
            except Exception as error:
                log_fault(error)
                return Problem(problem.INTERNAL).response()

        return answer
