"""The second idea of the simulation: what particles do in a material, down to energy deposits."""

import nuzoo.simulation.compiled  # noqa: F401
from nuzoo.simulation.transport.engine import Volume, transport

__all__ = ["Volume", "transport"]
