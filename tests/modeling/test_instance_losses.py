"""True instances, their matching with queries and what that costs, against plain formulas."""

import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from nuzoo.modeling import instance_matching
from nuzoo.modeling.instance_losses import Told, background_loss, panoptic_loss
from nuzoo.modeling.instance_matching import MatchingError, match, matching_cost
from nuzoo.modeling.true_instances import UNKNOWN_CLASS, EventInstances, Truth, instances_of

from .watched import largest_tensor

SURE = 30.0


def truth(ids, classes=None, points=None, **more):
    ids = torch.tensor(ids)
    ends = torch.tensor(points or [len(ids)]).cumsum(0)
    return Truth(ids, None if classes is None else torch.tensor(classes), ends, **more)


def test_instances_event_by_event():
    """Numbers may have gaps, and mean other instances in the next event."""
    found = instances_of(truth([4, -1, 4, 2, 0, 0, -1], [1, 9, 1, 2, 0, 0, 9], points=[4, 0, 3]), 3)
    assert [event.rows.tolist() for event in found] == [[0, 2, 3], [], [0, 1]]
    assert [event.instance.tolist() for event in found] == [[1, 1, 0], [], [0, 0]]
    assert [event.labels.tolist() for event in found] == [[2, 1], [], [0]]
    assert found[0].masks(torch.float32).T.tolist() == [[0, 0, 1], [1, 1, 0]]


def test_the_class_is_that_of_most_points():
    assert instances_of(truth([0, 0, 0], [2, 1, 1]), 3)[0].labels.tolist() == [1]
    assert instances_of(truth([0, 0, 1], [-1, 2, -1]), 3)[0].labels.tolist() == [2, UNKNOWN_CLASS]
    assert instances_of(truth([0, 1]), 2)[0].labels.tolist() == [1, 1]


def test_tables_are_read_by_the_number_of_the_instance():
    momentum = torch.tensor([10.0, 11.0, 12.0, 20.0, 21.0])
    known = truth([2, 0, 1], points=[2, 1], tables={"momentum": momentum}, table_offset=torch.tensor([3, 5]))
    found = instances_of(known, 2)
    assert [event.regressed["momentum"].tolist() for event in found] == [[10, 12], [21]]
    with pytest.raises(ValueError, match="particle_offset"):
        instances_of(truth([0], tables={"momentum": momentum}), 2)


def test_classes_that_the_network_does_not_have_are_refused():
    with pytest.raises(ValueError, match="below 3"):
        instances_of(truth([0], [3]), 3)


def made_up(points=40, queries=6, instances=4, classes=3, seed=0):
    torch.manual_seed(seed)
    masks, logits = torch.randn(points, queries), torch.randn(queries, classes + 1)
    rows = torch.arange(0, points, 2)
    instance = torch.arange(len(rows)) % instances
    labels = torch.randint(classes, (instances,))
    return masks, logits, EventInstances(rows, instance, labels)


def plain_cost(logits, target, class_logits, label):
    """Focal and dice loss of one query and one instance, and the probability of its class."""
    probability = logits.sigmoid()
    right = torch.where(target > 0, probability, 1 - probability)
    weight = torch.where(target > 0, 0.25, 0.75)
    focal = -(weight * (1 - right) ** 2 * right.log()).mean()
    dice = 1 - (2 * (probability * target).sum() + 1) / (probability.sum() + target.sum() + 1)
    return float(focal), float(dice), float(-class_logits[:-1].log_softmax(-1)[label])


def test_costs_are_those_of_plain_formulas():
    masks, logits, instances = made_up()
    cost = matching_cost(masks, logits[:, :-1].log_softmax(-1), instances)
    members = instances.masks(torch.float32)
    for query, one in itertools.product(range(6), range(4)):
        parts = plain_cost(
            masks[instances.rows, query], members[:, one], logits[query], instances.labels[one]
        )
        assert cost[query, one].item() == pytest.approx(sum(parts), rel=1e-5)


def test_the_assignment_costs_least():
    """Of all assignments, tried one by one."""
    masks, logits, instances = made_up(queries=5, instances=3)
    cost = matching_cost(masks, logits[:, :-1].log_softmax(-1), instances).numpy()
    queries, matched = match([masks], logits[None], [instances])[0]
    least = min(
        sum(cost[query, one] for one, query in enumerate(chosen))
        for chosen in itertools.permutations(range(5), 3)
    )
    assert cost[queries, matched].sum() == pytest.approx(least)


def test_how_sure_queries_are_of_no_object_is_no_part_of_the_cost():
    masks, logits, instances = made_up(queries=6, instances=2)
    expected = match([masks], logits[None], [instances])[0]
    logits[:, -1] = torch.linspace(-20, 20, 6)
    for found, of in zip(match([masks], logits[None], [instances])[0], expected, strict=True):
        assert torch.equal(found, of)


def test_perfect_masks_are_matched_with_themselves():
    _, _, instances = made_up()
    masks = torch.full((40, 6), -SURE)
    masks[instances.rows, 5 - instances.instance] = SURE
    queries, matched = match([masks], torch.zeros(1, 6, 4), [instances])[0]
    assert dict(zip(matched.tolist(), queries.tolist(), strict=True)) == {0: 5, 1: 4, 2: 3, 3: 2}


def test_more_instances_than_queries_and_none_at_all():
    masks, logits, instances = made_up(queries=3, instances=4)
    assert len(match([masks], logits[None], [instances])[0][0]) == 3
    nothing = torch.zeros(0, dtype=torch.long)
    none = EventInstances(nothing, nothing, nothing)
    assert not len(match([masks], logits[None], [none])[0][0])
    assert not len(match([masks[:, :0]], logits[None, :0], [instances])[0][0])


def test_matching_holds_no_product_of_points_queries_and_instances():
    masks, logits, instances = made_up(points=2000, queries=32, instances=30)
    found = largest_tensor(matching_cost, masks, logits.log_softmax(-1)[:, :-1], instances)
    assert found <= 2000 * 32


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_what_is_no_number_is_named(wrong):
    masks, logits, instances = made_up()
    masks[0, 0] = math.nan if math.isnan(wrong) else 1.0
    logits[0, 0] = wrong
    with pytest.raises(MatchingError, match="diverged"):
        match([masks], logits[None], [instances])


def test_masks_of_many_points_are_compared_by_a_sample(monkeypatch):
    masks, logits, instances = made_up(points=4000)
    whole = matching_cost(masks, logits[:, :-1].log_softmax(-1), instances)
    monkeypatch.setattr(instance_matching, "MOST_POINTS", 1000)
    drawn = matching_cost(masks, logits[:, :-1].log_softmax(-1), instances)
    assert not torch.equal(whole, drawn)
    torch.testing.assert_close(drawn, whole, rtol=0.1, atol=0.1)


def test_the_loss_is_that_of_plain_formulas():
    """Two events, the second without instances; the pairs are those of the matching."""
    masks, logits, instances = made_up()
    others, more = torch.randn(7, 6), torch.randn(6, 4)
    nothing = torch.zeros(0, dtype=torch.long)
    events = [instances, EventInstances(nothing, nothing, nothing)]
    told = Told(torch.cat([masks, others]), torch.stack([logits, more]))
    pairs = match([masks], logits[None], [instances])[0]
    members = instances.masks(torch.float32)
    parts = np.array(
        [
            plain_cost(masks[instances.rows, query], members[:, one], logits[query], instances.labels[one])
            for query, one in zip(*pairs, strict=True)
        ]
    )
    unmatched = [query for query in range(6) if query not in pairs[0]]
    no_object = -logits.log_softmax(-1)[unmatched, -1].mean()
    right = -logits.log_softmax(-1)[pairs[0], instances.labels[pairs[1]]].mean()
    of_classes = (2 * right + 0.5 * no_object) / 2
    of_empty = 0.5 * -more.log_softmax(-1)[:, -1].mean()
    expected = 2 * parts[:, 0].mean() + 5 * parts[:, 1].mean() + (of_classes + of_empty) / 2
    found = panoptic_loss([told], events, [40, 7])
    assert found.item() == pytest.approx(float(expected), rel=1e-5)
    assert panoptic_loss([told, told], events, [40, 7]).item() == pytest.approx(2 * found.item())


def test_what_is_right_costs_next_to_nothing():
    _, _, instances = made_up()
    masks, logits = torch.full((40, 4), -SURE), torch.full((4, 4), -SURE)
    masks[instances.rows, instances.instance] = SURE
    logits[range(4), instances.labels] = SURE
    assert panoptic_loss([Told(masks, logits[None])], [instances], [40]).item() < 1e-4


def test_numbers_of_matched_queries_are_compared_where_they_are_known():
    _, _, instances = made_up(instances=2)
    masks, logits = torch.full((40, 2), -SURE), torch.full((2, 4), -SURE)
    masks[instances.rows, instances.instance] = SURE
    logits[range(2), instances.labels] = SURE
    known = EventInstances(
        instances.rows, instances.instance, instances.labels, {"momentum": torch.tensor([0.5, math.nan])}
    )
    told = Told(masks, logits[None], {"momentum": torch.tensor([[[0.1], [7.0]]])})
    loss = panoptic_loss([told], [known], [40])
    assert loss.item() == pytest.approx(0.4**2 / 2, abs=1e-4)
    all_unknown = EventInstances(*vars(known).values())
    all_unknown.regressed["momentum"][0] = math.nan
    assert panoptic_loss([told], [all_unknown], [40]).item() < 1e-4


def test_the_background_is_a_binary_cross_entropy():
    logits = torch.tensor([1.0, -2.0, 0.5])
    found = background_loss(logits, torch.tensor([True, False, False]))
    expected = F.softplus(torch.tensor([-1.0, -2.0, 0.5])).mean()
    assert found.item() == pytest.approx(expected.item())
    assert background_loss(logits[:0], torch.zeros(0, dtype=torch.bool)).item() == 0
