"""The verdict on the terminal."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from loadtest.drill.report import MUST_BE_ZERO, Report

_FUNNEL = ("visitors", "joined", "called", "admitted", "exchanged", "evaluated", "attempted", "booked", "left")


def show(report: Report, out_dir: Path, console: Console) -> None:
    """Print the funnel, the invariants and the verdict."""
    console.print("  ".join(f"{name} [bold]{getattr(report, name):,}[/]" for name in _FUNNEL), highlight=False)
    table = Table(box=None, pad_edge=False)
    for heading in ("invariant", "found", "allowed"):
        table.add_column(heading, justify="left" if heading == "invariant" else "right")
    for name in MUST_BE_ZERO:
        found = getattr(report, name)
        table.add_row(name, f"[bold red]{found:,}[/]" if found else "0", "0")
    table.add_row("overshoot", f"{report.overshoot:.3f}", "1.000", style="bold red" if report.overshoot > 1 else "")
    console.print(table)
    console.print(
        f"rate error {report.rate_error:.1%} ({report.rate_measured}), "
        f"wait {report.wait_p50_s:.1f} s median, {report.wait_p99_s:.1f} s p99, "
        f"booking {report.book_p50_ms:.0f} ms median, {report.book_p99_ms:.0f} ms p99, {report.conflicts:,} conflicts",
        highlight=False,
    )
    if report.rate_used:
        used = ", ".join(f"{share:.1%}" for share in report.rate_used)
        console.print(f"rate used in each full minute after two call windows: {used}", highlight=False)
    if report.wait_within_p90 is not None:
        console.print(
            f"called within the wait shown first: {report.wait_within_p90:.0%} (goal 90 %), "
            f"within its lower end {report.wait_within_p50:.0%}, median {report.wait_ratio_p50:.2f} of that; "
            f"calls known to ±{report.wait_known_to_s:.2f} s",
            highlight=False,
        )
    for kind, count in report.retried_kinds.items():
        console.print(f"[yellow]tried again[/] {count:,} × {kind}", highlight=False)
    for sentence in report.broken:
        console.print(f"[bold red]broken[/] {sentence}", highlight=False)
    console.print(f"report: {out_dir / 'report.html'}", highlight=False)
    console.print("[bold green]PASSED[/]" if report.passed else "[bold red]FAILED[/]")
