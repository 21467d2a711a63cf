"""Renders the page: the template, the style and the script beside it, in one file that needs no other."""

from __future__ import annotations

from pytest_workflows.messages.short_repr import counted
from pytest_workflows.reporting.coverage import percent

from .cards import cards
from .data import as_script, slim, summary
from .findings import broken_rules
from .paths import ShortPaths
from .pills import Pills
from .report import Report
from .shared import FOLDER, SHARED, shared

_SCRIPTS = ("report-data.js", *SHARED, "failure.js", "detail.js", "list.js", "main.js")
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000))


def render(report: Report) -> str:
    """The page as HTML.

    Args:
        report: The session.

    Raises:
        ImportError: If jinja2 is not installed.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    paths, pills = ShortPaths(report.rootdir, report.folders), Pills()

    def without_paths(value: object) -> object:
        # Values that are marked as safe are made here, and were shortened before.
        return paths.text(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=without_paths,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(took=took, percent=percent, count=counted)
    drawn, rules = cards(report, pills), broken_rules(report, pills)
    for card in drawn:
        card.graph, card.mermaid = paths.text(card.graph), paths.text(card.mermaid)
    return environment.get_template("report.html.j2").render(
        report=report,
        cards=drawn,
        rules=rules,
        places=sum(len(rule.places) for rule in rules),
        recordings=[as_script(slim(recording), paths) for recording in report.recordings],
        failed=sum(test.outcome == "failed" for test in report.tests),
        style=shared("report.css"),
        script="".join(map(shared, _SCRIPTS)),
        data=as_script(summary(report, pills), paths),
    )


def took(ms: float) -> str:
    """A duration as the page's script writes it too: `1 d 2 h`, `1.5 s`, `3.2 ms`."""
    if ms < 1:
        return "0 ms" if ms == 0 else f"{ms:.2f} ms"
    if ms < 1000:
        return f"{ms:.1f}".removesuffix(".0") + " ms" if ms < 10 else f"{ms:.0f} ms"
    if ms < 60_000:
        return f"{ms / 1000:.2f}".rstrip("0").rstrip(".") + " s"
    parts = []
    rest = round(ms / 1000) * 1000
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])
