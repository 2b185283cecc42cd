"""Michel electrons among the hits of a segmentation: found ones are connected hits, matched with true ones.

The four numbers are those of Dominé and Terao, arXiv:1903.05663, how many electrons are found, how
many of the found ones are true, and of the pairs how much of the true hits is found and how much of the found
hits is true.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.core.bootstrap import bootstrap
from nuzoo.evaluation.tasks.hit_segmentation.predictions import HitPredictions
from nuzoo.evaluation.tasks.hit_segmentation.results import EnergySpectrum, MichelResults
from nuzoo.files.events.point_cloud_events import VOXEL, PointCloudGeometry

if TYPE_CHECKING:
    from datasets import Dataset

MICHEL = "michel"
"""Name of the class of hits."""

LEAST_HITS = 5
"""An electron of fewer is not counted, true or found: PILArNet counts particles from 5 voxels on."""

NONE = -1

EDGES_MEV = tuple(float(edge) for edge in range(0, 85, 5))
"""Bins of the energy spectrum: a Michel electron at rest has at most 52.8 MeV."""

PLACES = ("x", "y", "z")
COLUMNS = (*PLACES, "energy", "particle")
"""What an event must know of its hits."""

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class MichelElectrons:
    """The Michel electrons of an event.

    Attributes:
        true_hits: (t,) hits of each true one.
        true_energy: (t,) of these, MeV.
        hits: (f,) hits of each found one.
        energy: (f,) of these, MeV.
        match: (f,) the true one that it stands for, -1 for none.
        shared: (f,) hits of both, 0 without a match.
    """

    true_hits: Integers
    true_energy: NDArray[np.float64]
    hits: Integers
    energy: NDArray[np.float64]
    match: Integers
    shared: Integers

    def sums(self) -> list[float]:
        """Add up over the event what `_numbers` divides."""
        paired = self.match != NONE
        match = self.match[paired]
        ratio = self.energy[paired] / self.true_energy[match] - 1
        return [
            len(self.true_hits),
            len(self.hits),
            len(match),
            (self.shared[paired] / self.true_hits[match]).sum(),
            (self.shared[paired] / self.hits[paired]).sum(),
            ratio.sum(),
            (ratio**2).sum(),
        ]


def connected(voxels: Integers) -> Integers:
    """Give numbers to the groups of voxels that touch at a face, an edge or a corner.

    Args:
        voxels: (n, 3).

    Returns:
        (n,) number of the group of each, from 0.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    if not len(voxels):
        return np.zeros(0, np.int64)
    pairs = cKDTree(voxels).query_pairs(1.5, p=np.inf, output_type="ndarray")
    touching = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(voxels),) * 2)
    return connected_components(touching, directed=False)[1].astype(np.int64)


def michel_electrons(
    voxels: Integers,
    energy: NDArray[np.floating[Any]],
    particle: Integers,
    is_true: NDArray[np.bool_],
    is_given: NDArray[np.bool_],
) -> MichelElectrons:
    """Find and match the Michel electrons of an event.

    A true one is the hits of the class that belong to one particle, a found one connected voxels of hits that
    are given the class. They are a pair if more than half of the found hits are of the true one, of several
    such the one with the most.

    Args:
        voxels: (hits, 3).
        energy: (hits,) MeV.
        particle: (hits,) row of the particle of each hit, -1 for none.
        is_true: (hits,) whether a hit is of the class.
        is_given: (hits,) whether it is given the class.
    """
    group = np.full(len(energy), NONE)
    group[is_given] = connected(voxels[is_given])
    true, found = _counted(np.where(is_true, particle, NONE)), _counted(group)
    (true_hits, true_energy), (hits, found_energy) = (_measured(each, energy) for each in (true, found))
    both = (true != NONE) & (found != NONE)
    shared = np.zeros((len(hits), len(true_hits)), np.int64)
    np.add.at(shared, (found[both], true[both]), 1)
    shared[2 * shared <= hits[:, None]] = 0
    match = np.full(len(hits), NONE)
    if shared.size:
        best = shared.argmax(axis=0)
        is_found = shared.max(axis=0) > 0
        match[best[is_found]] = np.flatnonzero(is_found)
    of_pair = np.append(shared, np.zeros((len(hits), 1), np.int64), axis=1)[np.arange(len(hits)), match]
    return MichelElectrons(true_hits, true_energy, hits, found_energy, match, of_pair)


def measure_michels(
    rows: Dataset,
    predictions: HitPredictions,
    names: Sequence[str],
    processor: Any,
    replicas: int = 1000,
    seed: int = 0,
) -> MichelResults | None:
    """Measure how Michel electrons are found, where hits have such a class and their particles are known.

    Args:
        rows: Events.
        predictions: Of these events.
        names: Of the classes.
        processor: Knows the voxels of the detector.
        replicas: Of the bootstrap over events.
        seed: Of the bootstrap.
    """
    geometry = vars(processor)
    if MICHEL not in names or not {*COLUMNS} <= {*rows.column_names} or "pitch_mm" not in geometry:
        return None
    layout, number = PointCloudGeometry.of(geometry), list(names).index(MICHEL)
    hits = rows.select_columns(list(COLUMNS)).with_format("numpy")
    events = [
        michel_electrons(
            voxels_of(row, layout), row["energy"], row["particle"], truth == number, given == number
        )
        for row, truth, given in zip(hits, predictions.truth, predictions.given, strict=True)
        if row["particle"] is not None and len(row["particle"]) == len(truth)
    ]
    return michel_numbers(events, replicas, seed) if events else None


def voxels_of(row: Mapping[str, NDArray[Any]], layout: PointCloudGeometry) -> Integers:
    """Return the voxel of each hit, (hits, 3)."""
    position = np.stack([row[axis] for axis in PLACES], axis=1)
    if layout.positions == VOXEL:
        return position.astype(np.int64)
    return np.floor((position - np.array(layout.origin_mm)) / np.array(layout.pitch_mm)).astype(np.int64)


def michel_numbers(events: Sequence[MichelElectrons], replicas: int = 1000, seed: int = 0) -> MichelResults:
    """Compute numbers of the electrons of all events together, with errors by bootstrap over events."""
    sums = np.array([event.sums() for event in events], dtype=np.float64)
    true, found, pairs = map(int, sums.sum(axis=0)[:3])
    return MichelResults(
        least_hits=LEAST_HITS,
        true=true,
        found=found,
        pairs=pairs,
        **bootstrap(lambda weights: _numbers(weights @ sums), len(events), replicas, seed),
        spectrum=EnergySpectrum(
            edges_mev=list(EDGES_MEV),
            true=_binned([event.true_energy for event in events]),
            reconstructed=_binned([event.energy for event in events]),
        ),
    )


def _numbers(sums: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Divide sums (..., 7) over events, see `MichelElectrons.sums`; NaN where there is nothing."""
    true, found, pairs, efficiency, purity, ratio, squares = np.moveaxis(sums, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        bias = ratio / pairs
        return {
            "efficiency": pairs / true,
            "purity": pairs / found,
            "cluster_efficiency": efficiency / pairs,
            "cluster_purity": purity / pairs,
            "energy_bias": bias,
            "energy_resolution": np.sqrt(np.maximum(squares / pairs - bias**2, 0)),
        }


def _counted(groups: Integers) -> Integers:
    """Give numbers to the groups of enough hits from 0; `NONE` of hits of others, and of none."""
    names, counts = np.unique(groups[groups != NONE], return_counts=True)
    kept = names[counts >= LEAST_HITS]
    if not len(kept):
        return np.full(len(groups), NONE)
    place = np.minimum(np.searchsorted(kept, groups), len(kept) - 1)
    return np.where(kept[place] == groups, place, NONE)


def _measured(groups: Integers, energy: NDArray[np.floating[Any]]) -> tuple[Integers, NDArray[np.float64]]:
    """Count the hits of each group, and add up their energies."""
    own = groups != NONE
    counts, total = np.bincount(groups[own]), np.bincount(groups[own], weights=energy[own])
    return counts.astype(np.int64), total.astype(np.float64)


def _binned(energies: Sequence[NDArray[np.float64]]) -> list[int]:
    """Count energies by bin; those beyond the last edge are in the last bin."""
    within = np.minimum(np.concatenate(energies), EDGES_MEV[-1])
    return np.histogram(within, EDGES_MEV)[0].tolist()
