"""Every classifier of the zoo as a member of an ensemble, and asked with units dropped by chance."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from datasets import Dataset
from torch import nn

from nuzoo.evaluation.core.errors import EvaluationError
from nuzoo.evaluation.uncertainty.sampling import ask, joined, sample_members, sample_passes
from nuzoo.modeling.drop_path import DropPath
from nuzoo.modeling.dropping import DropsNothingError, dropping, dropping_modules
from nuzoo.registry import ARCHITECTURES

DROPS = {
    "nu_vit": {"hidden_dropout_prob": 0.3, "attention_probs_dropout_prob": 0.2},
    "nu_point": {"drop_path_rate": 0.3},
    "nu_point_mae": {"head_dropout": 0.3, "attention_dropout": 0.2, "drop_path_rate": 0.3},
}
"""Fields by which networks drop something; `nu_cnn` and `nu_unet` have none."""

CLASSIFIERS = ("nu_cnn", "nu_vit", "nu_point", "nu_point_mae", "nu_unet")


def made(name, **fields):
    """A tiny classifier with its processor, events as rows, and the column of their truth."""
    row = ARCHITECTURES[name]
    task = next(task for task in row.networks if task in ("event-classification", "hit-segmentation"))
    torch.manual_seed(0)
    model = row.network_class(task)(row.tiny_config(**fields)).eval()
    processor = row.processor_class().tiny(model.config)
    events = processor.example_events(6)
    if not processor.is_fitted:
        processor.fit(events)
    target = "label" if task == "event-classification" else model.config.target
    rows = [
        event | {"event_id": str(number), target: number % 3 if target == "label" else hits_of(event)}
        for number, event in enumerate(events)
    ]
    return model, processor, Dataset.from_list(rows), target


def hits_of(event):
    """A class for each hit."""
    return [hit % 3 for hit in range(len(event["energy"]))]


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_members_that_are_one_network_are_that_network(name):
    model, processor, rows, target = made(name)
    one = ask(model, processor, rows, targets=(target,), batch_size=4)["logits"]
    many = sample_members([(model, processor)] * 3, rows, targets=(target,), batch_size=4)["logits"]
    assert len(many.values) == 3 and one.truth.min() >= 0
    np.testing.assert_allclose(many.predictive().probability, one.predictive().probability, atol=1e-12)
    np.testing.assert_allclose(many.predictive().information, 0, atol=1e-12)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_rows_belong_to_their_events_whatever_the_batch(name):
    model, processor, rows, target = made(name)
    found = [ask(model, processor, rows, targets=(target,), batch_size=size)["logits"] for size in (1, 4)]
    np.testing.assert_array_equal(found[0].event, found[1].event)
    np.testing.assert_array_equal(found[0].truth, found[1].truth)
    np.testing.assert_allclose(found[0].values, found[1].values, atol=1e-4)
    for number, event in enumerate(rows):
        told = np.atleast_1d(event[target])
        assert set(found[0].truth[found[0].event == number]) <= set(told)


@pytest.mark.parametrize("name", DROPS)
def test_passes_differ_by_what_is_dropped_and_are_those_of_the_seed(name):
    model, processor, rows, target = made(name, **DROPS[name])
    asked = {"targets": (target,), "passes": 3, "batch_size": 8}
    first, again = (sample_passes(model, processor, rows, seed=4, **asked)["logits"].values for _ in range(2))
    other = sample_passes(model, processor, rows, seed=5, **asked)["logits"].values
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first[0], first[1]) and not np.allclose(first, other)
    assert not any(module.training for module in model.modules())


@pytest.mark.parametrize("name", DROPS)
def test_passes_of_a_network_that_hardly_drops_are_the_network(name):
    model, processor, rows, target = made(name, **dict.fromkeys(DROPS[name], 1e-12))
    assert dropping_modules(model)
    asked = {"targets": (target,), "batch_size": 8}
    plain = ask(model, processor, rows, **asked)["logits"].values[0]
    for one in sample_passes(model, processor, rows, passes=2, **asked)["logits"].values:
        np.testing.assert_allclose(one, plain, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["nu_cnn", "nu_unet", "nu_vit"])
def test_a_network_that_drops_nothing_is_refused_by_name(name):
    model, processor, rows, target = made(name)
    with pytest.raises(DropsNothingError, match=f"drops something in training, got {type(model).__name__}"):
        sample_passes(model, processor, rows, passes=2, targets=(target,))


def test_passes_average_to_the_network_where_it_is_linear():
    """Dropout keeps the expectation: 20,000 passes through a linear map of four dropped numbers."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 2), nn.BatchNorm1d(2)).eval()
    given = torch.ones(20_000, 4)
    with dropping(model, 0), torch.no_grad():
        dropped = model(given)
    with torch.no_grad():
        torch.testing.assert_close(dropped.mean(0), model(given[:1])[0], rtol=0, atol=0.02)
    assert model[2].num_batches_tracked == 0 and dropped.std(0).min() > 0.1


def test_random_numbers_of_others_go_on_as_before():
    model = nn.Sequential(DropPath(0.5))
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    with dropping(model, 0):
        model(torch.ones(5, 1))
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_evidence_is_known_from_the_configuration(name):
    model, processor, rows, target = made(name, evidential="brier")
    found = ask(model, processor, rows, targets=(target,))["logits"]
    assert found.is_evidence and found.values.min() > 0
    alpha = np.exp(found.values[0])
    told = found.predictive()
    np.testing.assert_allclose(told.probability, alpha / alpha.sum(1, keepdims=True), rtol=1e-6)
    assert (told.information > 0).all()


def test_members_of_other_kinds_are_refused():
    model, processor, rows, target = made("nu_cnn")
    evidential = made("nu_cnn", evidential="mll")[0]
    found = [ask(one, processor, rows, targets=(target,)) for one in (model, evidential)]
    with pytest.raises(EvaluationError, match="logits: expected networks that tell the same"):
        joined(found)


def test_temperatures_are_those_of_the_members():
    model, processor, rows, target = made("nu_cnn")
    cold = deepcopy(model)
    cold.config.temperature = 0.5
    plain, doubled = (ask(one, processor, rows, targets=(target,))["logits"] for one in (model, cold))
    np.testing.assert_allclose(doubled.values, 2 * plain.values)
