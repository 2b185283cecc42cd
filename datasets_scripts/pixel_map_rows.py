"""The row of a pixel-map dataset: its columns, and how a simulated event becomes one."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
from datasets import (
    ClassLabel,
    Features,
    Image,
    List,
    Value,
)
from numpy.typing import NDArray

from nuzoo.simulation.detectors import Detector
from nuzoo.simulation.event_types import InteractionMode
from nuzoo.simulation.simulate import EventClass, SimulatedEvent

LABELS = tuple(label.name.lower() for label in EventClass)
"""Names of the classes, in the order of their numbers."""

MODES = tuple(mode.name.lower() for mode in InteractionMode)

DISPLAY_FULL_SCALE = 20.0
"""MeV that are white in the `display` picture; grey grows as log(1 + E / MeV)."""

SPLITS = {"train": 0.90, "validation": 0.05, "test": 0.05}

DESCRIPTIONS = {
    "event_id": "name of the event, unique; decides its split",
    "detector": "identifier of the detector that saw it",
    "<view>_index": "pixels with energy in this view: row × width + column, ascending and unique",
    "<view>_energy": "their energies, MeV",
    "label": "class of the event",
    "display": "8-bit PNG of all views side by side, for people: log(1 + E / MeV), white at 20 MeV",
    "neutrino_energy": "true energy of the neutrino, GeV",
    "neutrino_pdg": "its PDG code",
    "interaction_mode": "channel of the interaction",
    "lepton_pdg": "PDG code of the outgoing lepton",
    "lepton_energy": "its total energy, GeV",
    "inelasticity": "y = 1 - lepton energy / neutrino energy, dimensionless",
    "vertex": "position of the interaction (x, y, z), cm",
    "n_protons": "protons that left the nucleus",
    "n_neutrons": "neutrons that left the nucleus",
    "n_charged_pions": "charged pions that left the nucleus",
    "n_neutral_pions": "neutral pions that left the nucleus",
    "deposited_energy": "energy deposited in the active volume, MeV",
    "source": "where the row comes from: simulation version, seed and event, or file and index",
}
"""What each column holds, with its unit. Truth that a file does not have is null."""


def row_features(detector: Detector) -> Features:
    """The columns of a dataset of this detector.

    The picture is not decoded when a row is read: that takes longer than all the rest of the row, and needs
    Pillow, which `datasets` does not bring. `rows.cast_column("display", datasets.Image())` decodes it.
    """
    maps = {
        f"{view.name}_{part}": List(Value(kind))
        for view in detector.views
        for part, kind in (("index", "uint32"), ("energy", "float32"))
    }
    return Features(
        {
            "event_id": Value("string"),
            "detector": Value("string"),
            **maps,
            "label": ClassLabel(names=list(LABELS)),
            "display": Image(decode=False),
            "neutrino_energy": Value("float32"),
            "neutrino_pdg": Value("int16"),
            "interaction_mode": ClassLabel(names=list(MODES)),
            "lepton_pdg": Value("int16"),
            "lepton_energy": Value("float32"),
            "inelasticity": Value("float32"),
            "vertex": List(Value("float32"), length=3),
            "n_protons": Value("int16"),
            "n_neutrons": Value("int16"),
            "n_charged_pions": Value("int16"),
            "n_neutral_pions": Value("int16"),
            "deposited_energy": Value("float32"),
            "source": Value("string"),
        }
    )


def simulated_event_id(seed: int, index: int) -> str:
    """Name of event `index` of seed `seed`."""
    return f"sim-{seed}-{index}"


def simulated_row(event: SimulatedEvent, seed: int, index: int, detector: Detector) -> dict[str, Any]:
    """The row of a simulated event."""
    interaction = event.interaction
    hadrons = interaction.pdg[1:]
    lepton_energy = (1 - interaction.inelasticity) * interaction.neutrino_energy
    row: dict[str, Any] = {
        "event_id": simulated_event_id(seed, index),
        "detector": detector.name,
        "label": event.label,
        "neutrino_energy": interaction.neutrino_energy / 1000,
        "neutrino_pdg": interaction.neutrino_pdg,
        "interaction_mode": int(interaction.mode),
        "lepton_pdg": int(interaction.pdg[0]),
        "lepton_energy": lepton_energy / 1000,
        "inelasticity": interaction.inelasticity,
        "vertex": event.vertex.astype(np.float32),
        "n_protons": np.count_nonzero(hadrons == 2212),
        "n_neutrons": np.count_nonzero(hadrons == 2112),
        "n_charged_pions": np.count_nonzero(np.abs(hadrons) == 211),
        "n_neutral_pions": np.count_nonzero(hadrons == 111),
        "deposited_energy": event.transported.budget.deposited,
        "source": f"nuzoo-simulation {version('nuzoo')} seed={seed} event={index} detector={detector.name}",
    }
    for name, view in event.views.items():
        row[f"{name}_index"], row[f"{name}_energy"] = view.index, view.energy
    return row


def with_display(row: Mapping[str, Any], detector: Detector) -> dict[str, Any]:
    """The row with its `display` picture."""
    pictures = [
        _grey(row[f"{view.name}_index"], row[f"{view.name}_energy"], view.rows, view.columns)
        for view in detector.views
    ]
    return {**row, "display": {"bytes": _png(np.concatenate(pictures, axis=1)), "path": None}}


def _grey(
    index: NDArray[np.uint32], energy: NDArray[np.float32], rows: int, columns: int
) -> NDArray[np.uint8]:
    flat = np.zeros(rows * columns, dtype=np.uint8)
    scaled = np.log1p(np.asarray(energy)) / np.log1p(DISPLAY_FULL_SCALE)
    flat[np.asarray(index, dtype=np.int64)] = np.clip(np.rint(255 * scaled), 1, 255)
    return flat.reshape(rows, columns)[::-1]


def _png(picture: NDArray[np.uint8]) -> bytes:
    from PIL import Image as PILImage

    buffer = io.BytesIO()
    PILImage.fromarray(picture).save(buffer, format="PNG", compress_level=4)
    return buffer.getvalue()


def split_of(event_id: str) -> str:
    """The split of an event, by the SHA-256 of its name: 90 % train, 5 % validation, 5 % test."""
    share = int.from_bytes(hashlib.sha256(event_id.encode()).digest()[:8]) / 2**64
    for split, fraction in SPLITS.items():
        if share < fraction:
            return split
        share -= fraction
    return "test"
