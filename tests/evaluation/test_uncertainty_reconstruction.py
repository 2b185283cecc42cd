"""The uncertainty of reconstructed events: two heads of classes, and quantities of three numbers."""

import csv

import numpy as np
import pytest
import torch

from nuzoo.cli import main
from nuzoo.configuration.configuration_nu_perceiver import NuPerceiverConfig
from nuzoo.evaluation.uncertainty.report import measured
from nuzoo.evaluation.uncertainty.sampling import ask, sample_members, sample_passes
from nuzoo.modeling.modeling_nu_perceiver_reconstruction import NuPerceiverForEventReconstruction
from nuzoo.processors.detector_events.feature_extraction_nu_detector_event import (
    NuDetectorEventFeatureExtractor,
)
from tests.evaluation.reconstructed_events import drawn_predictions, rows_of

TARGETS = ("flavour", "charm", "vis_momentum", "jet_momentum", "primary_vertex")
QUANTITIES = ("vis_momentum", "jet_momentum", "vertex")
EVENTS = 6


@pytest.fixture(scope="module")
def processor():
    made = NuDetectorEventFeatureExtractor.tiny(None)
    return made.fit(made.example_events(8))


@pytest.fixture(scope="module")
def rows(processor):
    return rows_of(drawn_predictions(EVENTS), processor)


def made(processor, seed=0, **fields):
    """A network whose heads do not begin at 0."""
    torch.manual_seed(seed)
    shapes = {name: getattr(processor, name) for name in ("cal_shape", "ahcal_shape")}
    size = {"hidden_size": 16, "num_attention_heads": 2, "head_initializer_range": 0.3}
    return NuPerceiverForEventReconstruction(NuPerceiverConfig.tiny(**shapes, **size, **fields)).eval()


def test_an_ensemble_tells_both_heads_and_all_quantities(processor, rows):
    members = [made(processor, seed, charm_temperature=2.0) for seed in range(3)]
    found = sample_members([(one, processor) for one in members], rows, targets=TARGETS, batch_size=4)
    assert found.keys() == {"flavour_logits", "charm_logits", *QUANTITIES}
    with torch.no_grad():
        told = members[1](**processor(list(rows)))
    np.testing.assert_allclose(found["charm_logits"].values[1], told.charm_logits / 2, atol=1e-5)
    np.testing.assert_allclose(found["vertex"].values[1], told.vertex, rtol=1e-4)
    np.testing.assert_allclose(found["vertex"].truth, rows["primary_vertex"])
    numbers = {one.output: one.numbers for one in measured("ensemble", found)}
    np.testing.assert_allclose(
        [number.value for number in numbers["vertex"].spread],
        found["vertex"].values.std(axis=0, ddof=1).mean(axis=0),
    )
    assert numbers["flavour_logits"].information.value > 0


def test_quantities_of_one_network_have_no_spread(processor, rows):
    found = measured("one", ask(made(processor), processor, rows, targets=TARGETS))
    assert {one.output for one in found} == {"flavour_logits", "charm_logits"}


def test_evidence_of_both_heads_is_known(processor, rows):
    model = made(processor, evidential="brier", label_smoothing=0.0)
    found = ask(model, processor, rows, targets=TARGETS)
    assert {name for name, samples in found.items() if samples.is_evidence} == {
        "flavour_logits",
        "charm_logits",
    }
    assert (found["charm_logits"].predictive().information > 0).all()


def test_passes_spread_what_the_heads_tell(processor, rows):
    model = made(processor, head_dropout=0.4)
    found = sample_passes(model, processor, rows, passes=8, targets=TARGETS)
    plain = ask(model, processor, rows, targets=TARGETS)
    for name in QUANTITIES:
        assert (found[name].values.std(axis=0) > 0).all()
        assert not np.allclose(found[name].values[0], plain[name].values[0])
    (vertex,) = (one for one in measured("passes", found) if one.output == "vertex")
    assert set(vertex.numbers.by_title()) == {
        f"{title} {axis}" for title in ("RMSE", "spread", "coverage of 68 %", "pull") for axis in "xyz"
    }


def test_samples_around_the_truth_cover_it_as_often_as_they_say(processor, rows):
    """Truth and five samples are drawn from one Gaussian, 3,000 times."""
    found = ask(made(processor), processor, rows, targets=TARGETS)["vertex"]
    drawn = np.random.default_rng(2).normal((1, -2, 3), (5, 50, 500), (6, 3000, 3))
    (one,) = measured(
        "drawn", {"vertex": type(found)(drawn[1:], drawn[0], np.arange(3000), is_of_classes=False)}
    )
    assert [number.value for number in one.numbers.coverage] == pytest.approx([0.683] * 3, abs=0.03)
    assert [number.value for number in one.numbers.pull] == pytest.approx([2**0.5] * 3, rel=0.1)


def test_the_command_writes_both_kinds(processor, rows, tmp_path, capsys):
    for seed, name in enumerate("ab"):
        made(processor, seed, head_dropout=0.2).save_pretrained(tmp_path / name)
        processor.save_pretrained(tmp_path / name)
    (tmp_path / "data").mkdir()
    rows.to_parquet(tmp_path / "data/test-00000.parquet")
    members = [str(tmp_path / name) for name in "ab"]
    arguments = ["evaluate", "--ensemble", *members, "--passes", "3", "--data", str(tmp_path / "data")]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert (
        "ensemble of 2, charm_logits: accuracy" in told and "MC dropout, 3 passes, vertex: spread x" in told
    )
    table = list(csv.DictReader((tmp_path / "out/uncertainty.csv").open()))
    numbers = {(row["output"], row["method"], row["number"]): row for row in table}
    assert 0 <= float(numbers["vertex", "ensemble of 2", "coverage of 68 % z"]["value"]) <= 1
    assert ("vertex", "one network", "spread x") not in numbers
    text = (tmp_path / "out/uncertainty.md").read_text()
    assert "## vis_momentum" in text and "in the unit of the truth" in text
    assert (tmp_path / "out/charm_logits_rejection.png").is_file()
    assert not (tmp_path / "out/vertex_rejection.png").exists()
