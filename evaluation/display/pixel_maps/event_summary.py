"""What is known about an event, as pairs of words for display panels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nuzoo.files.events.event_classes import EVENT_CLASSES, INTERACTION_MODES

MODES = tuple(mode.upper() for mode in INTERACTION_MODES)

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


def truth_lines(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give name and text of what is known of the truth; what a row lacks, or has as NaN, is left out."""
    known = {key: row[key] for key in QUANTITIES if row.get(key) is not None and row[key] == row[key]}
    if "interaction_mode" in known:
        known["interaction_mode"] = _named(known["interaction_mode"], MODES)
    lines = [("class", name)] if (name := true_class(row)) is not None else []
    return lines + [(QUANTITIES[key][0], QUANTITIES[key][1].format(value)) for key, value in known.items()]


def true_class(row: Mapping[str, Any]) -> str | None:
    """Give the label as a name, or None."""
    label = row.get("label")
    return None if label is None else _named(label, EVENT_CLASSES)


def _named(value: Any, names: tuple[str, ...]) -> str:
    return value if isinstance(value, str) else names[int(value)]
