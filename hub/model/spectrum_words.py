"""Which neutrinos a simulated sample is of, in words."""

from __future__ import annotations

import numpy as np

from nuzoo.simulation.interactions import Spectrum

FLAVOURS = {12: "electron", 14: "muon", 16: "tau", -12: "anti-electron", -14: "anti-muon", -16: "anti-tau"}


def spectrum_words(spectrum: Spectrum) -> str:
    """Flavours, energies and currents of a spectrum, as text."""
    shares = zip(spectrum.flavours, spectrum.fractions, strict=True)
    flavours = ", ".join(f"{share:.0%} {FLAVOURS[flavour]} neutrinos" for flavour, share in shares)
    return f"{flavours}, {_energies(spectrum)}, {spectrum.cc_fraction:.0%} charged-current interactions"


def _energies(spectrum: Spectrum) -> str:
    if spectrum.energy_table is None:
        low, high = spectrum.energy_range
        shape = "flat in energy"
    else:
        energies, weights = (np.array(column) for column in spectrum.energy_table)
        low, high = energies[0], energies[-1]
        logarithmic = np.allclose(energies * weights, energies[0] * weights[0])
        shape = "flat in the logarithm of the energy" if logarithmic else "with a tabulated spectrum"
    return f"{shape} from {low / 1000:g} to {high / 1000:g} GeV"
