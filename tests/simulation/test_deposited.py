"""Deposits of another transport in a detector of ours: placed, cut at its walls, nothing lost unsaid."""

import numpy as np
import pytest

from nuzoo.simulation.deposited import Segments, cut_to_box, placed
from nuzoo.simulation.detectors import LARTPC_CUBE


def segments(*rows) -> Segments:
    start, end, energy = (np.array(column, float) for column in zip(*rows, strict=True))
    return Segments(start, end, energy, np.arange(len(energy)) // 2, np.full(len(energy), 13, np.int32))


LOW, HIGH = np.zeros(3), np.full(3, 10.0)


@pytest.mark.parametrize(
    ("start", "end", "kept"),
    [
        ((1, 1, 1), (2, 2, 2), ((1, 1, 1), (2, 2, 2), 4.0)),
        ((-5, 5, 5), (5, 5, 5), ((0, 5, 5), (5, 5, 5), 2.0)),
        ((5, 5, 5), (5, 25, 5), ((5, 5, 5), (5, 10, 5), 1.0)),
        ((-10, 5, 5), (30, 5, 5), ((0, 5, 5), (10, 5, 5), 1.0)),
        ((-5, -5, 5), (15, 15, 5), ((0, 0, 5), (10, 10, 5), 2.0)),
        ((3, 3, 3), (3, 3, 3), ((3, 3, 3), (3, 3, 3), 4.0)),
        ((11, 5, 5), (15, 5, 5), None),
        ((-3, 8, 5), (8, 21, 5), None),
        ((12, 5, 5), (12, 5, 5), None),
    ],
)
def test_a_segment_keeps_the_share_of_its_energy_that_is_inside(start, end, kept):
    cut = cut_to_box(segments((start, end, 4.0)), LOW, HIGH)
    assert len(cut.energy) == (kept is not None)
    if kept:
        np.testing.assert_allclose(cut.start[0], kept[0])
        np.testing.assert_allclose(cut.end[0], kept[1])
        assert cut.energy[0] == pytest.approx(kept[2])


def test_the_box_around_deposits_is_moved_to_the_middle():
    far = segments(((1000, 0, 0), (1020, 0, 0), 40.0), ((1010, 30, 0), (1010, 40, 8), 20.0))
    made = placed(far, LARTPC_CUBE, centred=True)
    np.testing.assert_allclose(made.transported.deposits.start[0], [105.2, 95.2, 111.2], rtol=1e-6)
    assert (made.outside, made.transported.budget.deposited) == (0, 60.0)
    np.testing.assert_allclose(made.first, made.transported.deposits.start[0], rtol=1e-6)


def test_deposits_that_stay_where_they_are_may_be_outside():
    made = placed(
        segments(((1, 1, 1), (2, 1, 1), 2.0), ((-9, 1, 1), (-8, 1, 1), 2.0)), LARTPC_CUBE, centred=False
    )
    assert (made.outside, made.transported.deposits.energy.tolist()) == (1, [2.0])
    nowhere = placed(segments(((-9, 1, 1), (-8, 1, 1), 2.0)), LARTPC_CUBE, centred=False)
    assert (nowhere.outside, len(nowhere.transported.deposits.energy)) == (1, 0)


def test_deposits_of_a_track_are_one_particle():
    rows = [((x, 1, 1), (x + 1, 1, 1), 2.0) for x in range(5)]
    made = placed(segments(*rows), LARTPC_CUBE, centred=False).transported
    assert made.deposits.particle.tolist() == [0, 0, 1, 1, 2]
    assert made.particles.pdg.tolist() == [13, 13, 13]
