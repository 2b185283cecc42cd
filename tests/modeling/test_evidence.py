"""Losses of evidence, against closed forms and against integrals over the Dirichlet distribution."""

import math

import pytest
import torch
import torch.nn.functional as F
from scipy.special import digamma, gammaln

from nuzoo.modeling.evidence import (
    class_logits,
    class_risk,
    evidential_risk,
    labelled_logits,
    wrong_evidence,
)
from nuzoo.modeling.segmentation_losses import segmentation_loss

ALPHA = torch.tensor([[3.0, 1.0, 2.0], [1.5, 4.0, 1.0], [1.0, 1.0, 1.0]], dtype=torch.float64)
LABELS = torch.tensor([0, 2, 1])
KINDS = ("mll", "bayes_risk", "brier")


def drawn(number=400_000):
    """Probabilities from the Dirichlet distributions, (draws, rows, classes)."""
    torch.manual_seed(0)
    return torch.distributions.Dirichlet(ALPHA).sample((number,))


def test_evidence_is_the_exponential_of_what_the_last_layer_gives():
    scores = torch.tensor([[-3.0, 0.0, 2.5]])
    torch.testing.assert_close(class_logits(scores, "mll").exp(), 1 + scores.exp())
    assert class_logits(scores, None) is scores


def test_the_softmax_of_the_logits_is_the_mean_of_the_distribution():
    torch.testing.assert_close(ALPHA.log().softmax(1), drawn().mean(0), rtol=0, atol=2e-3)


@pytest.mark.parametrize(
    ("kind", "of_draws"),
    [
        ("mll", lambda p, true: -true.mean(0).log()),
        ("bayes_risk", lambda p, true: -true.log().mean(0)),
        ("brier", lambda p, true: ((F.one_hot(LABELS, 3) - p) ** 2).sum(2).mean(0)),
    ],
)
def test_risks_are_integrals_over_the_distribution(kind, of_draws):
    probabilities = drawn()
    true = probabilities.gather(2, LABELS.expand(len(probabilities), -1)[..., None])[..., 0]
    found = evidential_risk(ALPHA.log(), LABELS, kind)
    torch.testing.assert_close(found, of_draws(probabilities, true), rtol=0.01, atol=0)


def test_risks_by_hand():
    """α = (3, 1, 2), class 0: S = 6; ψ(6) - ψ(3) = 1/3 + 1/4 + 1/5; p = 1/2, 1/6, 1/3."""
    row, label = ALPHA[:1].log(), LABELS[:1]
    assert evidential_risk(row, label, "mll").item() == pytest.approx(math.log(6 / 3))
    assert evidential_risk(row, label, "bayes_risk").item() == pytest.approx(1 / 3 + 1 / 4 + 1 / 5)
    squared, variance = 1 / 4 + 1 / 36 + 1 / 9, (1 / 4 + 5 / 36 + 2 / 9) / 7
    assert evidential_risk(row, label, "brier").item() == pytest.approx(squared + variance)


def test_divergence_of_wrong_evidence_is_that_of_torch():
    """The class that is true counts as 1: what is known of it is not to be forgotten."""
    wrong = ALPHA.clone()
    wrong[torch.arange(3), LABELS] = 1.0
    of_torch = torch.distributions.kl_divergence(
        torch.distributions.Dirichlet(wrong), torch.distributions.Dirichlet(torch.ones(3).double())
    )
    torch.testing.assert_close(wrong_evidence(ALPHA.log(), LABELS), of_torch)
    assert wrong_evidence(ALPHA.log(), LABELS)[2] == 0


def test_divergence_by_digamma():
    """Of (1, 1, 2) from (1, 1, 1): log Γ(4) - log Γ(3) - log Γ(2) + ψ(2) - ψ(4)."""
    by_hand = gammaln(4) - gammaln(3) - gammaln(2) + digamma(2) - digamma(4)
    assert wrong_evidence(ALPHA[:1].log(), LABELS[:1]).item() == pytest.approx(by_hand)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("score", [-80.0, 0.0, 25.0])
def test_losses_and_gradients_are_finite_however_much_evidence_there_is(kind, score):
    scores = torch.tensor([[score, 0.0, -score]], requires_grad=True)
    logits, label = class_logits(scores, kind), torch.tensor([2])
    loss = (evidential_risk(logits, label, kind) + wrong_evidence(logits, label)).sum()
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(scores.grad).all()


@pytest.mark.parametrize("kind", KINDS)
def test_evidence_grows_for_the_true_class_from_none(kind):
    """Where a rectifier's gradient is zero: no evidence for any class."""
    scores = torch.full((1, 3), -4.0, requires_grad=True)
    evidential_risk(class_logits(scores, kind), torch.tensor([1]), kind).sum().backward()
    assert scores.grad[0, 1] < 0 and (scores.grad[0, [0, 2]] > 0).all()


@pytest.mark.parametrize("kind", [None, *KINDS])
def test_points_without_a_class_do_not_count(kind):
    torch.manual_seed(0)
    logits, labels = class_logits(torch.randn(20, 3), kind), torch.arange(20) % 3
    known = labels.clone().index_fill_(0, torch.arange(5), -100)
    found = segmentation_loss(logits, known, 0.0, evidential=kind)
    torch.testing.assert_close(found, class_risk(logits[5:], labels[5:], kind).mean())


def test_focal_weights_are_of_the_mean_probability():
    logits, labels = ALPHA.log().float(), LABELS
    p = (ALPHA / ALPHA.sum(1, keepdim=True)).float().gather(1, labels[:, None])[:, 0]
    expected = ((1 - p) ** 2 * evidential_risk(logits, labels, "bayes_risk")).mean()
    torch.testing.assert_close(segmentation_loss(logits, labels, 0.0, 2.0, evidential="bayes_risk"), expected)


def test_heads_find_their_truth_by_name():
    outputs = dict.fromkeys(["loss", "flavour_logits", "charm_logits", "vertex"])
    assert list(labelled_logits(outputs, {"flavour_labels": 0, "vertex": 0})) == [
        ("flavour_logits", "flavour_labels")
    ]
    assert list(labelled_logits({"logits": 0}, {"labels": 0})) == [("logits", "labels")]
