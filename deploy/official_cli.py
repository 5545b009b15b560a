"""What commands in officials' names have in common: options, whom they speak to, how they fail."""

from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from shared.clock import SystemClock
from shared.settings import load

if TYPE_CHECKING:
    from deploy.officials import Origin

Programme = Annotated[str, typer.Argument(help="The programme's id.")]
Why = Annotated[str, typer.Option("--reason", help="Why: it is kept for good.")]
Region = Annotated[str | None, typer.Option(help="Only this region.")]
At = Annotated[str | None, typer.Option("--origin", help="Where the origin answers; else it is looked for.")]
As = Annotated[str | None, typer.Option("--as", help="On the stack that runs here: in whose name.")]


def find_origin(origin: str | None, who: str | None) -> "Origin":
    """Return whom to speak to, and in whose name."""
    from deploy.officials import OfficialSettings, Origin

    return Origin.find(load(OfficialSettings), origin, who, SystemClock())


def address(programme: str) -> str:
    """Return the path of a programme in the admin API."""
    return f"/v1/admin/programmes/{quote(programme, safe='')}"
