"""Who may stand in a lane that asks for a pass: the holder of a good one that nobody has used.

When the store does not answer, nobody gets in by a pass: there is no line to join then either. When the store has lost
everything, a used pass gives a place once more, and that place leads to the same admission as the first.
"""

from collections.abc import Callable, Sequence
from typing import Literal

from edge import errors
from edge.guard.once import Mark, Spent
from edge.guard.passes import PASS_REASONS, Pass, Passes, PassReason, PassRefused
from edge.guard.revoked import Revoked
from shared.problem import Problem, ProblemType

KEEP_S = 90 * 24 * 3600
"""How long the store keeps which passes of a batch were used, in seconds after the last."""

PassOutcome = Literal["accepted", "given_back", "missing", "revoked", "used"] | PassReason
PASS_OUTCOMES: tuple[PassOutcome, ...] = ("accepted", "given_back", "missing", "revoked", "used", *PASS_REASONS)


class PassGuard:
    """The passes of one room.

    Args:
        lanes: those that a pass opens.
        spent: where it is kept which passes were used.
        count: hears what became of each pass.
    """

    def __init__(
        self, room: str, lanes: Sequence[str], passes: Passes, spent: Spent, count: Callable[[PassOutcome], None]
    ) -> None:
        self._room = room
        self._lanes = lanes
        self._passes = passes
        self._spent = spent
        self._count = count

    async def admit(self, text: str | None, revoked: Revoked, epoch: int) -> Pass:
        """Use up a pass for a place in line ``epoch``; return it, with the lane and the id of the ticket to issue.

        Guarantee: over all edges a pass is worth one place in each line, and one admission in all lines together, for
        its ticket always has the same id. Refuse everything else first: what comes after this burns passes.

        Raises:
            Problem: ``pass_missing``, ``pass_refused`` with the reason as a member, ``pass_revoked``, ``pass_used``.
            StoreUnavailable: whether it was used up is not known.
        """
        if not text or not text.strip():
            raise self._refusal("missing", errors.PASS_MISSING)
        try:
            found = self._passes.open(text, self._room, self._lanes)
        except PassRefused as refused:
            raise self._refusal(refused.reason, errors.PASS_REFUSED) from None
        if revoked.has(found.batch, found.n):
            raise self._refusal("revoked", errors.PASS_REVOKED)
        if not await self._spent.spend(_mark(found, epoch)):
            raise self._refusal("used", errors.PASS_USED)
        self._count("accepted")
        return found

    async def give_back(self, found: Pass, epoch: int) -> None:
        """Make a pass good again because no ticket could be handed out for it.

        Also where it is not known whether a place was taken: nobody has a ticket for that one.

        Raises:
            StoreUnavailable: whether it is good again is not known.
        """
        await self._spent.give_back(_mark(found, epoch))
        self._count("given_back")

    def _refusal(self, outcome: PassOutcome, kind: ProblemType) -> Problem:
        self._count(outcome)
        return Problem(kind, reason=outcome)


def _mark(found: Pass, epoch: int) -> Mark:
    return Mark(f"{epoch}:{found.batch}", found.n)  # who stood in a line that was ended may stand in the next
