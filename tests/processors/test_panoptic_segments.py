"""Instances of hits from what queries tell: hand cases, and a plain loop over queries that does the same."""

import math
from types import SimpleNamespace

import pytest
import torch

from nuzoo.files.events.event_errors import ShapeError
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor
from nuzoo.processors.point_clouds.matrix_suppression import suppressed_scores

ELECTRON, MUON, NONE, NO_OBJECT = range(4)
SURE = 20.0


def post_process(outputs, batch, **options):
    processor = NuPointCloudFeatureExtractor()
    found = processor.post_process_panoptic_segmentation(outputs, batch, stuff_label_ids=(NONE,), **options)
    return [(event["segmentation"].tolist(), event["segments_info"]) for event in found]


def outputs_of(masks, classes, stuff=None):
    """Of events: for each query the points that it takes, and its class."""
    points = [len(event[0]) if event else 0 for event in masks]
    logits = torch.full((len(masks), max(map(len, masks)), 4), -SURE)
    for event, labels in enumerate(classes):
        for query, label in enumerate(labels):
            logits[event, query, label] = SURE
    rows = [torch.tensor(event, dtype=torch.float32).T * 2 * SURE - SURE for event in masks]
    background = None if stuff is None else torch.tensor(stuff) * 2 * SURE - SURE
    outputs = SimpleNamespace(
        class_queries_logits=logits, masks_queries_logits=torch.cat(rows), stuff_logits=background
    )
    return outputs, {"offset": torch.tensor(points).cumsum(0)}


def ids_of(infos):
    return [(info["id"], info["label_id"]) for info in infos]


def test_queries_become_instances_event_by_event():
    masks = [[[1, 1, 0, 0, 0], [0, 0, 1, 1, 0]], [[0, 0, 0], [1, 1, 1]]]
    found = post_process(*outputs_of(masks, [[MUON, ELECTRON], [MUON, ELECTRON]]))
    assert found[0][0] == [1, 1, 2, 2, -1]
    assert ids_of(found[0][1]) == [(1, MUON), (2, ELECTRON)]
    assert found[1][0] == [1, 1, 1]
    assert ids_of(found[1][1]) == [(1, ELECTRON)]
    assert found[1][1][0]["score"] == pytest.approx(1) and found[1][1][0]["query_id"] == 1


def test_no_object_and_background_are_no_instances():
    masks = [[[1, 1, 0, 0], [0, 0, 1, 1]]]
    assert post_process(*outputs_of(masks, [[NO_OBJECT, NONE]])) == [([-1] * 4, [])]


def test_points_of_no_instance_have_none():
    masks = [[[1, 1, 1, 1]]]
    assert post_process(*outputs_of(masks, [[MUON]], stuff=[0.0, 1.0, 0.0, 1.0]))[0][0] == [1, -1, 1, -1]


def test_unsure_classes_and_small_masks_are_left_out():
    outputs, batch = outputs_of([[[1, 0, 0, 0], [0, 1, 1, 1]]], [[MUON, MUON]])
    assert post_process(outputs, batch)[0][0] == [-1, 1, 1, 1]
    assert sorted(post_process(outputs, batch, min_points=1)[0][0]) in ([1, 1, 1, 2], [1, 2, 2, 2])
    outputs.class_queries_logits[0, 1] = torch.tensor([0.0, 1.0, 0.0, 0.9])
    assert post_process(outputs, batch)[0][0] == [-1] * 4
    assert post_process(outputs, batch, threshold=0.3)[0][0] == [-1, 1, 1, 1]


def test_the_better_mask_takes_its_points_first():
    outputs, batch = outputs_of([[[1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 1]]], [[MUON, ELECTRON]])
    outputs.class_queries_logits[0, 0, ELECTRON] = SURE - 1  # less sure than the other
    assert post_process(outputs, batch)[0][0] == [2, 2, 1, 1, 1, 1]
    assert post_process(outputs, batch, overlap_mask_area_threshold=0.6)[0][0] == [-1, -1, 1, 1, 1, 1]
    assert post_process(outputs, batch, min_points=3)[0][0] == [-1, -1, 1, 1, 1, 1]


def test_a_copy_of_the_same_class_is_suppressed():
    masks = [[[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]]]
    assert len(post_process(*outputs_of(masks, [[MUON, MUON]]))[0][1]) == 1
    assert len(post_process(*outputs_of(masks, [[MUON, ELECTRON]]))[0][1]) == 2


def test_fused_classes_are_one_instance():
    masks = [[[1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1]]]
    outputs = outputs_of(masks, [[MUON, ELECTRON, MUON]])
    segmentation, infos = post_process(*outputs, label_ids_to_fuse={MUON})[0]
    assert segmentation == [1, 1, 2, 2, 1, 1]
    assert [info["was_fused"] for info in infos] == [True, False]
    for nothing in (None, set(), ()):
        assert post_process(*outputs, label_ids_to_fuse=nothing)[0][0] == [1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("points", [[0], [0, 4, 0], [3]])
def test_no_points_and_no_queries_work(points):
    batch = {"offset": torch.tensor(points).cumsum(0)}
    for queries in (0, 3):
        outputs = SimpleNamespace(
            class_queries_logits=torch.zeros(len(points), queries, 4),
            masks_queries_logits=torch.zeros(sum(points), queries),
            stuff_logits=torch.zeros(sum(points)),
        )
        assert post_process(outputs, batch) == [([-1] * count, []) for count in points]


def test_hits_have_the_instance_of_their_point():
    outputs, batch = outputs_of([[[1, 1, 0]], [[1, 1]]], [[MUON], [MUON]])
    batch |= {"inverse": torch.tensor([1, 0, -1, 0, 2, 4, 3]), "inverse_offset": torch.tensor([5, 7])}
    assert [event[0] for event in post_process(outputs, batch)] == [[1, 1, -1, 1, -1], [1, 1]]


def test_outputs_of_other_points_are_refused():
    outputs, batch = outputs_of([[[1, 1, 0]]], [[MUON]])
    with pytest.raises(ShapeError, match=r"expected masks \(4, 1\)"):
        post_process(outputs, batch | {"offset": torch.tensor([4])})


def test_suppression_by_hand():
    """Three masks of 10 points; the second shares 5 with the first, the third 5 with the second."""
    shared = torch.tensor([[[10.0, 5, 0], [5, 10, 5], [0, 5, 10]]])
    sizes = torch.full((1, 3), 10.0)
    scores = torch.tensor([[0.9, 0.8, 0.7]])
    iou = 5 / 15
    found = suppressed_scores(scores, torch.zeros(1, 3, dtype=torch.long), sizes, shared)[0].tolist()
    expected = [0.9, 0.8 * math.exp(-2 * iou**2), 0.7 * math.exp(2 * iou**2 - 2 * iou**2)]
    assert found == pytest.approx(expected)
    apart = suppressed_scores(scores, torch.tensor([[0, 1, 0]]), sizes, shared)
    torch.testing.assert_close(apart, scores)


def reference(classes, masks, stuff, threshold=0.5, mask_threshold=0.5, min_points=2):
    """The same of one event, query by query."""
    probability, labels = classes.softmax(-1).max(-1)
    of_mask = masks.sigmoid()
    candidates = []
    for query in range(len(labels)):
        inside = (of_mask[:, query] > mask_threshold) & (stuff < 0)
        is_one = labels[query] not in (NONE, NO_OBJECT) and probability[query] >= threshold
        if is_one and inside.sum() >= min_points:
            score = probability[query] * of_mask[inside, query].mean()
            candidates.append((float(score), int(labels[query]), inside))
    candidates.sort(key=lambda one: -one[0])
    iou = [
        [float((a[2] & b[2]).sum() / (a[2] | b[2]).sum()) * (a[1] == b[1]) for b in candidates]
        for a in candidates
    ]
    own = [max([iou[k][i] for k in range(i)], default=0.0) for i in range(len(candidates))]
    decayed = [
        one[0] * min([math.exp(-2 * (iou[i][j] ** 2 - own[i] ** 2)) for i in range(j)], default=1.0)
        for j, one in enumerate(candidates)
    ]
    segmentation, number = torch.full((len(masks),), -1), 0
    for place in sorted(range(len(candidates)), key=lambda j: -decayed[j]):
        free = candidates[place][2] & (segmentation < 0)
        if decayed[place] >= threshold and free.sum() >= min_points:
            number += 1
            segmentation[free] = number
    return segmentation.tolist()


@pytest.mark.parametrize("seed", range(6))
def test_a_batch_gives_what_a_loop_over_queries_gives(seed):
    torch.manual_seed(seed)
    points, queries = [60, 0, 35, 1], 12
    classes = torch.randn(len(points), queries, 4) * 2
    classes[..., :2] += 2
    blobs = torch.rand(sum(points), 1) * 4 - torch.randint(0, 5, (queries,))
    masks = 2 - blobs.abs() * 3 + torch.randn(sum(points), queries)
    stuff = torch.randn(sum(points)) - 0.7
    outputs = SimpleNamespace(class_queries_logits=classes, masks_queries_logits=masks, stuff_logits=stuff)
    found = post_process(outputs, {"offset": torch.tensor(points).cumsum(0)}, threshold=0.4)
    parts = zip(classes, masks.split(points), stuff.split(points), strict=True)
    expected = [reference(*event, threshold=0.4) for event in parts]
    assert [event[0] for event in found] == expected
    assert max(map(max, filter(None, expected))) > 2
