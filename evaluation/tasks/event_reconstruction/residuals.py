"""How far reconstructed momenta and vertices are from the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.core.event_quantiles import EventValues
from nuzoo.evaluation.tasks.event_reconstruction.predictions import EventPredictions
from nuzoo.processors.standardisation import MADN_PER_MAD

Floats = NDArray[np.float64]

QUANTITIES = {"e_vis": "E_vis", "pt_miss": "pT_miss", "p_lepton": "p_lepton", "p_jet": "p_jet"}
"""What momenta are compared by, and their titles; all are in GeV."""

MEANING = (
    "E_vis is the size of p_vis, the momentum of all visible particles, and pT_miss that of its transverse "
    "part; p_lepton is the size of p_vis − p_jet, of charged currents alone."
)
"""Of the quantities."""

MOST_BINS, LEAST_EVENTS = 8, 20
"""Bins of truth, and events of one."""

BOX = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles that are drawn of a bin."""


@dataclass(frozen=True)
class Compared:
    """True and reconstructed values of a quantity.

    Attributes:
        event: int64 (m,), the events that have it.
        true: GeV (m,), above 0.
        found: GeV (m,).
        undefined: Events that it is not defined of: the truth is 0, or there is no such particle.
    """

    event: NDArray[np.int64]
    true: Floats
    found: Floats
    undefined: int

    @property
    def error(self) -> Floats:
        """The fractional error, (true - found) / true."""
        return (self.true - self.found) / self.true

    def errors(self, chosen: NDArray[np.bool_] | None = None) -> EventValues:
        """Give the fractional errors, or some of them."""
        which = np.ones(len(self.event), dtype=bool) if chosen is None else chosen
        return EventValues.of(self.error[which], self.event[which])


def compare(predictions: EventPredictions) -> dict[str, Compared]:
    """Compare every quantity of `QUANTITIES`."""
    of, every = predictions, np.ones(len(predictions.event_id), dtype=bool)
    return {
        "e_vis": _sizes(of.true_vis_momentum, of.vis_momentum, every),
        "pt_miss": _sizes(of.true_vis_momentum[:, :2], of.vis_momentum[:, :2], every),
        "p_lepton": _sizes(of.true_lepton_momentum, of.lepton_momentum, of.is_cc),
        "p_jet": _sizes(of.true_jet_momentum, of.jet_momentum, every),
    }


def _sizes(true: Floats, found: Floats, wanted: NDArray[np.bool_]) -> Compared:
    size, guess = np.linalg.norm(true, axis=1), np.linalg.norm(found, axis=1)
    known = wanted & (size > 0)
    return Compared(np.flatnonzero(known), size[known], guess[known], int((~known).sum()))


def spread(values: EventValues, weights: Floats) -> dict[str, Floats]:
    """Give the `median` and `sigma_mad`, 1.4826 times the median distance from it, (...)."""
    (median,) = values.quantiles(weights, (0.5,))
    return {"median": median, "sigma_mad": MADN_PER_MAD * values.median_deviation(weights)}


def distances(predictions: EventPredictions) -> EventValues:
    """Give the distance of each vertex from the true one, mm."""
    away = np.linalg.norm(predictions.true_vertex - predictions.vertex, axis=1)
    return EventValues.of(away, np.arange(len(away)))


def truth_edges(true: Sequence[float] | Floats) -> list[float]:
    """Choose bins of as many events each, by their true values (m,).

    Returns:
        Rising edges, rounded to 2 digits inside; none where there are fewer than two values.
    """
    values = np.asarray(true, dtype=np.float64)
    if len(values) < 2 or values.min() == values.max():
        return []
    bins = int(np.clip(len(values) // LEAST_EVENTS, 1, MOST_BINS))
    edges = np.quantile(values, np.linspace(0, 1, bins + 1))
    inner = {float(f"{edge:.2g}") for edge in edges[1:-1]}
    low, high = float(edges[0]), float(edges[-1])
    return [low, *sorted(edge for edge in inner if low < edge < high), high]


def members(true: Floats, edges: Sequence[float]) -> list[NDArray[np.bool_]]:
    """Say which values (m,) are in each bin; the last bin includes its upper edge."""
    number = np.clip(np.searchsorted(edges, true, side="right") - 1, 0, len(edges) - 2)
    return [number == one for one in range(len(edges) - 1)]
