"""The first idea of the simulation: which neutrino interaction happens, and what leaves the nucleus."""

import nuzoo.simulation.compiled  # noqa: F401
from nuzoo.simulation.interactions.generator import (
    InteractionError,
    Spectrum,
    generate_interaction,
    minimum_energy,
    sample_interaction,
)

__all__ = ["InteractionError", "Spectrum", "generate_interaction", "minimum_energy", "sample_interaction"]
