"""From a site's clock to moments, on the days too on which clocks are changed."""

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from origin.inventory.bulk.cells import CellFault
from origin.inventory.bulk.fault_kinds import FaultKind


@lru_cache(maxsize=65_536)
def moment_of(written: datetime, zone: str) -> datetime:
    """Return the moment that was written, in UTC; without an offset it is meant on the clock of ``zone``.

    Raises:
        CellFault: ``time_gap``, ``time_fold``: that clock never shows this time on that day, or shows it twice.
    """
    if written.tzinfo is not None:
        return written.astimezone(UTC)
    first = written.replace(tzinfo=ZoneInfo(zone), fold=0)
    second = first.replace(fold=1)
    before, after = first.utcoffset(), second.utcoffset()
    assert before is not None
    assert after is not None
    if before == after:
        return first.astimezone(UTC)
    given = {"time": f"{written:%H:%M}", "day": f"{written:%Y-%m-%d}", "zone": zone}
    if before < after:
        raise CellFault(FaultKind.TIME_GAP, **given)
    either = {"first": first.isoformat(timespec="minutes"), "second": second.isoformat(timespec="minutes")}
    raise CellFault(FaultKind.TIME_FOLD, **given, **either)
