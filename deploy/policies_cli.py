"""``vestibule programme show`` and ``set``: what a programme allows."""

import re
import sys
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from deploy.errors import StackError
from deploy.explained import explained
from deploy.official_cli import As, At, Programme, Why, address, find_origin

if TYPE_CHECKING:
    from origin.admin.policies import Policies

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}
_ANY = "any"


def show(programme: Programme, origin: At = None, who: As = None) -> None:
    """Show what holds now."""
    with explained():
        from origin.admin.policies import Policies

        _show(find_origin(origin, who).call("GET", address(programme), Policies))


def set_(
    programme: Programme,
    reason: Why,
    hold_lasts: Annotated[str | None, typer.Option(help="How long a place is held: 120s, 2m.")] = None,
    change_until: Annotated[
        str | None, typer.Option(help="Until when before its start one moves and cancels: 0, 12h, 2d.")
    ] = None,
    moves_at_most: Annotated[str | None, typer.Option(help='How often one moves an appointment, or "any".')] = None,
    cancels_at_most: Annotated[str | None, typer.Option(help='How often a person cancels, or "any".')] = None,
    offer_lasts: Annotated[
        str | None, typer.Option(help="How long people have to answer another time, where a site cancels: 48h, 2d.")
    ] = None,
    offer_lead: Annotated[
        str | None, typer.Option(help="How long before that time they must have answered: 0, 2h.")
    ] = None,
    offer_radius_km: Annotated[int | None, typer.Option(help="How far away the other time may be, in km.")] = None,
    offer_days: Annotated[int | None, typer.Option(help="How many days before or after.")] = None,
    return_within: Annotated[
        str | None, typer.Option(help="How long people may then book again without the queue: 0, 30d.")
    ] = None,
    waitlist: Annotated[
        bool | None, typer.Option("--waitlist/--no-waitlist", help="Whether one can join a waitlist.")
    ] = None,
    waitlist_lasts: Annotated[
        str | None, typer.Option(help="How long people have to take a place that became free: 30m.")
    ] = None,
    origin: At = None,
    who: As = None,
) -> None:
    """Change what is given; the rest stays."""
    with explained():
        from origin.admin.policies import Policies, PolicyForm

        given = {
            "hold_lasts_s": _seconds(hold_lasts),
            "change_until_s": _seconds(change_until),
            "moves_at_most": _times(moves_at_most),
            "cancels_at_most": _times(cancels_at_most),
            "offer_lasts_s": _seconds(offer_lasts),
            "offer_lead_s": _seconds(offer_lead),
            "offer_radius_km": _given(offer_radius_km),
            "offer_days": _given(offer_days),
            "return_within_s": _seconds(return_within),
            "waitlist": _given(waitlist),
            "waitlist_lasts_s": _seconds(waitlist_lasts),
        }
        try:
            form = msgspec.convert(
                {"reason": reason} | {k: v for k, v in given.items() if v != msgspec.UNSET}, PolicyForm
            )
        except msgspec.ValidationError as error:
            raise StackError(f"invalid_body: {error}") from None
        _show(find_origin(origin, who).call("PATCH", address(programme), Policies, form))


def _given(value: int | None) -> int | msgspec.UnsetType:
    return msgspec.UNSET if value is None else value


def _seconds(text: str | None) -> int | msgspec.UnsetType:
    if text is None:
        return msgspec.UNSET
    length = re.fullmatch(r"(\d{1,9})([smhd]?)", text)
    if length is None:
        raise StackError(f"{text!r} is no length of time; say 120s, 2m, 12h or 2d")
    return int(length[1]) * _UNITS[length[2] or "s"]


def _times(text: str | None) -> int | msgspec.UnsetType | None:
    if text is None:
        return msgspec.UNSET
    if text == _ANY:
        return None
    if not re.fullmatch(r"\d{1,6}", text):
        raise StackError(f'{text!r} is no number of times; give a number, or "{_ANY}"')
    return int(text)


def _length(seconds: int) -> str:
    unit = next(name for name, worth in reversed(_UNITS.items()) if seconds % worth == 0)
    return f"{seconds // _UNITS[unit]}{unit}"


def _show(told: "Policies") -> None:
    def times(number: int | None) -> str:
        return _ANY if number is None else str(number)

    rows = {
        "programme": f"{told.programme} ({told.name})",
        "hold-lasts": _length(told.hold_lasts_s),
        "change-until": _length(told.change_until_s) + " before the start",
        "moves-at-most": times(told.moves_at_most),
        "cancels-at-most": times(told.cancels_at_most),
        "offer-lasts": _length(told.offer_lasts_s),
        "offer-lead": _length(told.offer_lead_s) + " before the time offered",
        "offer-radius-km": str(told.offer_radius_km),
        "offer-days": f"{told.offer_days} before or after",
        "return-within": _length(told.return_within_s),
        "waitlist": "yes" if told.waitlist else "no",
        "waitlist-lasts": _length(told.waitlist_lasts_s),
    }
    sys.stdout.writelines(f"{name:<16} {value}\n" for name, value in rows.items())
