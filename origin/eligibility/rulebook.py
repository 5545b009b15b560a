"""The rules in force, as an origin remembers them. Which version it is, the database says when a decision is stored.

Policy where they cannot be loaded (see ``RulesUnavailable``): closed. Nobody is decided about, what was decided before
holds, and pages say so. A programme may choose the last known rules instead: those that a rollback would go back to.
"""

from dataclasses import dataclass, replace
from math import inf

import asyncpg
import structlog

from origin.admin.programmes import Programme
from origin.db.pool import Database
from origin.db.sql import load
from origin.eligibility.document import InvalidDocument
from origin.eligibility.history import held, trail
from origin.eligibility.moves import clock_of, moves_of
from origin.eligibility.versions import QUERIES, Rules, RulesAltered, ready
from origin.metrics import OriginMetrics
from shared.clock import Clock

log = structlog.get_logger(__name__)

_AGAIN_AFTER_S = 5.0
_RECENT_S = 1.0


class RulesUnavailable(Exception):
    """Rules are in force and cannot be loaded: altered, in a form that is not known here, or not to be read."""


@dataclass(frozen=True)
class _Pointers:
    versions: dict[str | None, int]
    read_at: float


@dataclass(frozen=True)
class _Fault:
    """Not to be tried again before ``until``, Unix seconds. ``last_known``: the rules instead, once looked for."""

    until: float
    last_known: Rules | None = None


class RuleBook:
    """The rules in force, as last read. Whoever stores a decision finds out whether they still are."""

    def __init__(self, database: Database, clock: Clock, metrics: OriginMetrics) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._in_force: dict[str, _Pointers] = {}
        self._known: dict[tuple[str, int], Rules] = {}
        self._faulty: dict[tuple[str, int], _Fault] = {}

    async def current(self, programme: Programme, region: str | None = None, *, within_s: float = inf) -> Rules | None:
        """Return the rules in force for people of a region, as of at most ``within_s`` ago; None where there are none.

        A region without rules of its own, or that nobody knows, has the programme's. The last known rules, where they
        decide instead, say which version they stand for.

        Raises:
            RulesUnavailable: they cannot be loaded.
            Problem: 503 ``store_unavailable``.
        """
        version = await self._pointer(programme.id, region, within_s)
        if version is None:
            return None
        try:
            return await self.version(programme.id, version)
        except RulesUnavailable:
            if not programme.last_known_rules:
                raise
        return await self._last_known(programme.id, version)

    async def hold(self, programme: Programme, region: str | None, version: int) -> bool:
        """Return whether a version is the one in force for people of a region, or was a second ago.

        Raises:
            RulesUnavailable, Problem: as above.
        """
        return await self._pointer(programme.id, region, _RECENT_S) == version

    async def are_out(self, programme: Programme, region: str | None) -> bool:
        """Return whether nobody can be decided about, for want of the rules in force.

        Raises:
            Problem: 503 ``store_unavailable``.
        """
        try:
            await self.current(programme, region, within_s=_RECENT_S)
        except RulesUnavailable:
            return True
        return False

    async def in_force(self, programme: str, *, within_s: float = 0.0) -> dict[str | None, int]:
        """Return the versions in force by region, as of at most ``within_s`` ago; None is the programme itself.

        Raises:
            RulesUnavailable, Problem: as above.
        """
        remembered = self._in_force.get(programme)
        if remembered is not None and remembered.versions and self._clock.unix() - remembered.read_at < within_s:
            return remembered.versions
        read_at = self._clock.unix()
        try:
            async with self._database.connection() as connection:
                rows = await load(QUERIES)["in_force"].rows(connection, programme=programme)
        except asyncpg.PostgresError as error:
            raise self._out(programme, None, type(error).__name__) from None
        pointers = _Pointers({row["region"]: row["version"] for row in rows}, read_at)
        self._in_force[programme] = pointers
        return pointers.versions

    async def version(self, programme: str, version: int) -> Rules:
        """Return one version, in force or not; a version never changes, so that it is read once.

        Raises:
            RulesUnavailable, Problem: as above. What cannot be loaded is tried again after five seconds.
        """
        key = programme, version
        known = self._known.get(key)
        if known is not None:
            return known
        fault = self._faulty.get(key)
        if fault is not None and self._clock.unix() < fault.until:
            raise RulesUnavailable
        try:
            async with self._database.connection() as connection:
                row = await load(QUERIES)["version"].row(connection, programme=programme, version=version)
            assert row is not None
            known = self._known[key] = ready(programme, version, row["ruleset"], row["document"])
        except (asyncpg.PostgresError, InvalidDocument, RulesAltered) as error:
            self._faulty[key] = _Fault(self._clock.unix() + _AGAIN_AFTER_S)
            raise self._out(programme, version, type(error).__name__) from None
        return known

    async def _pointer(self, programme: str, region: str | None, within_s: float) -> int | None:
        pointers = await self.in_force(programme, within_s=within_s)
        return pointers.get(region, pointers.get(None))

    async def _last_known(self, programme: str, version: int) -> Rules:
        fault = self._faulty[programme, version]
        if fault.last_known is None:
            fault = replace(fault, last_known=await self._before(programme, version))
            self._faulty[programme, version] = fault
        assert fault.last_known is not None
        return fault.last_known

    async def _before(self, programme: str, version: int) -> Rules:
        """Go back from a version in force, as rollbacks would, to rules that can be loaded."""
        pointers = await self.in_force(programme, within_s=inf)
        region = next((region for region, here in pointers.items() if here == version), None)
        async with self._database.connection() as connection:
            moves = await moves_of(connection, programme, "active")
            came = held([move for move in moves if move.region == region], await clock_of(connection))
        for before in reversed(trail(came, regional=region is not None)[:-1]):
            number = pointers.get(None) if before is None else before
            if number is not None:
                try:
                    return replace(await self.version(programme, number), stands_for=version)
                except RulesUnavailable:
                    continue
        raise RulesUnavailable

    def _out(self, programme: str, version: int | None, fault: str) -> RulesUnavailable:
        self._metrics.rules_faults.labels(fault).inc()
        log.error("rules_unavailable", programme=programme, version=version, fault=fault)
        return RulesUnavailable()
