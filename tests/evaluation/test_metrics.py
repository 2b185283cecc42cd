from types import SimpleNamespace

import numpy as np
import pytest
from sklearn import metrics as sk

from nuzoo.evaluation.tasks.event_classification.evaluator import EVALUATOR

PREDICTIONS, REFERENCES = [0, 1, 2, 1, 0], [0, 1, 1, 2, 2]
SCORES = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.3, 0.5], [0.05, 0.9, 0.05], [0.6, 0.1, 0.3]]


@pytest.mark.parametrize("wrapped", [lambda logits: logits, lambda logits: (logits, "hidden states")])
def test_metrics_of_training_are_those_of_scikit_learn(wrapped):
    prediction = SimpleNamespace(predictions=wrapped(np.log(SCORES)), label_ids=np.array(REFERENCES))
    assert EVALUATOR.training_metrics(prediction) == {
        "accuracy": pytest.approx(sk.accuracy_score(REFERENCES, PREDICTIONS)),
        "macro_precision": pytest.approx(sk.precision_score(REFERENCES, PREDICTIONS, average="macro")),
        "macro_recall": pytest.approx(sk.recall_score(REFERENCES, PREDICTIONS, average="macro")),
        "macro_auc": pytest.approx(sk.roc_auc_score(REFERENCES, SCORES, multi_class="ovr", average="macro")),
        # Confidences 0.7 0.8 0.5 0.9 0.6 against right, right, wrong, wrong, wrong; one bin each.
        "expected_calibration_error": pytest.approx((0.3 + 0.2 + 0.5 + 0.9 + 0.6) / 5),
    }


def test_what_is_not_defined_is_not_logged():
    prediction = SimpleNamespace(predictions=np.eye(3), label_ids=np.zeros(3, dtype=int))
    assert EVALUATOR.training_metrics(prediction).keys() >= {"accuracy", "macro_recall"}
    assert "macro_auc" not in EVALUATOR.training_metrics(prediction)
