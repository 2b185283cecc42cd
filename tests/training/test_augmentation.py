import pytest
import torch

from nuzoo.training.augmentation.pixel_maps import Augmentation
from nuzoo.training.fields import RecipeError


def batch() -> torch.Tensor:
    return torch.arange(2 * 2 * 3 * 4, dtype=torch.float32).reshape(2, 2, 3, 4)


def test_certain_flips_reverse_rows_and_only_rows():
    flipped = Augmentation(flip_rows=1.0).transformed(batch())
    assert torch.equal(flipped, batch()[:, :, [2, 1, 0]])


def test_certain_swap_exchanges_the_first_two_views():
    assert torch.equal(Augmentation(swap_views=1.0).transformed(batch()), batch()[:, [1, 0]])


def test_views_that_share_the_drift_axis_flip_together():
    torch.manual_seed(0)
    events = torch.zeros(64, 3, 2, 1)
    events[:, :, 0] = 1
    flipped = Augmentation(flip_rows=0.5, independent_views=False).transformed(events)[:, :, 1, 0]
    assert torch.equal(flipped.amin(1), flipped.amax(1))
    assert 0 < flipped[:, 0].sum() < 64


def test_no_augmentation_changes_nothing_and_labels_stay_beside_the_maps():
    labels = torch.tensor([0, 1])
    same = Augmentation()({"pixel_values": batch(), "labels": labels})
    assert torch.equal(same["pixel_values"], batch())
    assert same["labels"] is labels


def test_intensity_jitter_keeps_empty_pixels_empty_and_ratios_within_an_event():
    torch.manual_seed(0)
    scaled = Augmentation(intensity_jitter=0.1).transformed(batch())
    ratio = scaled.flatten(1)[:, 1:] / batch().flatten(1)[:, 1:]
    assert torch.allclose(ratio, ratio[:, :1].expand_as(ratio))
    assert scaled[0, 0, 0, 0] == 0
    assert not torch.equal(scaled, batch())


def test_one_view_cannot_be_swapped():
    with pytest.raises(RecipeError, match="at least two views"):
        Augmentation(swap_views=0.5).transformed(batch()[:, :1])
