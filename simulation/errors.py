"""The named errors of the simulation: each says what was expected, what came and how to mend it."""

from __future__ import annotations


class SimulationError(ValueError):
    """Base of every error that the simulation raises on bad input."""


class UnknownParticleError(SimulationError):
    """A PDG code that the transport does not know."""


class InvalidMomentumError(SimulationError):
    """Momenta that are not finite numbers, or not of shape (n, 3)."""


class VertexOutsideVolumeError(SimulationError):
    """Particles that start outside the volume they are to be transported in."""


class DetectorError(SimulationError):
    """A detector whose parts contradict each other."""


class DetectorFileError(DetectorError):
    """A file that describes no detector."""


class UnknownDetectorError(SimulationError):
    """A detector name that is not in `DETECTORS`."""
