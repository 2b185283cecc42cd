import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from nuzoo.modeling.point_set_losses import chamfer_loss, infilling_loss

PLACES = 9


@pytest.fixture
def groups():
    generator = torch.Generator().manual_seed(0)
    given, true = torch.randn(2, 6, PLACES, 4, generator=generator)
    return given.requires_grad_(), true, torch.tensor([9, 1, 4, 7, 2, 9])


def one_way(points, others):
    return np.square(cKDTree(others).query(points)[0]).mean()


def test_chamfer_distance_is_that_of_a_tree(groups):
    given, true, sizes = groups
    of_groups = [
        one_way(a[:n], b[:n]) + one_way(b[:n], a[:n])
        for a, b, n in zip(given.detach().numpy(), true.numpy(), sizes.tolist(), strict=True)
    ]
    assert chamfer_loss(given, true, sizes).item() == pytest.approx(np.mean(of_groups), rel=1e-5)


def test_infilling_is_the_mean_squared_error_of_points_that_are_there(groups):
    given, true, sizes = groups
    pairs = zip(given[..., 0], true[..., 0], sizes.tolist(), strict=True)
    squared = torch.cat([(a[:n] - b[:n]).square() for a, b, n in pairs])
    torch.testing.assert_close(infilling_loss(given[..., 0], true[..., 0], sizes), squared.mean())


@pytest.mark.parametrize("loss", [chamfer_loss, infilling_loss])
def test_empty_places_do_not_count(loss, groups):
    given, true, sizes = groups
    if loss is infilling_loss:
        given, true = given[..., 0], true[..., 0]
    empty = (torch.arange(PLACES) >= sizes[:, None]).view(6, PLACES, *[1] * (given.ndim - 2))
    moved = loss(torch.where(empty, 100.0, given), torch.where(empty, -7.0, true), sizes)
    assert torch.equal(moved, loss(given, true, sizes))
    given.retain_grad()
    loss(given, true, sizes).backward()
    assert not given.grad[empty.expand_as(given)].any()
    assert torch.isfinite(given.grad).all() and given.grad.any()


def test_nothing_masked_costs_nothing():
    nothing = torch.zeros(0, PLACES, 4, requires_grad=True)
    assert chamfer_loss(nothing, nothing, torch.zeros(0, dtype=torch.long)).item() == 0
    assert infilling_loss(nothing[..., 0], nothing[..., 0], torch.zeros(0, dtype=torch.long)).item() == 0
