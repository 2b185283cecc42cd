"""What is measured of a masked autoencoder."""

import numpy as np
import pytest
import torch
from datasets import ClassLabel, Dataset, Features, List, NamedSplit, Value
from sklearn.metrics import f1_score
from sklearn.svm import LinearSVC

from nuzoo.configuration.configuration_nu_point_mae import NuPointMaeConfig
from nuzoo.evaluation.core.events import Events
from nuzoo.evaluation.tasks.masked_autoencoding.evaluator import EVALUATOR
from nuzoo.evaluation.tasks.masked_autoencoding.health import health_of_tokens
from nuzoo.evaluation.tasks.masked_autoencoding.svm_probe import svm_scores, tokens_of
from nuzoo.files.events.point_cloud_events import MOTIFS
from nuzoo.modeling.modeling_nu_point_mae_pretraining import NuPointMaeForPreTraining
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor

from .point_cloud_rows import SHOWER, TRACK, event_row

NAMES = ("event_id", "detector", "positions", "source", "x", "y", "z", "energy", "motif")


def rows_of(numbers, split):
    rows = [{name: event_row(number)[name] for name in NAMES} for number in numbers]
    types = {name: Value("string") for name in NAMES[:4]} | dict.fromkeys("xyz", List(Value("int16")))
    types |= {"energy": List(Value("float32")), "motif": List(ClassLabel(names=list(MOTIFS)))}
    return Dataset.from_list(rows, features=Features(types), split=NamedSplit(split))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    model = NuPointMaeForPreTraining(NuPointMaeConfig.tiny(hidden_size=32, num_hidden_layers=4)).eval()
    return model, NuPointCloudFeatureExtractor()


@pytest.fixture(scope="module")
def events():
    return Events(rows_of(range(10, 13), "test"), validation=rows_of(range(3), "validation"))


def clusters(seed, tokens=400):
    """Tokens of 3 classes, the third in none; a token may be of both others."""
    rng = np.random.default_rng(seed)
    holds = np.stack([rng.random(tokens) < 0.5, rng.random(tokens) < 0.2, np.zeros(tokens, bool)], axis=1)
    features = rng.normal(size=(tokens, 6)).astype(np.float32)
    features[:, 0] += 2 * holds[:, 0]
    features[:, 1] += 3 * holds[:, 1]
    return features, holds


def test_machines_are_measured_on_other_tokens():
    """Six channels are no more than the components, which turn them only: machines of the channels agree."""
    fitted, tested = clusters(0), clusters(1)
    scores = svm_scores(fitted, tested, ["track", "shower", "michel"])
    expected = []
    for number in (0, 1):
        centred = fitted[0] - fitted[0].mean(axis=0)
        machine = LinearSVC(C=0.005, class_weight="balanced").fit(centred, fitted[1][:, number])
        given = machine.predict(tested[0] - fitted[0].mean(axis=0))
        expected.append(f1_score(tested[1][:, number], given))
    assert scores == {
        "svm_macro_f1": pytest.approx(np.mean(expected), abs=0.01),
        "svm_f1_track": pytest.approx(expected[0], abs=0.01),
        "svm_f1_shower": pytest.approx(expected[1], abs=0.01),
    }
    assert scores["svm_f1_track"] > 0.8


def test_without_tokens_or_classes_nothing_is_measured():
    features, holds = clusters(0)
    assert svm_scores((features, holds & False), (features, holds), ["a", "b", "c"]) == {}
    assert svm_scores((features[:0], holds[:0]), (features, holds), ["a", "b", "c"]) == {}


def test_tokens_know_which_classes_their_hits_are_of(network):
    model, processor = network
    rows = rows_of([0], "test")
    features, holds = tokens_of(model, processor, rows, "motif", 2)
    batch = processor(rows, targets=("motif",))
    groups = model.base_model.groups_of(batch["grid_coordinates"], batch["offset"])
    assert len(features) == len(holds) == len(groups.centres) > 50
    for token in range(len(holds)):
        classes = set(batch["labels"][groups.members[groups.group == token]].tolist())
        assert set(np.flatnonzero(holds[token]).tolist()) == classes
    few, _ = tokens_of(model, processor, rows, "motif", 2, most=7)
    np.testing.assert_array_equal(few, features[:7])


def test_health_is_that_of_the_losses_and_the_machines(network, events):
    model, processor = network
    measured = health_of_tokens(*network, events.validation, events.rows, target="motif", batch_size=3)
    with torch.no_grad():
        output = model(**processor(events.rows), return_loss=True)
    for name in ("chamfer_loss", "energy_loss"):
        assert measured[name] == pytest.approx(output[name].item(), rel=1e-5)
    assert {f"svm_f1_{MOTIFS[number]}" for number in (SHOWER, TRACK)} < set(measured)
    bare = events.rows.remove_columns("motif")
    assert set(health_of_tokens(*network, bare, bare, target="motif", batch_size=2)) == {
        "chamfer_loss",
        "energy_loss",
    }


def test_report_tells_of_probe_and_tokens(network, events, tmp_path):
    results = EVALUATOR.evaluate(*network, events, out=tmp_path, batch_size=2, bootstrap=20)
    assert EVALUATOR.read_results(tmp_path / "results.json").health == results.health
    text = EVALUATOR.write_report(tmp_path).read_text()
    assert "Chamfer distance of masked tokens" in text and "support vector machines" in text
    assert f"| track alone | {results.health['svm_f1_track']:.3g} |" in text
    assert EVALUATOR.headline(results)[0].key == "macro_f1"
