"""What is known about an event, as pairs of words for display panels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nuzoo.datasets_scripts.pixel_map_rows import LABELS
from nuzoo.simulation.event_types import InteractionMode

Formatter = Callable[[Any], str]

MODE_NAMES = [mode.name for mode in InteractionMode]

TRUTH: dict[str, tuple[str, Formatter]] = {
    "interaction_mode": ("channel", lambda mode: _named(mode, MODE_NAMES)),
    "neutrino_energy": ("neutrino energy", "{:.2f} GeV".format),
    "lepton_energy": ("lepton energy", "{:.2f} GeV".format),
    "inelasticity": ("inelasticity y", "{:.2f}".format),
    "n_protons": ("protons", "{:.0f}".format),
    "n_neutrons": ("neutrons", "{:.0f}".format),
    "n_charged_pions": ("charged pions", "{:.0f}".format),
    "n_neutral_pions": ("neutral pions", "{:.0f}".format),
    "deposited_energy": ("deposited", "{:.0f} MeV".format),
}


def truth_lines(row: Mapping[str, Any], class_names: Sequence[str] = LABELS) -> list[tuple[str, str]]:
    """Name and value of every true quantity that the row has.

    Args:
        row: Pixel-map row; what it lacks, or has as None or NaN, is left out.
        class_names: Of the labels, where the row has them as numbers.
    """
    lines = []
    if row.get("label") is not None:
        lines.append(("class", _named(row["label"], class_names)))
    known = {key: row[key] for key in TRUTH if _is_known(row.get(key))}
    return lines + [(TRUTH[key][0], TRUTH[key][1](value)) for key, value in known.items()]


def true_class(row: Mapping[str, Any], class_names: Sequence[str] = LABELS) -> str | None:
    """The label as a name, or None."""
    label = row.get("label")
    return None if label is None else _named(label, class_names)


def _is_known(value: Any) -> bool:
    return value is not None and value == value  # NaN is not equal to itself


def _named(value: Any, names: Sequence[str]) -> str:
    return value if isinstance(value, str) else names[int(value)]
