"""Tokens of patches beside torch's dense convolutions."""

import pytest
import torch
import torch.nn.functional as F

from nuzoo.modeling.patch_stem import PatchConv3d, PatchStem, kernels_of
from nuzoo.modeling.sparse.patches import PatchError, PatchGrid, occupied_patches

GRID = PatchGrid((24, 12, 40), (24, 12, 20), (12, 12, 10))


def hits(counts=(60, 0, 1), shape=GRID.shape, seed=0):
    """Different voxels of some events, in any order within each."""
    generator = torch.Generator().manual_seed(seed)
    cells, event = [], []
    for number, count in enumerate(counts):
        flat = torch.randperm(shape[0] * shape[1] * shape[2], generator=generator)[:count]
        cells.append(torch.stack(torch.unravel_index(flat, shape), dim=1))
        event.append(torch.full((count,), number))
    return torch.cat(cells), torch.cat(event), torch.randn(sum(counts), 1, generator=generator)


def dense(cells, event, values, events, shape):
    filled = torch.zeros(events, values.shape[1], *shape)
    filled[event, :, cells[:, 0], cells[:, 1], cells[:, 2]] = values
    return filled


@pytest.mark.parametrize(
    ("patch", "kernels"),
    [
        ((12, 12, 10), [[4, 4, 2], [3, 3, 5]]),
        ((6, 6, 5), [[6, 6, 5]]),
        ((8, 8, 9), [[4, 4, 1], [2, 2, 9]]),
    ],
)
def test_a_large_patch_has_two_steps(patch, kernels):
    assert kernels_of(patch) == kernels


@pytest.mark.parametrize("channels", [1, 3])
def test_convolution_is_that_of_torch(channels):
    cells, event, _ = hits()
    values = torch.randn(len(cells), channels)
    kernel = (4, 3, 2)
    layer = PatchConv3d(channels, 5, kernel)
    torch.nn.init.normal_(layer.bias)
    whole = dense(cells, event, values, 3, GRID.shape)
    expected = F.conv3d(whole, layer.weight.permute(0, 4, 1, 2, 3), layer.bias, stride=kernel)
    patches = occupied_patches(cells, event, PatchGrid(GRID.shape, GRID.shape, kernel))
    place = (patches.place[:, 0] * 3 + patches.place[:, 1]) * 2 + patches.place[:, 2]
    found = layer(values, patches.patch, place, len(patches.window))
    torch.testing.assert_close(found, expected.flatten(2)[patches.window, :, patches.local])


@pytest.mark.parametrize("patch", [(12, 12, 10), (6, 6, 5)])
def test_stem_is_dense_convolutions_where_there_are_hits(patch):
    """Between two of them, cells without hits stay 0: they are not normed."""
    cells, event, values = hits()
    stem = PatchStem(patch, 16, 1e-6)
    for parameter in stem.parameters():
        torch.nn.init.normal_(parameter)
    whole = dense(cells, event, values, 3, GRID.shape)
    if stem.first is not None:
        first, last = kernels_of(patch)
        inner = F.conv3d(whole, stem.first.weight.permute(0, 4, 1, 2, 3), stride=first)
        has_hits = F.max_pool3d((whole != 0).float(), first, first)
        inner = F.gelu(stem.norm(inner.movedim(1, -1))).movedim(-1, 1) * has_hits
        whole = inner
    else:
        last = patch
    expected = F.conv3d(whole, stem.last.weight.permute(0, 4, 1, 2, 3), stem.last.bias, stride=last)
    patches = occupied_patches(cells, event, PatchGrid(GRID.shape, GRID.shape, patch))
    found = stem(values, patches)
    torch.testing.assert_close(found, expected.flatten(2)[patches.window, :, patches.local])


def test_patches_are_in_windows_of_events():
    cells = torch.tensor([[0, 0, 0], [23, 11, 39], [13, 2, 12], [1, 1, 1]])
    found = occupied_patches(cells, torch.tensor([0, 1, 1, 0]), GRID)
    assert found.window.tolist() == [0, 2, 3] and found.local.tolist() == [0, 3, 3]
    assert found.patch.tolist() == [0, 2, 1, 0] and found.place[1].tolist() == [11, 11, 9]
    kept = found.chosen(torch.tensor([False, True, True]))
    assert (kept.window.tolist(), kept.patch.tolist()) == ([2, 3], [1, 0])


def test_voxels_of_another_detector_are_refused():
    for cells in (torch.tensor([[24, 0, 0]]), torch.tensor([[-1, 0, 0]]), torch.zeros(1, 3)):
        with pytest.raises(PatchError, match="processor that is saved"):
            occupied_patches(cells, torch.zeros(1, dtype=torch.int64), GRID)
