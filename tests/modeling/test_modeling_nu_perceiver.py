"""The encoder of `nu_perceiver`: its sizes, its blocks beside torch's, and what results depend on."""

import pytest
import torch
from torch import nn

from nuzoo.configuration.configuration_nu_perceiver import NuPerceiverConfig
from nuzoo.modeling.grid_embeddings import grid_embeddings
from nuzoo.modeling.modeling_nu_perceiver import NuPerceiverModel
from nuzoo.modeling.perceiver_blocks import CrossBlock, Reading, SelfBlock
from nuzoo.modeling.sparse.padded_rows import rows_by_event, rows_by_length
from nuzoo.processors.detector_events.feature_extraction_nu_detector_event import (
    NuDetectorEventFeatureExtractor,
)

CONFIG = NuPerceiverConfig.tiny()


@pytest.fixture(scope="module")
def processor():
    made = NuDetectorEventFeatureExtractor()
    return made.fit(made.example_events(6))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    made = NuPerceiverModel(CONFIG).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return made


def sizes(config):
    with torch.device("meta"):
        model = NuPerceiverModel(config)
    fixed = sum(buffer.numel() for buffer in model.buffers())
    return sum(parameter.numel() for parameter in model.parameters()) + fixed, fixed


def test_published_sizes():
    assert sizes(NuPerceiverConfig.base()) == (31_964_352, 39_936)
    assert sizes(NuPerceiverConfig.published_tiny()) == (31_965_888, 39_936)


def test_places_of_a_grid_are_waves_along_each_axis():
    """By hand: 256 channels are 86, 86 and 84; the first sine of an axis is that of its place."""
    table = grid_embeddings((4, 4, 2), 256).view(4, 4, 2, 256)
    places = torch.arange(4.0)
    torch.testing.assert_close(table[:, 0, 0, 0], places.sin())
    torch.testing.assert_close(table[0, :, 0, 86 + 43], places.cos())
    torch.testing.assert_close(table[0, 0, :, 172 + 1], (places[:2] / 10_000 ** (1 / 42)).sin())


def test_self_block_is_the_encoder_layer_of_torch():
    torch.manual_seed(0)
    block = SelfBlock(CONFIG, 64, 4).eval()
    theirs = nn.TransformerEncoderLayer(
        64, 4, 128, 0.0, "gelu", layer_norm_eps=CONFIG.layer_norm_eps, batch_first=True, norm_first=True
    ).eval()
    pairs = {
        "self_attn.in_proj_weight": "attention.qkv.weight",
        "self_attn.in_proj_bias": "attention.qkv.bias",
        "self_attn.out_proj.weight": "attention.proj.weight",
        "self_attn.out_proj.bias": "attention.proj.bias",
        "linear1.weight": "mlp.0.weight",
        "linear1.bias": "mlp.0.bias",
        "linear2.weight": "mlp.2.weight",
        "linear2.bias": "mlp.2.bias",
    }
    own = block.state_dict()
    theirs.load_state_dict({name: own[other] for name, other in pairs.items()}, strict=False)
    counts = torch.tensor([5, 0, 2])
    rows, groups = torch.randn(7, 64), rows_by_event(counts)
    by_length = rows_by_length(counts, 2)
    assert [one.rows.shape[1] for one in by_length] == [2, 5]
    with torch.no_grad():
        found, _ = block(rows, counts, [groups])
        torch.testing.assert_close(block(rows, counts, by_length)[0], found)
        expected = theirs(rows[groups.rows], src_key_padding_mask=~groups.is_filled)[groups.is_filled]
    torch.testing.assert_close(found, expected)


def test_cross_block_is_the_attention_of_torch():
    torch.manual_seed(0)
    block = CrossBlock(CONFIG, 64, 4).eval()
    theirs = nn.MultiheadAttention(64, 4, batch_first=True).eval()
    own = block.attention.state_dict()
    theirs.load_state_dict(
        {
            "in_proj_weight": torch.cat([own["q.weight"], own["kv.weight"]]),
            "in_proj_bias": torch.cat([own["q.bias"], own["kv.bias"]]),
            "out_proj.weight": own["proj.weight"],
            "out_proj.bias": own["proj.bias"],
        }
    )
    rows, read = torch.randn(4, 64), torch.randn(6, 64)
    reading = Reading(torch.tensor([1, 3, 0]), torch.tensor([5, 0, 1]))
    with torch.no_grad():
        found, _ = block(rows, read, reading)
        query, key = block.norm_query(rows), block.norm_read(read)
        first = rows[:1] + theirs(query[None, :1], key[None, :5], key[None, :5])[0][0]
        alone = rows[1:] + own["proj.bias"]
        expected = torch.cat([first, alone])
        expected = expected + block.mlp(block.norm_mlp(expected))
    torch.testing.assert_close(found, expected)


def test_class_tokens_follow_the_patches_with_hits(model):
    occupied = torch.tensor([0, 1, 16, 17, 32])
    assert model.cal_encoder.class_counts(occupied).tolist() == [1, 1, 1, 2, 2]
    assert model.ahcal_encoder.class_counts(torch.tensor([36, 37])).tolist() == [1, 2]


@torch.no_grad()
def test_an_event_is_the_same_in_any_batch_and_order_of_hits(model, processor):
    events = processor.example_events(6)
    batch = processor(events)
    found = model(**batch, output_hidden_states=True)
    assert len(found.hidden_states) == 8 and found.last_hidden_state.shape == (6, 22, 64)
    is_there = found.last_hidden_state.abs().sum(-1) > 0
    assert is_there.sum(-1).tolist()[:2] == [1, 1] and is_there.sum() == len(found.hidden_states[-1])
    mean = found.last_hidden_state.sum(1) / is_there.sum(-1, keepdim=True)
    torch.testing.assert_close(found.pooler_output, mean)
    for number, event in enumerate(events):
        order = torch.randperm(len(event["cal_x"]))
        turned = event | {name: event[name][order.numpy()] for name in event if name.startswith("cal_")}
        alone = model(**processor([turned])).pooler_output[0]
        torch.testing.assert_close(alone, found.pooler_output[number], rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_a_part_with_fewer_hits_than_two_is_not_looked_at(model, processor):
    events = processor.example_events(2)
    assert [len(event["cal_x"]) for event in events] == [0, 1]
    calm = [event | {"ecal_energy": [0.0] * 25} for event in events]
    empty, one = model(**processor(calm)).pooler_output
    torch.testing.assert_close(empty, one, rtol=1e-4, atol=1e-4)
    assert empty.isfinite().all()


def test_everything_learns_and_weights_can_be_looked_at(processor):
    torch.manual_seed(0)
    model = NuPerceiverModel(NuPerceiverConfig.tiny(drop_path_rate=0.5)).train()
    batch = processor(processor.example_events(6))
    model(**batch).pooler_output.square().sum().backward()
    assert [name for name, one in model.named_parameters() if one.grad is None] == []
    with pytest.raises(ValueError, match="eager"):
        model(**batch, output_attentions=True)
    model.set_attn_implementation("eager")
    found = model.eval()(**batch, output_attentions=True)
    assert len(found.attentions) == 9
    torch.testing.assert_close(found.attentions[-1].sum(-1), torch.ones_like(found.attentions[-1][..., 0]))


def test_what_is_saved_loads_with_its_places(model, processor, tmp_path):
    model.save_pretrained(tmp_path)
    loaded = NuPerceiverModel.from_pretrained(tmp_path).eval()
    batch = processor(processor.example_events(3))
    with torch.no_grad():
        assert torch.equal(loaded(**batch).pooler_output, model(**batch).pooler_output)
