"""Marks without their script, for the negative controls of what is good for one time."""

from edge.guard.once import Mark, Spent
from tests.race.meeting import Meeting


class CheckThenSpend(Spent):
    """Looks whether a mark was used, then uses it: each step is atomic, both together are not.

    The first two to have looked wait for each other at ``meeting``.
    """

    meeting: Meeting

    async def spend(self, mark: Mark) -> bool:
        key = self._prefix + mark.batch
        used = await self._client.getbit(key, mark.n)
        await self.meeting()
        await self._client.setbit(key, mark.n, 1)
        return not used
