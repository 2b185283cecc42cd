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


def test_shifts_move_each_map_whole_and_never_further_than_said():
    torch.manual_seed(0)
    maps = torch.zeros(64, 2, 9, 9)
    maps[:, :, 4, 4], maps[:, :, 4, 5] = 1.0, 2.0
    moved = Augmentation(shift_pixels=2).transformed(maps)
    first, second = ((moved == value).nonzero() for value in (1.0, 2.0))
    assert len(first) == len(second) == 128
    assert torch.equal(second - first, torch.tensor([[0, 0, 0, 1]]).expand(128, 4))
    places = first[:, 2:] - 4
    assert {tuple(place.tolist()) for place in places} == {(r, c) for r in range(-2, 3) for c in range(-2, 3)}


def test_what_is_shifted_out_of_a_map_is_lost():
    torch.manual_seed(0)
    maps = torch.ones(8, 1, 3, 4)
    moved = Augmentation(shift_pixels=1).transformed(maps)
    assert moved.shape == maps.shape
    assert {int(total) for total in moved.sum((1, 2, 3))} <= {12, 9, 8, 6}


def test_dropped_pixels_are_a_fraction_of_each_event_and_the_others_stay():
    torch.manual_seed(0)
    maps = torch.full((200, 2, 20, 20), 3.0)
    kept = Augmentation(drop_pixels=0.4).transformed(maps)
    lost = (kept == 0).float().mean((1, 2, 3))
    assert set(kept.unique().tolist()) == {0.0, 3.0}
    assert 0.15 < lost.mean() < 0.25
    assert lost.max() < 0.5 and lost.min() < 0.05
