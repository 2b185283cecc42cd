"""A magnetic field against p = 0.3 B R."""

import numpy as np
import pytest

from nuzoo.simulation.materials import POLYSTYRENE
from nuzoo.simulation.transport import Volume, transport
from nuzoo.simulation.transport.settings import TransportSettings

BOX = Volume((-100, -100, -100), (100, 100, 100))


def mean_deflection(pdg: int, field: tuple[float, float, float], events: int = 60) -> np.ndarray:
    """Mean position in cm of 5 GeV/c particles after a metre along z."""
    rng, settings = np.random.default_rng(0), TransportSettings(hadronic=False, magnetic_field=field)
    ends = []
    for _ in range(events):
        done = transport(rng, [pdg], [[0, 0, 5000.0]], (0, 0, 0), POLYSTYRENE, BOX, settings=settings)
        own = done.deposits.particle == 0
        ends.append(done.deposits.end[own][-1])
    return np.mean(ends, axis=0)


@pytest.mark.parametrize(("pdg", "sign"), [(-13, 1), (13, -1), (2212, 1)])
def test_a_particle_is_bent_by_its_charge_and_momentum(pdg, sign):
    # the sagitta formula L² / 2R, with the mean momentum on the way: 5 GeV/c less half of 2.2 MeV/cm x 1 m
    x, y, _ = mean_deflection(pdg, (1.0, 0.0, 0.0))
    radius = (5.0 - 0.11) / 0.299792458
    assert y == pytest.approx(sign * 100 * 1.0**2 / (2 * radius), rel=0.05)
    assert x == pytest.approx(0, abs=0.15)


def test_along_the_field_nothing_is_bent():
    assert mean_deflection(13, (0.0, 0.0, 5.0))[:2] == pytest.approx([0, 0], abs=0.15)
