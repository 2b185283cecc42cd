"""Learnt weights of losses, beside hand-computed cases."""

import math

import pytest
import torch

from nuzoo.modeling.bounded_kendall import BoundedKendall, WeightBounds


def test_weights_start_where_they_shall():
    weights = BoundedKendall({"ghost": WeightBounds(1.0, 5.0), "muon": WeightBounds(0.02, 0.05)}).weights
    assert {name: weight.item() for name, weight in weights.items()} == pytest.approx(
        {"ghost": 1.0, "muon": 0.02}
    )


def test_losses_add_up_with_their_weights():
    kendall = BoundedKendall({"a": WeightBounds(1.0, 5.0), "b": WeightBounds(0.5, 2.0)})
    total = kendall({"b": torch.tensor(3.0), "a": torch.tensor(2.0)})
    assert total.item() == pytest.approx(2.0 + 0.5 * 3.0 - math.log(0.5) / 2)


def test_weights_stay_within_their_bounds_and_fall_for_large_losses():
    kendall = BoundedKendall({"a": WeightBounds(1.0, 5.0)}, least=0.1)
    for moved, bound in ((-200.0, 0.1), (200.0, 5.0)):
        with torch.no_grad():
            kendall.unbounded.fill_(moved)
        assert kendall.weights["a"].item() == pytest.approx(bound)
    kendall.reset_parameters()
    kendall({"a": torch.tensor(10.0)}).backward()
    assert kendall.unbounded.grad.item() == pytest.approx(
        (10.0 - 1 / 2) * (1.0 - 0.1) * (5.0 - 1.0) / (5.0 - 0.1)
    )


@pytest.mark.parametrize("bound", [WeightBounds(6.0, 5.0), WeightBounds(0.01, 5.0)])
def test_a_start_beyond_the_bounds_is_refused(bound):
    with pytest.raises(ValueError, match="weight of charm: expected 0 < least < initial < maximum"):
        BoundedKendall({"charm": bound})


def test_other_losses_are_refused():
    with pytest.raises(ValueError, match="expected losses among a, got b"):
        BoundedKendall({"a": WeightBounds(1.0, 5.0)})({"b": torch.tensor(1.0)})
