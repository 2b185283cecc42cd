from itertools import product

import torch

from nuzoo.modeling.sparse.neighbours import OFFSETS, find_neighbours
from nuzoo.modeling.sparse.ragged import events_of

from .clouds import random_cloud

DIRECTIONS = [offset for offset in product((-1, 0, 1), repeat=3) if any(offset)]


def by_dictionary(cells, event):
    """Every pair (row, direction, neighbour)."""
    keys = [(number, *cell) for number, cell in zip(event.tolist(), cells.tolist(), strict=True)]
    rows = {key: row for row, key in enumerate(keys)}
    pairs = set()
    for (number, x, y, z), row in rows.items():
        for direction in DIRECTIONS:
            cell = (x + direction[0], y + direction[1], z + direction[2])
            if (number, *cell) in rows:
                pairs.add((row, direction, rows[number, *cell]))
    return pairs


def as_pairs(found):
    directions = [offset for offset, size in zip(OFFSETS, found.sizes, strict=True) for _ in range(size)]
    forth = set(zip(found.low.tolist(), directions, found.high.tolist(), strict=True))
    return forth | {(high, (-x, -y, -z), low) for low, (x, y, z), high in forth}


def test_neighbours_are_those_of_a_dictionary():
    cells, offset = random_cloud([80, 0, 1, 60], extent=6)
    event = events_of(offset)
    found = as_pairs(find_neighbours(cells, event, 3))
    assert found == by_dictionary(cells, event)
    assert len(found) > 100


def test_neighbours_do_not_wrap_round_the_grid():
    """The last cell of a line and the first of the next, and of the next event, are no neighbours."""
    last = (1 << 3) - 1
    cells = torch.tensor([[0, 3, last], [0, 4, 0], [0, last, last], [1, 0, 0], [last, last, last], [0, 0, 0]])
    assert find_neighbours(cells, torch.tensor([0, 0, 0, 0, 0, 1]), 3).sizes == [0] * 13


def test_keys_hold_768_cubed_cells_of_16_events():
    cells, offset = random_cloud([40] * 16, extent=6)
    event = events_of(offset)
    corners = torch.tensor([[0, 0, 0], [762, 762, 762]])
    moved = cells + corners[event % 2]
    assert as_pairs(find_neighbours(moved, event, 16)) == by_dictionary(moved, event)


def test_no_cells_have_no_neighbours():
    empty = torch.zeros(0, dtype=torch.long)
    assert find_neighbours(empty.view(0, 3), empty, 3).sizes == [0] * 13
