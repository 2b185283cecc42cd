"""The tokeniser, beside the same done one by one with a KD-tree, and beside cases by hand."""

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from nuzoo.modeling.sparse.groups import farthest_points, group_points
from nuzoo.modeling.sparse.nearby import nearest, pairs_within
from nuzoo.modeling.sparse.point_level import point_level

from .clouds import random_cloud

SETTINGS = {"radius": 5.0, "overlap": 0.72, "ball_points": 256, "group_points": 32, "max_groups": 512}


def grouped(cells, offset, **settings):
    level, order = point_level(cells, offset, (), 16)
    return group_points(level, order, **(SETTINGS | settings))


def one_by_one(cells, radius, overlap, ball_points, group_points, max_groups):
    """Groups of an event whose cells are in Morton's order: centres, and the members of each."""
    places = cells.numpy().astype(float)
    tree = cKDTree(places)

    def nearer(point, distance):
        return sorted(tree.query_ball_point(places[point], distance - 1e-6))

    near = [nearer(point, 2 * radius * overlap) for point in range(len(places))]
    centres, free = [], set(range(len(places)))
    for point in sorted(range(len(places)), key=lambda point: (-len(near[point]), point)):
        if point in free:
            centres.append(point)
            free -= set(near[point])
    members = []
    for centre in centres[:max_groups]:
        ball = nearer(centre, radius)[:ball_points]
        chosen = [ball[0]]
        while len(chosen) < min(len(ball), group_points):
            apart = [min(np.square(places[row] - places[other]).sum() for other in chosen) for row in ball]
            chosen.append(ball[int(np.argmax(apart))])
        members.append(chosen)
    return centres[:max_groups], members


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"radius": 2.5, "overlap": 0.73, "group_points": 16},
        {"ball_points": 8, "group_points": 5},
        {"max_groups": 4},
    ],
    ids=["published", "published, small", "crowded balls", "few groups"],
)
def test_groups_are_those_of_a_search_one_by_one(changes):
    cells, offset = random_cloud([250, 1, 0, 90], 24, seed=3)
    settings = SETTINGS | changes
    groups = grouped(cells, offset, **settings)
    level, order = point_level(cells, offset, (), 16)
    first, group = 0, 0
    for count, groups_here in zip(level.counts.tolist(), groups.counts.tolist(), strict=True):
        own = order[first : first + count]
        centres, members = one_by_one(level.cells[first : first + count], **settings)
        assert groups_here == len(centres)
        for centre, expected in zip(centres, members, strict=True):
            assert groups.centres[group] == own[centre]
            assert groups.members[groups.group == group].tolist() == own[expected].tolist()
            assert groups.slot[groups.group == group].tolist() == list(range(len(expected)))
            group += 1
        first += count


def test_groups_of_a_line_by_hand():
    """Ten cells in a row, balls of less than 3, centres 4 or more apart.

    Rows 3 to 6 have 6 others nearer than 4; of these 3 comes first and suppresses 0 to 6. Of 7 to 9,
    7 has most.
    """
    cells = torch.stack([torch.arange(10), torch.zeros(10), torch.zeros(10)], dim=1).long()
    groups = grouped(cells, torch.tensor([10]), radius=3.0, overlap=2 / 3, group_points=3)
    assert groups.centres.tolist() == [3, 7]
    assert groups.counts.tolist() == [2]
    assert groups.members.tolist() == [1, 5, 3, 5, 9, 7]
    assert groups.sizes.tolist() == [3, 3]


def test_order_of_points_changes_nothing():
    cells, offset = random_cloud([200], 20, seed=1)
    shuffled = torch.randperm(len(cells), generator=torch.Generator().manual_seed(0))
    one, other = grouped(cells, offset), grouped(cells[shuffled], offset)
    assert torch.equal(one.centres, shuffled[other.centres])
    assert torch.equal(one.members, shuffled[other.members])


def test_chosen_groups_keep_their_members_and_events():
    cells, offset = random_cloud([80, 60], 20, seed=2)
    groups = grouped(cells, offset)
    which = torch.arange(len(groups.centres)) % 3 == 0
    chosen = groups.chosen(which)
    assert torch.equal(chosen.centres, groups.centres[which])
    assert torch.equal(chosen.sizes, groups.sizes[which])
    event = torch.repeat_interleave(groups.counts)[which]
    assert chosen.counts.tolist() == [int((event == number).sum()) for number in (0, 1)]
    values = torch.arange(len(groups.members))[:, None]
    assert torch.equal(chosen.padded(values[which[groups.group]], 32), groups.padded(values, 32)[which])


def test_farthest_points_by_hand():
    """On a line 0, 1, 2, 9, 10: the first, then the farthest, then that in the middle of the largest gap."""
    line = torch.tensor([0, 1, 2, 9, 10])
    places = torch.stack([line, 0 * line, 0 * line], dim=1)[None]
    assert farthest_points(places, torch.tensor([5]), 4).tolist() == [[0, 4, 2, 1]]
    assert farthest_points(places, torch.tensor([3]), 2).tolist() == [[0, 2]]


@pytest.mark.parametrize("distance", [1.0, 2.5, 7.2])
def test_pairs_are_those_of_a_tree(distance):
    cells, _ = random_cloud([300, 200], 30, seed=4)
    event = torch.repeat_interleave(torch.tensor([300, 200]))
    pairs = pairs_within(cells, event, distance)
    places = torch.cat([1000 * event[:, None], cells], dim=1).numpy()
    tree = cKDTree(places)
    expected = tree.sparse_distance_matrix(tree, distance - 1e-6, output_type="coo_matrix")
    found = sorted(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert found == list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    others = [pair for pair in found if pair[0] != pair[1]]
    assert others == sorted(
        (int(one), int(other)) for one, other in zip(*expected.coords, strict=True) if one != other
    )
    assert len(found) - len(others) == len(cells)
    apart = (cells[pairs.first] - cells[pairs.second]).square().sum(1)
    assert torch.equal(apart, pairs.squared.long())


def test_nearest_are_those_of_a_tree():
    cells, _ = random_cloud([300], 40, seed=5)
    others, points = cells[:20], cells[20:]
    rows, squared = nearest(points, others, 5)
    distances, _ = cKDTree(others.numpy()).query(points.numpy(), 5)
    np.testing.assert_allclose(squared.sqrt(), distances, rtol=1e-6)
    assert torch.equal((points[:, None] - others[rows]).square().sum(2), squared)
    assert nearest(points, others[:2], 5)[0].shape == (280, 2)
