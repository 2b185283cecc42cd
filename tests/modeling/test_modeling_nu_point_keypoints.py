"""The network that proposes points of interest: its loss against closed forms, and what it refuses."""

import math

import pytest
import torch
from huggingface_hub.errors import StrictDataclassClassValidationError

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.modeling.keypoint_losses import keypoint_loss, nearest_keypoints
from nuzoo.modeling.modeling_nu_point_keypoints import NuPointForPointProposal
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor

KINDS = {0: "vertex", 1: "track_end"}
POINTS = torch.tensor([[0.0, 0, 0], [0.3, 0, 0], [0.9, 0, 0], [0.0, 0, 0]])


def test_each_point_has_the_nearest_keypoint_of_its_event():
    """The first event has two, the second none, the third no points, the last one far away."""
    places = torch.tensor([[0.1, 0, 0], [0.8, 0, 0], [0.0, 0, 0], [0.5, 0, 0]])
    found = nearest_keypoints(
        POINTS, torch.tensor([3, 3, 3, 4]), places, torch.tensor([2, 2, 3, 4]), radius=0.15
    )
    assert found.row.tolist() == [0, 0, 1, 3]
    torch.testing.assert_close(found.offset[:, 0], torch.tensor([0.1, -0.2, -0.1, 0.5]))
    assert found.is_near.tolist() == [True, False, True, False]
    nothing = nearest_keypoints(POINTS, torch.tensor([4]), places[:0], torch.tensor([0]), radius=0.15)
    assert nothing.row.tolist() == [-1] * 4 and not nothing.is_near.any()


def test_the_loss_is_that_of_the_closed_form():
    places, ends = torch.tensor([[0.1, 0, 0]]), (torch.tensor([4]), torch.tensor([1]))
    nearest = nearest_keypoints(POINTS, ends[0], places, ends[1], radius=0.15)
    assert nearest.is_near.tolist() == [True, False, False, True]
    scores, offsets, kinds = torch.zeros(4), torch.zeros(4, 3), torch.tensor([[0.0, math.log(3)]] * 4)
    loss = keypoint_loss(scores, offsets, kinds, nearest, torch.tensor([1]), radius=0.15)
    offset = 0.5 * (0.1 / 0.15) ** 2  # smooth L1 below 1
    assert loss.item() == pytest.approx(math.log(2) + offset + math.log(4 / 3), rel=1e-6)


def test_without_points_of_interest_scores_alone_cost():
    none = nearest_keypoints(POINTS, torch.tensor([4]), POINTS[:0], torch.tensor([0]), radius=0.1)
    loss = keypoint_loss(
        torch.zeros(4), torch.ones(4, 3), torch.ones(4, 2), none, torch.zeros(0, dtype=torch.long), 0.1
    )
    assert loss.item() == pytest.approx(math.log(2))
    empty = nearest_keypoints(POINTS[:0], torch.tensor([0]), POINTS[:1], torch.tensor([1]), radius=0.1)
    parts = torch.zeros(0), torch.zeros(0, 3), torch.zeros(0, 2)
    assert keypoint_loss(*parts, empty, torch.tensor([0]), 0.1).item() == 0


def test_outputs_are_of_points_and_truth_must_be_whole():
    torch.manual_seed(0)
    processor = NuPointCloudFeatureExtractor(shape=(64, 64, 64))
    network = NuPointForPointProposal(NuPointConfig.tiny(id2label=KINDS, keypoint_radius=0.05)).eval()
    batch = dict(processor(processor.example_events(3)))
    points = len(batch["coordinates"])
    told = network(**batch)
    assert told.loss is None and told.score_logits.shape == (points,)
    assert told.logits.shape == (points, 2) and told.keypoint_places.shape == (points, 3)
    truth = {"labels": torch.tensor([1]), "keypoint_place": batch["coordinates"][:1] + 0.01}
    with pytest.raises(ValueError, match="keypoint_kind, keypoint_x"):
        network(**batch, **truth)
    learning = network(**batch, **truth, keypoint_offset=torch.tensor([0, 1, 1]))
    assert learning.loss > 0 and torch.equal(learning.keypoint_places, told.keypoint_places)


def test_a_radius_of_nothing_is_refused():
    for radius in (0.0, 1.0, -1.0):
        with pytest.raises(StrictDataclassClassValidationError, match="keypoint_radius"):
            NuPointConfig.tiny(keypoint_radius=radius)


def test_the_truth_of_a_batch_is_made_of_the_columns_of_its_rows():
    processor = NuPointCloudFeatureExtractor(shape=(64, 64, 64))
    rows = processor.example_events(3)
    for number, row in enumerate(rows):
        row |= {f"keypoint_{axis}": [32.0] * number for axis in "xyz"} | {"keypoint_kind": [1] * number}
    targets = ("keypoint_kind", "keypoint_x", "keypoint_y", "keypoint_z")
    batch = processor(rows, targets=targets)
    assert batch["labels"].tolist() == [1, 1, 1] and batch["keypoint_offset"].tolist() == [0, 1, 3]
    torch.testing.assert_close(batch["keypoint_place"], torch.zeros(3, 3))
