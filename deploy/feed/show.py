"""A report as people read it, and as programs do."""

import msgspec

from deploy.feed.findings import ERRORS, RULES, WARNINGS, Example, Report


def as_text(report: Report) -> str:
    """Return the report, errors first, each rule with its first examples."""
    lines: list[str] = []
    for rule in [*ERRORS, *WARNINGS]:
        if rule in report.counts:
            lines += [f"{RULES[rule]:<7} {rule}, {_times(report.counts[rule])}: {(ERRORS | WARNINGS)[rule]}"]
            lines += [f"        {_where(example)}" for example in report.examples[rule]]
    counted = ", ".join(f"{number:,} {kind}" for kind, number in report.resources.items())
    errors, warnings = report.number("error"), report.number("warning")
    lines.append(f"{report.feed}: {counted}; {errors:,} errors, {warnings:,} warnings.")
    return "\n".join(lines) + "\n"


def as_json(report: Report) -> str:
    """Return the report as one JSON object."""
    found = [
        {
            "rule": rule,
            "severity": RULES[rule],
            "meaning": (ERRORS | WARNINGS)[rule],
            "count": report.counts[rule],
            "examples": report.examples[rule],
        }
        for rule in [*ERRORS, *WARNINGS]
        if rule in report.counts
    ]
    document = {
        "feed": report.feed,
        "errors": report.number("error"),
        "warnings": report.number("warning"),
        "resources": report.resources,
        "findings": found,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"


def _where(example: Example) -> str:
    place = f"{example.file}:{example.line}" if example.line else example.file
    return " ".join(part for part in (place, example.path, f"({example.found})") if part)
