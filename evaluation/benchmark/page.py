"""The page of a benchmark: one HTML file, a table a task that sorts, each number with its error.

What people wrote, such as names, is text on it and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from nuzoo.evaluation.benchmark.contestants import MODEL
from nuzoo.evaluation.benchmark.entry import Entry
from nuzoo.evaluation.benchmark.leaderboard import Leaderboard, PairedTest, Standing
from nuzoo.evaluation.core.results import Estimate
from nuzoo.evaluation.core.text import with_error
from nuzoo.files.atomic import write_atomically
from nuzoo.files.plain_text import counted

PAGE = "index.html"
TEMPLATE, TITLE, SUMMARY, TASKS = "page.html", "TITLE", "SUMMARY", "TASKS"
SIGNIFICANT, SMALLEST_P = 0.05, 0.001
WIDTH, MARGIN, HEIGHT = 120, 6, 14
"""Of the drawing of a number with its error, in pixels."""

NOT_TOLD = "not told"
KINDS = {MODEL: "model of nuzoo"}


def write_page(out: Path, leaderboard: Leaderboard) -> Path:
    """Write the page into a folder."""
    template = files("nuzoo.evaluation.benchmark").joinpath(TEMPLATE).read_text(encoding="utf-8")
    page = template.replace(TITLE, escape(leaderboard.benchmark)).replace(SUMMARY, _summary(leaderboard))
    sections = [_section(name, standing) for name, standing in leaderboard.tasks.items()]
    write_atomically(out / PAGE, page.replace(TASKS, "\n".join(sections)))
    return out / PAGE


def _summary(leaderboard: Leaderboard) -> str:
    entries = {entry.name for standing in leaderboard.tasks.values() for entry in standing.entries}
    return escape(
        f"{len(entries)} entries, {len(leaderboard.tasks)} tasks. Simulated events, the same for all. Errors "
        f"are standard deviations of {leaderboard.replicas:,} bootstrap replicas of the events; they do not "
        "cover another training. Click a heading to sort. Checksum of the frozen tasks "
        f"{leaderboard.benchmark_sha256}."
    )


def _section(name: str, standing: Standing) -> str:
    budget = standing.asked.training
    about = (
        f"{standing.sample.events:,} events; what counts is {standing.titles[standing.asked.metric]}; up to "
        f"{budget.events:,} events to learn from"
    )
    heads = ["entry", *standing.titles.values(), "", "learnt from", "parameters", "ms an event", "kind"]
    rows = "\n".join(_row(entry, standing) for entry in standing.entries)
    return (
        f'<section id="{escape(name)}"><h2>{escape(standing.asked.title)}</h2>'
        f"<p><code>{escape(name)}</code> {escape(about)}.</p>"
        f'<p class="wide"><code>nuzoo simulate {escape(standing.sample.arguments)}</code></p>'
        f'<div class="wide"><table class="sortable"><thead><tr>{_heads(heads)}</tr></thead>'
        f"<tbody>\n{rows}\n</tbody></table></div>{_tests(standing.tests, standing)}</section>"
    )


def _row(entry: Entry, standing: Standing) -> str:
    metric, budget = standing.asked.metric, standing.asked.training.events
    told, beyond = entry.training_events, (entry.training_events or 0) > budget
    learnt = NOT_TOLD if told is None else f"{told:,}{' (beyond the budget)' if beyond else ''}"
    cells = [
        _cell(escape(entry.name), entry.name, f' title="{escape(entry.description)}"'),
        *(_number(entry.scores[key], ' class="counts"' if key == metric else "") for key in standing.titles),
        f"<td>{_drawing(entry, standing)}</td>",
        _cell(learnt, told, ' class="beyond"' if beyond else ""),
        _cell("" if entry.parameters is None else f"{entry.parameters:,}", entry.parameters),
        _number(entry.ms_per_event),
        _cell(KINDS.get(entry.kind, "answers"), entry.kind),
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _number(number: Estimate | None, attributes: str = "") -> str:
    if number is None or number.value is None:
        return _cell("", None, attributes)
    return _cell(escape(with_error(number)), number.value, attributes)


def _cell(shown: str, value: object, attributes: str = "") -> str:
    """Make a cell that sorts by a value; those without one come last."""
    key = "" if value is None else escape(str(value))
    return f'<td data-value="{key}"{attributes}>{shown}</td>'


def _heads(names: Sequence[str]) -> str:
    return "".join(
        f'<th scope="col"><button type="button">{escape(name)}</button></th>' if name else "<th></th>"
        for name in names
    )


def _drawing(entry: Entry, standing: Standing) -> str:
    """Draw the number that counts with its error, on one scale for a task."""
    numbers = [one.scores[standing.asked.metric] for one in standing.entries]
    ends = [
        of.value + side * (of.error or 0) for of in numbers if of.value is not None for side in (-1.0, 1.0)
    ]
    own = entry.scores[standing.asked.metric]
    if own.value is None:
        return ""
    low, high = min(ends), max(ends)

    def place(value: float) -> float:
        return MARGIN + (WIDTH - 2 * MARGIN) * (value - low) / ((high - low) or 1)

    error, middle = own.error or 0, HEIGHT / 2
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" aria-hidden="true">'
        f'<line x1="{place(own.value - error):.1f}" x2="{place(own.value + error):.1f}" y1="{middle}" '
        f'y2="{middle}"/><circle cx="{place(own.value):.1f}" cy="{middle}" r="4"/></svg>'
    )


def _tests(tests: Sequence[PairedTest], standing: Standing) -> str:
    if not tests:
        return ""
    rows = "\n".join(
        f"<tr>{_cell(escape(f'{test.first} − {test.second}'), f'{test.first} {test.second}')}"
        f"{_number(test.difference)}"
        f"{_cell(_p(test.p_value), test.p_value)}{_cell(escape(test.test), test.test)}"
        f"{_cell(_verdict(test), test.p_value)}</tr>"
        for test in tests
    )
    title = standing.titles[standing.asked.metric]
    return (
        f"<details><summary>Is one better than another? {counted(len(tests), 'paired test')}</summary>"
        f"<p>Differences in {escape(title)} on the same events, with paired bootstrap errors. Below p = "
        f"{SIGNIFICANT} a difference is called one; p is not corrected for the number of tests.</p>"
        '<div class="wide"><table class="sortable"><thead><tr>'
        f"{_heads(['first − second', 'difference', 'p', 'test', 'verdict'])}</tr></thead>"
        f"<tbody>\n{rows}\n</tbody></table></div></details>"
    )


def _p(value: float) -> str:
    return f"{value:.2g}" if value >= SMALLEST_P else f"&lt; {SMALLEST_P}"


def _verdict(test: PairedTest) -> str:
    if test.p_value >= SIGNIFICANT:
        return "no difference shown"
    return f"{escape(test.first if (test.difference.value or 0) > 0 else test.second)} is better"
