import json
import shutil
from copy import deepcopy
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from datasets import ClassLabel, Dataset, NamedSplit
from sklearn import metrics as sk
from transformers.modeling_outputs import ImageClassifierOutput

from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError
from nuzoo.evaluation.core.calibration import probabilities
from nuzoo.evaluation.core.errors import (
    EvaluationError,
    ResultsFileError,
    SplitOverlapError,
)
from nuzoo.evaluation.core.events import Events
from nuzoo.evaluation.core.results import SeenEvents
from nuzoo.evaluation.core.results_file import as_json
from nuzoo.evaluation.core.subject import weights_digest
from nuzoo.evaluation.tasks.event_classification.evaluate import fitted_temperature
from nuzoo.evaluation.tasks.event_classification.evaluator import EVALUATOR
from nuzoo.evaluation.tasks.event_classification.predictions import read_predictions
from nuzoo.evaluation.tasks.event_classification.published import is_like_published
from nuzoo.evaluation.tasks.event_classification.report import remark_on_scaling
from nuzoo.files.events.pixel_map_events import pixel_map_schema
from nuzoo.pipelines.pipeline_errors import NonFiniteOutputError

from ..drawing import undrawn

NAMES = ["nue_cc", "numu_cc", "nc"]


def make_rows(n, seed, **changes):
    """Rows whose xz energies are the logits that the fake model gives."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, n, p=[0.37, 0.37, 0.26])
    logits = rng.normal(size=(n, 3))
    logits[np.arange(n), labels] += 1.5
    columns = {
        "event_id": [f"sim-{seed}-{i}" for i in range(n)],
        "detector": ["modular-2x2x7"] * n,
        "xz_index": [[0, 1, 2]] * n,
        "xz_energy": (2 * logits).tolist(),
        "yz_index": [[]] * n,
        "yz_energy": [[]] * n,
        "label": labels.tolist(),
        "neutrino_energy": rng.uniform(0, 11, n).tolist(),
        "deposited_energy": [1.0] * n,
        "source": ["nuzoo-simulation test /home/someone/events.h5 3"] * n,
    }
    return Dataset.from_dict(columns | changes)


class Processor:
    detector = None
    kept_from_network = ()
    schema = pixel_map_schema({"detector": "toy", "views": ("xz", "yz"), "height": 9, "width": 9})

    def to_dict(self):
        return {"scale": 1.0}

    def __call__(self, rows, half_resolution=None):
        assert "label" not in rows.column_names
        assert "deposited_energy" not in rows.column_names
        values = torch.tensor(rows["xz_energy"].to_pylist())
        if half_resolution == "image":
            values = values.roll(1, dims=1)
        return {"pixel_values": values}


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.offset = torch.nn.Parameter(torch.zeros(3))
        self.config = SimpleNamespace(
            id2label=dict(enumerate(NAMES)),
            num_labels=3,
            model_type="fake",
            temperature=1.0,
            writes_text=False,
        )

    device = property(lambda self: self.offset.device)
    dtype = property(lambda self: self.offset.dtype)

    def forward(self, pixel_values):
        assert not self.training
        return ImageClassifierOutput(logits=pixel_values + self.offset)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    out = tmp_path_factory.mktemp("evaluated")
    rows = make_rows(600, 1)
    model = Model()
    events = Events(rows, make_rows(500, 2))
    results = EVALUATOR.evaluate(model, Processor(), events, out=out, batch_size=64, bootstrap=100)
    assert model.training
    return SimpleNamespace(out=out, rows=rows, results=results, file=as_json(results))


def test_numbers_are_those_of_scikit_learn(evaluated):
    labels, logits = np.array(evaluated.rows["label"]), np.array(evaluated.rows["xz_energy"])
    metrics = evaluated.file["metrics"]
    assert metrics["accuracy"]["value"] == pytest.approx(sk.accuracy_score(labels, logits.argmax(1)))
    calibrated = probabilities(logits, evaluated.file["calibration"]["temperature"]["value"])
    assert metrics["macro_auc"]["value"] == pytest.approx(
        sk.roc_auc_score(labels, calibrated, multi_class="ovr"), abs=1e-6
    )
    np.testing.assert_array_equal(
        metrics["confusion"]["counts"], sk.confusion_matrix(labels, logits.argmax(1))
    )
    assert evaluated.file["calibration"]["nll_after"]["value"] == pytest.approx(
        sk.log_loss(labels, calibrated), abs=1e-6
    )


def numbers_in(tree):
    if isinstance(tree, dict) and "value" in tree:
        yield tree
    elif isinstance(tree, (dict, list)):
        for branch in tree.values() if isinstance(tree, dict) else tree:
            yield from numbers_in(branch)


def test_every_number_has_an_error(evaluated):
    numbers = list(numbers_in(evaluated.file))
    assert len(numbers) > 80
    assert all(number["error"] is not None for number in numbers if number["value"] is not None)


def test_temperature_was_exaggerated_twofold(evaluated):
    """Logits of Gaussian classes 1.5 apart: the true log-odds are 1.5 x, ours are 2 x."""
    temperature = evaluated.file["calibration"]["temperature"]
    assert abs(temperature["value"] - 2 / 1.5) < 4 * temperature["error"]


def test_half_resolution_is_compared_event_by_event(evaluated):
    half = evaluated.file["half_resolution"]
    assert half["energy"]["accuracy_change"] == {"value": 0, "error": 0, "low": 0, "high": 0}
    change = half["image"]["accuracy_change"]["value"]
    accuracy = evaluated.file["metrics"]["accuracy"]["value"]
    assert half["image"]["accuracy"]["value"] == pytest.approx(accuracy + change)
    assert change < -0.3


def test_energy_bins_cover_the_events(evaluated):
    energy = evaluated.file["energy"]
    inside = sum(n["events"] for name in NAMES for n in energy["efficiency"][name])
    assert inside + energy["events_outside"] == 600
    energies, edges = np.array(evaluated.rows["neutrino_energy"]), energy["edges_gev"]
    assert energy["events_outside"] == ((energies < edges[0]) | (energies > edges[-1])).sum()


def test_files(evaluated):
    assert EVALUATOR.read_results(evaluated.out / "results.json") == evaluated.results
    written = json.loads((evaluated.out / "results.json").read_text())
    assert written == {"schema": "nuzoo-event-classification-results", "schema_version": 1, **evaluated.file}
    table = pq.read_table(evaluated.out / "predictions.parquet")
    assert table["event_id"].to_pylist() == list(evaluated.rows["event_id"])
    np.testing.assert_allclose(np.array(table["probabilities"].to_pylist()).sum(axis=1), 1)
    assert "/home" not in (evaluated.out / "results.json").read_text()


def test_report_is_made_from_the_files_alone(evaluated, tmp_path):
    assert {path.name for path in evaluated.out.iterdir()} == {"results.json", "predictions.parquet"}
    report = EVALUATOR.write_report(shutil.copytree(evaluated.out, tmp_path / "report"))
    text = report.read_text()
    accuracy = evaluated.file["metrics"]["accuracy"]
    assert f"{accuracy['value']:.3f} ± {accuracy['error']:.3f}" in text
    assert "theirs: ViT-H/14 | 0.86 | 0.86 | 0.85 | 0.96 | 0.85 | 0.96 | 632 M" in text
    assert "nuzoo simulation" in text
    pictures = {path.name for path in report.parent.glob("*.png")}
    assert pictures == {"roc.png", "confusion.png", "confidence.png", "reliability.png", "energy.png"}
    assert all(f"({name})" in text for name in pictures)


def test_report_without_energy_or_predicted_class(tmp_path):
    """Unknown energies, and a class that is never predicted: dashes, not crashes."""
    rows = make_rows(40, 3, xz_energy=[[1.0, 0.0, -1.0]] * 40, neutrino_energy=[None] * 40)
    results = evaluate(rows, tmp_path, half_resolution=False)
    assert not as_json(results).keys() & {"energy", "half_resolution"}
    assert results.metrics.precision["nc"].value is None
    report = EVALUATOR.write_report(tmp_path)
    assert "| nc | 0 (below 0.1) | – | 0.5 |" in report.read_text()


def evaluate(rows, out, validation=None, model=None, processor=None, **options):
    events = Events(rows, validation)
    return EVALUATOR.evaluate(
        model or Model(), processor or Processor(), events, out=out, bootstrap=10, **options
    )


def test_bad_input_is_named_and_leaves_nothing(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(UnusableDatasetError, match="1 of 3 without one"):
        evaluate(make_rows(3, 1, label=[0, None, 1]), out)
    with pytest.raises(UnusableDatasetError, match=r"label of event sim-1-1: expected .* 0 to 2 .*, got 3"):
        evaluate(make_rows(3, 1, label=[0, 3, 1]), out)
    with pytest.raises(UnusableDatasetError, match="label"):
        evaluate(make_rows(3, 1).remove_columns("label"), out)
    with pytest.raises(NonFiniteOutputError, match=r"finite logits of rows 0 to 2, got .nan"):
        evaluate(make_rows(3, 1, xz_energy=[[0.0] * 3, [1.0] * 3, [np.nan] * 3]), out)
    with pytest.raises(SplitOverlapError, match="sim-1-0"):
        evaluate(make_rows(3, 1), out, validation=make_rows(2, 1))
    with pytest.raises(EvaluationError, match='--sample "'):
        evaluate(make_rows(2, 1, source=["a", "b"]), out)
    with pytest.raises(UnusableDatasetError, match="at least one event"):
        evaluate(make_rows(2, 1).select([]), out)
    assert not out.exists()


def test_classes_of_the_data_are_those_of_the_model_by_name(tmp_path):
    """The same events under other numbers and with a class that none of them is of."""
    order = ["nc", "nutau_cc", "numu_cc", "nue_cc"]
    rows, validation = make_rows(60, 1), make_rows(60, 2)
    renamed = [
        events.remove_columns("label").add_column(
            "label", [order.index(NAMES[label]) for label in events["label"]], feature=ClassLabel(names=order)
        )
        for events in (rows, validation)
    ]
    one = evaluate(rows, tmp_path / "one", validation)
    other = evaluate(renamed[0], tmp_path / "other", renamed[1])
    assert other.metrics == one.metrics
    assert other.dataset.events_per_class == one.dataset.events_per_class


def test_events_of_a_class_that_the_model_lacks_are_refused_before_inference(tmp_path):
    model, rows = Model(), make_rows(6, 1, label=[0, 0, 0, 1, 1, 1])
    model.forward = lambda **_: pytest.fail("inference")
    taus = rows.cast_column("label", ClassLabel(names=["nue_cc", "nutau_cc"]))
    with pytest.raises(UnusableDatasetError, match=r"got 3 of nutau_cc"):
        evaluate(taus, tmp_path / "out", model=model)
    assert not (tmp_path / "out").exists()


def test_any_number_of_classes_is_measured_and_drawn(tmp_path):
    names = [f"class_{n} $x$ <b>" for n in range(8)]
    model = Model()
    model.offset = torch.nn.Parameter(torch.zeros(8))
    model.config = SimpleNamespace(
        **vars(model.config) | {"id2label": dict(enumerate(names)), "num_labels": 8}
    )
    rng = np.random.default_rng(0)
    changes = {"xz_index": [list(range(8))] * 80, "xz_energy": rng.normal(size=(80, 8)).tolist()}
    rows = make_rows(80, 1, label=[n % 8 for n in range(80)], detector=["toy"] * 80, **changes)
    results = evaluate(rows.cast_column("label", ClassLabel(names=names)), tmp_path, model=model)
    assert results.class_names == names
    text = EVALUATOR.write_report(tmp_path).read_text()
    assert "<b>" not in text and "$x$" not in text
    assert "published" not in text


def test_numbers_of_others_stand_in_an_appendix_beside_events_like_theirs(evaluated):
    assert is_like_published(evaluated.results.dataset)
    for changes in ({"detectors": ["dune-like-3view"]}, {"sources": ["a.h5"]}, {"sources": []}):
        assert not is_like_published(replace(evaluated.results.dataset, **changes))


@undrawn()
def test_calibration_is_shown_once_where_nothing_was_fitted_and_worse_scaling_is_told(evaluated, tmp_path):
    evaluate(make_rows(40, 3), tmp_path, half_resolution=False)
    text = EVALUATOR.write_report(tmp_path).read_text()
    assert "|  | T = 1 |\n" in text and "scaled" not in text
    calibration = evaluated.results.calibration
    worse = replace(calibration, ece_after=replace(calibration.ece_before, value=0.9))
    assert "made the expected calibration error larger" in remark_on_scaling(worse)
    better = replace(calibration, ece_before=replace(calibration.ece_before, value=0.9))
    assert remark_on_scaling(better) == ""


@undrawn()
def test_a_report_names_its_split_and_the_events_that_the_model_has_seen(tmp_path):
    rows = make_rows(40, 3)
    rows._split = NamedSplit("train")
    events = Events(rows, seen=SeenEvents(trained_on=30, steered_by=0))
    EVALUATOR.evaluate(Model(), Processor(), events, out=tmp_path, bootstrap=10)
    text = EVALUATOR.write_report(tmp_path).read_text()
    assert "split **train**" in text
    assert "> **Warning:** 30 of 40 events are events that the model was trained on" in text


def test_bad_files_are_named(tmp_path, evaluated):
    (tmp_path / "text.parquet").write_text("not parquet")
    with pytest.raises(ResultsFileError, match=r"text\.parquet"):
        read_predictions(tmp_path / "text.parquet")
    evaluate(make_rows(5, 9), tmp_path)
    shutil.copy(evaluated.out / "results.json", tmp_path)
    with pytest.raises(ResultsFileError, match="600 events, predictions of 5"):
        EVALUATOR.write_report(tmp_path)


def changed(content, place, value):
    """JSON of results with another value somewhere, or without it."""
    content = deepcopy(content)
    *outer, last = place.split(".")
    part = content
    for name in outer:
        part = part[name]
    if value is None:
        del part[last]
    else:
        part[last] = value
    return json.dumps(content)


@pytest.mark.parametrize(
    ("place", "value", "complaint"),
    [
        ("metrics.accuracy", None, "lacks metrics.accuracy;"),
        ("metrics.auc.nc", None, "lacks metrics.auc.nc;"),
        ("dataset.events_per_class.nc", None, "lacks dataset.events_per_class.nc"),
        ("half_resolution.image.accuracy_change", None, "lacks half_resolution.image.accuracy_change"),
        ("model.class", None, "lacks model.class"),
        ("metrics.accuracy.value", "high", "should have a number at metrics.accuracy.value, it has 'high'"),
        (
            "metrics.accuracy.value",
            float("nan"),
            "should have a number at metrics.accuracy.value, it has nan",
        ),
        ("cost.batch_size", True, "should have a whole number at cost.batch_size, it has True"),
        ("dataset.events", 6.5, "should have a whole number at dataset.events, it has 6.5"),
        ("class_names", "nc", "should have a list at class_names, it has 'nc'"),
        ("machine", [], r"should have names and values at machine, it has \[\]"),
        (
            "schema",
            "another",
            "should have schema nuzoo-event-classification-results version 1, it has another",
        ),
    ],
)
def test_results_that_are_not_whole_are_refused_by_place(tmp_path, evaluated, place, value, complaint):
    content = json.loads((evaluated.out / "results.json").read_text())
    (tmp_path / "r.json").write_text(changed(content, place, value))
    with pytest.raises(ResultsFileError, match=rf"r\.json {complaint}"):
        EVALUATOR.read_results(tmp_path / "r.json")


@pytest.mark.parametrize(("text", "complaint"), [("[1]", "it has none"), ('{"schema"', "in JSON")])
def test_what_are_no_results_is_refused(tmp_path, text, complaint):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(ResultsFileError, match=rf"r\.json .*{complaint}"):
        EVALUATOR.read_results(tmp_path / "r.json")


def test_headline_is_that_of_the_predictions(evaluated):
    file = evaluated.out / "predictions.parquet"
    assert EVALUATOR.check_predictions(evaluated.results, file) == list(evaluated.rows["event_id"])
    first = EVALUATOR.headline(evaluated.results)[0]
    assert (first.key, first.value) == ("accuracy", evaluated.file["metrics"]["accuracy"]["value"])
    better = replace(evaluated.results.metrics.accuracy, value=0.99)
    other = replace(evaluated.results, metrics=replace(evaluated.results.metrics, accuracy=better))
    with pytest.raises(ResultsFileError, match=r"say accuracy 0.99"):
        EVALUATOR.check_predictions(other, file)


def test_card_is_refused_where_the_model_has_another_temperature(evaluated):
    model = Model()
    with pytest.raises(ResultsFileError, match="the model's configuration has 1;"):
        EVALUATOR.card_values(model, Processor(), evaluated.results)
    model.config.temperature = evaluated.results.calibration.temperature.value
    values = EVALUATOR.card_values(model, Processor(), evaluated.results)
    assert "fitted on the validation split (500 validation events)" in values["confidence"]


def test_real_network_and_processor(tmp_path):
    from nuzoo.configuration.configuration_nu_cnn import NuCnnConfig
    from nuzoo.modeling.modeling_nu_cnn import NuCnnForEventClassification
    from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor

    rng = np.random.default_rng(0)
    maps = {
        f"{view}_{part}": [
            (np.arange(200) * 300 + i if part == "index" else rng.exponential(size=200)).tolist()
            for i in range(6)
        ]
        for view in ("xz", "yz")
        for part in ("index", "energy")
    }
    rows = make_rows(6, 4, label=[0, 1, 2] * 2).remove_columns(list(maps))
    for name, values in maps.items():
        rows = rows.add_column(name, values)
    processor = NuPixelMapImageProcessor(detector="modular-2x2x7", rebin=8)
    processor.fit(rows)
    model = NuCnnForEventClassification(NuCnnConfig.tiny())
    results = evaluate(rows, tmp_path, model=model, processor=processor, batch_size=4)
    assert results.model.parameters == sum(p.numel() for p in model.parameters())
    assert set(results.half_resolution) == {"energy", "image"}
    with torch.inference_mode():
        expected = model.eval()(**processor(rows[:6])).logits
    np.testing.assert_allclose(read_predictions(tmp_path / "predictions.parquet").logits, expected, atol=1e-5)


def test_a_model_gets_all_that_its_processor_gives(tmp_path):
    """Two inputs, one of them whole numbers, which keep their type; the other gets the model's."""

    class TwoInputs(Processor):
        def __call__(self, rows, half_resolution=None):
            inputs = super().__call__(rows, half_resolution)
            return inputs | {"token": torch.arange(3), "names": ["a"]}

    class TwoInputModel(Model):
        def forward(self, pixel_values, token, names):
            assert (pixel_values.dtype, token.dtype, names) == (torch.float64, torch.int64, ["a"])
            return ImageClassifierOutput(logits=pixel_values[:, token.flip(0)] + self.offset)

    rows = make_rows(6, 5)
    evaluate(rows, tmp_path, model=TwoInputModel().double(), processor=TwoInputs())
    np.testing.assert_allclose(
        read_predictions(tmp_path / "predictions.parquet").logits,
        np.array(rows["xz_energy"])[:, ::-1],
        rtol=1e-6,
    )


def test_digest_is_that_of_the_network_as_loaded(tmp_path):
    class Repacked(Model):
        def __init__(self):
            super().__init__()
            self.register_buffer("packed", torch.zeros(1))

        def forward(self, pixel_values):
            self.packed += 1
            return super().forward(pixel_values)

    results = evaluate(make_rows(6, 5), tmp_path, model=Repacked())
    assert results.model.weights_sha256 == weights_digest(Repacked())


def test_intervals_contain_their_values(evaluated):
    numbers = [n for n in numbers_in(evaluated.file) if n.get("low") is not None]
    assert len(numbers) > 80
    outside = [n for n in numbers if not n["low"] - 1e-9 <= n["value"] <= n["high"] + 1e-9]
    assert outside == []


def test_a_temperature_at_its_limit_is_told_and_not_stored(tmp_path, caplog):
    model, folder = SimpleNamespace(config=SimpleNamespace(temperature=1.5)), tmp_path / "model"
    logits = np.log(np.array([[0.8, 0.1, 0.1]] * 15))
    found = fitted_temperature(logits, np.arange(15) % 3, model.config.temperature)
    assert found.value == 1.5 and not found.is_fitted
    assert "15 validation events take the fit to its limit, T = 20" in found.warning
    assert found.warning in caplog.text
    results = SimpleNamespace(calibration=SimpleNamespace(temperature=found))
    EVALUATOR.store_calibration(model, folder, results)
    assert model.config.temperature == 1.5 and not folder.exists()


@undrawn()
def test_a_report_warns_of_a_temperature_that_was_not_found(evaluated, tmp_path):
    folder = shutil.copytree(evaluated.out, tmp_path / "report")
    file = json.loads((folder / "results.json").read_text())
    told = "model.config.temperature, not fitted: 15 validation events take the fit to its limit, T = 20"
    file["calibration"]["temperature"] = {"value": 1.5, "error": None, "fitted_on": told}
    (folder / "results.json").write_text(json.dumps(file))
    EVALUATOR.write_report(folder)
    assert "> **Warning:** the temperature stays 1.5" in (folder / "report.md").read_text()
