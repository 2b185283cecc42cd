"""Figures of proposed points of interest, made from their results alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nuzoo.evaluation.core.style import PALETTE, figure
from nuzoo.evaluation.tasks.point_proposal.results import FAR, NEAR, ProposalResults


def draw_distances(results: ProposalResults, path: Path) -> None:
    """Draw how far found points of interest are from the true ones that they stand for."""
    remark = f"Pairs within {FAR} voxels of {results.voxel_mm:g} mm; the line is at {NEAR} voxels."
    with figure(path, 5.2, 3.6, results.dataset.sample, remark) as drawn:
        axes = drawn.subplots()
        edges = np.arange(FAR + 1) * results.voxel_mm
        axes.stairs(results.metrics.distances, edges, color=PALETTE[0], fill=True, alpha=0.5)
        axes.axvline(NEAR * results.voxel_mm, color=PALETTE[1], linestyle="--")
        axes.set(xlabel="Distance / mm", ylabel=f"Pairs in {results.voxel_mm:g} mm")
        axes.set_ylim(bottom=0)
