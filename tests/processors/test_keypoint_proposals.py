"""Proposals of points become points of interest: hand-computed cases."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from nuzoo.files.events.event_errors import ShapeError
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor
from nuzoo.processors.point_clouds.keypoint_proposals import proposals_of_events


def told(scores, x, kinds):
    places = torch.tensor([[value, 0.0, 0.0] for value in x]).reshape(-1, 3)
    logits = torch.nn.functional.one_hot(torch.tensor(kinds, dtype=torch.long), 2).float()
    return SimpleNamespace(
        score_logits=torch.logit(torch.tensor(scores)), keypoint_places=places, logits=logits
    )


def test_the_best_of_near_proposals_stays():
    """0.9 takes 0.8 with it; 0.7 is near to 0.8 alone, which is gone, and stays; 0.4 is too low."""
    outputs = told([0.8, 0.9, 0.7, 0.4], [0.15, 0.1, 0.22, 0.9], [0, 1, 0, 1])
    (event,) = proposals_of_events(outputs, {"offset": torch.tensor([4])}, 0.5, 0.1)
    assert event["scores"].tolist() == pytest.approx([0.9, 0.7])
    assert event["labels"].tolist() == [1, 0]
    assert event["keypoints"][:, 0].tolist() == pytest.approx([0.1, 0.22])


def test_events_do_not_suppress_each_other_and_may_be_empty():
    outputs = told([0.8, 0.9], [0.1, 0.1], [0, 0])
    events = proposals_of_events(outputs, {"offset": torch.tensor([0, 1, 1, 2])}, 0.5, 0.1)
    assert [len(event["scores"]) for event in events] == [0, 1, 0, 1]
    assert events[0]["keypoints"].shape == (0, 3)


def test_outputs_of_other_points_are_refused():
    with pytest.raises(ShapeError, match="of the 3 points"):
        proposals_of_events(told([0.8], [0.1], [0]), {"offset": torch.tensor([3])}, 0.5, 0.1)


@pytest.mark.parametrize("positions", ["voxel", "mm"])
def test_positions_come_back_in_the_unit_of_the_events(positions):
    processor = NuPointCloudFeatureExtractor(
        positions=positions, shape=(64, 32, 16), pitch_mm=(2.0, 3.0, 4.0), origin_mm=(-5.0, 7.0, 1.0)
    )
    place = np.array([[10.25, 20.5, 14.0]])
    np.testing.assert_allclose(processor.frame.positions(processor.frame.placed(place)), place)
    outputs = told([0.8], [0.0], [1])
    outputs.keypoint_places = torch.from_numpy(processor.frame.placed(place)).float()
    (event,) = processor.post_process_keypoint_detection(outputs, {"offset": torch.tensor([1])}, 0.01)
    np.testing.assert_allclose(event["keypoints"], place, rtol=1e-5)
