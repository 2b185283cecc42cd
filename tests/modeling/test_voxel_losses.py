import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch.testing import assert_close
from torchvision.ops import sigmoid_focal_loss

from nuzoo.modeling.distance_fields import distances, neighbourhood_max, soft_distances
from nuzoo.modeling.voxel_losses import (
    chamfer_loss,
    distant_energy_loss,
    empty_voxels,
    energy_loss,
    focal_loss,
    voxel_losses,
    voxel_truth,
)

SHAPE = (6, 5, 4)


def truth_of(cells, patches=1, energies=None, reach=5, empty=-1.0):
    """Hits at (patch, x, y, z), of energies that are as large standardised."""
    cells = torch.tensor(cells, dtype=torch.int64).view(-1, 4)
    energies = torch.ones(len(cells)) if energies is None else torch.tensor(energies)
    return voxel_truth(
        cells[:, 1:], cells[:, 0], patches, SHAPE, (energies, energies, torch.tensor(empty)), reach
    )


def number_of(x, y, z):
    return (x * SHAPE[1] + y) * SHAPE[2] + z


def test_distances_are_those_of_scipy():
    occupied = np.random.default_rng(0).random((8, *SHAPE)) < 0.03
    occupied[0] = False
    expected = [
        ndimage.distance_transform_cdt(~patch, "chessboard") if patch.any() else np.full(SHAPE, 9)
        for patch in occupied
    ]
    expected = torch.from_numpy(np.minimum(np.stack(expected), 3)).float()
    found = distances(torch.from_numpy(occupied), 3)
    assert torch.equal(found, expected)
    assert torch.equal(soft_distances(torch.from_numpy(occupied).float(), 3), expected)


def test_neighbourhoods_are_those_of_pooling():
    fields = torch.randn(3, *SHAPE)
    expected = torch.nn.functional.max_pool3d(fields[:, None], 3, stride=1, padding=1)[:, 0]
    assert torch.equal(neighbourhood_max(fields), expected)
    flat = torch.randn(2, 1, 2, 7)
    expected = torch.nn.functional.max_pool3d(flat[:, None], 3, stride=1, padding=1)[:, 0]
    assert torch.equal(neighbourhood_max(flat), expected)


def test_empty_voxels_are_all_of_the_border_and_half_as_many_others_as_hits():
    truth = truth_of([(0, 0, 0, 0), (0, 1, 0, 0), (1, 5, 4, 3), (1, 5, 4, 2)], patches=3)
    border, others = empty_voxels(truth, at_random=False)
    assert len(border) == (4 * 3 * 3 - 2) + (3 * 3 * 4 - 2)
    assert len(others) == 2
    assert not set(others.tolist()) & set(border.tolist())
    torch.manual_seed(0)
    drawn = {tuple(empty_voxels(truth, at_random=True)[1].tolist()) for _ in range(5)}
    assert len(drawn) == 5


@pytest.mark.parametrize("smoothing", [0.0, 0.02, 0.3])
def test_focal_loss_is_that_of_torchvision_and_smoothing_mixes_two(smoothing):
    torch.manual_seed(0)
    truth, logits = truth_of([(0, 1, 2, 3)]), 4 * torch.randn(120)
    chosen, occupied = torch.arange(100), truth.occupied.flatten()[:100].float()
    of_truth, of_opposite = (
        sigmoid_focal_loss(logits[:100], target, alpha=-1, gamma=1.5, reduction="mean")
        for target in (occupied, 1 - occupied)
    )
    expected = (1 - smoothing / 2) * of_truth + smoothing / 2 * of_opposite
    assert_close(focal_loss(logits, chosen, truth, smoothing), expected)


def test_focal_loss_of_a_sure_logit_can_be_learnt_from():
    truth, logits = truth_of([(0, 1, 2, 3)]), torch.full((120,), 200.0, requires_grad=True)
    loss = focal_loss(logits, torch.arange(120), truth, smoothing=0.02)
    loss.backward()
    expected = 200 * (0.01 * 1 / 120 + 0.99 * 119 / 120)
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    assert logits.grad.isfinite().all()


def test_a_voxel_told_beside_the_true_one_costs_little():
    truth, sure = truth_of([(0, 2, 2, 2)]), torch.full((1, 120), -60.0)
    exact, beside, far = sure.clone(), sure.clone(), sure.clone()
    exact[0, number_of(2, 2, 2)] = beside[0, number_of(3, 2, 2)] = far[0, number_of(5, 2, 2)] = 60.0
    assert chamfer_loss(exact, truth).item() == pytest.approx(0, abs=1e-6)
    assert chamfer_loss(beside, truth).item() == pytest.approx(1 - math.exp(-1 / 25), abs=1e-5)
    assert chamfer_loss(far, truth).item() == pytest.approx(1 - math.exp(-9 / 25), abs=1e-5)


def test_energies_by_hand():
    """The reference is the third quartile, 3.25 of 1, 2, 3, 4; what is told is 0 everywhere."""
    cells = [(0, 0, 0, z) for z in range(4)]
    truth = truth_of(cells, energies=[1.0, 2.0, 3.0, 4.0], empty=-0.5)
    told = torch.zeros(1, 120)
    chosen = torch.tensor([0, 1, 2, 3, 119])
    weights = [1 + math.sqrt(e / 3.25) for e in (1, 2, 3, 4)] + [1]
    off = [0.5, 1.5, 2.5, 3.5, 0.125]
    expected = sum(w * d for w, d in zip(weights, off, strict=True)) / sum(weights)
    assert energy_loss(told.flatten(), chosen, truth).item() == pytest.approx(expected)
    nearness = [min(max(x, y), 5) ** 2 / 25 for x in range(6) for y in range(5) for _ in range(4)]
    nearness[:4] = [1] * 4
    deviation = off[:4] + [0.125] * 116
    expected = sum(w * d for w, d in zip(nearness, deviation, strict=True)) / sum(nearness)
    assert distant_energy_loss(told, truth).item() == pytest.approx(expected, rel=1e-5)


def test_hits_without_energy_have_a_weight():
    truth = truth_of([(0, 0, 0, 0), (0, 3, 3, 3)], energies=[0.0, 0.0])
    assert truth.weight[truth.occupied].tolist() == [1.0, 1.0]


def test_patches_without_hits_cost_nothing_and_learn_nothing():
    logits, energies = torch.zeros(2, 120, requires_grad=True), torch.zeros(2, 120, requires_grad=True)
    for losses in (
        voxel_losses(logits, energies, truth_of([], patches=2), 0.02, at_random=True),
        voxel_losses(logits[:0], energies[:0], truth_of([], patches=0), 0.02, at_random=True),
    ):
        sum(losses).backward()
        assert [loss.item() for loss in losses] == [0, 0]
    assert not logits.grad.any()
