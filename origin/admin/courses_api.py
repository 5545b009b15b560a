"""``/v1/admin/programmes/{programme}/courses`` and ``/courses:remove``."""

from starlette.requests import Request
from starlette.responses import Response

from origin.admin.api import PATH, PROGRAMME, REFUSED
from origin.admin.courses import CourseForm, CourseName, Courses, change, courses
from origin.admin.officials import AUTHOR, OPERATOR, REVIEWER
from origin.state import state_of
from shared.http import Endpoint, Json, read_body


async def read_courses(request: Request) -> Response:
    """Handle the request."""
    state = state_of(request)
    await state.people.official(request, OPERATOR, REVIEWER, AUTHOR)
    async with state.database.connection() as connection:
        return Json(await courses(connection, request.path_params["programme"]))


async def set_course(request: Request) -> Response:
    """Handle the request."""
    return await _change(request, CourseForm)


async def remove_course(request: Request) -> Response:
    """Handle the request."""
    return await _change(request, CourseName)


async def _change(request: Request, kind: type[CourseForm] | type[CourseName]) -> Response:
    state = state_of(request)
    official = await state.people.official(request, OPERATOR)
    form: CourseForm | CourseName = await read_body(request, kind)
    programme: str = request.path_params["programme"]
    async with state.database.connection() as connection:
        about, now = state.ids.uuid(), state.clock.now()
        return Json(await change(connection, official, programme, form, about=about, now=now))


ENDPOINTS = (
    Endpoint(
        "GET",
        PATH + "/courses",
        read_courses,
        "Which dose follows which, and after how many days",
        answers={200: Courses},
        path_params=PROGRAMME,
        problems=REFUSED,
        security=("bearer",),
    ),
    Endpoint(
        "POST",
        PATH + "/courses",
        set_course,
        "Set what follows a dose; for bookings from now on",
        answers={200: Courses},
        body=CourseForm,
        path_params=PROGRAMME,
        problems=REFUSED,
        security=("bearer",),
    ),
    Endpoint(
        "POST",
        PATH + "/courses:remove",
        remove_course,
        "Let nothing follow a dose any more; what is booked stays",
        answers={200: Courses},
        body=CourseName,
        path_params=PROGRAMME,
        problems=REFUSED,
        security=("bearer",),
    ),
)
