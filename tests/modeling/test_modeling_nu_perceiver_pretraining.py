import pytest
import torch

from nuzoo.configuration.configuration_nu_perceiver import NuPerceiverConfig
from nuzoo.files.events.detector_event_columns import VOXEL_TRUTH
from nuzoo.modeling.arguments import ArgumentError
from nuzoo.modeling.modeling_nu_perceiver_pretraining import WEIGHTS, NuPerceiverForPreTraining
from nuzoo.processors.detector_events.feature_extraction_nu_detector_event import (
    NuDetectorEventFeatureExtractor,
)
from tests.processors.test_feature_extraction_nu_detector_event import make_processor, make_rows


@pytest.fixture(scope="module")
def processor():
    return make_processor().fit(make_rows())


@pytest.fixture(scope="module")
def batch(processor):
    return dict(processor(make_rows(), targets=VOXEL_TRUTH))


def make_model(processor, **fields):
    torch.manual_seed(0)
    return NuPerceiverForPreTraining(NuPerceiverConfig.tiny(**(processor.network_fields() | fields)))


def test_number_of_parameters_is_the_published_one():
    with torch.device("meta"):
        model = NuPerceiverForPreTraining(NuPerceiverConfig.base())
    tensors = [*model.parameters(), *model.buffers()]
    assert sum(tensor.numel() for tensor in tensors) == 34_324_423 + len(WEIGHTS)
    of_decoder = sum(tensor.numel() for tensor in [*model.decoder.buffers()])
    assert of_decoder == 26_624


def test_loss_is_the_weighted_sum_of_its_parts(processor, batch):
    model = make_model(processor).eval()
    output = model(**batch, return_loss=True)
    parts = {name: output[f"{name}_loss"] for name in WEIGHTS}
    expected = sum(
        WEIGHTS[name].initial * loss - torch.tensor(WEIGHTS[name].initial).log() / 2
        for name, loss in parts.items()
    )
    expected += 1e-4 * 0.15 + 3e-5 * 0.15
    torch.testing.assert_close(output.loss, expected, rtol=1e-4, atol=1e-4)
    without = model(**batch, return_loss=True, with_relations=False, with_muons=False)
    assert {"ghost_loss", "muon_loss", "ghost_logits"}.isdisjoint(without)


def test_what_is_hidden_is_drawn_in_training_alone(processor, batch):
    model = make_model(processor, decoded_share=1.0)
    first, second = (model.eval()(**batch, return_loss=True) for _ in range(2))
    assert torch.equal(first.loss, second.loss)
    drawn = {model.train()(**batch, return_loss=True).loss.item() for _ in range(3)}
    assert len(drawn) == 3


def test_ghosts_are_to_be_told_as_empty_where_that_is_wanted(processor, batch):
    """Hits that are all ghosts leave nothing to reconstruct."""
    ghosts = batch | {"cal_ghost": torch.ones_like(batch["cal_ghost"])}
    model = make_model(processor).eval()
    assert model(**ghosts, return_loss=True).occupancy_loss == 0
    model.config.ghosts_are_empty = False
    assert model(**ghosts, return_loss=True).occupancy_loss > 0


def test_truth_that_a_loss_needs_is_asked_for(processor):
    model, rows = make_model(processor), make_rows()
    with pytest.raises(ArgumentError, match="cal_category, cal_ghost, cal_hierarchy"):
        model(**processor(rows), return_loss=True)
    model.config.ghosts_are_empty, model.config.relation_probability = False, 0.0
    assert model(**processor(rows), return_loss=True).loss.isfinite()
    model.config.input_statistics = None
    with pytest.raises(ArgumentError, match="input_statistics"):
        model(**processor(rows), return_loss=True)


def test_a_processor_for_another_transform_gives_it_to_the_network():
    fields = NuDetectorEventFeatureExtractor(energy_transform="asinh").network_fields()
    assert NuPerceiverConfig.tiny(**fields).energy_transform == "asinh"
