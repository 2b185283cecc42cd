"""The one form that every input takes: the pixels with energy of a batch of events, view by view."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.processors.input_errors import (
    DtypeError,
    EnergyRangeError,
    NegativeEnergyError,
    NonFiniteError,
    PixelIndexError,
    PixelMapError,
    ShapeError,
    UnitError,
)

MAX_PIXEL_ENERGY_MEV = 1e6
"""1 TeV in one pixel. Beam neutrinos bring a few GeV and those of the LHC some TeV in all; of a 1 TeV
shower a pixel of 5 mm in argon holds at most about 3 GeV (3000 particles at its maximum, 2.1 MeV/cm each).
More is no energy in MeV, but a number in eV or the rubbish of a broken file."""


@dataclass(frozen=True)
class SparseViews:
    """One view of a batch of events, in compressed sparse rows.

    Attributes:
        name: the view.
        index: (n,) int64, row * columns + column; the pixels of event after event.
        energy: (n,) float32, MeV.
        counts: (events,) int64, number of pixels of each event.
    """

    name: str
    index: NDArray[np.int64]
    energy: NDArray[np.float32]
    counts: NDArray[np.int64]

    @property
    def event(self) -> NDArray[np.int64]:
        """(n,) position in the batch of the event that each pixel belongs to."""
        return np.repeat(np.arange(len(self.counts)), self.counts)


def sparse_views(name: str, indices: list[Any], energies: list[Any], num_pixels: int) -> SparseViews:
    """Join and check one view of several events.

    Args:
        name: the view.
        indices: per event (k,) integers, row * columns + column.
        energies: per event (k,) energies in MeV.
        num_pixels: rows times columns of the map.

    Returns:
        The joined view.

    Raises:
        ShapeError: indices and energies of an event differ in length, or are not flat.
        DtypeError: indices are not integers, or energies are not numbers.
        UnitError: energies are integers, hence counts.
        PixelIndexError: an index is negative or beyond `num_pixels`.
        NonFiniteError: an energy is NaN or infinite.
        NegativeEnergyError: an energy is below zero.
        EnergyRangeError: an energy is above `MAX_PIXEL_ENERGY_MEV`.
    """
    index_arrays = [_flat_array(index, name, "index") for index in indices]
    energy_arrays = [_flat_array(energy, name, "energy") for energy in energies]
    counts = np.array([len(index) for index in index_arrays], dtype=np.int64)
    _check_lengths(name, counts, np.array([len(energy) for energy in energy_arrays], dtype=np.int64))
    return joined_views(name, _joined(index_arrays), _joined(energy_arrays), counts, num_pixels)


def joined_views(
    name: str,
    index: NDArray[Any],
    energy: NDArray[Any],
    counts: NDArray[np.int64],
    num_pixels: int,
) -> SparseViews:
    """Check a view that is already in compressed sparse rows; see `sparse_views`.

    Args:
        name: the view.
        index: (n,) integers.
        energy: (n,) energies in MeV.
        counts: (events,) pixels of each event.
        num_pixels: rows times columns of the map.

    Returns:
        The checked view.
    """
    if len(index) != len(energy) or len(index) != counts.sum():
        raise ShapeError(
            f"view {name!r}: expected as many indices as energies, {int(counts.sum())} by the offsets, "
            f"got {len(index)} indices and {len(energy)} energies: write both columns together"
        )
    if len(index) and not np.issubdtype(index.dtype, np.integer):
        raise DtypeError(
            f"view {name!r}: expected integer pixel indices (row * columns + column), got "
            f"{index.dtype}: cast them, or swap index and energy if they are in the wrong order"
        )
    if len(energy) and not np.issubdtype(energy.dtype, np.floating):
        raise _wrong_energy_type(name, energy)
    views = SparseViews(name, index.astype(np.int64), energy.astype(np.float32), counts)
    _check_values(views, num_pixels)
    return views


def _flat_array(values: Any, name: str, column: str) -> NDArray[Any]:
    if values is None:
        raise ShapeError(
            f"view {name!r}: expected a list of numbers as {column}, got null: an event without "
            "energy has empty lists"
        )
    array = np.asarray(values)
    if array.ndim != 1:
        raise ShapeError(
            f"view {name!r}: expected a flat list as {column}, got shape {array.shape}: flatten it, "
            "or pass dense maps as (views, rows, columns)"
        )
    return array


def _joined(arrays: list[NDArray[Any]]) -> NDArray[Any]:
    filled = [
        array.astype(np.int64, copy=False) if np.issubdtype(array.dtype, np.unsignedinteger) else array
        for array in arrays
        if len(array)
    ]
    return np.concatenate(filled) if filled else np.empty(0)


def _check_lengths(name: str, index_counts: NDArray[np.int64], energy_counts: NDArray[np.int64]) -> None:
    if (wrong := np.flatnonzero(index_counts != energy_counts)).size:
        event = int(wrong[0])
        raise ShapeError(
            f"view {name!r} of event {event}: expected as many indices as energies, got "
            f"{index_counts[event]} and {energy_counts[event]}: write both columns together"
        )


def _wrong_energy_type(name: str, energy: NDArray[Any]) -> PixelMapError:
    if np.issubdtype(energy.dtype, np.integer):
        return UnitError(
            f"view {name!r}: expected floating-point energies in MeV, got {energy.dtype}, which holds "
            "counts: pass mev_per_count=..., the energy of one count, or convert to float MeV"
        )
    return DtypeError(f"view {name!r}: expected energies in MeV, got {energy.dtype}: cast to float32")


def _check_values(views: SparseViews, num_pixels: int) -> None:
    index, energy = views.index, views.energy
    if len(index) == 0:
        return
    if index.min() < 0 or index.max() >= num_pixels:
        where, wrong = _first(views, (index < 0) | (index >= num_pixels))
        raise PixelIndexError(
            f"{where}: expected pixel indices from 0 to {num_pixels - 1}, got {index[wrong]}: the "
            "event was made for a larger map, or rows and columns are given instead of the flat index"
        )
    if not np.isfinite(energy).all():
        where, wrong = _first(views, ~np.isfinite(energy))
        raise NonFiniteError(
            f"{where}: expected finite energies, got {energy[wrong]} at pixel {index[wrong]}: "
            "mask dead channels as zero and look for a division by zero upstream"
        )
    if energy.min() < 0:
        where, wrong = _first(views, energy < 0)
        raise NegativeEnergyError(
            f"{where}: expected energies of at least 0 MeV, got {energy[wrong]} at pixel "
            f"{index[wrong]}: subtract the pedestal and apply a threshold, or clip at zero"
        )
    if energy.max() > MAX_PIXEL_ENERGY_MEV:
        where, wrong = _first(views, energy > MAX_PIXEL_ENERGY_MEV)
        raise EnergyRangeError(
            f"{where}: expected energies up to {MAX_PIXEL_ENERGY_MEV:.0e} MeV, got {energy[wrong]} at pixel "
            f"{index[wrong]}: convert to MeV, or look for an overflow upstream"
        )


def _first(views: SparseViews, wrong: NDArray[np.bool_]) -> tuple[str, int]:
    position = int(np.flatnonzero(wrong)[0])
    event = int(np.searchsorted(np.cumsum(views.counts), position, side="right"))
    return f"view {views.name!r} of event {event}", position
