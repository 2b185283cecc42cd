"""Views of events for self-distillation: their sizes, their places, and that each is of its event."""

import pytest
import torch

from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor
from nuzoo.training.augmentation.point_cloud_views import ORIGIN, PointCloudViews
from nuzoo.training.augmentation.point_clouds import PointCloudAugmentation
from nuzoo.training.augmentation.ragged import any_in, counts_of, events_of, one_among
from nuzoo.training.fields import RecipeError


def make_batch(sizes=(200, 0, 1, 90), seed=0):
    torch.manual_seed(seed)
    coordinates = torch.rand(sum(sizes), 3) - 0.5
    return {
        "coordinates": coordinates,
        "energy": torch.arange(len(coordinates), dtype=torch.float32)[:, None],
        "grid_coordinates": (coordinates * 100).long() + 50,
        "offset": torch.tensor(sizes).cumsum(0),
    }


def rows_of(view):
    return view["energy"][:, 0].long()


def test_views_are_balls_of_the_right_size_in_every_event():
    batch = make_batch()
    large, small = PointCloudViews()(batch)
    assert (len(large), len(small)) == (2, 6)
    for views, least, most in ((large, 0.4, 1.0), (small, 0.1, 0.4)):
        for view in views:
            counts = counts_of(view["offset"]).tolist()
            assert 200 * least <= counts[0] <= 200 * most + 1 and 90 * least <= counts[3] <= 90 * most + 1
            assert counts[1:3] == [0, 1]
            rows = rows_of(view)
            assert torch.equal(events_of(batch["offset"])[rows], events_of(view["offset"]))
            assert torch.equal(view[ORIGIN], batch["coordinates"][rows])
            inside = batch["coordinates"][rows[: counts[0]]]
            others = torch.ones(200, dtype=torch.bool)
            others[rows[: counts[0]]] = False
            outside = batch["coordinates"][:200][others]
            if len(outside):
                reach, gap = torch.cdist(inside, inside).amax(1), torch.cdist(inside, outside).amin(1)
                assert (reach <= gap).any()  # one of them is the centre


def test_fractions_are_of_no_more_than_the_largest_number():
    views = PointCloudViews(largest=50, global_keeps=[0.5, 0.5], local_views=0)
    large, small = views(make_batch())
    assert counts_of(large[0]["offset"]).tolist() == [25, 0, 1, 25] and small == []


def test_small_views_cover_the_first_large_one_before_they_start_again():
    batch = make_batch((300,))
    large, small = PointCloudViews(global_views=1, local_views=12, local_keeps=[0.2, 0.2])(batch)
    left = set(rows_of(large[0]).tolist())
    for view in small:
        assert set(rows_of(view).tolist()) & left or not left
        left -= set(rows_of(view).tolist())
    assert not left


def test_views_are_drawn_by_the_generator_and_of_empty_events_too():
    batch = make_batch()
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(PointCloudViews()(batch)[1][3]["coordinates"])
    assert torch.equal(drawn[0], drawn[1])
    assert drawn[0].shape != drawn[2].shape or not torch.equal(drawn[0], drawn[2])
    large, small = PointCloudViews()(make_batch((0, 0)))
    assert all(view["offset"].tolist() == [0, 0] for view in large + small)


def test_one_among_some_rows_is_one_of_them_and_each_is_drawn():
    offset, rows = torch.tensor([3, 3, 6]), torch.tensor([0, 1, 1, 0, 0, 1]).bool()
    torch.manual_seed(0)
    drawn = torch.stack([one_among(rows, offset) for _ in range(60)])
    assert set(drawn[:, 0].tolist()) == {1, 2} and set(drawn[:, 2].tolist()) == {5}
    assert any_in(rows & (torch.arange(6) < 3), offset).tolist() == [True, False, False]


def test_views_follow_the_events_of_a_processor():
    processor = NuPointCloudFeatureExtractor.tiny(None)
    batch = processor(processor.example_events(4))
    large, _ = PointCloudViews()(batch)
    turned = PointCloudAugmentation(rotate=1.0, centre=True, jitter_mm=0.5, grid="keep").bound_to(processor)
    view = turned(large[0])
    assert view.keys() == large[0].keys()
    assert torch.equal(view[ORIGIN], large[0]["coordinates"])
    assert not torch.allclose(view["coordinates"], view[ORIGIN], atol=1e-3)
    followed = PointCloudAugmentation(rotate=1.0).bound_to(processor)(large[0])
    assert len(followed[ORIGIN]) == len(followed["coordinates"]) < len(view[ORIGIN])


def test_fractions_must_be_such():
    for wrong in ([0.4], [0.5, 0.2], [0.0, 0.5], [0.5, 1.5]):
        with pytest.raises(RecipeError, match="local_keeps"):
            PointCloudViews(local_keeps=wrong)
