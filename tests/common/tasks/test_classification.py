"""What every network must do that tells classes, of events or of hits: one row of logits for each."""

import pytest
import torch

from ..inputs import labels_for


def applies(task, schema):
    """To tasks whose truth counts classes."""
    return bool(task.targets) and all(schema[target].classes for target in task.targets)


def test_loss_is_the_cross_entropy(headed, inputs):
    labels = labels_for(inputs, headed.config.num_labels)
    output = headed(**inputs, labels=labels)
    scores = output.logits.detach().double()
    picked = (scores.exp() / scores.exp().sum(1, keepdim=True))[range(len(labels)), labels]
    assert output.loss.item() == pytest.approx(-picked.log().mean().item(), rel=1e-5)
    assert headed(**inputs).loss is None


def test_labels_change_no_result(headed, inputs):
    with_labels = headed(**inputs, labels=labels_for(inputs, headed.config.num_labels))
    assert torch.equal(with_labels.logits, headed(**inputs).logits)


def test_logits_are_one_for_each_class(headed, inputs):
    logits = headed(**inputs).logits
    assert logits.shape == (len(labels_for(inputs, headed.config.num_labels)), headed.config.num_labels)
    assert logits.dtype == torch.float32
