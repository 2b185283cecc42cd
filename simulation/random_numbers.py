"""The random numbers of an event."""

import numpy as np

from nuzoo.simulation.detectors import Detector
from nuzoo.simulation.errors import DetectorError


def random_numbers(*of: int) -> np.random.Generator:
    """Give the random numbers of an event: of its seed, its number, and its attempt where there are some.

    They depend on these alone, in whatever process or order the event is made.
    """
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([*of])))


def random_numbers_in_volume(detector: Detector, *of: int) -> np.random.Generator:
    """Give the random numbers of an event in the volume of a detector; see `random_numbers`.

    Raises:
        DetectorError: The detector's volume is not described.
    """
    if not detector.has_volume:
        raise DetectorError(f"{detector.name}: expected a volume to simulate it, got none: describe it")
    return random_numbers(*of)
