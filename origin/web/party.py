"""For whom a visit books: oneself, or several of a household, each with questions of their own."""

from uuid import UUID

from origin.identity import Person
from origin.web.visit import Guest, Outcome, Visit


def guest(visit: Visit) -> Guest | None:
    """Return whom the answers are about; None where somebody books for themselves alone."""
    party = visit.kept.party
    return party[visit.kept.asking] if 0 <= visit.kept.asking < len(party) else None


async def asked(visit: Visit) -> Person:
    """Return about whom is decided.

    Raises:
        Problem: ``unauthenticated``; 404 ``member_unknown`` for somebody who is no longer in the household.
    """
    about = guest(visit)
    return await visit.state.households.as_person(visit.require_person(), None if about is None else about.member)


async def names(visit: Visit) -> dict[UUID | None, str]:
    """Return the household by id; oneself is None, with no name."""
    members = await visit.state.households.all(visit.require_person())
    return {None: ""} | {each.id: each.name for each in members}


async def who(visit: Visit) -> str | None:
    """Return the name of whom the answers are about, empty for oneself; None where one books for oneself alone."""
    about = guest(visit)
    if about is None:
        return None
    return "" if about.member is None else (await names(visit)).get(about.member, "")


def note(visit: Visit, outcome: Outcome) -> None:
    """Keep what was decided about somebody of a party."""
    about = guest(visit)
    if about is not None:
        about.ref, about.outcome, about.expires_at = outcome.ref, outcome.outcome, outcome.expires_at
        about.products, about.dose = outcome.products, outcome.dose


def take_in(visit: Visit, member: UUID) -> None:
    """Book for a member too, and turn to them."""
    if all(each.member != member for each in visit.kept.party):
        visit.kept.party.append(Guest(member))
    turn_to(visit, [each.member for each in visit.kept.party].index(member))


def turn_to(visit: Visit, number: int) -> None:
    """Begin the questions about somebody else; what is typed about one person is nobody else's answer."""
    if number != visit.kept.asking or visit.kept.outcome is None:
        visit.kept.typed = None
    visit.kept.asking, visit.kept.outcome = number, None


def ready(visit: Visit) -> bool:
    """Return whether everybody of the party may book now."""
    now = visit.state.clock.unix()
    party = visit.kept.party
    return bool(party) and all(each.outcome == "eligible" and now < each.expires_at for each in party)


def shared_products(party: list[Guest]) -> list[str]:
    """Return the products that everybody may have, in the order of the first."""
    return [code for code in party[0].products if all(code in each.products for each in party)] if party else []
