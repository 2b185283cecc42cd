import numpy as np
import pytest
from sklearn import metrics as sk

PREDICTIONS, REFERENCES = [0, 1, 2, 2, 0], [0, 1, 1, 2, 2]
SCORES = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.3, 0.5], [0.1, 0.1, 0.8], [0.6, 0.1, 0.3]]


@pytest.fixture
def metrics(tmp_path, monkeypatch):
    from nuzoo.evaluation.tasks.event_classification import metrics as module

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    class Made:
        def __getattr__(self, name):
            return getattr(module, name)(cache_dir=str(tmp_path), experiment_id=name)

    return Made()


def test_class_metrics_match_scikit_learn(metrics):
    inputs = {"predictions": PREDICTIONS, "references": REFERENCES}
    assert metrics.Accuracy.compute(**inputs) == {
        "accuracy": pytest.approx(sk.accuracy_score(REFERENCES, PREDICTIONS))
    }
    assert metrics.MacroPrecision.compute(**inputs)["macro_precision"] == pytest.approx(
        sk.precision_score(REFERENCES, PREDICTIONS, average="macro")
    )
    assert metrics.MacroRecall.compute(**inputs)["macro_recall"] == pytest.approx(
        sk.recall_score(REFERENCES, PREDICTIONS, average="macro")
    )
    matrix = metrics.ConfusionMatrix.compute(**inputs)
    np.testing.assert_allclose(
        matrix["recall_normalised"],
        sk.confusion_matrix(REFERENCES, PREDICTIONS, normalize="true"),
    )
    np.testing.assert_allclose(
        matrix["precision_normalised"],
        sk.confusion_matrix(REFERENCES, PREDICTIONS, normalize="pred"),
    )


def test_score_metrics(metrics):
    result = metrics.OneVsRestAuc.compute(predictions=SCORES, references=REFERENCES)
    assert result["macro_auc"] == pytest.approx(
        sk.roc_auc_score(REFERENCES, SCORES, multi_class="ovr", average="macro")
    )
    # Confidences 0.7 0.8 0.5 0.8 0.6 against right, right, wrong, right, wrong; one bin each.
    error = metrics.ExpectedCalibrationError.compute(predictions=SCORES, references=REFERENCES)
    assert error["expected_calibration_error"] == pytest.approx((0.3 + 2 * 0.2 + 0.5 + 0.6) / 5)


def test_metrics_gather_batches(metrics):
    metric = metrics.Accuracy
    metric.add_batch(predictions=[0, 1], references=[0, 0])
    metric.add_batch(predictions=[2, 2], references=[2, 2])
    assert metric.compute() == {"accuracy": 0.75}


def test_efficiency_and_purity(metrics):
    result = metrics.EfficiencyPurity.compute(
        predictions=[0, 1, 1, 1],
        references=[0, 0, 1, 1],
        energies=[0.5, 0.6, 0.7, 1.5],
        edges=[0, 1, 2],
    )
    np.testing.assert_allclose(result["efficiency"], [[0.5, np.nan], [1, 1]])
    np.testing.assert_allclose(result["purity"], [[1, np.nan], [0.5, 1]])
