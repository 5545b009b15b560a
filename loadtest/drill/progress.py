"""What the terminal shows while the crowd is on its way."""

from collections import Counter
from collections.abc import Iterable

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from loadtest.drill.trail import Event

_PLAIN_EVERY_S = 5.0
_BLOCKS = " ▁▂▃▄▅▆▇█"
_RECENT = 60


class Progress:
    """Counts events and draws them: a live picture on a terminal, a line every five seconds elsewhere."""

    def __init__(self, console: Console, visitors: int, rate_per_s: float) -> None:
        self._console = console
        self._visitors = visitors
        self._rate = rate_per_s
        self._reached: dict[str, set[int]] = {
            name: set() for name in ("joined", "called", "admitted", "booked", "left")
        }
        self._tokens: Counter[int] = Counter()
        self._live = Live(console=console, refresh_per_second=4, transient=True) if console.is_terminal else None
        self._said_s = 0.0

    def __enter__(self) -> "Progress":
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, events: Iterable[Event], elapsed_s: float) -> None:
        """Take in what happened and draw."""
        for event in events:
            self._count(event)
        if self._live:
            self._live.update(self._picture(elapsed_s))
        elif elapsed_s - self._said_s >= _PLAIN_EVERY_S:
            self._said_s = elapsed_s
            counts = "  ".join(f"{name} {len(who):,}" for name, who in self._reached.items())
            self._console.print(f"{elapsed_s:5.0f} s  {counts}", highlight=False)

    def _count(self, event: Event) -> None:
        match event.what, event.status:
            case "join", 200 | 201:
                self._reached["joined"].add(event.visitor)
            case "claim", 201:
                if event.visitor not in self._reached["admitted"]:
                    self._tokens[int(event.received)] += 1
                self._reached["called"].add(event.visitor)
                self._reached["admitted"].add(event.visitor)
            case "book", 201:
                self._reached["booked"].add(event.visitor)
            case ("vanish", _) | ("leave", 204):
                self._reached["left"].add(event.visitor)
            case _:
                pass
        if event.state == "called":
            self._reached["called"].add(event.visitor)

    def _picture(self, elapsed_s: float) -> Group:
        table = Table.grid(padding=(0, 1))
        for name, who in self._reached.items():
            bar = ProgressBar(total=self._visitors, completed=len(who), width=40)
            table.add_row(name, bar, f"{len(who):,} of {self._visitors:,}")
        return Group(
            Text(f"Opening day, {elapsed_s:.0f} s", style="bold"),
            table,
            Text(f"tokens per second, up to {self._rate:g}: {self._sparkline()}"),
        )

    def _sparkline(self) -> str:
        if not self._tokens:
            return ""
        last = max(self._tokens)
        counts = [self._tokens[second] for second in range(max(min(self._tokens), last - _RECENT), last + 1)]
        return "".join(_BLOCKS[min(8, round(8 * count / self._rate))] for count in counts)
