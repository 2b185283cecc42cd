"""The detectors that are known by name, as data, and those that files describe."""

from pathlib import Path

from nuzoo.files.nearest_names import did_you_mean
from nuzoo.simulation.detectors.detector import Detector
from nuzoo.simulation.detectors.experiments import EXPERIMENTS
from nuzoo.simulation.detectors.fasercal import FASERCAL, FASERCAL_1MM, FASERCAL_5MM
from nuzoo.simulation.detectors.lartpcs import ALTERED_LARTPCS, DUNE_LIKE, MODULAR_LARTPC
from nuzoo.simulation.detectors.voxel_detectors import LARTPC_CUBE, SCINTILLATOR_CUBE
from nuzoo.simulation.errors import DetectorError, UnknownDetectorError

DETECTORS: dict[str, Detector] = {
    detector.name: detector
    for detector in (
        MODULAR_LARTPC,
        DUNE_LIKE,
        LARTPC_CUBE,
        SCINTILLATOR_CUBE,
        FASERCAL,
        FASERCAL_5MM,
        FASERCAL_1MM,
        *ALTERED_LARTPCS,
        *EXPERIMENTS,
    )
}
"""All that this process knows, nuzoo's own first."""

OWN = frozenset(DETECTORS)
"""Names of nuzoo's own, which need no description."""

FILE_SUFFIXES = (".yaml", ".yml")

__all__ = [
    "DETECTORS",
    "DUNE_LIKE",
    "FASERCAL",
    "FASERCAL_1MM",
    "FASERCAL_5MM",
    "LARTPC_CUBE",
    "MODULAR_LARTPC",
    "OWN",
    "SCINTILLATOR_CUBE",
    "Detector",
    "DetectorError",
    "enter_detector",
    "find_detector",
]


def find_detector(name: str | Path) -> Detector:
    """Find a detector by its name, or read the file that describes it and know it by its name from now on.

    Args:
        name: A name in `DETECTORS`, or the path of a YAML file.

    Raises:
        UnknownDetectorError: There is none of this name.
        DetectorFileError: The file describes none.
        DetectorError: It describes another detector than the one that is known by its name.
    """
    if name in DETECTORS:
        return DETECTORS[str(name)]
    if Path(name).suffix in FILE_SUFFIXES:
        from nuzoo.simulation.detectors.detector_file import read_detector

        return enter_detector(read_detector(Path(name)))
    hint = did_you_mean([name], DETECTORS) or ": correct the name"
    raise UnknownDetectorError(
        f"detector: expected one of {', '.join(DETECTORS)} or a YAML file that describes another, got "
        f"{str(name)!r}{hint} (`nuzoo detectors`)"
    )


def enter_detector(detector: Detector) -> Detector:
    """Know a detector by its name in this process.

    Raises:
        DetectorError: Another one of its name is known.
    """
    known = DETECTORS.setdefault(detector.name, detector)
    if known != detector:
        raise DetectorError(
            f"detector {detector.name}: expected one description of each name, got a second, different one: "
            "give this detector a name of its own"
        )
    return known
