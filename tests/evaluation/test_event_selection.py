"""Figures of merit against hand-computed cases and a plain loop; the area against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from nuzoo.evaluation.core.calibration import probabilities
from nuzoo.evaluation.tasks.event_reconstruction.numbers import headline_numbers
from nuzoo.evaluation.tasks.event_reconstruction.selection import (
    assign,
    best_thresholds,
    scan_fom,
    selected,
)

from .reconstructed_events import drawn_predictions


def test_figures_of_merit_of_four_events():
    """From the highest score on: 1/√1, 2/√2, 2/√3, 3/√4; the last two of one score count together."""
    scan = scan_fom(np.array([0.9, 0.8, 0.3, 0.1]), np.array([True, True, False, True]), np.ones(4))
    assert scan.threshold.tolist() == [0.1, 0.3, 0.8, 0.9]
    assert scan.fom == pytest.approx([3 / 2, 2 / np.sqrt(3), 2 / np.sqrt(2), 1])
    assert scan.best == 0.1
    assert scan.efficiency == pytest.approx([1, 2 / 3, 2 / 3, 1 / 3])
    assert scan.purity == pytest.approx([3 / 4, 2 / 3, 1, 1])
    tied = scan_fom(np.array([0.9, 0.5, 0.5]), np.array([True, True, False]), np.ones(3))
    assert tied.fom == pytest.approx([2 / np.sqrt(3), 1])
    weighted = scan_fom(np.array([0.9, 0.1]), np.array([True, True]), np.array([0.04, 4.0]))
    assert weighted.fom == pytest.approx([np.sqrt(4.04), 0.2])


def test_the_scan_is_that_of_a_plain_loop():
    rng = np.random.default_rng(0)
    score, signal, weight = rng.random(60).round(1), rng.random(60) < 0.3, rng.random(60)
    scan = scan_fom(score, signal, weight)
    loop = [
        (weight * signal)[score >= limit].sum() / np.sqrt(weight[score >= limit].sum())
        for limit in sorted(set(score))
    ]
    assert scan.fom == pytest.approx(loop)
    assert scan.best == sorted(set(score))[int(np.argmax(loop))]


def test_a_class_without_events_is_never_selected():
    score, labels = np.array([[0.6, 0.4], [0.7, 0.3]]), np.array([0, 0])
    thresholds = best_thresholds(score, labels, np.ones(2))
    assert thresholds == [0.6, None]
    assert assign(score, thresholds).tolist() == [0, 0]
    found = selected(score, labels, thresholds, np.ones(2))
    assert np.isnan(found["efficiency"][1]) and np.isnan(found["fom"][1])


def test_events_get_the_highest_score_among_the_classes_that_they_pass():
    score = np.array([[0.5, 0.4, 0.1], [0.2, 0.45, 0.35], [0.3, 0.3, 0.4], [0.34, 0.33, 0.33]])
    assert assign(score, [0.6, 0.4, 0.35]).tolist() == [1, 1, 2, 3]


def test_selection_at_a_threshold():
    score = np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]])
    labels, weight = np.array([0, 0, 1, 1]), np.array([1.0, 1.0, 0.5, 0.5])
    found = selected(score, labels, [0.65, 0.35], np.stack([weight, np.ones(4)]))
    assert found["efficiency"] == pytest.approx(np.array([[0.5, 0.5], [0.5, 0.5]]))
    assert found["purity"] == pytest.approx(np.array([[1 / 1.5, 0.5 / 1.5], [0.5, 0.5]]))
    assert found["fom"][0] == pytest.approx([1 / np.sqrt(1.5), 0.5 / np.sqrt(1.5)])


def test_macro_areas_are_those_of_scikit_learn():
    predictions = drawn_predictions(400)
    found = headline_numbers(predictions, {"flavour": 1.3, "charm": 0.7})
    for of, temperature in (("flavour", 1.3), ("charm", 0.7)):
        score = probabilities(getattr(predictions, f"{of}_logits"), temperature)
        labels = getattr(predictions, of)
        areas = [
            roc_auc_score(labels == c, score[:, c], sample_weight=predictions.weight)
            for c in range(score.shape[1])
        ]
        assert found[f"{of}_macro_auc"] == pytest.approx(np.mean(areas))
