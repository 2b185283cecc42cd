"""What linear support vector machines find in the tokens of a network: the published probe of PoLAr-MAE."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.metrics import f1_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC

from nuzoo.evaluation.core.events import input_batches
from nuzoo.pipelines.finite_outputs import refuse_not_finite

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

COMPONENTS = 128
PENALTY = 0.005
TOKENS = 15000
"""Of the probe of arXiv 2502.02558, by its public configuration: so many principal components, the C of the
machines, and at most so many tokens, to fit as to test."""

Tokens = tuple[NDArray[np.float32], NDArray[np.bool_]]


def svm_scores(fitted_on: Tokens, tested_on: Tokens, names: list[str]) -> dict[str, float]:
    """Fit a machine for each class, balanced, on principal components, and measure it on other tokens.

    Args:
        fitted_on: Features (tokens, channels), and which classes (tokens, classes) each token holds.
        tested_on: The same of other events.
        names: Of the classes.

    Returns:
        `svm_f1_<class>` of each class that is among both, and some tokens are without, and `svm_macro_f1`,
        their mean; nothing if there is no such class.
    """
    (features, truth), (others, expected) = fitted_on, tested_on
    if not len(features) or not len(others):
        return {}
    told = truth.any(axis=0) & ~truth.all(axis=0) & expected.any(axis=0)
    if not told.any():
        return {}
    components = PCA(min(COMPONENTS, *features.shape), random_state=0).fit(features)
    machine = OneVsRestClassifier(LinearSVC(C=PENALTY, class_weight="balanced", random_state=0))
    machine.fit(components.transform(features), truth[:, told].astype(int))
    given = machine.predict(components.transform(others)).reshape(len(others), -1)
    scores = f1_score(expected[:, told].astype(int), given, average=None, zero_division=0.0)
    chosen = [names[number] for number in np.flatnonzero(told)]
    by_class = {f"svm_f1_{name}": float(score) for name, score in zip(chosen, np.ravel(scores), strict=True)}
    return {"svm_macro_f1": float(np.mean(list(by_class.values()))), **by_class}


def tokens_of(
    model: PreTrainedModel,
    processor: EventProcessor,
    rows: Dataset,
    target: str,
    batch_size: int,
    most: int = TOKENS,
) -> Tokens:
    """Compute tokens of whole events, and which classes their hits are of.

    Args:
        model: For masked autoencoding.
        processor: Its processor.
        rows: Events, with a class for each hit.
        target: Column of it.
        batch_size: Events per batch.
        most: Stop at so many tokens.
    """
    classes = len(processor.schema[target].classes)
    parts, number = [], 0
    for part in _batches(model, processor, rows, target, classes, batch_size):
        parts.append(part)
        number += len(part[0])
        if number >= most:
            break
    features, truth = (np.concatenate(values)[:most] for values in zip(*parts, strict=True))
    return features, truth


def _batches(
    model: PreTrainedModel, processor: EventProcessor, rows: Dataset, target: str, classes: int, size: int
) -> Iterator[Tokens]:
    body: Any = model.base_model
    for batch in input_batches(processor, rows, size, model.device, (target,)):
        labels = batch.pop("labels")
        with torch.no_grad():
            tokens, groups = body.tokens_of(**batch)
        refuse_not_finite(model, {"tokens": tokens})
        holds = torch.zeros(len(tokens), classes, dtype=torch.bool, device=tokens.device)
        of_members = labels[groups.members]
        known = of_members >= 0
        holds[groups.group[known], of_members[known]] = True
        yield tokens.float().cpu().numpy(), holds.cpu().numpy()
