"""From a site's clock to moments, on the days too on which clocks are changed."""

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from origin.inventory.bulk.cells import CellFault


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
    if before < after:
        raise CellFault(
            "time_gap", f"{written:%H:%M} does not exist on {written:%Y-%m-%d} in {zone}: clocks go forward"
        )
    if before > after:
        either = f"{first.isoformat(timespec='minutes')} or {second.isoformat(timespec='minutes')}"
        raise CellFault("time_fold", f"{written:%H:%M} comes twice on {written:%Y-%m-%d} in {zone}: write {either}")
    return first.astimezone(UTC)
