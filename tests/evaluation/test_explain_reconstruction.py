"""What a reconstruction depends on: against finite differences, and networks that depend on known things."""

import json

import numpy as np
import pytest
import torch
from datasets import Dataset

from nuzoo.configuration.configuration_nu_perceiver import NuPerceiverConfig
from nuzoo.evaluation.core.errors import ExplanationError
from nuzoo.evaluation.explain.detector_events.ablation import ablate, ablation_numbers
from nuzoo.evaluation.explain.detector_events.altered_inputs import (
    AlteredProcessor,
    scaled_energies,
    without_hits,
    without_token,
)
from nuzoo.evaluation.explain.detector_events.deletion import control_hits, measure_deletion, salient_hits
from nuzoo.evaluation.explain.detector_events.embedding_map import map_of
from nuzoo.evaluation.explain.detector_events.energy_scan import FACTORS, median_shifts
from nuzoo.evaluation.explain.detector_events.explain_reconstruction import EXPLAINER
from nuzoo.evaluation.explain.detector_events.saliency import PatchSaliency, patch_saliency
from nuzoo.evaluation.tasks.event_reconstruction.truth import names_of
from nuzoo.modeling.modeling_nu_perceiver_reconstruction import NuPerceiverForEventReconstruction
from nuzoo.processors.detector_events.feature_extraction_nu_detector_event import (
    NuDetectorEventFeatureExtractor,
)
from nuzoo.simulation.detectors import DETECTORS

from .reconstructed_events import drawn_predictions, rows_of

EVENTS = 12


@pytest.fixture(scope="module")
def processor():
    found = NuDetectorEventFeatureExtractor.for_geometry(DETECTORS["fasercal"].geometry())
    return found.fit(found.example_events(8))


@pytest.fixture(scope="module")
def model(processor):
    torch.manual_seed(0)
    fields = processor.network_fields()
    fields = {name: value for name, value in fields.items() if name != "momentum_statistics"}
    config = NuPerceiverConfig.tiny(**fields, head_initializer_range=0.5)
    return NuPerceiverForEventReconstruction(config).eval()


@pytest.fixture(scope="module")
def rows(processor):
    return rows_of(drawn_predictions(EVENTS), processor).add_column("cal_module", _modules(processor))


def _modules(processor):
    return [(np.asarray(one["cal_z"]) // 20).tolist() for one in processor.example_events(EVENTS)]


def test_saliency_is_the_slope_along_the_token(model, processor, rows):
    """A patch whose token is a little larger: the logit moves by its contribution times that."""
    row = rows[5]
    found = patch_saliency(model, processor, row)
    assert found.patch.max() + 1 == len(found.contribution)
    inputs = processor([row])
    step, patch = 1e-2, int(np.abs(found.contribution).argmax())

    def larger(module, arguments, tokens):
        factor = torch.ones(len(tokens), 1)
        factor[patch] += step * sign
        return tokens * factor

    logits = {}
    for sign in (-1, 1):
        handle = model.base_model.cal_encoder.stem.register_forward_hook(larger)
        with torch.no_grad():
            logits[sign] = float(model(**inputs).flavour_logits[0, found.flavour])
        handle.remove()
    slope = (logits[1] - logits[-1]) / (2 * step)
    assert slope == pytest.approx(found.contribution[patch], rel=2e-2, abs=1e-5)


def test_an_event_without_hits_has_no_saliency(model, processor, rows):
    found = patch_saliency(model, processor, rows[0])
    assert not len(found.contribution) and not len(found.of_hits)


def test_hits_get_the_contribution_of_their_patch():
    saliency = PatchSaliency(0, np.array([0, 1, 1, -1]), np.array([0.5, -2.0]))
    assert saliency.of_hits.tolist() == [0.5, -2.0, -2.0, 0.0]
    assert salient_hits(saliency).tolist() == [True, False, False, False]


def test_controls_have_about_as_much_energy_and_nothing_of_what_they_are_compared_with():
    patch = np.repeat(np.arange(30), 4)
    energy = np.random.default_rng(0).uniform(0.5, 1.5, 120)
    saliency = PatchSaliency(0, patch, np.arange(30.0))
    chosen = salient_hits(saliency)
    assert sorted(set(patch[chosen])) == [27, 28, 29]
    controls = control_hits(saliency, energy, chosen, seed=3)
    assert len(controls) == 3
    for control in controls:
        assert not (control & chosen).any()
        assert 0.8 <= energy[control].sum() / energy[chosen].sum() <= 1.25
    assert control_hits(saliency, np.where(chosen, 100.0, 0.01), chosen, seed=3) == []


class OneCube(NuPerceiverForEventReconstruction):
    """Sure of the first flavour where cube (0, 0, 0) has a hit; the rest of the output is the network's."""

    def forward(self, cal_coordinates, cal_offset, **others):
        outputs = super().forward(cal_coordinates=cal_coordinates, cal_offset=cal_offset, **others)
        event = torch.bucketize(torch.arange(len(cal_coordinates)), cal_offset, right=True)
        has = torch.zeros(len(cal_offset)).index_add_(0, event, (cal_coordinates == 0).all(dim=1).float())
        outputs.flavour_logits = has[:, None] * torch.tensor([4.0, 0, 0, 0, 0, 0])
        return outputs


def test_faithful_saliency_is_told_from_unfaithful(model, processor, rows):
    """Leaving out the one cube that decides costs the answer, leaving out others does not."""
    decided = OneCube(model.config).eval()
    events = []
    for number in range(EVENTS):
        cells = np.arange(40)
        event = dict(rows[5]) | {"event_id": f"d{number}", "cal_x": cells.tolist(), "cal_y": cells.tolist()}
        event |= {"cal_z": cells.tolist(), "cal_module": (cells // 20).tolist(), "cal_energy": [1.0] * 40}
        events.append(event)
    patch = np.arange(40) // 2
    good = PatchSaliency(0, patch, np.where(np.arange(20) < 2, 1.0, -1.0))
    bad = PatchSaliency(0, patch, np.where(np.arange(20) >= 18, 1.0, -1.0))
    options = {"batch_size": 16, "replicas": 50, "seed": 0}
    faithful = measure_deletion(decided, processor, events, [good] * EVENTS, **options)
    sure = np.exp(4) / (np.exp(4) + 5) - 1 / 6
    assert faithful.salient.value == pytest.approx(sure, rel=1e-5)
    assert faithful.control.value == pytest.approx(0, abs=1e-6)
    unfaithful = measure_deletion(decided, processor, events, [bad] * EVENTS, **options)
    assert unfaithful.salient.value == pytest.approx(0, abs=1e-6)
    assert unfaithful.difference.value <= 0


def test_parts_are_left_out_as_events_that_never_had_them(model, processor, rows):
    """Without hits, without towers read: what the network says of such rows, and nothing else changes."""
    row = rows[5]
    nothing = {name: [] for name in ("cal_x", "cal_y", "cal_z", "cal_energy", "cal_module")}
    with torch.no_grad():
        left_out = model(**AlteredProcessor(processor, without_hits("cal"))([row]))
        without = model(**processor([row | nothing]))
        torch.testing.assert_close(left_out.flavour_logits, without.flavour_logits)
        whole = model(**processor([row])).vertex
        with without_token(model, "ecal"):
            blind = model(**processor([row])).vertex
            other = model(**processor([row | {"ecal_energy": [5000.0] * 25}])).vertex
        torch.testing.assert_close(blind, other, rtol=0, atol=0)
        assert not torch.equal(blind, whole)
        with without_token(model, "muon"):
            blind = model(**processor([row])).vertex
            tracks = {name: [] for name in row if name.startswith("muon_") and name != "muon_count"}
            other = model(**processor([row | tracks | {"muon_count": 0}])).vertex
        torch.testing.assert_close(blind, other, rtol=0, atol=0)
        torch.testing.assert_close(model(**processor([row])).vertex, whole, rtol=0, atol=0)


def test_changes_of_an_ablation_are_those_of_its_numbers(model, processor, rows):
    predictions = ablate(model, processor, rows, np.ones(EVENTS), 8)
    assert list(predictions) == ["all", "cal", "ahcal", "ecal", "muon"]
    numbers = ablation_numbers(predictions, {"flavour": 1.0, "charm": 1.0}, 10, 0)
    for part in predictions:
        change = numbers[part]["vertex_median_mm"].value - numbers["all"]["vertex_median_mm"].value
        assert numbers[part]["vertex_median_mm_change"].value == pytest.approx(change)
    assert numbers["all"]["e_vis_sigma_mad_change"].value == 0


def test_energies_are_scaled_in_mev(processor, rows):
    """The tensors are those of rows whose energies are 5 % higher; muon tracks stay."""
    row = rows[5]
    names = ("cal_energy", "ahcal_energy", "ecal_energy")
    higher = row | {name: (1.05 * np.asarray(row[name])).tolist() for name in names}
    expected = processor([higher])
    for name, value in scaled_energies(processor, 1.05)(dict(processor([row]))).items():
        torch.testing.assert_close(value, expected[name], rtol=1e-4, atol=1e-4)


def test_a_momentum_in_proportion_to_the_energies_shifts_the_median_by_as_much():
    """(t - f r) / t - (t - r) / t = (1 - f) r / t: with r = t the shift is 1 - f, without any error."""
    truth = drawn_predictions(40).true_vis_momentum
    scanned = {factor: drawn_predictions(40, vis_momentum=factor * truth) for factor in FACTORS}
    shifts = median_shifts(scanned, 20, 0)["e_vis"]
    assert [number.value for number in shifts] == pytest.approx([1 - factor for factor in FACTORS])
    assert max(number.error for number in shifts) < 1e-9


def test_a_report_has_everything(model, processor, rows, tmp_path):
    options = {"name": "tiny", "events": 2, "faithfulness": 4, "batch_size": 8, "bootstrap": 10}
    found = EXPLAINER.explain(model, processor, rows, tmp_path, **options)
    text = found.report.read_text()
    assert "without muon spectrometer" in text and "× 1.05" in text
    content = json.loads((tmp_path / "explanations.json").read_text())
    assert len(content["saliency"]) == 2
    for picture in (*(one["picture"] for one in content["saliency"]), "energy-scan.png", "latents.png"):
        assert f"({picture})" in text and (tmp_path / picture).stat().st_size > 0
    with pytest.raises(ExplanationError, match="no event nobody"):
        EXPLAINER.explain(model, processor, rows, tmp_path, **options | {"event_ids": ["nobody"]})
    few: Dataset = rows.select(range(2))
    with pytest.raises(ExplanationError, match="3 events or more"):
        EXPLAINER.explain(model, processor, few, tmp_path, **options)


def test_one_event_is_told_of_by_the_patches_of_its_answer(model, processor, rows, tmp_path):
    row = {name: value for name, value in rows[5].items() if name not in ("flavour", "charm")}
    found = EXPLAINER.explain_event(model, processor, row, tmp_path / "why.png")
    saliency = patch_saliency(model, processor, row)
    assert f"{len(saliency.contribution)} patches" in found.lines[0]
    assert f"logit of {names_of(model.config)['flavour'][saliency.flavour]}," in found.lines[0]
    assert found.picture.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ExplanationError, match="hits in the 3DCal"):
        EXPLAINER.explain_event(model, processor, rows[0], tmp_path / "none.png")


@pytest.mark.slow  # UMAP is compiled for a minute
@pytest.mark.parametrize("method", ["t-SNE", "UMAP"])
def test_maps_keep_groups_apart(method):
    if method == "UMAP":
        pytest.importorskip("umap", reason="umap-learn is not installed")
    rng = np.random.default_rng(0)
    apart = np.concatenate([rng.normal(size=(30, 8)), rng.normal(size=(30, 8)) + 8]).astype(np.float32)
    places = map_of(apart, 0, method)
    distance = np.linalg.norm(places[:, None] - places[None], axis=2) + np.diag(np.full(60, np.inf))
    assert np.array_equal(distance.argmin(axis=1) < 30, np.arange(60) < 30)
    assert np.array_equal(map_of(apart, 0, method), places)
