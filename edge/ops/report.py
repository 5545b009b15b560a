"""A room as operators are told of it."""

from edge.guard.revoked import revoked
from edge.line.desk import Desk
from edge.line.room import LanePicture, LanePlan
from edge.line.view import View, iso
from edge.ops import governor
from edge.ops.answers import BypassReport, CreationReport, LaneReport, RoomReport
from edge.state import EdgeState


def report(edge: EdgeState, desk: Desk, view: View) -> RoomReport:
    """Return the room with its settings, counters and meters."""
    plan, seen, status = desk.plan, view.picture, view.status
    created = edge.registrar.created(plan.id)
    return RoomReport(
        room=plan.id,
        name=plan.name,
        state=seen.state,
        phase=seen.phase,
        reason=seen.reason,
        epoch=seen.epoch,
        version=seen.version,
        prequeue_at=status.prequeue_at,
        opens_at=status.opens_at,
        closes_at=status.closes_at,
        discipline=seen.discipline,
        lottery_commitment=status.lottery.commitment if status.lottery else None,
        lanes=[_lane(planned, lane) for planned, lane in zip(plan.lanes, seen.lanes, strict=True)],
        bypass=BypassReport(seen.bypass_rate, seen.bypass_burst, seen.bypassed),
        revoked_passes=len(revoked(desk.line.revoked)),
        rate_per_s=seen.rate,
        burst=seen.burst,
        call_window_s=seen.window,
        token_ttl_s=plan.token_ttl_s,
        enter_url=str(plan.enter_url),
        check_url=None if plan.check_url is None else str(plan.check_url),
        challenge=view.challenge,
        governor=governor.report(desk, view),
        created=None if created is None else CreationReport(iso(created.at), created.actor, created.why),
        joined=seen.joined,
        called=seen.called,
        answered=seen.answered,
        admitted=seen.admitted,
        left=seen.left,
        waiting=seen.waiting,
        backlog=seen.backlog,
        tokens=round(seen.tokens, 3),
        show=round(seen.show, 4),
        calls_per_s=round(seen.calls_per_s, 3),
        as_of=view.as_of,
    )


def _lane(planned: LanePlan, seen: LanePicture) -> LaneReport:
    return LaneReport(
        lane=planned.lane,
        access=planned.access,
        weight=seen.weight,
        floor_per_s=seen.floor,
        opens_at=iso(seen.opens / 1_000_000) if seen.opens else None,
        phase=seen.phase,
        joined=seen.joined,
        called=seen.called,
        answered=seen.answered,
        admitted=seen.admitted,
        left=seen.left,
        waiting=seen.waiting,
        backlog=seen.backlog,
        entries=seen.entries if seen.entries >= 0 else None,
        show=round(seen.show, 4),
        rate_per_s=round(seen.share, 3),
        least_per_s=round(seen.least, 3),
    )
