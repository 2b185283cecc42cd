"""Figures of a reconstruction, made from its results and predictions files alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nuzoo.evaluation.core.calibration import probabilities
from nuzoo.evaluation.core.results import Number
from nuzoo.evaluation.core.style import INK, PALE, PALETTE, class_title, figure, legend_below, look
from nuzoo.evaluation.core.text import with_error
from nuzoo.evaluation.tasks.event_classification.figures import (
    OF_RELIABILITY,
    draw_reliability_columns,
    draw_roc_curve,
)
from nuzoo.evaluation.tasks.event_reconstruction.predictions import EventPredictions
from nuzoo.evaluation.tasks.event_reconstruction.residuals import QUANTITIES
from nuzoo.evaluation.tasks.event_reconstruction.results import (
    NONE,
    ClassifiedBy,
    ReconstructionResults,
    TruthBin,
)
from nuzoo.evaluation.tasks.event_reconstruction.selection import scan_fom

BOOTSTRAP = "Errors are bootstrap standard deviations."
TICK_WIDTH = 14
"""Letters of the name of a class on a line at an axis."""

LOWEST_ERROR, HIGHEST_ERROR = -2.0, 1.05
"""Of the axis of boxes: reconstructed values of a small truth may be many times as large; 1 is the most."""

BOX_WIDTH = 0.7
"""Of a box, in units of its bin on the logarithmic axis."""

Scores = np.ndarray[tuple[int, int], np.dtype[np.float64]]


def draw_roc(results: ReconstructionResults, predictions: EventPredictions, path: Path) -> None:
    """Draw efficiency against the fraction of other events accepted, one curve a class that has events."""
    with figure(path, 9.6, 6.8, results.dataset.sample, BOOTSTRAP) as drawn:
        for axes, (of, found, score) in _panels(drawn, results, predictions):
            shown = [c for c, name in enumerate(found.class_names) if found.auc[name].value is not None]
            for turn, c in enumerate(shown):
                name = found.class_names[c]
                title = f"{class_title(name)}: AUC = {with_error(found.auc[name])}".replace("\n", ", ")
                is_class = getattr(predictions, of) == c
                draw_roc_curve(axes, turn, is_class, score[:, c], title, predictions.weight)
            axes.set(title=of, ylabel="Efficiency of the class")
            legend_below(axes)


def draw_fom(results: ReconstructionResults, predictions: EventPredictions, path: Path) -> None:
    """Draw figure of merit, efficiency and purity of each class against the threshold of its score."""
    scale = np.sqrt((results.expected_events or results.weight_sum) / results.weight_sum)
    with figure(path, 9.6, 8.6, results.dataset.sample, _events_of_fom(results)) as drawn:
        grid = drawn.subplots(2, 2, sharex=True)
        for (upper, lower), (of, found, score) in zip(grid.T, _classified(results, predictions), strict=True):
            for c, name in enumerate(found.class_names):
                best, colour = found.selection[name], look(c)["color"]
                if best.threshold is None:
                    continue
                scan = scan_fom(score[:, c], getattr(predictions, of) == c, predictions.weight)
                title = f"{class_title(name)}: {with_error(best.fom)}".replace("\n", ", ")
                upper.plot(scan.threshold, scale * scan.fom, label=title, **look(c))
                upper.plot([best.threshold], [best.fom.value or 0.0], "o", color=colour)
                lower.plot(scan.threshold, scan.purity, color=colour)
                lower.plot(scan.threshold, scan.efficiency, color=colour, linestyle="--")
            upper.set(title=of, ylabel="S/√(S+B)", yscale="log", xlim=(0, 1))
            lower.set(xlabel="Threshold of the score", ylim=(-0.02, 1.02))
            lower.set_ylabel("Purity (solid), efficiency (dashed)")
            drawn.align_ylabels()
            lower.legend(
                *upper.get_legend_handles_labels(),
                loc="upper center",
                bbox_to_anchor=(0.5, -0.2),
                borderaxespad=0,
            )


def draw_confusion(results: ReconstructionResults, predictions: EventPredictions, path: Path) -> None:
    """Draw which classes events are assigned to by the best thresholds, rows summing to one."""
    remark = (
        "Shares are weighted, counts in brackets are of events. An event whose scores reach no "
        f"threshold is in the column {NONE}."
    )
    with figure(path, 13.0, 6.6, results.dataset.sample, remark) as drawn:
        sizes = [len(found.class_names) for found in (results.flavour, results.charm)]
        panels = drawn.subplots(1, 2, gridspec_kw={"width_ratios": sizes})
        for axes, of in zip(panels, ("flavour", "charm"), strict=True):
            _draw_matrix(axes, getattr(results, of))
            axes.set_title(of)


def _draw_matrix(axes: Axes, found: ClassifiedBy) -> None:
    shade = np.array([[number.value or 0.0 for number in row] for row in found.confusion])
    axes.imshow(shade, cmap="Blues", vmin=0, vmax=1.15)
    for (row, column), value in np.ndenumerate(shade):
        share = "–" if found.confusion[row][column].value is None else f"{value:.2f}"
        ink = "white" if value > 0.6 else INK
        text = f"{share}\n({found.counts[row][column]:,})"
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color=ink)
    titles = [class_title(name, TICK_WIDTH) for name in found.class_names]
    columns = [*titles, f"passes {NONE}" if NONE in titles else NONE]
    axes.set_xticks(range(len(columns)), columns, rotation=45, ha="right")
    axes.set_yticks(range(len(titles)), titles)
    axes.set(xlabel="Assigned class", ylabel="True class")
    axes.grid(False)


def draw_residuals(results: ReconstructionResults, predictions: EventPredictions, path: Path) -> None:
    """Draw boxes of fractional errors in bins of truth."""
    remark = "Boxes: central half of the events, and their median; whiskers: central 90 %; weighted."
    with figure(path, 10.0, 7.2, results.dataset.sample, remark) as drawn:
        for axes, bins, title in _of_quantities(drawn, results):
            axes.bxp(
                [_box(one) for one in bins],
                positions=[_middle(one) for one in bins],
                widths=[BOX_WIDTH * (one.high - max(one.low, _least(bins))) for one in bins],
                showfliers=False,
                patch_artist=True,
                boxprops={"facecolor": PALE, "edgecolor": INK},
                medianprops={"color": PALETTE[1]},
                manage_ticks=False,
            )
            axes.set(title=title, ylabel="(true − reco) / true")
            low, high = axes.get_ylim()
            axes.set_ylim(max(low, LOWEST_ERROR), min(high, HIGHEST_ERROR))


def draw_bias(results: ReconstructionResults, predictions: EventPredictions, path: Path) -> None:
    """Draw median and spread of fractional errors against truth."""
    with figure(path, 10.0, 7.2, results.dataset.sample, BOOTSTRAP) as drawn:
        for axes, bins, title in _of_quantities(drawn, results):
            for turn, (key, name) in enumerate({"median": "median (bias)", "sigma_mad": "σ_MAD"}.items()):
                numbers: list[Number] = [getattr(one, key) for one in bins]
                axes.errorbar(
                    [_middle(one) for one in bins],
                    [np.nan if number.value is None else number.value for number in numbers],
                    yerr=[number.error or 0.0 for number in numbers],
                    fmt=("o", "s")[turn],
                    color=PALETTE[turn],
                    label=name,
                )
            axes.set(title=title, ylabel="of (true − reco) / true")
        drawn.axes[0].legend()


def draw_vertex(results: ReconstructionResults, predictions: EventPredictions, path: Path) -> None:
    """Draw the distances of vertices from the true ones."""
    away = np.linalg.norm(predictions.true_vertex - predictions.vertex, axis=1)
    found = results.vertex
    marks = {"median": found.median_mm, "68 %": found.within_68_mm, "95 %": found.within_95_mm}
    with figure(path, 6.0, 4.0, results.dataset.sample, "Events are weighted.") as drawn:
        axes = drawn.subplots()
        seen = away[away > 0]
        low, high = (seen.min(), seen.max()) if len(seen) else (0.1, 1.0)
        edges = np.geomspace(low, max(high, low * 1.01), 41).tolist()
        axes.hist(np.clip(away, low, high), edges, weights=predictions.weight, color=PALETTE[0], alpha=0.6)
        for turn, (name, number) in enumerate(marks.items(), start=1):
            title = f"{name}: {with_error(number)} mm"
            axes.axvline(number.value or 0.0, label=title, **look(turn))
        axes.set(xscale="log", xlabel="Distance of the vertex from the true one / mm", ylabel="Events")
        axes.legend()


def draw_reliability(results: ReconstructionResults, predictions: EventPredictions, path: Path) -> None:
    """Draw accuracy against confidence after scaling by the temperature."""
    columns = [
        (
            f"{of}, T = {with_error(found.calibration.temperature)}",
            getattr(predictions, of),
            score,
            found.calibration.ece_after,
        )
        for of, found, score in _classified(results, predictions)
    ]
    with figure(path, 7.8, 4.8, results.dataset.sample, OF_RELIABILITY) as drawn:
        draw_reliability_columns(drawn, columns)


def _classified(
    results: ReconstructionResults, predictions: EventPredictions
) -> Iterator[tuple[str, ClassifiedBy, Scores]]:
    """Give the name, the results and the probabilities of flavour and of charm."""
    for of in ("flavour", "charm"):
        found: ClassifiedBy = getattr(results, of)
        logits = getattr(predictions, f"{of}_logits")
        yield of, found, probabilities(logits, found.calibration.temperature.value)


def _panels(
    drawn: Figure, results: ReconstructionResults, predictions: EventPredictions
) -> Iterator[tuple[Axes, tuple[str, ClassifiedBy, Scores]]]:
    return zip(drawn.subplots(1, 2), _classified(results, predictions), strict=True)


def _of_quantities(
    drawn: Figure, results: ReconstructionResults
) -> Iterator[tuple[Axes, list[TruthBin], str]]:
    """Give a panel of each quantity with its bins; the axis of truth is logarithmic."""
    for axes, (name, title) in zip(drawn.subplots(2, 2).flat, QUANTITIES.items(), strict=True):
        bins = results.residuals[name].bins
        yield axes, bins, title
        axes.axhline(0, color=INK, linewidth=0.8, zorder=0)
        if bins:
            axes.set_xlim(_least(bins), bins[-1].high)
        axes.set(xscale="log", xlabel=f"true {title} / GeV")


def _least(bins: list[TruthBin]) -> float:
    """Choose where a logarithmic axis begins: the first bin may begin near 0."""
    return max(bins[0].low, bins[0].high / 10)


def _middle(one: TruthBin) -> float:
    return float(np.sqrt(max(one.low, one.high / 10) * one.high))


def _box(one: TruthBin) -> dict[str, float]:
    names = ("whislo", "q1", "med", "q3", "whishi")
    return dict(zip(names, one.quantiles, strict=True))


def _events_of_fom(results: ReconstructionResults) -> str:
    number = results.expected_events or results.weight_sum
    return f"S and B are for {number:,.0f} events; dots are the best thresholds."
