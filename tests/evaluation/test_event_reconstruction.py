"""Reconstruction of events, from a network to its report."""

import json
from copy import deepcopy

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from matplotlib.figure import Figure
from transformers import EvalPrediction

from nuzoo.configuration.configuration_nu_perceiver import NuPerceiverConfig
from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError
from nuzoo.evaluation.core.errors import OptionError, ResultsFileError
from nuzoo.evaluation.core.events import Events
from nuzoo.evaluation.tasks.event_classification.results import Temperature
from nuzoo.evaluation.tasks.event_reconstruction.evaluator import EVALUATOR
from nuzoo.evaluation.tasks.event_reconstruction.figures import draw_residuals
from nuzoo.evaluation.tasks.event_reconstruction.numbers import reconstruction_numbers
from nuzoo.modeling.modeling_nu_perceiver import NuPerceiverPreTrainedModel
from nuzoo.processors.detector_events.feature_extraction_nu_detector_event import (
    NuDetectorEventFeatureExtractor,
)

from .reconstructed_events import NAMES, drawn_predictions, rows_of, told_outputs

UNFITTED = dict.fromkeys(NAMES, Temperature(value=1.0, error=None, fitted_on="not fitted"))


class Oracle(NuPerceiverPreTrainedModel):
    """Says of an event what stands in a table, in the row of as many muon tracks as it counts."""

    def __init__(self, config, predictions):
        super().__init__(config)
        self.scale = torch.nn.Parameter(torch.ones(()))
        self.predictions = predictions

    def forward(self, muon_count, **_):
        numbers = muon_count[:, 0].long().numpy()
        error = torch.full((len(numbers), 3), 20.0)
        return told_outputs(self.predictions, numbers, vertex_error=error)


@pytest.fixture(scope="module")
def predictions():
    return drawn_predictions(120)


@pytest.fixture(scope="module")
def processor():
    found = NuDetectorEventFeatureExtractor.tiny(None)
    return found.fit(found.example_events(8))


@pytest.fixture(scope="module")
def oracle(predictions):
    return Oracle(NuPerceiverConfig.tiny(), predictions).eval()


@pytest.fixture(scope="module")
def rows(predictions, processor):
    return rows_of(predictions, processor)


@pytest.fixture(scope="module")
def measured(rows, oracle, processor, predictions, tmp_path_factory):
    out = tmp_path_factory.mktemp("measured")
    events = Events(rows, rows_of(predictions, processor, "validation"))
    return EVALUATOR.evaluate(oracle, processor, events, out=out, bootstrap=20), out


def test_from_a_network_to_its_report(measured, predictions):
    results, out = measured
    assert results.weights == "nominal"
    assert results.weight_sum == pytest.approx(predictions.weight.sum())
    again = reconstruction_numbers(predictions, NAMES, UNFITTED, replicas=2)
    assert results.vertex.median_mm.value == pytest.approx(again.vertex.median_mm.value, rel=1e-5)
    assert EVALUATOR.read_results(out / "results.json") == results
    assert EVALUATOR.check_predictions(results, out / "predictions.parquet") == [
        f"test-{number}" for number in range(120)
    ]
    assert EVALUATOR.headline(results)[0].key == "flavour_macro_auc"
    text = EVALUATOR.write_report(out).read_text()
    for picture in ("roc", "fom", "confusion", "reliability", "residuals", "bias", "vertex"):
        assert f"({picture}.png)" in text and (out / f"{picture}.png").stat().st_size > 0
    assert "theirs (arXiv 2604.07037, other detector simulation, 1.1 M events)" in text
    assert "reaches none is in the last column" in text
    table = pq.read_table(out / "predictions.parquet")
    assert np.array(table["flavour_probabilities"].to_pylist()).sum(axis=1) == pytest.approx(np.ones(120))


def test_boxes_are_seen_where_a_truth_is_nearly_nothing(measured, predictions, tmp_path, monkeypatch):
    """No fractional error is above 1, and one of -1e15 must not take the axis of the others."""
    results = deepcopy(measured[0] if isinstance(measured, tuple) else measured)
    results.residuals["pt_miss"].bins[0].quantiles[:2] = [-1e15, -1e13]
    drawn = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: drawn.append(figure))
    draw_residuals(results, predictions, tmp_path / "residuals.png")
    limits = [axes.get_ylim() for axes in drawn[0].axes]
    assert len(limits) == 4 and all(-2 <= low < 0 < high < 1.1 for low, high in limits)


def test_rows_of_the_confusion_matrix_sum_to_one(measured):
    results, _ = measured
    for found in (results.flavour, results.charm):
        sums = [sum(number.value for number in row) for row in found.confusion]
        assert sums == pytest.approx([1] * len(found.class_names))
        assert np.sum(found.counts) == 120


def test_uncertainties_of_the_right_size_cover_the_truth(measured):
    """Vertices are drawn 20 mm off along each axis, and said to be."""
    coverage = measured[0].coverage["vertex"]
    assert coverage.within_one.value == pytest.approx(0.683, abs=0.07)
    assert coverage.within_two.value == pytest.approx(0.954, abs=0.04)
    assert set(measured[0].coverage) == {"vertex"}


def test_temperatures_are_fitted_and_stored(measured, oracle, processor, tmp_path):
    """Logits are a times one plus unit Gaussians: a times them are the logarithms of the likelihoods."""
    results, _ = measured
    flavour, charm = (of.calibration.temperature for of in (results.flavour, results.charm))
    assert abs(flavour.value - 1 / 2) < 3 * flavour.error and abs(charm.value - 1) < 3 * charm.error
    with pytest.raises(ResultsFileError, match="measured with temperature"):
        EVALUATOR.card_values(oracle, processor, results)
    model = Oracle(deepcopy(oracle.config), oracle.predictions)
    EVALUATOR.store_calibration(model, tmp_path, results)
    stored = json.loads((tmp_path / "config.json").read_text())
    assert (stored["temperature"], stored["charm_temperature"]) == (flavour.value, charm.value)
    assert "roc" in EVALUATOR.card_values(model, processor, results)["captions"]


def test_expected_events_scale_figures_of_merit(predictions):
    """S and B times k make S/√(S+B) times √k."""
    once = reconstruction_numbers(predictions, NAMES, UNFITTED, replicas=2)
    total = predictions.weight.sum()
    more = reconstruction_numbers(predictions, NAMES, UNFITTED, expected_events=9 * total, replicas=2)
    for name, found in once.flavour.selection.items():
        assert more.flavour.selection[name].fom.value == pytest.approx(3 * found.fom.value)
        assert more.flavour.selection[name].threshold == found.threshold


def test_absent_classes_are_said_and_left_out():
    charm = np.zeros(120, np.int64)
    numbers = reconstruction_numbers(drawn_predictions(120, charm=charm), NAMES, UNFITTED, replicas=2)
    assert numbers.charm.absent == ["charm_e", "charm_mu", "charm_had"]
    assert numbers.charm.macro_auc.value is None
    flavour = np.arange(120) % 5
    numbers = reconstruction_numbers(drawn_predictions(120, flavour=flavour), NAMES, UNFITTED, replicas=2)
    areas = [numbers.flavour.auc[name].value for name in NAMES["flavour"][:5]]
    assert numbers.flavour.absent == ["nc"]
    assert numbers.flavour.macro_auc.value == pytest.approx(np.mean(areas))


def test_tau_neutrinos_count_as_in_the_beam(rows, oracle, processor, tmp_path):
    """With 0.05 of their number the purity of what is taken for them falls."""
    options = {"out": tmp_path, "bootstrap": 2}
    nominal = EVALUATOR.evaluate(oracle, processor, Events(rows), **options)
    equal = EVALUATOR.evaluate(oracle, processor, Events(rows), weights="equal", **options)
    assert equal.weight_sum == 120 and equal.weights == "equal"
    counted = nominal.dataset.events_per_flavour["nutau_cc_e"]
    assert nominal.flavour.weight_per_class["nutau_cc_e"] == pytest.approx(0.05 * counted)
    areas = [of.flavour.selection["nutau_cc_e"].purity.value for of in (nominal, equal)]
    assert areas[0] < areas[1]


def test_options_that_cannot_be_are_refused_by_name(rows, oracle, processor, tmp_path):
    without = Events(rows.remove_columns("weight"))
    with pytest.raises(OptionError, match="--weights nominal"):
        EVALUATOR.evaluate(oracle, processor, without, out=tmp_path, weights="nominal")
    with pytest.raises(OptionError, match="--expected-events"):
        EVALUATOR.evaluate(oracle, processor, without, out=tmp_path, expected_events=1e4)
    with pytest.raises(OptionError, match="above 0"):
        EVALUATOR.evaluate(oracle, processor, Events(rows), out=tmp_path, expected_events=-1.0)


def test_events_without_the_truth_are_refused_by_name(rows, oracle):
    with pytest.raises(UnusableDatasetError, match="none named charm"):
        EVALUATOR.check_events(rows.remove_columns("charm"), "test", oracle.config)
    with pytest.raises(UnusableDatasetError, match="primary_vertex"):
        EVALUATOR.check_events(rows.remove_columns("primary_vertex"), "test", oracle.config)
    half = rows.map(lambda row: {"vis_momentum": None} if row["flavour"] == 1 else {})
    with pytest.raises(UnusableDatasetError, match="column vis_momentum"):
        EVALUATOR.check_events(half, "test", oracle.config)


def test_the_trainer_watches_the_headline(predictions):
    """Its numbers are those of the report where each event counts once."""
    outputs = told_outputs(predictions, np.arange(119))
    found = tuple(value.numpy() for value in outputs.to_tuple())
    losses = (np.float32([0.5]), np.float32([0.1]))
    of = predictions
    labels = (of.flavour, of.charm, of.true_vis_momentum, of.true_jet_momentum, of.true_vertex)
    prediction = EvalPrediction((*losses, *found), tuple(label[:119] for label in labels))
    watched = EVALUATOR.training_metrics(prediction)
    few = drawn_predictions(120, weight=np.r_[np.ones(119), 0.0])
    numbers = reconstruction_numbers(few, NAMES, UNFITTED, replicas=2).headline()
    for key, number in numbers.items():
        assert watched[key] == pytest.approx(number.value, rel=1e-5), key
