"""The comparison of several classifiers as files: Markdown, JSON, CSV, LaTeX and figures."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nuzoo.evaluation.comparison import figures as figures
from nuzoo.evaluation.comparison.comparison import ComparedModel, check_comparable, published_for
from nuzoo.evaluation.comparison.numbers import (
    MILLION,
    NOT_STATED,
    Record,
    compact,
    events_text,
    machine_text,
    records_of,
    remarks_on,
)
from nuzoo.evaluation.comparison.tables import as_latex, as_markdown, cost_table, lettered, performance_table
from nuzoo.evaluation.core.calibration import probabilities
from nuzoo.evaluation.core.number_format import as_table, with_error
from nuzoo.evaluation.core.paired import compare_pairs
from nuzoo.evaluation.tasks.event_classification.figures import temperature_of
from nuzoo.evaluation.tasks.event_classification.published import (
    PAPER,
    SIMULATION,
    SOURCE,
    PublishedClassifier,
    Remark,
)
from nuzoo.evaluation.tasks.event_classification.report import HALF_RESOLUTION_MEANING
from nuzoo.files.atomic import write_atomically

COMPARISON_FILE = "comparison.md"
SCHEMA, SCHEMA_VERSION = "nuzoo-event-classification-comparison", 1
SIGNIFICANT = 0.05
"""Below this p-value a difference is called one."""

SMALLEST_P = 0.001
"""Smaller ones are not written out."""

DRAWINGS = {
    "confusion.png": (figures.draw_confusions, "Confusion matrices, rows sum to 1 (efficiency)"),
    "roc.png": (figures.draw_rocs, "ROC curves"),
    "confidence.png": (figures.draw_confidences, "Probabilities of the true and of the chosen class"),
    "reliability.png": (figures.draw_reliabilities, "Reliability after temperature scaling"),
}


def write_comparison(models: Sequence[ComparedModel], out: Path) -> Path:
    """Write comparison.md, .json, .csv, .tex and the figures.

    Args:
        models: Measured on the same events.
        out: Folder, made if absent.

    Returns:
        Path of `comparison.md`.

    Raises:
        ComparisonError: They were not measured on the same events and classes.
    """
    check_comparable(models)
    out.mkdir(parents=True, exist_ok=True)
    for name, (draw, _) in DRAWINGS.items():
        draw(models, out / name)
    records = records_of(models)
    bootstrap = models[0].results["bootstrap"]
    pairs = compare_pairs(
        models[0].predictions.label,
        {m.name: probabilities(m.predictions.logits, temperature_of(m.results)) for m in models},
        bootstrap["replicas"],
        bootstrap["seed"],
    )
    report = out / COMPARISON_FILE
    write_atomically(report.with_suffix(".json"), _as_json(models, records, pairs))
    write_atomically(report.with_suffix(".csv"), _as_csv(records))
    write_atomically(report.with_suffix(".tex"), _as_tex(models, records))
    write_atomically(report, _as_markdown(models, records, pairs))
    return report


def what_differs(models: Sequence[ComparedModel]) -> str:
    """One line: why ours and the published numbers are not of the same kind; empty if none is published."""
    published = {row.model_type: row for row in published_for(models)}
    if not published:
        return ""
    parts = [f"events of {_dataset(models)['sample']} instead of {SIMULATION}"]
    for model in models:
        if theirs := published.get(model.model_type):
            parts.append(_what_differs(model, theirs))
    machines = list(dict.fromkeys(machine_text(model.results["machine"]) for model in models))
    parts.append(
        f"our times and memory are of {' and '.join(machines)}, the machine of theirs is {NOT_STATED}"
    )
    return "; ".join(parts) + "."


def _what_differs(ours: ComparedModel, theirs: PublishedClassifier) -> str:
    facts = {
        "parameters": (
            compact(ours.results["model"]["parameters"]),
            compact(theirs.parameters * MILLION),
        ),
        "training events": (events_text(ours.training.events), events_text(theirs.training_events)),
        "training": (ours.regime, theirs.regime),
    }
    described = ", ".join(f"{fact} {mine} (theirs {other})" for fact, (mine, other) in facts.items())
    return f"{ours.name} against {theirs.name}: {described}"


def _as_markdown(models: Sequence[ComparedModel], records: list[Record], pairs: list[dict[str, Any]]) -> str:
    letters = lettered(remarks_on(records))
    theirs = (
        f"Columns headed {PAPER} are theirs, from {SOURCE}: they give no errors and do not state how "
        "precision, recall and AUC are averaged over classes."
        if published_for(models)
        else ""
    )
    notes = "\n".join(f"- <sup>{letter}</sup> {remark.text}" for remark, letter in letters.items())
    differs = what_differs(models)
    sections = [
        _head(models),
        "## Classification\n\n" + as_markdown(performance_table(records), letters),
        _resolutions(models),
        theirs,
        f"What differs: {differs}" if differs else "",
        "## Size, training and cost\n\n" + as_markdown(cost_table(records), letters),
        _memory(models),
        notes,
        _pairs(pairs),
        *(f"![{caption}]({name})" for name, (_, caption) in DRAWINGS.items()),
        _method(models),
    ]
    return "\n\n".join(filter(None, sections)) + "\n"


def _head(models: Sequence[ComparedModel]) -> str:
    dataset = _dataset(models)
    counts = ", ".join(f"{n:,} {name}" for name, n in dataset["events_per_class"].items())
    return (
        "# Event classifiers side by side\n\n"
        f"Sample: **{dataset['sample']}**, {dataset['events']:,} events ({counts}) of detector "
        f"{', '.join(dataset['detectors'])}, split {dataset['split'] or 'all'}, the same for every model."
    )


def _resolutions(models: Sequence[ComparedModel]) -> str:
    modes = models[0].results.get("half_resolution", {})
    return "\n".join(f"- Half resolution by {mode}: {HALF_RESOLUTION_MEANING[mode]}." for mode in modes)


def _memory(models: Sequence[ComparedModel]) -> str:
    kinds = list(dict.fromkeys(model.results["cost"]["peak_memory"]["counts"] for model in models))
    return (
        f"Peak memory of ours: {'; '.join(kinds)}. Times of ours: reading, processor and network, each model "
        "in a process of its own."
    )


def _pairs(pairs: list[dict[str, Any]]) -> str:
    rows = [
        [
            f"{pair['first']} − {pair['second']}",
            with_error(pair["accuracy_difference"]),
            f"{pair['only_first_right']:,}",
            f"{pair['only_second_right']:,}",
            _p_text(pair["p_value"]),
            with_error(pair["macro_auc_difference"]),
            _verdict(pair),
        ]
        for pair in pairs
    ]
    header = ["", "accuracy", "only first right", "only second right", "p", "macro AUC", "verdict"]
    many = f" They are not corrected for the number of pairs, {len(pairs)}." if len(pairs) > 1 else ""
    return (
        "## Is one better than another?\n\nDifferences on the same events, with paired bootstrap errors. p "
        "is that of McNemar's exact test of equal accuracy; below "
        f"{SIGNIFICANT} the difference is called one.{many}\n\n" + as_table(header, rows)
    )


def _p_text(p_value: float) -> str:
    return f"{p_value:.2g}" if p_value >= SMALLEST_P else f"< {SMALLEST_P}"


def _verdict(pair: dict[str, Any]) -> str:
    if pair["p_value"] >= SIGNIFICANT:
        return "no difference shown"
    first_leads = pair["only_first_right"] > pair["only_second_right"]
    return f"{pair['first'] if first_leads else pair['second']} is better"


def _method(models: Sequence[ComparedModel]) -> str:
    bootstrap, dataset = models[0].results["bootstrap"], _dataset(models)
    described = "\n".join(
        f"- {model.name}: {model.results['model']['class']}, weights "
        f"`{model.results['model']['weights_sha256'][:12]}`, T = "
        f"{with_error(model.results['calibration']['temperature'])}, evaluated {model.results['created']}; "
        f"[its own report]({model.name}/report.md)"
        for model in models
    )
    return (
        f"## How the numbers were made\n\n{described}\n\n"
        f"Errors are standard deviations of {bootstrap['replicas']:,} bootstrap replicas of the events (seed "
        f"{bootstrap['seed']}); they do not cover what another training would change. SHA-256 of the sorted "
        f"event ids `{dataset['event_ids_sha256']}`. The same numbers are in comparison.json, comparison.csv "
        "and comparison.tex (needs booktabs)."
    )


def _as_json(models: Sequence[ComparedModel], records: list[Record], pairs: list[dict[str, Any]]) -> str:
    content = {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "class_names": models[0].results["class_names"],
        "dataset": _dataset(models),
        "models": {
            model.name: {
                "model": model.results["model"],
                "processor": model.results["processor"],
                "temperature": model.results["calibration"]["temperature"],
                "created": model.results["created"],
                "training": asdict(model.training),
            }
            for model in models
        },
        "numbers": [_as_dict(record) for record in records],
        "pairs": pairs,
        "published": SOURCE,
        "what_differs": what_differs(models),
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def _as_dict(record: Record) -> dict[str, Any]:
    return asdict(record) | {"remarks": [remark.text for remark in record.remarks]}


def _as_csv(records: Sequence[Record]) -> str:
    rows = [_as_dict(record) for record in records]
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(row | {"remarks": " ".join(row["remarks"])} for row in rows)
    return text.getvalue()


def _as_tex(models: Sequence[ComparedModel], records: list[Record]) -> str:
    letters: dict[Remark, str] = lettered(remarks_on(records))
    dataset = _dataset(models)
    events = f"{dataset['events']:,} events of {dataset['sample']}"
    tables = [
        as_latex(
            performance_table(records), letters, f"Event classification, {events}.", "tab:classification"
        ),
        as_latex(cost_table(records), letters, "Size, training and cost of the classifiers.", "tab:cost"),
    ]
    return "% \\usepackage{booktabs}\n" + "\n\n".join(tables) + "\n"


def _dataset(models: Sequence[ComparedModel]) -> dict[str, Any]:
    dataset: dict[str, Any] = models[0].results["dataset"]
    return dataset
