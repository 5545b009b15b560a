"""Which dose follows which in a programme: read, set and taken away by operators."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from origin.admin.officials import QUERIES as ACTS
from origin.admin.officials import Why, audit, require_programme
from origin.db.sql import Connection, load
from origin.identity import Official
from origin.inventory.courses import QUERIES

Product = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9.-]{1,64}$")]
Dose = Annotated[int, msgspec.Meta(ge=1, le=99)]
Days = Annotated[int, msgspec.Meta(ge=1, le=730)]


class Course(msgspec.Struct, frozen=True):
    """The dose behind ``dose`` of a product (CVX code) is given ``days_min`` to ``days_max`` days later, both included.

    ``first_alone``: ``dose`` may be booked without the one behind it.
    """

    product: str
    dose: int
    days_min: int
    days_max: int
    first_alone: bool


class Courses(msgspec.Struct, frozen=True):
    """The courses of a programme."""

    programme: str
    courses: list[Course]


class CourseForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What follows a dose, and why it is set so."""

    product: Product
    dose: Dose
    days_min: Days
    days_max: Days
    reason: Why
    first_alone: bool = True

    def __post_init__(self) -> None:
        """Raise ValueError for an interval that ends before it begins."""
        if self.days_max < self.days_min:
            raise ValueError("`days_max` lies before `days_min`")


class CourseName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Behind which dose nothing follows any more, and why."""

    product: Product
    dose: Dose
    reason: Why


async def courses(connection: Connection, programme: str) -> Courses:
    """Return the courses of a programme.

    Raises:
        Problem: 404 ``programme_unknown``.
    """
    await require_programme(connection, programme)
    rows = await load(QUERIES)["courses"].rows(connection, programme=programme)
    return Courses(programme, [Course(**dict(row)) for row in rows])


async def change(
    connection: Connection,
    official: Official,
    programme: str,
    form: CourseForm | CourseName,
    *,
    about: UUID,
    now: datetime,
) -> Courses:
    """Set or remove a course, with an audit row about ``about``, and return what holds then.

    Where it is so already, nothing changes.

    It waits for bookings under way, and holds for those that come after. Appointments that were booked before stay.

    Raises:
        Problem: 404 ``programme_unknown``.
        asyncpg.LockNotAvailableError: bookings under way took longer than four seconds; nothing was changed.
    """
    async with connection.transaction():
        await require_programme(connection, programme)
        await load(ACTS)["patience"].row(connection)
        await load(ACTS)["lock_programme"].row(connection, programme=programme)
        if await _changed(connection, programme, form):
            kind = "course_set" if isinstance(form, CourseForm) else "course_removed"
            details = msgspec.structs.asdict(form)
            await audit(connection, official, kind, programme=programme, about=about, now=now, **details)
        return await courses(connection, programme)


async def _changed(connection: Connection, programme: str, form: CourseForm | CourseName) -> bool:
    queries = load(QUERIES)
    if isinstance(form, CourseName):
        removed = await queries["remove_course"].run(
            connection, programme=programme, product=form.product, dose=form.dose
        )
        return removed > 0
    values = {name: value for name, value in msgspec.structs.asdict(form).items() if name != "reason"}
    return await queries["set_course"].row(connection, programme=programme, **values) is not None
