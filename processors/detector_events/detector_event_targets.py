"""The truth of detector events as tensors: classes, momenta, the vertex, and what made each hit."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nuzoo.files.events.detector_event_columns import VOXEL_COLUMNS, VOXEL_TRUTH
from nuzoo.files.events.detector_event_labels import (
    CATEGORIES,
    HIERARCHIES,
    category_of,
    ghosts,
    hierarchy_of,
    share_of_classes,
)
from nuzoo.files.events.event_schema import EventSchema, Ragged
from nuzoo.files.nearest_names import did_you_mean
from nuzoo.processors.detector_events.detector_event_parts import read_dense, read_lists
from nuzoo.processors.event_tables import read_target
from nuzoo.processors.input_errors import ProcessorSettingError

CLASSES = ("flavour", "charm")
MOMENTA = ("vis_momentum", "jet_momentum")
LEPTON, VERTEX = "lepton_momentum", "primary_vertex"
TARGETS = (*CLASSES, *MOMENTA, LEPTON, VERTEX)


def read_event_targets(
    rows: Any,
    schema: EventSchema,
    targets: Sequence[str],
    events: int,
    vertex: tuple[Sequence[float], Sequence[float]],
) -> dict[str, Tensor]:
    """Read the truth of whole events.

    Args:
        rows: see `nuzoo.processors.detector_events.detector_event_parts.read_parts`.
        schema: of the events.
        targets: names in `TARGETS`.
        events: how many there are.
        vertex: mean and standard deviation along x, y and z of vertices, mm.

    Returns:
        Of one class `labels`, of several `<column>_labels` each, int64 (events,). Of momenta
        `<column>_labels`, float32 (events, 3), GeV/c; `vertex_labels`, float32 (events, 3), dimensionless.

    Raises:
        ProcessorSettingError: there is no such target.
        EventError: an event has no truth, or not such as the schema says.
    """
    refuse_unknown_targets(targets)
    asked = list(dict.fromkeys(targets))
    classes = [name for name in asked if name in CLASSES]
    tensors = {}
    for name in classes:
        numbers = read_target(rows, [name], events)["labels"]
        read_dense(rows, schema[name])
        tensors["labels" if len(classes) == 1 else f"{name}_labels"] = numbers
    for name in asked:
        if name in MOMENTA:
            tensors[f"{name}_labels"] = _float32(read_dense(rows, schema[name]))
    if LEPTON in asked:
        tensors[f"{LEPTON}_labels"] = _float32(visible_lepton(rows, schema))
    if VERTEX in asked:
        mean, deviation = vertex
        tensors["vertex_labels"] = _float32((read_dense(rows, schema[VERTEX]) - mean) / np.asarray(deviation))
    return tensors


def refuse_unknown_targets(targets: Sequence[str]) -> None:
    """Raise `ProcessorSettingError` for what is no list of targets, or a part of `VOXEL_COLUMNS`."""
    if isinstance(targets, str):
        raise ProcessorSettingError(f"expected columns in a list as targets, got {targets!r}: name them")
    known = (*TARGETS, *VOXEL_TRUTH)
    if unknown := [name for name in targets if name not in known]:
        raise ProcessorSettingError(
            f"expected targets among {', '.join(known)}, got {', '.join(map(str, unknown))}"
            f"{did_you_mean(unknown, known)}"
        )
    missing = [name for name in VOXEL_COLUMNS if name not in targets]
    if missing and asks_voxels(targets):
        raise ProcessorSettingError(
            f"expected all columns that say what made hits as targets, got none of {', '.join(missing)}: "
            "name them too"
        )


def asks_voxels(targets: Sequence[str]) -> bool:
    """Tell whether targets say what made each hit."""
    return not set(VOXEL_TRUTH).isdisjoint(targets)


def visible_lepton(rows: Any, schema: EventSchema) -> NDArray[np.float64]:
    """Read the momentum (events, 3), GeV/c, of what is seen of the lepton of charged currents.

    That of taus is of what they decay into, without neutrinos; of neutral currents it is 0.
    """
    is_cc, is_tau = (read_dense(rows, schema[name]) > 0 for name in ("is_cc", "is_tau"))
    needed = {"lepton_momentum": is_cc & ~is_tau, "tau_vis_momentum": is_cc & is_tau}
    lepton, decayed = (
        read_dense(rows, schema[name], unknown=[None if here else np.zeros(3) for here in of[:, 0]])
        for name, of in needed.items()
    )
    return np.where(is_cc, np.where(is_tau, decayed, lepton), 0.0)


def read_voxel_labels(rows: Any, schema: EventSchema, ghost_rule: str) -> dict[str, Tensor]:
    """Read what made each hit of the 3DCal.

    Args:
        rows: see `read_event_targets`.
        schema: of the events.
        ghost_rule: a name in `nuzoo.files.events.detector_event_labels.GHOST_RULES`.

    Returns:
        `cal_ghost`, float32 (hits,), 1 of ghosts; `cal_hierarchy` and `cal_category`, float32 (hits, 3), the
        share of the true energy of each class of `HIERARCHIES` and `CATEGORIES`: 0 for all of a hit without
        true ones, which losses leave out.

    Raises:
        EventError: an event has no such truth, or it contradicts itself.
    """
    lists = read_lists(rows, schema, VOXEL_COLUMNS)
    status = lists["cal_status"].values
    decays = read_dense(
        rows, schema["tau_decay_mode"], unknown=np.zeros(len(lists["cal_status"].counts), int)
    )
    true = _rows_in_batch(lists["link_true"], lists["true_pdg"].counts)
    of_event = [
        category_of(pdg, int(mode)) for pdg, mode in zip(_split(lists["true_pdg"]), decays[:, 0], strict=True)
    ]
    category = np.concatenate([np.empty(0, np.int64), *of_event])
    hierarchy = hierarchy_of(lists["true_is_primary"].values, lists["true_is_secondary"].values)
    links = (lists["cal_link_count"].values.astype(np.int64), true, lists["link_weight"].values)
    return {
        "cal_ghost": _float32(ghosts(status, ghost_rule)),
        "cal_hierarchy": torch.from_numpy(share_of_classes(*links, hierarchy, len(HIERARCHIES))),
        "cal_category": torch.from_numpy(share_of_classes(*links, category, len(CATEGORIES))),
    }


def _rows_in_batch(rows: Ragged, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Turn rows of each event's lists into those of the lists of all, by how many each event has."""
    first = np.cumsum(counts) - counts
    return rows.values.astype(np.int64) + first[rows.event]


def _split(lists: Ragged) -> list[NDArray[Any]]:
    return np.split(lists.values, np.cumsum(lists.counts)[:-1]) if len(lists.counts) else []


def _float32(values: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
