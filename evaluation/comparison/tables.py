"""The two tables of a comparison, ours beside the published numbers, in Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase

from nuzoo.evaluation.comparison.numbers import Record
from nuzoo.evaluation.core.latex import escaped
from nuzoo.evaluation.core.number_format import as_table
from nuzoo.evaluation.tasks.event_classification.published import Remark

ABSENT = "–"
WIDE = 4
"""Columns that a LaTeX table holds in footnote size."""

METRIC_TITLES = {
    "accuracy": "Accuracy",
    "macro_precision": "Macro precision",
    "macro_recall": "Macro recall",
    "macro_auc": "Macro one-vs-rest AUC",
}

CONDITION_TITLES = {
    "nominal": "Full resolution",
    "energy": "Half resolution by energy",
    "image": "Half resolution by image",
}

COST_TITLES = {
    "trainable_parameters": "Trainable parameters",
    "parameters": "Parameters in all",
    "number_format": "Number format",
    "regime": "Training",
    "training_events": "Training events",
    "peak_memory": "Peak memory (GB)",
    "time_per_event": "Time per event (ms)",
    "network_time_per_event": "– network alone (ms)",
    "batch_size": "Batch size",
    "machine": "Machine",
}


@dataclass(frozen=True)
class Table:
    """Rows in groups, a column for each model.

    Attributes:
        columns: Names of the models.
        groups: Rows by the title of their group: title of the row, and its record for each column.
    """

    columns: list[str]
    groups: dict[str, list[tuple[str, list[Record | None]]]]


def performance_table(records: Sequence[Record]) -> Table:
    """Metrics at full resolution and at half resolution, as far as they were measured."""
    conditions = {record.condition for record in records if record.source == "measured"}
    return _table(
        records,
        {
            title: [(name, condition, metric) for metric, name in METRIC_TITLES.items()]
            for condition, title in CONDITION_TITLES.items()
            if condition in conditions
        },
    )


def cost_table(records: Sequence[Record]) -> Table:
    """Size, training, memory and time."""
    return _table(records, {"": [(name, "cost", quantity) for quantity, name in COST_TITLES.items()]})


def _table(records: Sequence[Record], groups: Mapping[str, list[tuple[str, str, str]]]) -> Table:
    columns = list(dict.fromkeys(record.column for record in records))
    found = {(r.column, r.condition, r.quantity): r for r in records}
    return Table(
        columns,
        {
            title: [
                (name, [found.get((column, condition, quantity)) for column in columns])
                for name, condition, quantity in rows
            ]
            for title, rows in groups.items()
        },
    )


def lettered(remarks: Sequence[Remark]) -> dict[Remark, str]:
    """A letter for each remark, in their order."""
    return dict(zip(remarks, ascii_lowercase, strict=False))


def as_markdown(table: Table, letters: Mapping[Remark, str]) -> str:
    """The table in Markdown, letters of remarks raised."""

    def cell(record: Record | None) -> str:
        marks = _marks(record, letters)
        return _text(record) + (f" <sup>{marks}</sup>" if marks else "")

    rows: list[list[str]] = []
    for title, group in table.groups.items():
        if title:
            rows.append([f"**{title}**", *[""] * len(table.columns)])
        rows += [[name, *(cell(record) for record in cells)] for name, cells in group]
    return as_table(["", *table.columns], rows)


def as_latex(table: Table, letters: Mapping[Remark, str], caption: str, label: str) -> str:
    r"""The table as a LaTeX fragment; it needs the package booktabs.

    Args:
        table: The table.
        letters: Of the remarks.
        caption: Plain text.
        label: For `\ref`.
    """

    def cell(record: Record | None) -> str:
        marks = _marks(record, letters)
        return r"\raggedright " + escaped(_text(record)) + (f"$^{{{marks}}}$" if marks else "")

    def row(cells: Sequence[str]) -> str:
        return " & ".join(cells) + r" \tabularnewline"

    number = len(table.columns)
    width = rf"\dimexpr 0.84\linewidth/{number}-2\tabcolsep\relax"
    size = r"\footnotesize" if number <= WIDE else r"\scriptsize"
    heads = [rf"\raggedright {_breakable(escaped(name))}" for name in table.columns]
    lines = [
        r"\begin{table}",
        rf"\centering{size}\setlength{{\tabcolsep}}{{3pt}}",
        rf"\caption{{{escaped(caption)}}}\label{{{label}}}",
        rf"\begin{{tabular}}{{@{{}}p{{0.16\linewidth}}*{{{number}}}{{p{{{width}}}}}@{{}}}}",
        r"\toprule",
        row(["", *heads]),
    ]
    for title, group in table.groups.items():
        lines.append(r"\midrule")
        if title:
            lines.append(row([rf"\multicolumn{{{number + 1}}}{{@{{}}l}}{{\emph{{{escaped(title)}}}}}"]))
        lines += [row([rf"\raggedright {escaped(name)}", *map(cell, cells)]) for name, cells in group]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", *_notes(table, letters), r"\end{table}"])


def _breakable(head: str) -> str:
    return head.replace(":", r":\allowbreak{}").replace(".", r".\allowbreak{}")


def _notes(table: Table, letters: Mapping[Remark, str]) -> list[str]:
    used = {
        remark
        for group in table.groups.values()
        for _, cells in group
        for record in cells
        if record
        for remark in record.remarks
    }
    return [
        rf"\par\smallskip\parbox{{\linewidth}}{{$^{{{letter}}}$ {escaped(remark.text)}}}"
        for remark, letter in letters.items()
        if remark in used
    ]


def _text(record: Record | None) -> str:
    return ABSENT if record is None else record.text


def _marks(record: Record | None, letters: Mapping[Remark, str]) -> str:
    return "" if record is None else ",".join(sorted(letters[remark] for remark in record.remarks))
