"""What is known about an event, as pairs of words for display panels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nuzoo.files.events.event_classes import EVENT_CLASSES, INTERACTION_MODES

NEUTRINOS = (12, 14, 16)
"""PDG codes, without their sign."""

QUANTITIES = {
    "interaction_mode": ("channel", "{}"),
    "neutrino_energy": ("neutrino energy", "{:.2f} GeV"),
    "lepton_energy": ("lepton energy", "{:.2f} GeV"),
    "inelasticity": ("inelasticity y", "{:.2f}"),
    "n_protons": ("protons", "{:.0f}"),
    "n_neutrons": ("neutrons", "{:.0f}"),
    "n_charged_pions": ("charged pions", "{:.0f}"),
    "n_neutral_pions": ("neutral pions", "{:.0f}"),
    "deposited_energy": ("deposited", "{:.0f} MeV"),
}
"""Name and text of true quantities, by their columns."""

OF_NEUTRINO = {"lepton_energy": "outgoing neutrino"}
"""Names of what is told of the outgoing lepton where that is a neutrino."""


def truth_lines(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give name and text of what is known of the truth; what a row lacks, or has as NaN, is left out."""
    known = {key: row[key] for key in QUANTITIES if row.get(key) is not None and row[key] == row[key]}
    if "interaction_mode" in known:
        known["interaction_mode"] = _named(known["interaction_mode"], INTERACTION_MODES).upper()
    lines = [("class", name)] if (name := true_class(row)) is not None else []
    for key, value in known.items():
        title, text = QUANTITIES[key]
        title = OF_NEUTRINO.get(key, title) if _leaves_neutrino(row) else title
        lines.append((title, text.format(value)))
    return lines


def true_class(row: Mapping[str, Any]) -> str | None:
    """Give the label as a name; None where there is none, or one for each hit."""
    label = row.get("label")
    return None if label is None or np.ndim(label) else _named(label, EVENT_CLASSES)


def _leaves_neutrino(row: Mapping[str, Any]) -> bool:
    """Say whether the outgoing lepton is a neutrino: the current is neutral."""
    if (lepton := row.get("lepton_pdg")) is not None:
        return abs(int(lepton)) in NEUTRINOS
    return true_class(row) == "nc"


def _named(value: Any, names: tuple[str, ...]) -> str:
    is_number = isinstance(value, int | np.integer) and 0 <= value < len(names)
    return names[value] if is_number else str(value)
