import pytest
import torch
import torch.nn.functional as F
from huggingface_hub.errors import StrictDataclassClassValidationError

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.modeling.modeling_nu_point import NuPointForSemanticSegmentation, NuPointModel
from nuzoo.modeling.modeling_nu_point_pretraining import NuPointForPreTraining, PrototypeHead
from nuzoo.modeling.weight_errors import WeightsError
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor


@pytest.fixture
def batch():
    processor = NuPointCloudFeatureExtractor(shape=(64, 64, 64))
    return dict(processor(processor.example_events(4)[2:]))


@pytest.fixture
def model():
    torch.manual_seed(0)
    return NuPointForPreTraining(NuPointConfig.tiny(use_mask_token=True)).eval()


def test_parameter_counts_are_pandas():
    """Theirs hold the norms of the prototypes too, which are 1 and are not learnt: buffers here."""
    with torch.device("meta"):
        student = NuPointForPreTraining(NuPointConfig(use_mask_token=True))
    learnt = sum(parameter.numel() for parameter in student.parameters())
    held = sum(tensor.numel() for tensor in student.state_dict().values())
    assert (learnt, held) == (103_874_736, 103_882_928)
    for head in (student.mask_head, student.unmask_head):
        assert sum(tensor.numel() for tensor in head.state_dict().values()) == 6_562_048
    assert student.config.token_size == 1088


def test_head_is_a_weight_normalised_layer_of_torch():
    torch.manual_seed(1)
    config = NuPointConfig.tiny()
    head = PrototypeHead(config)
    torch.nn.init.normal_(head.prototypes.weight)
    layer = torch.nn.utils.parametrizations.weight_norm(
        torch.nn.Linear(config.prototype_size, config.prototypes, bias=False)
    )
    with torch.no_grad():
        layer.parametrizations.weight.original1.copy_(head.prototypes.weight)
        layer.parametrizations.weight.original0.fill_(1.0)
    tokens = torch.randn(9, config.token_size)
    expected = layer(F.normalize(head.perceptron(tokens), dim=1))
    torch.testing.assert_close(head(tokens), expected)
    assert head(tokens).abs().max() <= 1 + 1e-6


def test_heads_share_the_events(model, batch):
    with torch.no_grad():
        both, shared = model(**batch), model(**batch, masked_events=1)
    first = len(shared.mask_logits)
    assert 0 < first < len(both.mask_logits)
    assert torch.equal(shared.mask_logits, both.mask_logits[:first])
    assert torch.equal(shared.unmask_logits, both.unmask_logits[first:])


def test_of_masked_points_only_their_cells_are_seen(model, batch):
    torch.nn.init.normal_(model.nu_point.embedding.mask_token)
    masked = torch.arange(len(batch["coordinates"])) % 2 == 0
    other = {**batch, "coordinates": batch["coordinates"].clone(), "energy": batch["energy"].clone()}
    other["coordinates"][masked] += 0.3
    other["energy"][masked] -= 1.0
    with torch.no_grad():
        results = [model(**each, is_masked=masked).mask_logits for each in (batch, other)]
        unmasked = [model(**each).mask_logits for each in (batch, other)]
    assert torch.equal(*results)
    assert not torch.allclose(*unmasked)
    model.nu_point.embedding.mask_token.grad = None
    model(**batch, is_masked=masked).mask_logits.square().sum().backward()
    assert model.nu_point.embedding.mask_token.grad.any()


def test_embedding_of_an_event_is_the_mean_of_its_tokens(model, batch):
    config = model.config
    with torch.no_grad():
        stages, _, _ = model.nu_point.encode(**batch)
        found = model(**batch).embeddings
    coarse = stages[config.token_doublings]
    assert found.shape == (2, config.token_size)
    first = coarse.features[: int(coarse.level.counts[0])].mean(0)
    torch.testing.assert_close(found[0, : len(first)], first)


def test_another_network_starts_from_it_with_a_new_head(model, batch, tmp_path):
    model.save_pretrained(tmp_path)
    with pytest.raises(WeightsError, match=r"missing: classifier\.bias, classifier\.weight"):
        NuPointForSemanticSegmentation.from_pretrained(tmp_path, num_labels=5)
    loaded = NuPointForSemanticSegmentation.from_pretrained(
        tmp_path, num_labels=5, reinitialize=["classifier"]
    )
    body = NuPointModel.from_pretrained(tmp_path)
    for name, value in model.nu_point.state_dict().items():
        assert torch.equal(value, loaded.nu_point.state_dict()[name]), name
        assert torch.equal(value, body.state_dict()[name]), name
    assert not any("mask_head" in name for name in loaded.state_dict())


def test_a_decoder_is_new_where_it_is_asked_for(model, tmp_path):
    model.save_pretrained(tmp_path)
    with pytest.raises(WeightsError, match=r"missing: nu_point\.decoder"):
        NuPointForSemanticSegmentation.from_pretrained(
            tmp_path, readout="decoder", reinitialize=["classifier"]
        )
    loaded = NuPointForSemanticSegmentation.from_pretrained(
        tmp_path, readout="decoder", reinitialize=["classifier", "nu_point.decoder"]
    )
    for name, value in model.nu_point.state_dict().items():
        assert torch.equal(value, loaded.nu_point.state_dict()[name]), name
    assert all(torch.isfinite(value).all() for value in loaded.state_dict().values())


def test_body_with_a_missing_weight_is_refused_all_the_same(model, tmp_path):
    weights = model.state_dict()
    del weights["nu_point.encoder.stages.1.0.attention.qkv.weight"]
    with pytest.raises(
        WeightsError, match=r"missing: nu_point\.encoder\.stages\.1\.0\.attention\.qkv\.weight"
    ):
        NuPointForSemanticSegmentation.from_pretrained(
            None, config=model.config, state_dict=weights, reinitialize=["classifier"]
        )


def test_decoder_has_no_place_in_it():
    with pytest.raises(ValueError, match="upcast"):
        NuPointForPreTraining(NuPointConfig.tiny(readout="decoder"))
    with pytest.raises(StrictDataclassClassValidationError, match="token_steps"):
        NuPointConfig.tiny(token_steps=4)
