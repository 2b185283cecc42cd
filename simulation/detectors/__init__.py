"""The detectors that are known by name, as data. Another detector is another instance."""

from nuzoo.simulation.detectors.detector import Detector
from nuzoo.simulation.detectors.lartpcs import DUNE_LIKE, MODULAR_LARTPC
from nuzoo.simulation.errors import DetectorError, UnknownDetectorError

DETECTORS: dict[str, Detector] = {detector.name: detector for detector in (MODULAR_LARTPC, DUNE_LIKE)}

__all__ = ["DETECTORS", "DUNE_LIKE", "MODULAR_LARTPC", "Detector", "DetectorError", "find_detector"]


def find_detector(name: str) -> Detector:
    """Look a detector up by name.

    Raises:
        UnknownDetectorError: There is none of this name.
    """
    if name not in DETECTORS:
        raise UnknownDetectorError(
            f"detector: expected one of {', '.join(DETECTORS)}, got {name!r}: correct the name, or enter a "
            "`Detector` of this name in `nuzoo.simulation.detectors.DETECTORS`"
        )
    return DETECTORS[name]
