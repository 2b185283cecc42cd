"""The comparison of several classifiers as files: Markdown, JSON, CSV, LaTeX and figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from nuzoo.evaluation.comparison import figures
from nuzoo.evaluation.comparison.comparison import ComparedModel, check_comparable, published_for
from nuzoo.evaluation.comparison.numbers import (
    MILLION,
    Record,
    compact,
    events_text,
    machine_text,
    measured_of,
    records_of,
)
from nuzoo.evaluation.comparison.paired import Pair, compare_pairs
from nuzoo.evaluation.comparison.tables import latex_tables, lettered, markdown_tables
from nuzoo.evaluation.core.results_file import as_json
from nuzoo.evaluation.core.text import as_table, with_error
from nuzoo.evaluation.core.training_events import training_warning
from nuzoo.evaluation.tasks.event_classification.published import NOT_STATED, PAPER, SIMULATION, SOURCE
from nuzoo.evaluation.tasks.event_classification.results import HALF_RESOLUTION_MEANING
from nuzoo.files.atomic import write_atomically
from nuzoo.files.plain_text import plain

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
    """Write comparison.md, .json, .csv, .tex and the figures into a folder, made if absent.

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
    bootstrap = models[0].results.bootstrap
    probability = {model.name: model.probability for model in models}
    pairs = compare_pairs(models[0].predictions.label, probability, bootstrap.replicas, bootstrap.seed)
    report = out / COMPARISON_FILE
    write_atomically(report.with_suffix(".json"), _as_json(models, records, pairs))
    write_atomically(report.with_suffix(".csv"), _as_csv(records))
    dataset = models[0].results.dataset
    title = f"Event classification, {dataset.events:,} events of {dataset.sample}."
    write_atomically(report.with_suffix(".tex"), latex_tables(records, title))
    write_atomically(report, _as_markdown(models, records, pairs))
    return report


def what_differs(models: Sequence[ComparedModel]) -> str:
    """Say in one line why ours and the published numbers differ in kind; empty if none is published."""
    published = published_for(models)
    if not published:
        return ""
    parts = [f"events of {models[0].results.dataset.sample} instead of {SIMULATION}"]
    for ours in models:
        if theirs := published.get(ours.model_type):
            parameters = compact(ours.results.model.parameters), compact(theirs.parameters * MILLION)
            events = events_text(ours.training.events), events_text(theirs.training_events)
            facts = {"parameters": parameters, "training events": events}
            facts["training"] = ours.regime, theirs.regime
            told = ", ".join(f"{fact} {mine} (theirs {other})" for fact, (mine, other) in facts.items())
            parts.append(f"{ours.name} against {theirs.name}: {told}")
    machines = " and ".join(dict.fromkeys(machine_text(model.results.machine) for model in models))
    return "; ".join(
        [*parts, f"our times and memory are of {machines}, the machine of theirs is {NOT_STATED}."]
    )


def _as_markdown(models: Sequence[ComparedModel], records: list[Record], pairs: list[Pair]) -> str:
    modes = models[0].results.half_resolution or {}
    performance, cost = markdown_tables(measured_of(records))
    sections = [
        _head(models),
        f"## Classification\n\n{performance}",
        "\n".join(f"- Half resolution by {mode}: {HALF_RESOLUTION_MEANING[mode]}." for mode in modes),
        f"## Size, training and cost\n\n{cost}",
        _memory(models),
        _pairs(pairs),
        *(f"![{caption}]({name})" for name, (_, caption) in DRAWINGS.items()),
        _method(models),
        _published(models, records),
    ]
    return "\n\n".join(filter(None, sections)) + "\n"


def _head(models: Sequence[ComparedModel]) -> str:
    dataset = models[0].results.dataset
    warnings = {model.name: training_warning(dataset, model.results.seen) for model in models}
    told = "".join(f"> **Warning:** {plain(name)}: {text}.\n\n" for name, text in warnings.items() if text)
    return (
        f"# Event classifiers side by side\n\n{told}"
        f"Sample: **{plain(dataset.sample)}**, split **{plain(dataset.split or 'all')}**, {dataset.events:,} "
        f"events ({plain(dataset.counts_text())}) of detector {plain(', '.join(dataset.detectors))}, the "
        "same for every model."
    )


def _published(models: Sequence[ComparedModel], records: list[Record]) -> str:
    """Set ours beside the numbers of others, where the events are like theirs."""
    if not published_for(models):
        return ""
    theirs = (
        f"Columns headed {PAPER} are theirs, from {SOURCE}: they give no errors and do not state how "
        "precision, recall and AUC are averaged over classes."
    )
    letters = lettered(records)
    notes = "\n".join(f"- <sup>{letter}</sup> {remark}" for remark, letter in letters.items())
    differs = f"What differs: {plain(what_differs(models))}"
    sections = ["## Appendix: published numbers", theirs, *markdown_tables(records), differs, notes]
    return "\n\n".join(sections)


def _memory(models: Sequence[ComparedModel]) -> str:
    kinds = list(dict.fromkeys(model.results.cost.peak_memory.counts for model in models))
    return (
        f"Peak memory of ours: {'; '.join(kinds)}. Times of ours: reading, processor and network, each model "
        "in a process of its own."
    )


def _pairs(pairs: list[Pair]) -> str:
    rows = [
        [
            plain(f"{pair.first} − {pair.second}"),
            with_error(pair.accuracy_difference),
            f"{pair.only_first_right:,}",
            f"{pair.only_second_right:,}",
            f"{pair.p_value:.2g}" if pair.p_value >= SMALLEST_P else f"< {SMALLEST_P}",
            with_error(pair.macro_auc_difference),
            _verdict(pair),
        ]
        for pair in pairs
    ]
    header = ["", "accuracy", "only first correct", "only second correct", "p", "macro AUC", "verdict"]
    many = f" They are not corrected for the number of pairs, {len(pairs)}." if len(pairs) > 1 else ""
    return (
        "## Is one better than another?\n\nDifferences on the same events, with paired bootstrap errors. p "
        "is that of McNemar's exact test of equal accuracy; below "
        f"{SIGNIFICANT} the difference is called one.{many}\n\n" + as_table(header, rows)
    )


def _verdict(pair: Pair) -> str:
    if pair.p_value >= SIGNIFICANT:
        return "no difference shown"
    better = pair.first if pair.only_first_right > pair.only_second_right else pair.second
    return f"{plain(better)} is better"


def _method(models: Sequence[ComparedModel]) -> str:
    bootstrap = models[0].results.bootstrap
    described = "\n".join(
        f"- {plain(model.name)}: {model.results.model.class_name}, weights "
        f"`{model.results.model.weights_sha256[:12]}`, T = "
        f"{with_error(model.results.calibration.temperature)}, evaluated {model.results.created}; "
        f"[its own report]({quote(model.name)}/report.md)"
        for model in models
    )
    return (
        f"## How the numbers were made\n\n{described}\n\n"
        f"Errors are standard deviations of {bootstrap.replicas:,} bootstrap replicas of the events (seed "
        f"{bootstrap.seed}); they do not cover what another training would change. SHA-256 of the sorted "
        f"event ids `{models[0].results.dataset.event_ids_sha256}`. The same numbers are in comparison.json, "
        "comparison.csv and comparison.tex (needs array and booktabs)."
    )


def _as_json(models: Sequence[ComparedModel], records: list[Record], pairs: list[Pair]) -> str:
    content = {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "class_names": models[0].results.class_names,
        "dataset": as_json(models[0].results.dataset),
        "models": {
            model.name: {
                "model": as_json(model.results.model),
                "processor": as_json(model.results.processor),
                "temperature": as_json(model.results.calibration.temperature),
                "created": model.results.created,
                "training": asdict(model.training),
            }
            for model in models
        },
        "numbers": [asdict(record) for record in records],
        "pairs": [asdict(pair) for pair in pairs],
        "published": SOURCE,
        "what_differs": what_differs(models),
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def _as_csv(records: Sequence[Record]) -> str:
    rows = pd.DataFrame([asdict(record) for record in records], dtype=object)
    return str(rows.assign(remarks=rows["remarks"].str.join(" ")).to_csv(index=False, lineterminator="\n"))
