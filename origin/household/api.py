"""``/v1/household/members``: for whom a person books besides themselves."""

from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from origin import errors
from origin.household.members import Member, MemberForm, Members
from origin.state import state_of
from shared.http import Endpoint, Json, read_body
from shared.problem import UNAUTHENTICATED, Problem

PATH = "/v1/household/members"


async def list_members(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    person = await state.people.caller(request)
    return Json(Members(await state.households.all(person)))


async def add_member(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    person = await state.people.caller(request)
    member, is_new = await state.households.add(person, await read_body(request, MemberForm))
    return Json(member, 201 if is_new else 200)


async def remove_member(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    person = await state.people.caller(request)
    try:
        member = UUID(request.path_params["id"])
    except ValueError:
        raise Problem(errors.MEMBER_UNKNOWN) from None
    await state.households.remove(person, member)
    return Response(status_code=204)


ENDPOINTS = (
    Endpoint(
        "GET",
        PATH,
        list_members,
        "The caller's household: for whom they book besides themselves",
        answers={200: Members},
        problems=(UNAUTHENTICATED,),
        security=("bearer",),
    ),
    Endpoint(
        "POST",
        PATH,
        add_member,
        "Add somebody to the household; 200 where they are in it already",
        answers={201: Member, 200: Member},
        body=MemberForm,
        problems=(UNAUTHENTICATED, errors.HOUSEHOLD_FULL, errors.NAMED_ENOUGH),
        security=("bearer",),
    ),
    Endpoint(
        "DELETE",
        PATH + "/{id}",
        remove_member,
        "Take somebody out of the household, their name included; what is booked for them stays",
        answers={204: None},
        path_params={"id": {"type": "string", "format": "uuid"}},
        problems=(UNAUTHENTICATED, errors.MEMBER_UNKNOWN),
        security=("bearer",),
    ),
)
