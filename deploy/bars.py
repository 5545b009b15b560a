"""How long something takes, told on a terminal: a bar on standard error, gone when it is over."""

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, ProgressColumn, TaskProgressColumn, TimeRemainingColumn


def bar(*, counted: bool, shown: bool = True) -> Progress:
    """Return a bar; where there is no terminal it shows nothing. ``counted``: it tells how many, and no share."""
    console = Console(stderr=True)
    done: ProgressColumn = MofNCompleteColumn() if counted else TaskProgressColumn()
    columns = (*Progress.get_default_columns()[:2], done, TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not shown or not console.is_terminal)
