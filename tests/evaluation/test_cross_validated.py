import numpy as np
from datasets import load_dataset
from sklearn.metrics import accuracy_score

from nuzoo.configuration.configuration_nu_cnn import NuCnnConfig
from nuzoo.evaluation.tasks.event_classification.evaluator import EVALUATOR


def test_pooled_folds_are_measured_and_drawn(simulated_dataset, tmp_path):
    rows = load_dataset(str(simulated_dataset), split="train")
    logits = np.random.default_rng(0).normal(size=(len(rows), 3))
    results = EVALUATOR.report_cross_validation(list(logits), rows, NuCnnConfig.tiny(), 5, tmp_path)
    expected = accuracy_score(rows["label"], logits.argmax(axis=1))
    assert results.metrics.accuracy.value == expected
    assert results.folds == 5
    for name in ("results.json", "predictions.parquet", "roc.png", "confusion.png"):
        assert (tmp_path / name).stat().st_size > 0
