import torch
import torch.nn.functional as F

from nuzoo.modeling.sparse.point_level import point_level
from nuzoo.modeling.sparse.ragged import events_of
from nuzoo.modeling.sparse.strided_convolution import StridedConv3d, TransposedConv3d, doubled

from .clouds import random_cloud

EXTENT = 8


def make(counts):
    """Points in Morton's order with their doubled cells: level, coarse level, corners."""
    cells, offset = random_cloud(counts, EXTENT)
    level, _ = point_level(cells, offset, (), 3)
    coarse, corners = doubled(level)
    return level, coarse, corners


def places(level):
    event = events_of(level.counts.cumsum(0))
    return (event, *level.cells.unbind(1))


def on_grid(rows, level, extent):
    grid = rows.new_zeros(len(level.counts), extent, extent, extent, rows.shape[1])
    return grid.index_put(places(level), rows).movedim(-1, 1)


def at_points(grid, level):
    return grid.movedim(1, -1)[places(level)]


def assert_same_with_gradients(result, expected, inputs):
    torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-5)
    seen = torch.randn_like(expected)
    gradients = (torch.autograd.grad(one, inputs, seen) for one in (result, expected))
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_corners_name_the_doubled_cell_and_the_half_along_each_axis():
    level, coarse, corners = make([200, 0, 1, 90])
    assert torch.equal(coarse.cells[corners // 8], level.cells // 2)
    x, y, z = (level.cells % 2).unbind(1)
    assert torch.equal(corners % 8, 4 * x + 2 * y + z)
    assert len(set(corners.tolist())) == len(level.cells)


def test_strided_convolution_and_its_gradients_are_those_of_a_dense_grid():
    """The kernel is random, so no axis or corner can be mistaken."""
    torch.manual_seed(0)
    level, coarse, corners = make([200, 1, 90])
    layer = StridedConv3d(5, 7)
    rows = torch.randn(len(level.cells), 5, requires_grad=True)
    dense = F.conv3d(on_grid(rows, level, EXTENT), layer.weight.permute(0, 4, 1, 2, 3), stride=2)
    result = layer(rows, corners, len(coarse.cells))
    assert_same_with_gradients(result, at_points(dense, coarse), (rows, layer.weight))


def test_transposed_convolution_and_its_gradients_are_those_of_a_dense_grid():
    torch.manual_seed(0)
    level, coarse, corners = make([200, 1, 90])
    layer = TransposedConv3d(5, 7)
    rows = torch.randn(len(coarse.cells), 5, requires_grad=True)
    kernel = layer.weight.permute(4, 0, 1, 2, 3)
    dense = F.conv_transpose3d(on_grid(rows, coarse, EXTENT // 2), kernel, stride=2)
    assert_same_with_gradients(layer(rows, corners), at_points(dense, level), (rows, layer.weight))


def test_up_is_the_transpose_of_down():
    """⟨up a, b⟩ = ⟨a, down b⟩ where both have the same kernel."""
    torch.manual_seed(0)
    level, coarse, corners = make([150, 40])
    up, down = TransposedConv3d(3, 4).double(), StridedConv3d(4, 3).double()
    down.weight.data = up.weight.data.transpose(0, 4).contiguous()
    a, b = torch.randn(len(coarse.cells), 3).double(), torch.randn(len(level.cells), 4).double()
    torch.testing.assert_close((up(a, corners) * b).sum(), (a * down(b, corners, len(a))).sum())


def test_no_points_pass():
    _, coarse, corners = make([0, 0])
    assert StridedConv3d(5, 7)(torch.zeros(0, 5), corners, len(coarse.cells)).shape == (0, 7)
    assert TransposedConv3d(5, 7)(torch.zeros(0, 5), corners).shape == (0, 7)
