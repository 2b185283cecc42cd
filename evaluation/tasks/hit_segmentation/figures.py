"""Figures of a hit segmentation, made from its results alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nuzoo.evaluation.core.style import INK, PALETTE, class_title, figure
from nuzoo.evaluation.core.text import with_error
from nuzoo.evaluation.tasks.hit_segmentation.results import MichelResults, SegmentedHits

BOOTSTRAP = "Errors are bootstrap standard deviations over events."
TICK_WIDTH = 14
"""Letters of the name of a class on a line at an axis."""


def draw_confusion(results: SegmentedHits, path: Path) -> None:
    """Draw which classes the hits of each class were given, with errors and counts."""
    names, numbers = results.class_names, results.metrics.confusion
    side = max(4.4, 1.4 + 1.0 * len(names))
    with figure(path, side, side + 0.4, results.dataset.sample, BOOTSTRAP) as drawn:
        axes = drawn.subplots()
        shade = np.array([[number.value or 0 for number in row] for row in numbers])
        axes.imshow(shade, cmap="Blues", vmin=0, vmax=1.15)
        for (row, column), value in np.ndenumerate(shade):
            text = f"{with_error(numbers[row][column])}\n({results.counts[row][column]:,})"
            ink = "white" if value > 0.6 else INK
            axes.text(column, row, text, ha="center", va="center", fontsize=7.5, color=ink)
        titles = [class_title(name, TICK_WIDTH) for name in names]
        axes.set_xticks(range(len(names)), titles)
        axes.set_yticks(range(len(names)), titles)
        axes.set(xlabel="Given class", ylabel="True class", title="Rows sum to 1 (efficiency)")
        axes.grid(False)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)


def draw_michel(michel: MichelResults, sample: str, path: Path) -> None:
    """Draw the energies of Michel electrons, true ones and found ones."""
    spectrum = michel.spectrum
    edges, found = np.array(spectrum.edges_mev), np.array(spectrum.reconstructed)
    remark = "Error bars: square roots of the counts. Energies of hits; the last bin holds all above."
    with figure(path, 5.4, 3.8, sample, remark) as drawn:
        axes = drawn.subplots()
        axes.stairs(spectrum.true, edges, color=PALETTE[0], fill=True, alpha=0.35, label="true")
        middle = (edges[:-1] + edges[1:]) / 2
        axes.errorbar(middle, found, np.sqrt(found), fmt="o", color=PALETTE[1], label="reconstructed")
        axes.set(
            xlabel="Energy of a Michel electron / MeV", ylabel=f"Electrons in {edges[1] - edges[0]:g} MeV"
        )
        axes.set_ylim(bottom=0)
        axes.legend()


def draw_classes(results: SegmentedHits, path: Path) -> None:
    """Draw F1, purity and efficiency of each class with their errors."""
    names, metrics = results.class_names, results.metrics
    shown = {"F1": metrics.f1, "purity": metrics.precision, "efficiency": metrics.recall}
    with figure(path, max(4.6, 1.2 + 0.9 * len(names)), 3.6, results.dataset.sample, BOOTSTRAP) as drawn:
        axes = drawn.subplots()
        for number, (title, of_class) in enumerate(shown.items()):
            found = [of_class[name] for name in names]
            axes.errorbar(
                np.arange(len(names)) + 0.18 * (number - 1),
                [np.nan if one.value is None else one.value for one in found],
                [one.error or 0 for one in found],
                fmt="os^"[number],
                color=PALETTE[number],
                label=title,
            )
        axes.set_xticks(range(len(names)), [class_title(name, TICK_WIDTH) for name in names])
        axes.set(ylabel="Of the hits of all events", ylim=(0, 1.02))
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3, borderaxespad=0)
