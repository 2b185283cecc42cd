import numpy as np
import pytest
import torch
import torch.nn.functional as F

from nuzoo.modeling.segmentation_losses import lovasz_softmax, segmentation_loss


def jaccard_of(is_wrong, is_class):
    """The Jaccard loss of a class where these points are labelled wrongly."""
    missed = (is_wrong & is_class).sum()
    added = (is_wrong & ~is_class).sum()
    return float(missed + added) / float(is_class.sum() + added)


def by_extension(probabilities, labels):
    """The Lovász extension from its definition: the loss of ever larger sets of wrong points."""
    losses = []
    for number in labels.unique():
        is_class = labels == number
        errors = torch.where(is_class, 1 - probabilities[:, number], probabilities[:, number])
        is_wrong, before, loss = torch.zeros_like(is_class), 0.0, 0.0
        for point in errors.argsort(descending=True):
            is_wrong[point] = True
            after = jaccard_of(is_wrong, is_class)
            loss += float(errors[point]) * (after - before)
            before = after
        losses.append(loss)
    return sum(losses) / len(losses)


def test_lovasz_of_three_points_by_hand():
    """Two of class 0 with errors 0.4 and 0.1, one of class 1 with 0.3.

    Class 0: errors 0.4, 0.3, 0.1 have Jaccard losses 1/2, 2/3, 1: 0.4 / 2 + 0.3 / 6 + 0.1 / 3.
    Class 1: errors 0.4, 0.3, 0.1 have 1/2, 1, 1: 0.4 / 2 + 0.3 / 2.
    """
    probabilities = torch.tensor([[0.6, 0.4], [0.9, 0.1], [0.3, 0.7]])
    by_hand = ((0.2 + 0.05 + 0.1 / 3) + (0.2 + 0.15)) / 2
    assert lovasz_softmax(probabilities, torch.tensor([0, 0, 1])).item() == pytest.approx(by_hand)


def test_lovasz_is_the_extension_of_the_jaccard_loss_of_each_class_that_is_there():
    torch.manual_seed(0)
    probabilities, labels = torch.randn(60, 5).softmax(1), torch.randint(0, 4, (60,))
    found = lovasz_softmax(probabilities, labels).item()
    assert found == pytest.approx(by_extension(probabilities, labels), rel=1e-5)


def test_lovasz_of_certain_labels_is_one_less_the_mean_intersection_over_union():
    labels, guessed = torch.tensor([0, 0, 1, 1, 2]), torch.tensor([0, 1, 1, 1, 2])
    loss = lovasz_softmax(F.one_hot(guessed, 3).float(), labels)
    assert loss.item() == pytest.approx(1 - (1 / 2 + 2 / 3 + 1) / 3)


@pytest.mark.parametrize("unknown", [-1, -100])
def test_points_without_a_label_do_not_count(unknown):
    torch.manual_seed(0)
    logits, labels = torch.randn(30, 3, requires_grad=True), torch.arange(30) % 3
    with_unknown = torch.where(torch.arange(30) < 10, unknown, labels)
    loss = segmentation_loss(logits, with_unknown, 0.05)
    torch.testing.assert_close(loss, segmentation_loss(logits[10:], labels[10:], 0.05))
    none = segmentation_loss(logits, torch.full((30,), unknown), 0.05)
    assert none.item() == 0
    none.backward()
    assert (logits.grad == 0).all()


@pytest.mark.parametrize(
    ("labels", "said"),
    [([0, 1, 3, -1], "below 3, .* got 3"), ([0, 1, 2], r"one for each of 4 points, got \(3,\)")],
)
def test_labels_of_other_classes_or_points_are_refused(labels, said):
    with pytest.raises(ValueError, match=f"labels: expected .*{said}"):
        segmentation_loss(torch.zeros(4, 3), torch.tensor(labels), 0.05)


def test_loss_is_cross_entropy_and_a_share_of_lovasz():
    torch.manual_seed(0)
    logits, labels = torch.randn(40, 4), torch.randint(0, 4, (40,))
    entropy = -logits.log_softmax(1)[torch.arange(40), labels].mean()
    expected = entropy + 0.3 * by_extension(logits.softmax(1), labels)
    torch.testing.assert_close(segmentation_loss(logits, labels, 0.3), expected)
    torch.testing.assert_close(segmentation_loss(logits, labels, 0.0), entropy)


def test_focal_loss_in_closed_form():
    torch.manual_seed(0)
    logits, labels = torch.randn(40, 4, requires_grad=True), torch.randint(0, 4, (40,))
    weights = [2.0, 1.0, 30.0, 0.5]
    probability = logits.softmax(1)[torch.arange(40), labels]
    terms = torch.tensor(weights)[labels] * (1 - probability) ** 2 * -probability.log()
    loss = segmentation_loss(logits, labels, 0.0, focal_gamma=2.0, class_weights=weights)
    torch.testing.assert_close(loss, terms.mean())


def test_focal_loss_of_what_is_certain_has_a_finite_gradient():
    logits = torch.tensor([[200.0, 0.0], [0.0, 0.0]], requires_grad=True)
    loss = segmentation_loss(logits, torch.tensor([0, 1]), 0.0, focal_gamma=0.5)
    assert loss.item() == pytest.approx(0.5 * 0.5**0.5 * np.log(2))
    loss.backward()
    assert torch.isfinite(logits.grad).all()
