"""What is measured of a network that learnt without labels."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from datasets import ClassLabel, Dataset, Features, List, NamedSplit, Value
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError
from nuzoo.evaluation.core.errors import EvaluationError, ResultsFileError
from nuzoo.evaluation.core.events import Events
from nuzoo.evaluation.tasks.hit_segmentation.predictions import read_predictions
from nuzoo.evaluation.tasks.pre_training.evaluator import EVALUATOR
from nuzoo.evaluation.tasks.pre_training.health import health_of
from nuzoo.evaluation.tasks.pre_training.linear_probe import fit_probe, labelled_features
from nuzoo.evaluation.tasks.pre_training.measure import measure
from nuzoo.evaluation.tasks.pre_training.probe_settings import ProbeSettings
from nuzoo.files.events.point_cloud_events import MOTIFS
from nuzoo.modeling.modeling_nu_point_pretraining import NuPointForPreTraining
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor

from .point_cloud_rows import event_row, small_row

NAMES = ("event_id", "detector", "positions", "source", "x", "y", "z", "energy", "motif")


def rows_of(numbers, split):
    rows = [{name: event_row(number)[name] for name in NAMES} for number in numbers]
    whole = List(Value("int16"))
    types = {name: Value("string") for name in NAMES[:4]} | dict.fromkeys("xyz", whole)
    types |= {"energy": List(Value("float32")), "motif": List(ClassLabel(names=list(MOTIFS)))}
    made = Dataset.from_list(rows, features=Features(types), split=NamedSplit(split))
    return made


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    model = NuPointForPreTraining(NuPointConfig.tiny(use_mask_token=True)).eval()
    return model, NuPointCloudFeatureExtractor()


@pytest.fixture(scope="module")
def events():
    return Events(rows_of(range(10, 14), "test"), validation=rows_of(range(3), "validation"))


@pytest.fixture(scope="module")
def report(network, events, tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    EVALUATOR.evaluate(*network, events, out=out, batch_size=2, bootstrap=50)
    return out


def test_probe_is_a_logistic_regression():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 900)
    features = rng.normal(size=(900, 4)) * (1, 10, 0.1, 3) + labels[:, None] * (0.5, 9, 0, 0) + 5
    probe = fit_probe(torch.tensor(features, dtype=torch.float32), torch.tensor(labels), 3)
    standard = (features - features.mean(0)) / features.std(0)
    reference = LogisticRegression(C=1 / (2 * 1e-4 * 900), tol=1e-8, max_iter=1000).fit(standard, labels)
    found = probe(torch.tensor(features, dtype=torch.float32)).softmax(dim=1).numpy()
    np.testing.assert_allclose(found, reference.predict_proba(standard), atol=5e-3)


def test_results_are_those_of_the_hits_of_other_events(report, events, network):
    results = EVALUATOR.read_results(report / "results.json")
    assert results.dataset.events == 4 and results.probe_events == 3
    predictions = read_predictions(report / "predictions.parquet")
    assert list(predictions.event_id) == list(events.rows["event_id"])
    truth, given = np.concatenate(predictions.truth), np.concatenate(predictions.given)
    expected = f1_score(truth, given, average="macro", labels=np.union1d(truth, given))
    headline = EVALUATOR.headline(results)[0]
    assert headline.key == "macro_f1" and headline.value == pytest.approx(expected)
    assert headline.error > 0
    assert results.metrics.f1["led"].value == pytest.approx(f1_score(truth == 4, given == 4))
    assert results.hits == len(truth) == sum(map(len, events.rows["energy"]))
    assert EVALUATOR.check_predictions(results, report / "predictions.parquet") == list(predictions.event_id)


def test_report_tells_them(report):
    text = EVALUATOR.write_report(report).read_text()
    assert "fitted on 3 other events" in text and "prototypes in even use" in text
    assert (report / "classes.png").exists() and (report / "confusion.png").exists()


def test_other_numbers_are_found_out(report):
    file = report / "results.json"
    told = json.loads(file.read_text())
    told["metrics"]["macro_f1"]["value"] += 0.1
    changed = report / "changed.json"
    changed.write_text(json.dumps(told))
    with pytest.raises(ResultsFileError, match="macro_f1"):
        EVALUATOR.check_predictions(EVALUATOR.read_results(changed), report / "predictions.parquet")


def test_without_events_to_fit_on_nothing_is_measured(network, events, tmp_path):
    with pytest.raises(EvaluationError, match="validation events to fit the probe on"):
        EVALUATOR.evaluate(*network, Events(events.rows), out=tmp_path)
    with pytest.raises(EvaluationError, match="motif or pid or role, got energy"):
        EVALUATOR.evaluate(*network, events, out=tmp_path, target="energy")


def test_events_of_fit_and_test_differ():
    rows = Dataset.from_dict({"event": list(range(10))})
    for settings, sizes in (
        (ProbeSettings(), (5, 5)),
        (ProbeSettings(train_events=2, test_events=3), (2, 3)),
    ):
        fitted, tested = settings.split(rows)
        assert (len(fitted), len(tested)) == sizes
        assert not set(fitted["event"]) & set(tested["event"])


def test_training_is_watched_by_the_same_numbers(network, events):
    measured = measure(*network, events.rows, ProbeSettings(), 2)
    assert 0.2 < measured["macro_f1"] <= 1
    assert set(measured) == {"macro_f1", "prototypes_used", "assignment_entropy", "feature_spread"}
    assert not network[0].training


@pytest.mark.parametrize("hits", [(False, True), (True, False), (False, False)])
def test_events_without_hits_give_no_numbers(network, hits, tmp_path):
    """Of two events, one to fit on and one to measure on."""
    full = rows_of(range(2), "test")
    rows = [
        {name: value if has_hits or not isinstance(value, list) else [] for name, value in row.items()}
        for row, has_hits in zip(full, hits, strict=True)
    ]
    made = Dataset.from_list(rows, features=full.features, split=NamedSplit("test"))
    measured = measure(*network, made, ProbeSettings(), 2)
    assert ("prototypes_used" in measured) == hits[1] and "macro_f1" not in measured
    fitted, tested = made.select([0]), made.select([1])
    with pytest.raises(
        UnusableDatasetError, match="test: expected events with hits, got 1 without any: take"
    ):
        EVALUATOR.evaluate(*network, Events(tested, validation=fitted), out=tmp_path)


def test_features_are_those_of_the_points_with_their_classes(network):
    model, processor = network
    row = {name: small_row()[name] for name in NAMES}
    ((features, labels, offset),) = labelled_features(*network, Dataset.from_list([row]), "motif", 4)
    assert labels.tolist() == small_row()["motif"] and offset.tolist() == [4]
    with torch.no_grad():
        expected = model.base_model(**processor([row])).last_hidden_state
    torch.testing.assert_close(features, expected)


def test_collapse_is_seen():
    def health(cosines, embeddings):
        return health_of([SimpleNamespace(mask_logits=cosines, embeddings=embeddings)], 0.01)

    torch.manual_seed(0)
    alive = health(torch.eye(8).repeat(5, 1), torch.randn(40, 6))
    assert alive["prototypes_used"] == pytest.approx(1, abs=1e-6)
    assert alive["assignment_entropy"] == pytest.approx(0, abs=1e-6)
    assert alive["feature_spread"] == pytest.approx(1, abs=0.1)
    one_prototype = health(torch.eye(8)[:1].repeat(40, 1), torch.ones(40, 6))
    assert one_prototype["prototypes_used"] == pytest.approx(1 / 8, abs=1e-6)
    assert one_prototype["feature_spread"] == 0
    uniform = health(torch.zeros(40, 8), torch.ones(40, 6))
    assert uniform["assignment_entropy"] == pytest.approx(1)
