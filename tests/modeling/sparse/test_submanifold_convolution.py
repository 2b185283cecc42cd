import torch
import torch.nn.functional as F

from nuzoo.modeling.sparse.neighbours import find_neighbours
from nuzoo.modeling.sparse.ragged import events_of
from nuzoo.modeling.sparse.submanifold_convolution import SubmanifoldConv3d

from .clouds import random_cloud

EXTENT = 8


def by_dense_convolution(layer, rows, cells, event):
    grid = rows.new_zeros(int(event.max()) + 1, EXTENT, EXTENT, EXTENT, rows.shape[1])
    x, y, z = cells.unbind(1)
    grid = grid.index_put((event, x, y, z), rows).movedim(-1, 1)
    out = F.conv3d(grid, layer.weight.permute(0, 4, 1, 2, 3), layer.bias, padding=1)
    return out.movedim(1, -1)[event, x, y, z]


def make(counts, channels=(5, 7)):
    torch.manual_seed(0)
    cells, offset = random_cloud(counts, EXTENT)
    event = events_of(offset)
    rows = torch.randn(len(cells), channels[0], requires_grad=True)
    return SubmanifoldConv3d(*channels), rows, cells, event


def test_convolution_and_its_gradients_are_those_of_a_dense_grid():
    """The kernel is random, so no axis or direction can be mistaken; the bias counts."""
    layer, rows, cells, event = make([200, 1, 90])
    neighbours = find_neighbours(cells, event, 3)
    expected = by_dense_convolution(layer, rows, cells, event)
    result = layer(rows, neighbours)
    torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-5)
    inputs = (rows, layer.weight, layer.bias)
    seen = torch.randn_like(expected)
    for one, other in zip(
        torch.autograd.grad(result, inputs, seen), torch.autograd.grad(expected, inputs, seen), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_one_far_point_changes_nothing():
    layer, rows, cells, event = make([150])
    far = torch.cat([cells, torch.tensor([[5000, 9, 16000]])])
    alone = layer(rows, find_neighbours(cells, event, 14))
    beside = layer(torch.cat([rows, rows[:1]]), find_neighbours(far, event.new_zeros(len(far)), 14))
    assert torch.equal(beside[:-1], alone)


def test_rows_may_lie_in_any_order():
    layer, rows, cells, event = make([120, 40])
    order = torch.randperm(len(rows))
    moved = layer(rows[order], find_neighbours(cells[order], event[order], 3))
    expected = layer(rows, find_neighbours(cells, event, 3))[order]
    torch.testing.assert_close(moved, expected)


def test_no_rows_pass():
    layer, *_ = make([1])
    empty = torch.zeros(0, dtype=torch.long)
    assert layer(torch.zeros(0, 5), find_neighbours(empty.view(0, 3), empty, 3)).shape == (0, 7)


def test_large_cloud_is_convolved_alike_at_every_call():
    generator = torch.Generator().manual_seed(3)
    cells = torch.unique(torch.randint(0, 96, (100_000, 3), generator=generator), dim=0)
    layer, rows = SubmanifoldConv3d(2, 2), torch.randn(len(cells), 2, generator=generator)
    neighbours = find_neighbours(cells, torch.zeros(len(cells), dtype=torch.long), 7)
    first = layer(rows, neighbours)
    assert torch.equal(first, layer(rows, neighbours))
    crop = (cells < 20).all(dim=1)
    inner = (cells < 19).all(dim=1)[crop]
    grid = torch.zeros(1, 2, 20, 20, 20)
    x, y, z = cells[crop].unbind(1)
    grid[0, :, x, y, z] = rows[crop].T
    dense = F.conv3d(grid, layer.weight.permute(0, 4, 1, 2, 3), layer.bias, padding=1)[0, :, x, y, z].T
    torch.testing.assert_close(first[crop][inner], dense[inner], rtol=1e-5, atol=1e-5)
