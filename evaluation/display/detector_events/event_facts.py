"""What is known about a detector event as a whole, as words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.display.detector_events.event_columns import ECAL_ENERGY, EventColumns
from nuzoo.evaluation.display.point_clouds.particle_names import particle_name

MEV_PER_GEV = 1000.0
CHARM_WORDS = {"none": "none", "charm_e": "decays to e", "charm_mu": "decays to μ", "charm_had": "hadronic"}
MOST_TRACKS = 3
"""Muon tracks that are told of."""


def fact_lines(columns: EventColumns) -> list[tuple[str, str]]:
    """Give title and value of what is known of an event; what is not known is left out."""
    known = columns.known
    lines = [
        ("class", columns.name_of("flavour")),
        ("charm", charm_words(columns)),
        ("neutrino", _of_energy(columns, "neutrino")),
        ("lepton", _of_energy(columns, "lepton")),
        ("visible", _gev_of(columns.value("e_vis"))),
        ("missing pT", _gev_of(columns.value("pt_miss"), "GeV/c")),
        ("vertex", _places(known.get("primary_vertex"))),
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
