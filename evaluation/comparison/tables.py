"""The two tables of a comparison, in Markdown and LaTeX: of ours, and of ours beside published numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from string import ascii_lowercase

import pandas as pd

from nuzoo.evaluation.comparison.numbers import MEASURED, Record, measured_of
from nuzoo.evaluation.core.text import as_table
from nuzoo.evaluation.tasks.event_classification.results import OVERALL
from nuzoo.files.plain_text import plain

ABSENT = "–"
SPECIAL = str.maketrans(
    {
        **{character: rf"\{character}" for character in "#$%&_{}"},
        **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
        **{"<": r"$<$", ">": r"$>$", "|": r"$|$", "±": r"$\pm$", "−": r"$-$", "×": r"$\times$"},
        **{"–": "--", "\u202f": r"\,"},
    }
)
"""Every character that LaTeX would take for a command, and those that it lacks."""

WIDE = 4
"""Columns that a LaTeX table holds in footnote size."""

CONDITIONS = {
    "nominal": "Full resolution",
    "energy": "Half resolution by energy",
    "image": "Half resolution by image",
}

COSTS = {
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

Write = Callable[[str, str], str]
"""Takes the text of a number and the letters of its remarks."""


def markdown_tables(records: Sequence[Record]) -> list[str]:
    """Write the two tables in Markdown."""
    tables = []
    for table in (_performance(records, _raised), _cost(records, _raised)):
        heads = [""] * table.index.nlevels + [plain(name) for name in table.columns]
        tables.append(as_table(heads, table.reset_index().to_numpy().tolist()))
    return tables


def latex_tables(records: Sequence[Record], title: str) -> str:
    """Write the two tables as LaTeX fragments; `title` is of the first. Published numbers have two more."""
    measured = measured_of(records)
    tables = _latex_pair(measured, title, "")
    if len(measured) < len(records):
        tables += _latex_pair(records, f"{title} Beside them the published numbers.", "-published")
    return "% \\usepackage{array,booktabs}\n" + "\n\n".join(tables) + "\n"


def _latex_pair(records: Sequence[Record], title: str, ending: str) -> list[str]:
    of_cost = {remark for record in records if record.condition == "cost" for remark in record.remarks}
    notes: dict[bool, dict[str, str]] = {True: {}, False: {}}
    for remark, letter in lettered(records).items():
        notes[remark in of_cost][remark] = letter
    title_of_cost = "Size, training and cost of the classifiers."
    return [
        _latex(_performance(records, _raised_latex), notes[False], title, f"tab:classification{ending}"),
        _latex(_cost(records, _raised_latex), notes[True], title_of_cost, f"tab:cost{ending}"),
    ]


def _performance(records: Sequence[Record], write: Write) -> pd.DataFrame:
    """Put the metrics side by side, at full and at half resolution as far as they were measured."""
    measured = {record.condition for record in records if record.source == MEASURED}
    rows = [(condition, metric) for condition in CONDITIONS if condition in measured for metric in OVERALL]
    return _table(records, rows, write).rename(index=CONDITIONS | OVERALL)


def _cost(records: Sequence[Record], write: Write) -> pd.DataFrame:
    return _table(records, [("cost", cost) for cost in COSTS], write).droplevel(0).rename(index=COSTS)


def _table(records: Sequence[Record], rows: list[tuple[str, str]], write: Write) -> pd.DataFrame:
    letters = lettered(records)
    cells: dict[str, dict[tuple[str, str], str]] = {}
    for record in records:
        marks = ",".join(sorted(letters[remark] for remark in record.remarks))
        cells.setdefault(record.column, {})[record.condition, record.quantity] = write(record.text, marks)
    table = {name: [of.get(row, write(ABSENT, "")) for row in rows] for name, of in cells.items()}
    return pd.DataFrame(table, index=pd.MultiIndex.from_tuples(rows))


def lettered(records: Sequence[Record]) -> dict[str, str]:
    """Give each remark on these numbers a letter, in their order."""
    remarks = dict.fromkeys(remark for record in records for remark in record.remarks)
    return dict(zip(remarks, ascii_lowercase, strict=False))


def _raised(text: str, marks: str) -> str:
    return f"{plain(text)} <sup>{marks}</sup>" if marks else plain(text)


def _raised_latex(text: str, marks: str) -> str:
    return _escaped(text) + (f"$^{{{marks}}}$" if marks else "")


def _escaped(text: str) -> str:
    return text.translate(SPECIAL)


def _latex(table: pd.DataFrame, letters: Mapping[str, str], caption: str, label: str) -> str:
    levels, columns = table.index.nlevels, len(table.columns)
    left, width = 0.16 * levels, rf"\dimexpr {0.96 - 0.16 * levels:.2f}\linewidth/{columns}-2\tabcolsep\relax"
    ragged = r">{\raggedright\arraybackslash}"
    named = table.rename(index=_escaped, columns=lambda name: _breakable(_escaped(name)))
    body = named.to_latex(
        escape=False,
        multirow=False,
        column_format=rf"@{{}}*{{{levels}}}{{{ragged}p{{{left / levels:.2f}\linewidth}}}}"
        rf"*{{{columns}}}{{{ragged}p{{{width}}}}}@{{}}",
    )
    size = r"\footnotesize" if columns <= WIDE else r"\scriptsize"
    notes = [
        rf"\par\smallskip\parbox{{\linewidth}}{{$^{{{letter}}}$ {_escaped(remark)}}}"
        for remark, letter in letters.items()
    ]
    start = [
        r"\begin{table}",
        rf"\centering{size}\setlength{{\tabcolsep}}{{3pt}}",
        rf"\caption{{{_escaped(caption)}}}\label{{{label}}}",
    ]
    return "\n".join([*start, body.rstrip(), *notes, r"\end{table}"])


def _breakable(head: str) -> str:
    return head.replace(":", r":\allowbreak{}").replace(".", r".\allowbreak{}")
