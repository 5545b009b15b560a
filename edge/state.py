"""What one edge process holds while it runs; the app's lifespan makes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

from edge.config import EdgeConfig
from edge.guard.guard import Guard
from edge.line.desk import Desk
from edge.line.ticket import Tickets
from edge.metrics import EdgeMetrics
from edge.registrar import Registrar
from edge.visitors.resume import ResumeCodes
from shared import problem
from shared.bearer import BearerVerifier
from shared.clock import Clock
from shared.ids import Ids
from shared.problem import Problem
from shared.token import AdmissionTokens


@dataclass(frozen=True)
class EdgeState:
    """The parts of a running edge. ``desks`` grows: rooms are created while it runs."""

    config: EdgeConfig
    desks: Mapping[str, Desk]
    tickets: Tickets
    tokens: AdmissionTokens
    ids: Ids
    verifier: BearerVerifier
    metrics: EdgeMetrics
    guard: Guard
    registrar: Registrar
    codes: ResumeCodes
    clock: Clock

    def desk(self, room: str) -> Desk:
        """Return the room's desk; raises Problem ``not_found``."""
        desk = self.desks.get(room)
        if desk is None:
            raise Problem(problem.NOT_FOUND, "there is no such room")
        return desk


class LifespanState(TypedDict):
    """What requests find as ``request.state``."""

    edge: EdgeState
