"""What can be chosen about the transport."""

from __future__ import annotations

from typing import NamedTuple


class TransportSettings(NamedTuple):
    """Cuts and switches of the transport.

    Attributes:
        max_step: Longest step of a charged particle, cm.
        delta_cut: Electrons knocked out with more than this many MeV are particles of their own.
        parametrised_above: Electrons and photons above this many MeV become parametrised showers.
        hadronic: Whether hadrons interact with nuclei.
        decays: Whether unstable particles decay; those that do not, stop with their mass.
        magnetic_field: Along x, y and z, tesla; it bends charged particles.
    """

    max_step: float = 0.3
    delta_cut: float = 0.6
    parametrised_above: float = 20_000.0
    hadronic: bool = True
    decays: bool = True
    magnetic_field: tuple[float, float, float] = (0.0, 0.0, 0.0)
