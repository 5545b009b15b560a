"""What somebody looks for a time for: to book with their turn, or to move an appointment that they have."""

from dataclasses import dataclass

from origin.web.booking import WAY
from origin.web.decided import may_book
from origin.web.moving import to_move
from origin.web.visit import Visit
from origin.words import SlotWords, of_appointment


@dataclass(frozen=True)
class Looking:
    """Which times are wanted. ``way``: where one is opened; of a move, the appointment's id and its time now."""

    programme: str
    products: list[str]
    way: str = WAY
    move: str = ""
    old: SlotWords | None = None


async def looking_for(visit: Visit) -> Looking | None:
    """Return what is looked for, or None where there is no decision to book with.

    Raises:
        Problem: ``admission_…``, ``unauthenticated``; of an appointment that cannot be moved, as ``to_move`` says.
    """
    move = visit.request.query_params.get("move")
    if move is not None:
        mine = await to_move(visit, move)
        said = of_appointment(mine.appointment, visit.language)
        return Looking(mine.terms.programme, [mine.appointment.product], mine.way, str(mine.appointment.id), said)
    admission = await visit.require_admission()
    visit.require_person()
    outcome = await may_book(visit, admission)
    return None if outcome is None else Looking(admission.programme.id, outcome.products)
