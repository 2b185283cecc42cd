"""What is known about a detector event as a whole, as words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.display.detector_events.event_columns import ECAL_ENERGY, EventColumns
from nuzoo.evaluation.display.detector_events.reconstruction import Reconstruction
from nuzoo.evaluation.display.point_clouds.particle_names import particle_name

MEV_PER_GEV = 1000.0
CHARM_WORDS = {"none": "none", "charm_e": "decays to e", "charm_mu": "decays to μ", "charm_had": "hadronic"}
MOST_TRACKS = 3
"""Muon tracks that are told of."""


def fact_lines(columns: EventColumns, found: Reconstruction | None = None) -> list[tuple[str, str]]:
    """Give title and value of what is known of an event; what is not known is left out.

    Args:
        columns: Of the event.
        found: What a model says, told below what is true of the same.
    """
    known = columns.known
    lines = [
        ("class", columns.name_of("flavour")),
        ("charm", charm_words(columns)),
        *_found(found, "charm", lambda of: _scored(of.charm)),
        ("neutrino", _of_energy(columns, "neutrino")),
        ("lepton", _of_energy(columns, "lepton")),
        ("visible", _gev_of(columns.value("e_vis"))),
        *_found(found, "visible", lambda of: _size(of.vis_momentum, "GeV")),
        *_jet_and_lepton(known, found),
        ("missing pT", _gev_of(columns.value("pt_miss"), "GeV/c")),
        *_found(found, "missing pT", lambda of: _size(of.vis_momentum[:2])),
        ("vertex", _places(known.get("primary_vertex"))),
        *_found(found, "vertex", lambda of: _places(of.vertex)),
        ("detector", columns.detector.name),
        ("3DCal", f"{len(known['cal_x']):,} hits, {_gev(known['cal_energy'])}"),
        ("ECAL", _gev(known[ECAL_ENERGY])),
        ("AHCAL", f"{len(known['ahcal_x']):,} hits, {_gev(known['ahcal_energy'])}"),
        ("muon tracks", f"{number_of_tracks(columns)}"),
        *(("", text) for text in _tracks(columns)),
    ]
    return [(title, text) for title, text in lines if text is not None]


def charm_words(columns: EventColumns) -> str | None:
    """Say what is known of charm; None where nothing is."""
    name = columns.name_of("charm")
    return None if name is None else CHARM_WORDS[name]


def _found(
    found: Reconstruction | None, title: str, tell: Callable[[Reconstruction], str | None]
) -> list[tuple[str, str | None]]:
    """Tell of what a model says, if it says something."""
    return [] if found is None else [(f"{title} found", tell(found))]


def _jet_and_lepton(
    known: Mapping[str, NDArray[Any]], found: Reconstruction | None
) -> list[tuple[str, str | None]]:
    """Tell the momenta of the jet and of what is seen of the lepton, true and found, beside each other."""
    if found is None:
        return []
    vis, jet = known.get("vis_momentum"), known.get("jet_momentum")
    lepton = None if vis is None or jet is None else vis - jet
    return [
        ("jet", None if jet is None else _size(jet)),
        ("jet found", _size(found.jet_momentum)),
        ("seen of lepton", None if lepton is None else _size(lepton)),
        ("lepton found", _size(found.vis_momentum - found.jet_momentum)),
    ]


def _scored(of: Mapping[str, Any]) -> str:
    return f"{CHARM_WORDS.get(of['label'], of['label'])} ({of['score']:.2f})"


def _size(momentum: NDArray[Any], unit: str = "GeV/c") -> str:
    return f"{_three_digits(float(np.linalg.norm(momentum)))} {unit}"


def number_of_tracks(columns: EventColumns) -> int:
    """Give the muon tracks that were found, or where that is not said those that are stored."""
    counted = columns.value("muon_count")
    return len(columns.known["muon_px"]) if counted is None else int(counted)


def _of_energy(columns: EventColumns, who: str) -> str | None:
    """Name a particle and its energy, as far as they are known."""
    pdg, energy = columns.value(f"{who}_pdg"), columns.value(f"{who}_energy")
    words = [None if pdg is None else particle_name(int(pdg)), _gev_of(energy)]
    return " ".join(word for word in words if word) or None


def _tracks(columns: EventColumns) -> list[str]:
    """Tell of the first muon tracks: charge, and size of the momentum."""
    momentum = np.linalg.norm(columns.stacked("muon_p"), axis=1)
    signs = np.where(columns.known["muon_charge"] < 0, "⁻", "⁺")
    told = [f"μ{sign} {size:.0f} GeV/c" for sign, size in zip(signs, momentum, strict=True)]
    return [
        *told[:MOST_TRACKS],
        *([f"and {len(told) - MOST_TRACKS} more"] if len(told) > MOST_TRACKS else []),
    ]


def _places(vertex: NDArray[Any] | None) -> str | None:
    return None if vertex is None else f"{', '.join(f'{place:.0f}' for place in vertex)} mm"


def _gev(mev: NDArray[Any]) -> str:
    return f"{_three_digits(mev.sum(dtype=np.float64) / MEV_PER_GEV)} GeV"


def _gev_of(value: Any, unit: str = "GeV") -> str | None:
    return None if value is None else f"{_three_digits(float(value))} {unit}"


def _three_digits(number: float) -> str:
    """Write three significant digits, of a large number all before the point."""
    return f"{number:.0f}" if number >= 999.5 else f"{number:.3g}"
