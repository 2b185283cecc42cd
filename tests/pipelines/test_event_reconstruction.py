"""Reconstructed events: probabilities by name, momenta and vertex with their units, and tables of them."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from datasets import Dataset
from pyarrow import parquet
from transformers import pipeline

from nuzoo.cli import main
from nuzoo.configuration.configuration_nu_perceiver import NuPerceiverConfig
from nuzoo.modeling.dropping import dropping
from nuzoo.modeling.modeling_nu_perceiver_reconstruction import NuPerceiverForEventReconstruction
from nuzoo.pipelines.finite_outputs import NonFiniteOutputError
from nuzoo.pipelines.pipeline_errors import PipelineOptionError
from nuzoo.processors.detector_events.feature_extraction_nu_detector_event import (
    NuDetectorEventFeatureExtractor,
)

TASK = "neutrino-event-reconstruction"
OUTPUTS = SimpleNamespace(
    flavour_logits=torch.tensor([[2.0, 0.0, 0.0, 0.0, 0.0, 0.0]]),
    charm_logits=torch.tensor([[0.0, 0.0, 0.0, 3.0]]),
    vis_momentum=torch.tensor([[3.0, -4.0, 12.0]]),
    jet_momentum=torch.tensor([[1.0, 1.0, 2.0]]),
    vertex=torch.tensor([[10.0, -20.0, 300.0]]),
)


@pytest.fixture(scope="module")
def processor():
    made = NuDetectorEventFeatureExtractor()
    return made.fit(made.example_events(8))


@pytest.fixture(scope="module")
def folder(processor, tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("reconstruction")
    model = NuPerceiverForEventReconstruction(NuPerceiverConfig.tiny(temperature=2.0))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
    model.save_pretrained(path)
    processor.save_pretrained(path)
    return str(path)


@pytest.fixture(scope="module")
def reconstruct(folder):
    return pipeline(TASK, model=folder)


def test_outputs_become_physics(processor):
    config = NuPerceiverConfig.tiny(temperature=2.0, charm_temperature=3.0)
    (event,) = processor.post_process_event_reconstruction(OUTPUTS, config)
    assert event["flavour"]["nue_cc"] == pytest.approx(math.e / (math.e + 5))
    assert event["charm"]["charm_had"] == pytest.approx(math.e / (math.e + 3))
    assert event["lepton_momentum"] == pytest.approx([2.0, -5.0, 10.0])
    assert (event["e_vis"], event["pt_miss"]) == (pytest.approx(13.0), pytest.approx(5.0))
    assert event["vertex"] == [10.0, -20.0, 300.0]


def test_an_event_is_told_with_units(reconstruct, processor, folder):
    events = processor.example_events(3)
    result = reconstruct(events[2])
    assert result.keys() == {
        *("flavour", "charm", "vis_momentum", "jet_momentum", "lepton_momentum", "e_vis", "pt_miss", "vertex")
    }
    scores = result["flavour"]["scores"]
    assert sum(scores.values()) == pytest.approx(1) and result["flavour"]["score"] == max(scores.values())
    assert scores[result["flavour"]["label"]] == result["flavour"]["score"]
    assert [result[name]["unit"] for name in ("e_vis", "pt_miss", "vertex")] == ["GeV", "GeV/c", "mm"]
    model = NuPerceiverForEventReconstruction.from_pretrained(folder)
    with torch.no_grad():
        output = model(**processor(events[2]))
    assert result["vertex"]["value"] == pytest.approx(output.vertex[0].tolist(), rel=1e-5)
    expected = (output.flavour_logits[0].double() / 2).softmax(0)[0].item()
    assert scores["nue_cc"] == pytest.approx(expected, rel=1e-6)


def test_events_of_a_batch_are_told_as_alone(reconstruct, processor):
    events = processor.example_events(4)
    together = reconstruct(events, batch_size=4)
    for one, event in zip(together, events, strict=True):
        alone = reconstruct(event)
        assert one["vertex"]["value"] == pytest.approx(alone["vertex"]["value"], rel=1e-4, abs=1e-4)


def test_rows_of_a_table_are_numbers_with_the_unit_in_their_name(reconstruct, processor):
    row = reconstruct.as_row(reconstruct(processor.example_events(3)[2]))
    names = {"vis_momentum_x_gev", "jet_momentum_z_gev", "lepton_momentum_y_gev", "e_vis_gev", "pt_miss_gev"}
    assert {*names, "vertex_x_mm", "flavour", "flavour_score", "charm_probability_charm_mu"} <= row.keys()
    assert all(isinstance(value, str | float) for value in row.values())


@pytest.fixture(scope="module")
def dropping_folder(processor, tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("dropping")
    config = NuPerceiverConfig.tiny(head_dropout=0.3, head_initializer_range=0.3, charm_temperature=2.0)
    NuPerceiverForEventReconstruction(config).save_pretrained(path)
    processor.save_pretrained(path)
    return str(path)


def test_passes_give_means_and_standard_deviations(dropping_folder, processor):
    """Those of the network's own answers to as many copies of the event, with units dropped."""
    reconstruct = pipeline(TASK, model=dropping_folder)
    event = processor.example_events(3)[2]
    result = reconstruct(event, passes=16)
    with torch.no_grad(), dropping(reconstruct.model, 0):
        told = reconstruct.model(**processor([event] * 16))
    for name in ("vis_momentum", "jet_momentum", "vertex"):
        values = getattr(told, name).double().numpy()
        assert result[name]["value"] == pytest.approx(values.mean(axis=0), rel=1e-4)
        assert result[f"{name}_error"]["value"] == pytest.approx(values.std(axis=0, ddof=1), rel=1e-4)
        assert min(result[f"{name}_error"]["value"]) > 0
    energies = np.linalg.norm(told.vis_momentum.double().numpy(), axis=1)
    assert result["e_vis_error"] == {"value": pytest.approx(energies.std(ddof=1), rel=1e-4), "unit": "GeV"}
    charm = (told.charm_logits.double() / 2).softmax(1).mean(0)
    assert list(result["charm"]["scores"].values()) == pytest.approx(charm.tolist(), rel=1e-5)
    assert result["charm"]["score"] == max(result["charm"]["scores"].values())
    row = reconstruct.as_row(result)
    assert row["vertex_error_z_mm"] == result["vertex_error"]["value"][2]
    assert {"e_vis_error_gev", "pt_miss_error_gev", "lepton_momentum_error_x_gev"} <= row.keys()


def test_passes_of_an_event_are_its_own(dropping_folder, processor):
    events = processor.example_events(4)
    reconstruct = pipeline(TASK, model=dropping_folder, passes=3)
    together = reconstruct(events, batch_size=4)
    for one, event in zip(together, events, strict=True):
        assert one == reconstruct(event)
    assert not reconstruct.model.training
    assert "vertex_error" not in reconstruct(events[3], passes=None)


@pytest.mark.parametrize("passes", [1, 0, 2.5, True])
def test_passes_are_a_number_of_them(dropping_folder, passes):
    with pytest.raises(PipelineOptionError, match="passes: expected a whole number from 2 on"):
        pipeline(TASK, model=dropping_folder, passes=passes)


def test_passes_of_a_network_that_drops_nothing_are_refused(reconstruct, processor):
    with pytest.raises(
        PipelineOptionError, match=r"passes: .* got NuPerceiverForEventReconstruction without"
    ):
        reconstruct(processor.example_events(3)[2], passes=4)


def test_outputs_that_are_no_numbers_are_refused(reconstruct, processor):
    with torch.no_grad():
        bias = reconstruct.model.vis_head[-1].bias
        before, _ = bias.clone(), bias.fill_(float("nan"))
    with pytest.raises(NonFiniteOutputError, match="vis_momentum"):
        reconstruct(processor.example_events(3)[2])
    with torch.no_grad():
        bias.copy_(before)


@pytest.fixture
def table(processor, tmp_path):
    rows = [
        {name: np.asarray(value).tolist() for name, value in event.items()} | {"event_id": f"e{number}"}
        for number, event in enumerate(processor.example_events(2))
    ]
    Dataset.from_list(rows).to_parquet(tmp_path / "events.parquet")
    return str(tmp_path / "events.parquet")


def test_the_command_writes_errors_where_it_asks_many_times(dropping_folder, table, tmp_path):
    command = ["predict", table, "--model", dropping_folder, "--out"]
    assert main([*command, str(tmp_path / "told.parquet"), "--passes", "3"]) == 0
    told = parquet.read_table(tmp_path / "told.parquet").to_pydict()
    assert all(error > 0 for axis in "xyz" for error in told[f"vertex_error_{axis}_mm"])
    assert main([*command, str(tmp_path / "plain.parquet")]) == 0
    assert not [name for name in parquet.read_schema(tmp_path / "plain.parquet").names if "error" in name]


def test_the_command_refuses_passes_where_no_quantity_is_told(table, tmp_path, capsys):
    command = ["predict", table, "--model", "nu-point-motif-tiny", "--passes", "3"]
    assert main([*command, "--out", str(tmp_path / "told.parquet")]) == 1
    assert "got passes" in capsys.readouterr().err
    assert not (tmp_path / "told.parquet").exists()
