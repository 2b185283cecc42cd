"""The settings of a processor of detector events, and which of them cannot be."""

import math
from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np

from nuzoo.files.events.detector_event_labels import GHOST_RULES
from nuzoo.processors.detector_events.event_quantities import QUANTITIES
from nuzoo.processors.input_errors import ProcessorSettingError
from nuzoo.processors.standardisation import RobustStandardisation, check_transform

VertexConstants = Literal["published", "fitted"]
GhostRule = Literal["status", "unmatched"]
PUBLISHED_VERTEX = ([174.26, 109.02, -66.38], [135.14, 125.34, 652.16])
"""Mean and standard deviation along x, y and z, mm, of the public code (arXiv 2604.07037)."""

CONSTANTS = {"k", "mu", "sigma"}
LENGTHS = {"cal_shape": 3, "ecal_shape": 2, "ahcal_shape": 3, "muon_transforms": 3}


def check_detector_event_settings(settings: Mapping[str, Any], transforms: Mapping[str, str]) -> None:
    """Refuse settings that are out of range.

    Args:
        settings: by name.
        transforms: by quantity.

    Raises:
        ProcessorSettingError: with all that are.
    """
    wrong = [
        f"{name} must hold {many} entries" for name, many in LENGTHS.items() if len(settings[name]) != many
    ]
    sizes = [*settings["cal_shape"], *settings["ecal_shape"], *settings["ahcal_shape"]]
    sizes += [settings["layers_per_module"], settings["muon_tracks"]]
    if any(not size >= 1 or size != int(size) for size in sizes):
        wrong.append("shapes, layers_per_module and muon_tracks must be of whole numbers above 0")
    elif settings["cal_shape"][-1] % settings["layers_per_module"]:
        wrong.append("layers_per_module must divide the layers of cal_shape")
    if not 0 < settings["charge_factor"] < math.inf:
        wrong.append("charge_factor must be above 0")
    for name, known in (("vertex", get_args(VertexConstants)), ("ghosts", GHOST_RULES)):
        if settings[name] not in known:
            wrong.append(f"{name} must be one of {known}")
    for name, least in (("vertex_mean_mm", -math.inf), ("vertex_std_mm", 0.0)):
        if not _are_three_above(settings[name], least):
            wrong.append(f"{name} must hold 3 finite numbers{'' if least else ' above 0'}")
    measured = settings["input_statistics"]
    if measured is not None and (
        measured.keys() != {*QUANTITIES} or any(one.keys() != CONSTANTS for one in measured.values())
    ):
        wrong.append(f"input_statistics must be k, mu and sigma of each of {', '.join(QUANTITIES)}")
    if wrong:
        raise ProcessorSettingError(f"{'; '.join(wrong)}. Got {_shown(settings)}.")
    for name, transform in transforms.items():
        check_transform(transform)
        if measured is not None:
            RobustStandardisation(transform, **measured[name])  # type: ignore[arg-type]


def _are_three_above(numbers: Any, least: float) -> bool:
    return numbers is None or (len(numbers) == 3 and np.isfinite(numbers).all() and min(numbers) > least)


def _shown(settings: Mapping[str, Any]) -> str:
    names = (*LENGTHS, "layers_per_module", "muon_tracks", "charge_factor", "vertex", "ghosts")
    names += ("vertex_mean_mm", "vertex_std_mm", "input_statistics")
    return ", ".join(f"{name}={settings[name]!r}" for name in names)
