"""Figures of what a reconstruction depends on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.core.results import Number
from nuzoo.evaluation.core.style import GREY, class_title, figure, legend_below, look, marker
from nuzoo.evaluation.explain.detector_events.results import ExplanationResults
from nuzoo.evaluation.tasks.event_reconstruction.residuals import QUANTITIES


def draw_energy_scan(results: ExplanationResults, path: Path) -> None:
    """Draw the change of median residuals against the factor of all energies, with 68.27 % bands."""
    percent = 100 * (np.array(results.energy_factors) - 1)
    remark = "Bands are central 68.27 % of bootstrap replicas, paired event by event."
    with figure(path, 6.4, 5.2, results.dataset.sample, remark) as drawn:
        axes = drawn.subplots()
        axes.axhline(0, color=GREY, linewidth=0.8, zorder=0)
        for turn, (name, title) in enumerate(QUANTITIES.items()):
            numbers = results.energy_scan[name]
            style = look(turn)
            axes.plot(percent, _values(numbers, "value"), label=title, **style)
            low, high = _values(numbers, "low"), _values(numbers, "high")
            axes.fill_between(percent, low, high, color=style["color"], alpha=0.2, linewidth=0)
        axes.set(xlabel="Change of the energies of 3DCal, AHCAL and ECAL / %")
        axes.set_ylabel("Change of the median of (true − reco) / true")
        legend_below(axes, ncols=2)


def draw_map(
    places: NDArray[np.float64],
    method: str,
    flavour: NDArray[np.int64],
    names: Sequence[str],
    sample: str,
    path: Path,
) -> None:
    """Draw a map (n, 2) of events, made by a method, coloured by their true flavour."""
    with figure(path, 6.0, 6.6, sample, f"{method} of mean latents; its axes have no meaning.") as drawn:
        axes = drawn.subplots()
        for c, name in enumerate(names):
            of = places[flavour == c]
            title = class_title(name).replace("\n", ", ")
            style: dict[str, Any] = {"s": 9, "alpha": 0.7, "linewidths": 0, "marker": marker(c)}
            axes.scatter(of[:, 0], of[:, 1], color=look(c)["color"], label=f"{title} ({len(of):,})", **style)
        axes.set(xticks=[], yticks=[], aspect="equal")
        legend_below(axes, ncols=2, bbox_to_anchor=(0.5, -0.03))


def _values(numbers: Sequence[Number], part: str) -> list[float]:
    found = [getattr(number, part) for number in numbers]
    return [np.nan if one is None else one for one in found]
