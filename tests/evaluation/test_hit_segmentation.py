"""Classes of hits: numbers against scikit-learn and hand-made cases; from a model to its report."""

import numpy as np
import pytest
import torch
from datasets import ClassLabel, Dataset, List, NamedSplit
from sklearn import metrics as sk
from transformers import EvalPrediction

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError
from nuzoo.evaluation.core.errors import MissingTruthError, ResultsFileError, ShapeMismatchError
from nuzoo.evaluation.core.evaluate_model import evaluate_model
from nuzoo.evaluation.core.events import Events
from nuzoo.evaluation.tasks.hit_segmentation.evaluator import EVALUATOR
from nuzoo.evaluation.tasks.hit_segmentation.numbers import confusions, event_confusion, hit_metrics, scores
from nuzoo.evaluation.tasks.hit_segmentation.predictions import read_predictions
from nuzoo.files.events.event_errors import RangeError
from nuzoo.files.events.point_cloud_events import MOTIFS, ROLES
from nuzoo.modeling.modeling_nu_point import NuPointForSemanticSegmentation
from nuzoo.pipelines.hit_segmentation import LEFT_OUT, HitSegmentationPipeline
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor


@pytest.fixture(scope="module")
def classes_of_hits():
    rng = np.random.default_rng(2)
    truth = [rng.integers(0, 4, n) for n in (50, 3, 400, 1)]
    given = [np.where(rng.random(len(t)) < 0.7, t, rng.integers(0, 4, len(t))) for t in truth]
    return truth, given


def test_numbers_are_those_of_scikit_learn(classes_of_hits):
    found = scores(confusions(*classes_of_hits, 4).sum(axis=0))
    truth, given = (np.concatenate(hits) for hits in classes_of_hits)
    assert found["macro_f1"] == pytest.approx(sk.f1_score(truth, given, average="macro"))
    assert found["mean_iou"] == pytest.approx(sk.jaccard_score(truth, given, average="macro"))
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(truth, given))
    precision, recall, f1, _ = sk.precision_recall_fscore_support(truth, given)
    for name, expected in {"precision": precision, "recall": recall, "f1": f1}.items():
        np.testing.assert_allclose(found[name], expected)


def test_classes_that_are_nowhere_do_not_count():
    """One class found in 3 of 4 hits, another never given; a third is in neither truth nor prediction."""
    found = scores(event_confusion([0, 0, 0, 1], [0, 0, 0, 0], 3).astype(float))
    assert found["f1"][:2].tolist() == pytest.approx([6 / 7, 0])
    assert np.isnan(found["f1"][2])
    assert found["macro_f1"] == pytest.approx(3 / 7)


def test_hits_that_the_network_was_not_given_do_not_count():
    counts = event_confusion([0, 1, 1, 0], [0, -1, 1, -1], 2)
    assert counts.tolist() == [[1, 0], [0, 1]]


def test_errors_are_over_events():
    """All hits of an event are right or all are wrong: the error is that of as many events, not hits."""
    truth = [np.zeros(1000, dtype=int)] * 100
    given = [np.full(1000, number % 2) for number in range(100)]
    metrics, _ = hit_metrics(confusions(truth, given, 2), ["a", "b"])
    assert metrics.accuracy.value == 0.5
    assert metrics.accuracy.error == pytest.approx(0.05, rel=0.1)


def test_answers_of_other_hits_are_refused():
    with pytest.raises(ShapeMismatchError, match="each of 3 hits, got 2"):
        event_confusion([0, 1, 1], [0, 1], 2)
    with pytest.raises(MissingTruthError):
        event_confusion([-1, 1], [0, 1], 2)


@pytest.fixture(scope="module")
def processor():
    return NuPointCloudFeatureExtractor(
        detector="lartpc-cube-768", shape=(64, 64, 64), energy_threshold_mev=0.2, grid="voxel"
    )


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    return NuPointForSemanticSegmentation(NuPointConfig.tiny(readout="decoder")).eval()


@pytest.fixture(scope="module")
def rows(processor):
    events = [event | {"event_id": f"e{number}"} for number, event in enumerate(processor.example_events(6))]
    rng = np.random.default_rng(1)
    for event in events:
        event["motif"] = rng.integers(0, 5, len(event["energy"]))
        event["energy"] = np.where(rng.random(len(event["energy"])) < 0.2, 0.1, event["energy"])
        event |= {"source": "nuzoo-simulation 0.1", "detector": "lartpc-cube-768", "positions": "voxel"}
    names = ("event_id", "detector", "source", "positions", "x", "y", "z", "energy", "motif")
    rows = Dataset.from_list(
        [{name: event[name] for name in names} for event in events], split=NamedSplit("test")
    )
    return rows.cast_column("motif", List(ClassLabel(names=list(MOTIFS))))


def test_from_a_model_to_its_report(model, processor, rows, tmp_path):
    results = EVALUATOR.evaluate(model, processor, Events(rows), out=tmp_path, batch_size=4)
    assert results.hits + results.hits_left_out == sum(map(len, rows["energy"]))
    below = sum(energy <= 0.2 for event in rows["energy"] for energy in event)
    assert results.hits_left_out == below > 0
    assert EVALUATOR.check_predictions(results, tmp_path / "predictions.parquet") == list(rows["event_id"])
    text = EVALUATOR.write_report(tmp_path).read_text()
    assert f"{below:,} hits are not given to the network" in text
    assert "hits of all events are counted together, as they were recorded" in text
    assert EVALUATOR.read_results(tmp_path / "results.json") == results
    assert {path.name for path in tmp_path.glob("*.p[nd][gf]")} == {
        f"{stem}.{kind}" for stem in ("classes", "confusion") for kind in ("png", "pdf")
    }
    assert EVALUATOR.headline(results)[0].key == "macro_f1"
    stored = read_predictions(tmp_path / "predictions.parquet")
    pipeline = HitSegmentationPipeline(model, processor=processor)
    names = [*MOTIFS, LEFT_OUT]
    for answer, given in zip(pipeline(rows, batch_size=3), stored.given, strict=True):
        assert answer["labels"] == [names[label] for label in given]
        assert all((score == 0) == (label < 0) for score, label in zip(answer["scores"], given, strict=True))


def test_who_is_interrupted_while_figures_are_drawn_leaves_no_results(
    model, processor, rows, tmp_path, monkeypatch
):
    for part in (model, processor):
        part.save_pretrained(tmp_path / "model")
    (tmp_path / "data" / "data").mkdir(parents=True)
    rows.to_parquet(tmp_path / "data" / "data" / "test-00000-of-00001.parquet")

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("nuzoo.evaluation.tasks.hit_segmentation.figures.draw_classes", interrupt)
        with pytest.raises(KeyboardInterrupt):
            evaluate_model(str(tmp_path / "model"), str(tmp_path / "data"), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    evaluate_model(str(tmp_path / "model"), str(tmp_path / "data"), tmp_path / "out")
    assert {"results.json", "predictions.parquet", "report.md", "classes.png"} <= {
        path.name for path in (tmp_path / "out").iterdir()
    }


def test_predictions_of_another_evaluation_are_refused(model, processor, rows, tmp_path):
    results = EVALUATOR.evaluate(model, processor, Events(rows), out=tmp_path)
    other = EVALUATOR.evaluate(model, processor, Events(rows.select([2, 3])), out=tmp_path / "other")
    with pytest.raises(ResultsFileError):
        EVALUATOR.check_predictions(results, tmp_path / "other/predictions.parquet")
    assert other.dataset.events == 2


def test_truth_of_other_hits_is_refused_before_the_network_is_asked(model, processor, rows, tmp_path):
    events = list(rows)
    events[3]["motif"] = events[3]["motif"][:-1]
    shorter = Dataset.from_list(events, features=rows.features, split=NamedSplit("test"))
    for wrong, told in (
        (shorter, "split test, column motif of event e3: expected as many entries as in x"),
        (rows.select([0]), "split test: expected events with hits, got 1 without any"),
    ):
        with pytest.raises(UnusableDatasetError, match=told):
            EVALUATOR.evaluate(model, processor, Events(wrong), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_events_of_other_classes_are_refused(model, rows):
    others = rows.cast_column("motif", List(ClassLabel(names=[*reversed(MOTIFS)])))
    with pytest.raises(UnusableDatasetError, match="count the classes"):
        EVALUATOR.check_events(others, "test", model.config)
    with pytest.raises(UnusableDatasetError, match="motif"):
        EVALUATOR.check_events(rows.remove_columns("motif"), "test", model.config)
    roles = NuPointConfig.tiny(target="role")
    with pytest.raises(UnusableDatasetError, match="none named role; it has"):
        EVALUATOR.check_events(rows, "test", roles)
    unknown = rows.add_column("role", [None] * len(rows))
    unknown = unknown.cast_column("role", List(ClassLabel(names=list(ROLES))))
    with pytest.raises(UnusableDatasetError, match="column role: expected a list for each event, got 6"):
        EVALUATOR.check_events(unknown, "test", roles)


def test_the_role_of_hits_is_measured_and_defined_in_the_card(processor, rows, tmp_path):
    model = NuPointForSemanticSegmentation(NuPointConfig.tiny(target="role")).eval()
    roles = [[motif % len(ROLES) for motif in event] for event in rows["motif"]]
    labelled = rows.add_column("role", roles).cast_column("role", List(ClassLabel(names=list(ROLES))))
    results = EVALUATOR.evaluate(model, processor, Events(labelled), out=tmp_path)
    assert (results.target, results.class_names) == ("role", list(ROLES))
    assert [sum(row) for row in results.counts] != [0] * 4
    defined = EVALUATOR.card_values(model, processor, results)["class_definitions"]
    assert list(defined) == list(ROLES)


def test_a_wrong_event_is_named_whichever_batch_it_is_in(model, processor, rows, tmp_path):
    def spoil(event):
        return event | {"x": [900, *event["x"][1:]]} if event["event_id"] == "e3" else event

    with pytest.raises(RangeError, match="column 'x' of event e3: expected at most 63, got 900"):
        EVALUATOR.evaluate(model, processor, Events(rows.map(spoil)), out=tmp_path, batch_size=2)


def merging(processor):
    """The same with cells of 8 voxels."""
    cells = 8 * processor.pitch_mm[0] / processor.frame.mm_per_unit
    return NuPointCloudFeatureExtractor.from_dict(processor.to_dict() | {"grid": cells})


def points_and_hits(model, processor, rows, out):
    """Accuracy over the points that the network was given, as in training, and over the hits, as reported."""
    batch = processor(rows, targets=("motif",))
    with torch.no_grad():
        logits = model(**{name: batch[name] for name in processor.model_input_names}).logits
    of_points = EVALUATOR.training_metrics(EvalPrediction(logits.numpy(), batch["labels"].numpy()))
    of_hits = EVALUATOR.evaluate(model, processor, Events(rows), out=out, bootstrap=2)
    return (of_points["accuracy"], len(logits)), (of_hits.metrics.accuracy.value, of_hits.hits)


def test_points_and_hits_have_the_same_numbers_where_nothing_merges(model, processor, rows, tmp_path):
    """Pointcept #520; the report says that its numbers are of hits, see above."""
    every = NuPointCloudFeatureExtractor.from_dict(processor.to_dict() | {"energy_threshold_mev": None})
    assert len(set(points_and_hits(model, every, rows, tmp_path / "a"))) == 1
    points, hits = points_and_hits(model, merging(every), rows, tmp_path / "b")
    assert points[1] < hits[1] and points[0] != hits[0]


def test_the_raw_event_has_the_same_labels_in_every_pass_and_order_of_hits(model, processor, rows):
    """Pointcept #281: with hits that merge."""
    segment = HitSegmentationPipeline(model, processor=merging(processor))
    event = rows[5]
    first = segment(event)
    assert segment(event) == first and len(set(first["labels"])) > 1
    order = np.random.default_rng(0).permutation(len(event["x"]))
    hits = {name: [event[name][hit] for hit in order] for name in ("x", "y", "z", "energy", "motif")}
    turned = segment(event | hits)
    assert turned["labels"] == [first["labels"][hit] for hit in order]
    np.testing.assert_allclose(turned["scores"], np.array(first["scores"])[order], rtol=1e-4)
