"""What is known about a point cloud as a whole, as words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nuzoo.evaluation.display.point_clouds.event_columns import EventColumns
from nuzoo.evaluation.display.point_clouds.particle_names import GUN, KINDS, class_of_hits, interaction_name
from nuzoo.files.events.event_truth import SIMULATED_PREFIX
from nuzoo.files.events.point_cloud_events import INTERACTION_KINDS

MOST_LINES = 6
"""Different interactions that are told of."""

MEV_PER_GEV = 1000.0


def fact_lines(row: Mapping[str, Any], columns: EventColumns) -> list[tuple[str, str]]:
    """Give title and value of what is known of an event; what is not known is left out.

    The threshold is that of our simulation: events of other origin may have been cut elsewhere.
    """
    known = columns.known
    energy = float(known.get("energy", np.zeros(0)).sum(dtype=np.float64))
    name = event_class(row, columns.layout.classes)
    lines = [("class", name)] if name is not None else []
    lines += [("detector", columns.detector.name), ("hits", f"{columns.hits:,}"), ("energy", _energy(energy))]
    for word in ("particle", "interaction"):
        if (number := _number_of(word, columns)) is not None:
            lines.append((f"{word}s", f"{number:,}"))
    several = _counted(interaction_names(columns))
    lines += [("", text) for text in several[:MOST_LINES]]
    if len(several) > MOST_LINES:
        lines.append(("", f"and {len(several) - MOST_LINES} others"))
    threshold = columns.detector.readout.simulation_facts().get("threshold")
    if threshold and str(row.get("source", "")).startswith(SIMULATED_PREFIX):
        lines.append(("threshold", threshold))
    return lines


def event_class(row: Mapping[str, Any], classes: Sequence[str]) -> str | None:
    """Name the class of a whole event; None where there is none."""
    label = row.get("label")
    if label is None or np.ndim(label):
        return None
    is_number = isinstance(label, int | np.integer) and 0 <= label < len(classes)
    return classes[label] if is_number else str(label)


def interaction_names(columns: EventColumns) -> list[str]:
    """Name each interaction as far as it is known; none without a table of them."""
    known = columns.known
    length = next((len(of) for name, of in known.items() if name.startswith("interaction_")), 0)
    kinds = kind_names(columns) or [""] * length
    pdg = known.get("interaction_pdg", np.zeros(length))
    energy = known.get("interaction_neutrino_energy", np.zeros(length))
    current = known.get("interaction_is_cc", np.full(length, -1))
    return [interaction_name(kinds[i], int(pdg[i]), float(energy[i]), int(current[i])) for i in range(length)]


def kind_names(columns: EventColumns) -> list[str]:
    """Name the kind of each interaction; none where they are not known."""
    names = KINDS | ({"particles": GUN} if columns.layout.classes else {})
    kinds = [INTERACTION_KINDS[number] for number in columns.known.get("interaction_kind", ())]
    return [names.get(kind, kind) for kind in kinds]


def interaction_counts(columns: EventColumns) -> str:
    """Say how many interactions there are of each kind, such as "2 × neutrino, 1 × cosmic muon"."""
    return ", ".join(_counted(kind_names(columns)))


def label_shares(labels: Sequence[str]) -> str:
    """Say what share of the hits has each label, the most frequent ones first."""
    counts = Counter(map(class_of_hits, labels)).most_common(3)
    return ", ".join(f"{label} {times / len(labels):.0%}" for label, times in counts)


def _counted(names: Sequence[str]) -> list[str]:
    """Write each name that is known with how often it is there, in the order of their first."""
    return [f"{times} × {name}" for name, times in Counter(filter(None, names)).items()]


def segment_counts(segments: Sequence[Mapping[str, Any]]) -> str:
    """Say how many instances of each class were found, such as "2 muon, 1 photon"."""
    counts = Counter(one["label"] for one in segments)
    return ", ".join(f"{times} {label}" for label, times in counts.most_common())


def _number_of(word: str, columns: EventColumns) -> int | None:
    """Count the rows of a table, or without one those that hits name."""
    table = next((of for name, of in columns.known.items() if name.startswith(f"{word}_")), None)
    if table is not None:
        return len(table)
    of_hits = columns.known.get(word)
    return None if of_hits is None else len(np.unique(of_hits[of_hits >= 0]))


def _energy(mev: float) -> str:
    return f"{mev:.1f} MeV" if mev < MEV_PER_GEV else f"{mev / MEV_PER_GEV:.2f} GeV"
