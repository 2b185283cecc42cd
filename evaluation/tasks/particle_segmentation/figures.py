"""Figures of found instances, made from their results alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nuzoo.evaluation.core.style import INK, PALETTE, class_title, figure
from nuzoo.evaluation.tasks.particle_segmentation.results import InstanceResults

TICK_WIDTH = 14
"""Letters of the name of a class on a line at an axis."""


def draw_sizes(results: InstanceResults, path: Path) -> None:
    """Draw which part of the true instances is found, by the number of their hits."""
    bins = results.metrics.recall_by_size
    edges = results.metrics.size_edges
    remark = "Bars are 68.27 % Wilson intervals; numbers are true instances. The last bin is open."
    with figure(path, 6.0, 4.0, results.dataset.sample, remark) as drawn:
        axes = drawn.subplots()
        known = [place for place, number in enumerate(bins) if number.events]
        middle = [np.sqrt(edges[p] * (edges[p + 1] if p + 1 < len(edges) else 3 * edges[p])) for p in known]
        value = np.array([bins[place].value or 0.0 for place in known])
        low = np.array([bins[place].low or 0.0 for place in known])
        high = np.array([1.0 if bins[p].high is None else bins[p].high for p in known])
        errors = np.clip([value - low, high - value], 0, None)
        axes.errorbar(middle, value, yerr=errors, fmt="o", color=PALETTE[0])
        for x, y, place in zip(middle, high, known, strict=True):
            axes.annotate(f"{bins[place].events:,}", (x, y), (0, 4), textcoords="offset points", ha="center")
        axes.set(xscale="log", ylim=(0, 1.1), xlabel=f"hits of a true {results.instances}")
        axes.set_ylabel("matched (IoU above 0.5)")


def draw_classes(results: InstanceResults, path: Path) -> None:
    """Draw the classes of matched instances: the part of each true class (down) found as each class."""
    shown = [results.class_names.index(name) for name in results.dataset.instances_per_class]
    names = [class_title(results.class_names[label], TICK_WIDTH) for label in shown]
    counts = np.array(results.metrics.confusion)[np.ix_(shown, shown)]
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = max(3.6, 1.6 + 0.9 * len(names))
    with figure(path, side, side, results.dataset.sample, "Numbers of matched instances.") as drawn:
        axes = drawn.subplots()
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1.15)
        for (row, column), count in np.ndenumerate(counts):
            ink = "white" if share[row, column] > 0.6 else INK
            text = f"{share[row, column]:.2f}\n({count:,})"
            axes.text(column, row, text, ha="center", va="center", color=ink, fontsize=8)
        places = range(len(names))
        axes.set_xticks(places, names, rotation=45, ha="right")
        axes.set_yticks(places, names)
        axes.set(xlabel="found class", ylabel="true class")
        axes.grid(False)
