from collections import defaultdict

import pytest
import torch

from nuzoo.modeling.sparse.point_level import PointCellError, point_level
from nuzoo.modeling.sparse.serialisation import ORDERS, codes_of

from .clouds import random_cloud


def keys_of(counts, cells):
    event = torch.repeat_interleave(counts).tolist()
    return [(number, *cell) for number, cell in zip(event, cells.tolist(), strict=True)]


def test_coarser_points_are_those_of_a_dictionary():
    cells, offset = random_cloud([70, 0, 1, 50], extent=9)
    level, order = point_level(cells, offset, ORDERS, 5)
    assert torch.equal(level.cells, cells[order])
    children = defaultdict(list)
    for row, key in enumerate(keys_of(level.counts, level.cells >> 1)):
        children[key].append(row)
    coarser, sizes = level.coarser()
    rows = torch.arange(len(level.cells)).split(sizes.tolist())
    keys = keys_of(coarser.counts, coarser.cells)
    found = {key: part.tolist() for key, part in zip(keys, rows, strict=True)}
    assert found == children
    assert coarser.counts.tolist()[1:3] == [0, 1]


def test_coarser_points_are_serialised_as_if_they_were_given():
    cells, offset = random_cloud([60, 40], extent=12)
    coarser, _ = point_level(cells, offset, ORDERS, 6)[0].coarser()
    again, order = point_level(coarser.cells, coarser.counts.cumsum(0), ORDERS, 5)
    assert torch.equal(order, torch.arange(len(order)))
    for one, other in zip(coarser.codes, again.codes, strict=True):
        assert torch.equal(one, other)


def test_windows_follow_their_curve_within_each_event():
    cells, offset = random_cloud([30, 20], extent=8)
    level, _ = point_level(cells, offset, ORDERS, 5)
    for curve, name in enumerate(ORDERS):
        windows = level.windows(curve, 16)
        line = torch.cat([windows.whole.flatten()[:30], windows.whole.flatten()[32:52]])
        codes = codes_of(level.cells[line], name, 5)
        assert (codes[:30].diff() > 0).all()
        assert (codes[30:].diff() > 0).all()


def test_two_points_in_a_cell_are_refused_but_not_of_two_events():
    cells = torch.tensor([[1, 2, 3], [1, 2, 3]])
    with pytest.raises(PointCellError, match="at most one point"):
        point_level(cells, torch.tensor([2]), ORDERS, 5)
    level, _ = point_level(cells, torch.tensor([1, 2]), ORDERS, 5)
    assert level.counts.tolist() == [1, 1]


@pytest.mark.parametrize("cell", [[-1, 0, 0], [0, 32, 0]])
def test_cells_beyond_the_grid_are_refused(cell):
    with pytest.raises(PointCellError, match="from 0 to 31"):
        point_level(torch.tensor([cell]), torch.tensor([1]), ORDERS, 5)


def test_cells_that_are_no_whole_numbers_are_refused():
    with pytest.raises(PointCellError, match=r"whole numbers, got torch\.float32"):
        point_level(torch.tensor([[0.0, 1.0, 2.0]]), torch.tensor([1]), ORDERS, 5)


@pytest.mark.parametrize("offset", [[1], [3], [2, 1, 2]])
def test_offsets_that_do_not_fit_are_refused(offset):
    with pytest.raises(PointCellError, match="events that end at"):
        point_level(torch.tensor([[0, 0, 0], [1, 1, 1]]), torch.tensor(offset), ORDERS, 5)
