"""Evidence for classes: logits that are those of a Dirichlet distribution, and what they cost.

Sensoy, Kaplan, Kandemir, "Evidential deep learning to quantify classification uncertainty", arXiv 1806.01768.
An evidential classifier tells evidence e for each class, 0 or more, and so a Dirichlet distribution of the
probabilities with the concentrations α = 1 + e. Here e is the exponential of what its last layer gives, whose
gradient does not vanish where there is no evidence (arXiv 2306.11113), and its logits are log α: their
softmax is the mean α / Σα, their cross-entropy the negative marginal log-likelihood.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

LOGITS, LABELS = "logits", "labels"


def class_logits(scores: Tensor, evidential: str | None) -> Tensor:
    """Make the logits of what a last layer gives, in any shape.

    Args:
        scores: of each class.
        evidential: see `EvidentialConfig`; None leaves them as they are.
    """
    return scores if evidential is None else F.softplus(scores)


def class_risk(
    logits: Tensor, labels: Tensor, evidential: str | None, label_smoothing: float = 0.0
) -> Tensor:
    """Give what each row costs: the cross-entropy, or see `evidential_risk`.

    Args:
        logits: (rows, classes).
        labels: int64 (rows,) true classes.
        evidential: see `EvidentialConfig`.
        label_smoothing: of the cross-entropy; evidence has none.

    Returns:
        (rows,).
    """
    if evidential is None:
        return F.cross_entropy(logits, labels, reduction="none", label_smoothing=label_smoothing)
    return evidential_risk(logits, labels, evidential)


def classification_loss(
    logits: Tensor, labels: Tensor, evidential: str | None, label_smoothing: float = 0.0
) -> Tensor:
    """Give the mean of `class_risk`, in float32 at least."""
    at_least_float32 = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return class_risk(at_least_float32, labels, evidential, label_smoothing).mean()


def evidential_risk(logits: Tensor, labels: Tensor, kind: str) -> Tensor:
    """Give what the evidence for each row costs, without its part for wrong classes.

    With concentrations α, their sum S and the mean p = α / S (arXiv 1806.01768, equations 3 to 5):

    - "mll": log S - log α of the true class, the negative marginal log-likelihood;
    - "bayes_risk": ψ(S) - ψ(α of the true class), the expected cross-entropy;
    - "brier": Σ (y - p)² + p (1 - p) / (S + 1), the expected squared error.

    Args:
        logits: log α (rows, classes).
        labels: int64 (rows,) true classes.
        kind: of them.

    Returns:
        (rows,), of the type of the logits.
    """
    if kind == "mll":
        return F.cross_entropy(logits, labels, reduction="none")
    log_alpha = logits.double()
    log_sum = log_alpha.logsumexp(dim=1)
    if kind == "bayes_risk":
        true = log_alpha.gather(1, labels[:, None])[:, 0]
        return (torch.digamma(log_sum.exp()) - torch.digamma(true.exp())).to(logits.dtype)
    mean = log_alpha.softmax(dim=1)
    truth = F.one_hot(labels, logits.shape[1])
    variance = mean * (1 - mean) * torch.sigmoid(-log_sum)[:, None]
    return ((truth - mean) ** 2 + variance).sum(dim=1).to(logits.dtype)


def wrong_evidence(logits: Tensor, labels: Tensor) -> Tensor:
    """Give the divergence of the evidence for wrong classes from none at all.

    It is KL(Dir(α') ‖ Dir(1)) with α' = α but for the true class, where it is 1.

    Args:
        logits: log α (rows, classes).
        labels: int64 (rows,) true classes.

    Returns:
        Nats (rows,), of the type of the logits.
    """
    is_true = F.one_hot(labels, logits.shape[1]).bool()
    alpha = logits.double().exp().masked_fill(is_true, 1.0)
    total = alpha.sum(dim=1)
    normalisation = torch.lgamma(total) - torch.lgamma(alpha).sum(dim=1)
    normalisation = normalisation - torch.lgamma(total.new_tensor(float(logits.shape[1])))
    excess = (alpha - 1) * (torch.digamma(alpha) - torch.digamma(total)[:, None])
    return (normalisation + excess.sum(dim=1)).to(logits.dtype)


def labelled_logits(outputs: Mapping[str, Any], inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the names of outputs that tell classes, each with that of its truth: `logits` and `labels`.

    Where a network has several heads, they are `flavour_logits` and `flavour_labels`, and so on.

    Args:
        outputs: of a network.
        inputs: of it, with the truth.
    """
    for name in outputs:
        truth = name.removesuffix(LOGITS) + LABELS
        if name.endswith(LOGITS) and truth in inputs:
            yield name, truth
