import numpy as np
import pytest

from nuzoo.evaluation.tasks.event_classification.numbers import energy_edges_of

RNG = np.random.default_rng(0)
SPECTRA = {
    "flat": (RNG.uniform(0, 10, 5000), list(range(11))),
    "few": (RNG.uniform(0, 10, 90), [0, 5, 10]),
    "one": (np.array([2.3]), [2, 3]),
    "of one energy": (np.full(500, 2.0), None),
    "with a tail": (np.append(RNG.uniform(0.5, 4.8, 5000), [120.0, np.nan]), [n / 2 for n in range(1, 11)]),
    "of some TeV": (RNG.uniform(200, 3900, 5000), None),
}


@pytest.mark.parametrize("name", SPECTRA)
def test_bins_are_round_and_cover_the_energies(name):
    energy, expected = SPECTRA[name]
    edges = np.array(energy_edges_of(energy))
    known = energy[np.isfinite(energy)]
    assert 2 <= len(edges) <= 11
    steps = np.diff(edges)
    assert steps == pytest.approx(steps[0])
    assert ((known >= edges[0]) & (known <= edges[-1])).mean() >= 0.985
    if expected is not None:
        assert edges == pytest.approx(expected)
