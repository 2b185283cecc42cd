import json
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from datasets import ClassLabel, Dataset
from sklearn import metrics as sk

from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError
from nuzoo.evaluation.core.calibration import probabilities
from nuzoo.evaluation.core.errors import (
    EvaluationError,
    MissingTruthError,
    NonFiniteOutputError,
    ResultsFileError,
    SplitOverlapError,
)
from nuzoo.evaluation.core.identity import weights_digest
from nuzoo.evaluation.core.results_file import read_results
from nuzoo.evaluation.tasks.event_classification.evaluate_classifier import evaluate_classifier
from nuzoo.evaluation.tasks.event_classification.predictions import read_predictions
from nuzoo.evaluation.tasks.event_classification.report import write_report

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
        "label": labels.tolist(),
        "neutrino_energy": rng.uniform(0, 11, n).tolist(),
        "deposited_energy": [1.0] * n,
        "source": ["nuzoo-simulation test /home/someone/events.h5 3"] * n,
    }
    return Dataset.from_dict(columns | changes)


class Processor:
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
            id2label=dict(enumerate(NAMES)), num_labels=3, model_type="fake", temperature=1.0
        )

    device = property(lambda self: self.offset.device)
    dtype = property(lambda self: self.offset.dtype)

    def forward(self, pixel_values):
        assert not self.training
        return SimpleNamespace(logits=pixel_values + self.offset)


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    out = tmp_path_factory.mktemp("evaluated")
    rows = make_rows(600, 1)
    model = Model()
    results = evaluate_classifier(
        model, Processor(), rows, out=out, validation=make_rows(500, 2), batch_size=64, bootstrap=100
    )
    assert model.training
    return SimpleNamespace(out=out, rows=rows, results=results)


def test_numbers_are_those_of_scikit_learn(evaluated):
    labels, logits = np.array(evaluated.rows["label"]), np.array(evaluated.rows["xz_energy"])
    metrics = evaluated.results["metrics"]
    assert metrics["accuracy"]["value"] == pytest.approx(sk.accuracy_score(labels, logits.argmax(1)))
    calibrated = probabilities(logits, evaluated.results["calibration"]["temperature"]["value"])
    assert metrics["macro_auc"]["value"] == pytest.approx(
        sk.roc_auc_score(labels, calibrated, multi_class="ovr"), abs=1e-6
    )
    np.testing.assert_array_equal(
        metrics["confusion"]["counts"], sk.confusion_matrix(labels, logits.argmax(1))
    )
    assert evaluated.results["calibration"]["nll_after"]["value"] == pytest.approx(
        sk.log_loss(labels, calibrated), abs=1e-6
    )


def numbers_in(tree):
    if isinstance(tree, dict) and "value" in tree:
        yield tree
    elif isinstance(tree, (dict, list)):
        for branch in tree.values() if isinstance(tree, dict) else tree:
            yield from numbers_in(branch)


def test_every_number_has_an_error(evaluated):
    numbers = list(numbers_in(evaluated.results))
    assert len(numbers) > 100
    assert all(number["error"] is not None for number in numbers if number["value"] is not None)


def test_temperature_was_exaggerated_twofold(evaluated):
    """Logits of Gaussian classes 1.5 apart: the true log-odds are 1.5 x, ours are 2 x."""
    temperature = evaluated.results["calibration"]["temperature"]
    assert abs(temperature["value"] - 2 / 1.5) < 4 * temperature["error"]


def test_half_resolution_is_compared_event_by_event(evaluated):
    half = evaluated.results["half_resolution"]
    assert half["energy"]["accuracy_change"] == {"value": 0, "error": 0, "low": 0, "high": 0}
    change = half["image"]["accuracy_change"]["value"]
    accuracy = evaluated.results["metrics"]["accuracy"]["value"]
    assert half["image"]["accuracy"]["value"] == pytest.approx(accuracy + change)
    assert change < -0.3


def test_energy_bins_cover_the_events(evaluated):
    energy = evaluated.results["energy"]
    inside = sum(n["events"] for name in NAMES for n in energy["efficiency"][name])
    assert inside + energy["events_outside"] == 600
    assert energy["events_outside"] == (np.array(evaluated.rows["neutrino_energy"]) > 10).sum() > 0


def test_files(evaluated):
    assert read_results(evaluated.out / "results.json") == json.loads(json.dumps(evaluated.results))
    table = pq.read_table(evaluated.out / "predictions.parquet")
    assert table["event_id"].to_pylist() == list(evaluated.rows["event_id"])
    np.testing.assert_allclose(np.array(table["probabilities"].to_pylist()).sum(axis=1), 1)
    assert {path.name for path in evaluated.out.iterdir()} == {"results.json", "predictions.parquet"}
    assert "/home" not in (evaluated.out / "results.json").read_text()


def test_report_is_made_from_the_files_alone(evaluated, tmp_path):
    report = write_report(
        evaluated.out / "results.json", evaluated.out / "predictions.parquet", tmp_path / "report"
    )
    text = report.read_text()
    accuracy = evaluated.results["metrics"]["accuracy"]
    assert f"{accuracy['value']:.3f} ± {accuracy['error']:.3f}" in text
    assert "theirs: ViT-H/14 | 0.86 | 0.86 | 0.85 | 0.96 | 0.85 | 0.96 | 632 M" in text
    assert "nuzoo simulation" in text
    pictures = {path.name for path in report.parent.glob("*.png")}
    assert pictures == {"roc.png", "confusion.png", "confidence.png", "reliability.png", "energy.png"}
    assert all(f"({name})" in text for name in pictures)


def test_report_without_energy_or_predicted_class(tmp_path):
    """Unknown energies, and a class that is never predicted: dashes, not crashes."""
    rows = make_rows(40, 3, xz_energy=[[1.0, 0.0, -1.0]] * 40, neutrino_energy=[None] * 40)
    results = evaluate_classifier(
        Model(), Processor(), rows, out=tmp_path, half_resolution=False, bootstrap=20
    )
    assert "energy" not in results
    assert results["metrics"]["precision"]["nc"]["value"] is None
    report = write_report(tmp_path / "results.json", tmp_path / "predictions.parquet", tmp_path)
    assert "| nc | 0 | – | 0.5 |" in report.read_text()


def evaluate(rows, out, **options):
    return evaluate_classifier(Model(), Processor(), rows, out=out, bootstrap=10, **options)


def test_bad_input_is_named_and_leaves_nothing(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(MissingTruthError, match="1 of 3 events have no label"):
        evaluate(make_rows(3, 1, label=[0, None, 1]), out)
    with pytest.raises(MissingTruthError, match="nuzoo predict"):
        evaluate(make_rows(3, 1).remove_columns("label"), out)
    with pytest.raises(NonFiniteOutputError, match="first: event 2"):
        evaluate(make_rows(3, 1, xz_energy=[[0.0] * 3, [1.0] * 3, [np.nan] * 3]), out)
    with pytest.raises(SplitOverlapError, match="sim-1-0"):
        evaluate(make_rows(3, 1), out, validation=make_rows(2, 1))
    with pytest.raises(EvaluationError, match="sample="):
        evaluate(make_rows(2, 1, source=["a", "b"]), out)
    with pytest.raises(MissingTruthError, match="at least one event"):
        evaluate(make_rows(2, 1).select([]), out)
    assert not out.exists()


@pytest.mark.parametrize("names", [["nc", "nue_cc", "numu_cc"], ["nue_cc", "numu_cc", "nc", "nutau_cc"]])
def test_labels_that_count_other_classes_are_refused(tmp_path, names):
    model, rows, validation = Model(), make_rows(6, 1), make_rows(6, 2)
    model.forward = lambda **_: pytest.fail("inference")
    named = ClassLabel(names=names)
    for changed in (
        {"dataset": rows.cast_column("label", named)},
        {"validation": validation.cast_column("label", named)},
    ):
        events = {"dataset": rows, "validation": validation} | changed
        with pytest.raises(UnusableDatasetError, match=f"{next(iter(changed))}: .* got {', '.join(names)}"):
            evaluate_classifier(model, Processor(), **events, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_bad_files_are_named(tmp_path, evaluated):
    (tmp_path / "other.json").write_text("[1]")
    with pytest.raises(ResultsFileError, match="schema"):
        read_results(tmp_path / "other.json")
    (tmp_path / "cut.json").write_text('{"schema"')
    with pytest.raises(ResultsFileError, match=r"cut\.json"):
        read_results(tmp_path / "cut.json")
    (tmp_path / "text.parquet").write_text("not parquet")
    with pytest.raises(ResultsFileError, match=r"text\.parquet"):
        read_predictions(tmp_path / "text.parquet")
    evaluate(make_rows(5, 9), tmp_path)
    with pytest.raises(ResultsFileError, match="600 events, predictions of 5"):
        write_report(evaluated.out / "results.json", tmp_path / "predictions.parquet", tmp_path / "none")


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
    rows = make_rows(6, 4, label=[0, 1, 2] * 2).remove_columns(["xz_index", "xz_energy"])
    for name, values in maps.items():
        rows = rows.add_column(name, values)
    processor = NuPixelMapImageProcessor(detector="modular-2x2x7", rebin=8)
    processor.fit(rows)
    model = NuCnnForEventClassification(NuCnnConfig.tiny())
    results = evaluate_classifier(model, processor, rows, out=tmp_path, batch_size=4, bootstrap=10)
    assert results["model"]["parameters"] == sum(p.numel() for p in model.parameters())
    assert set(results["half_resolution"]) == {"energy", "image"}
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
            return SimpleNamespace(logits=pixel_values[:, token.flip(0)] + self.offset)

    rows = make_rows(6, 5)
    evaluate_classifier(TwoInputModel().double(), TwoInputs(), rows, out=tmp_path, bootstrap=10)
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

    results = evaluate_classifier(Repacked(), Processor(), make_rows(6, 5), out=tmp_path, bootstrap=10)
    assert results["model"]["weights_sha256"] == weights_digest(Repacked())


def test_intervals_contain_their_values(evaluated):
    numbers = [n for n in numbers_in(evaluated.results) if n.get("low") is not None]
    assert len(numbers) > 100
    outside = [n for n in numbers if not n["low"] - 1e-9 <= n["value"] <= n["high"] + 1e-9]
    assert outside == []
