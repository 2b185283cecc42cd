"""Named spectra: data, like the detectors."""

from __future__ import annotations

import numpy as np

from nuzoo.simulation.interactions import Spectrum

_BROAD_ENERGIES = tuple(float(energy) for energy in np.geomspace(500.0, 40_000.0, 60))

SPECTRA: dict[str, Spectrum] = {
    "flat-0-10": Spectrum(),
    "broad-0.5-40": Spectrum(
        energy_table=(_BROAD_ENERGIES, tuple(1 / energy for energy in _BROAD_ENERGIES)), cc_fraction=2 / 3
    ),
}
"""`flat-0-10` is that of arXiv:2509.08461: nue and numu alike, flat to 10 GeV, 74 % charged current.

`broad-0.5-40` is flat in the logarithm from 0.5 to 40 GeV with a third of each class: no class can be told
by its energy, whatever the spectrum of the sample that a model meets later.
"""
