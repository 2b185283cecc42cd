"""Pythia's interactions have the form of ours, where the package is installed."""

import importlib.util

import numpy as np
import pytest

from nuzoo.simulation.interactions.pythia_events import PythiaError, PythiaInteractions
from nuzoo.simulation.particles import MASS, SPECIES_OF

HAS_PYTHIA = importlib.util.find_spec("pythia8mc") is not None


@pytest.mark.skipif(HAS_PYTHIA, reason="pythia8mc is installed")
def test_without_the_package_it_says_how_to_get_it():
    with pytest.raises(PythiaError, match="pip install"):
        PythiaInteractions(14, 1e6, True)


@pytest.mark.skipif(not HAS_PYTHIA, reason="pythia8mc is not installed")
@pytest.mark.parametrize("neutrino", [14, 16])
def test_four_momenta_add_up(neutrino):
    made = PythiaInteractions(neutrino, 1e6, True, seed=3)
    for _ in range(30):
        one = made.next()
        energy = np.hypot(
            np.linalg.norm(one.momentum, axis=1), MASS[[SPECIES_OF[int(code)] for code in one.pdg]]
        )
        assert energy[one.is_final].sum() == pytest.approx(1e6 + MASS[SPECIES_OF[2212]], rel=1e-4)
        np.testing.assert_allclose(one.momentum[one.is_final].sum(axis=0), [0, 0, 1e6], atol=100)
        for row in np.unique(one.parent[one.parent >= 0]):
            assert energy[one.parent == row].sum() == pytest.approx(energy[row], rel=1e-4)
        assert (one.tau_decay_mode > 0) == (neutrino == 16)
