"""``vestibule programme course``: which dose follows which."""

from typing import TYPE_CHECKING, Annotated

import typer

from deploy.errors import StackError
from deploy.explained import explained
from deploy.official_cli import As, At, Programme, Why, address, find_origin
from deploy.tables import console, table

if TYPE_CHECKING:
    import msgspec

course = typer.Typer(name="course", help="Say which dose follows which, and after how many days.", no_args_is_help=True)

Product = Annotated[str, typer.Argument(help="CVX code of the product, of both doses.")]
Dose = Annotated[int, typer.Option(help="The dose that is followed by another.", min=1, max=99)]


@course.command("list")
def list_(programme: Programme, origin: At = None, who: As = None) -> None:
    """Show the courses of a programme."""
    _do("GET", f"{address(programme)}/courses", None, origin, who)


@course.command("set")
def set_(
    programme: Programme,
    product: Product,
    days: Annotated[str, typer.Option(help="From how many to how many days later, as in 21-28.")],
    reason: Why,
    dose: Dose = 1,
    first_alone: Annotated[
        bool, typer.Option("--first-alone/--both-only", help="Whether the dose may be booked without the next.")
    ] = True,
    origin: At = None,
    who: As = None,
) -> None:
    """Let a dose be followed by another: the two are offered and booked together."""
    with explained():
        from origin.admin.courses import CourseForm

        least, _, most = days.partition("-")
        if not (least.isdecimal() and most.isdecimal() and 1 <= int(least) <= int(most)):
            raise StackError("--days is two numbers, as in 21-28, the smaller one first")
        form = CourseForm(product, dose, int(least), int(most), reason, first_alone)
    _do("POST", f"{address(programme)}/courses", form, origin, who)


@course.command()
def remove(
    programme: Programme, product: Product, reason: Why, dose: Dose = 1, origin: At = None, who: As = None
) -> None:
    """Let nothing follow a dose any more; what is booked stays."""
    with explained():
        from origin.admin.courses import CourseName

        form = CourseName(product, dose, reason)
    _do("POST", f"{address(programme)}/courses:remove", form, origin, who)


def _do(method: str, path: str, form: "msgspec.Struct | None", origin: str | None, who: str | None) -> None:
    with explained():
        from origin.admin.courses import Courses

        told = find_origin(origin, who).call(method, path, Courses, form)
    if not told.courses:
        console().print(f"No dose follows another in {told.programme}.")
        return
    rows = (
        (each.product, each.dose, f"{each.days_min}-{each.days_max} days", "yes" if each.first_alone else "no")
        for each in told.courses
    )
    console().print(table(("Product", "Dose", "Next after", "Alone"), rows))
