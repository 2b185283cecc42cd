"""`nu_point_mae` beside the same written down with torch's plain layers."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.spatial import cKDTree
from torch import nn

from nuzoo.configuration.configuration_nu_point_mae import NuPointMaeConfig
from nuzoo.modeling.interpolation import SOFTENING, interpolated
from nuzoo.modeling.mini_point_net import MiniPointNet
from nuzoo.modeling.modeling_nu_point_mae import NuPointMaeForSemanticSegmentation, NuPointMaeModel
from nuzoo.modeling.modeling_nu_point_mae_pretraining import NuPointMaeForPreTraining
from nuzoo.modeling.sparse.groups import Groups
from nuzoo.modeling.sparse.point_level import PointCellError
from nuzoo.modeling.sparse.varlen_attention import AttentionError
from nuzoo.modeling.token_blocks import TokenNorm, standardised
from nuzoo.modeling.token_masks import masked_tokens

from .sparse.clouds import random_cloud

EXTENT = 24
PLACES = 16


def make_inputs(counts, seed=0, extent=EXTENT):
    cells, offset = random_cloud(counts, extent, seed)
    generator = torch.Generator().manual_seed(seed)
    return {
        "coordinates": cells / extent - 0.5,
        "energy": torch.randn(len(cells), 1, generator=generator),
        "grid_coordinates": cells,
        "offset": offset,
    }


def make_network(kind=NuPointMaeModel, **fields):
    """One whose every tensor is random, statistics included."""
    torch.manual_seed(0)
    model = kind(NuPointMaeConfig.tiny(**fields)).eval()
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if "var" in name:
                tensor.uniform_(0.5, 2)
            elif "norm" in name and tensor.is_floating_point():
                tensor.normal_(0.5, 0.5)
    return model


def some_groups(sizes):
    """Groups of the given sizes, each with members of its own."""
    sizes = torch.tensor(sizes)
    group = torch.repeat_interleave(sizes)
    members = torch.arange(len(group))
    slot = members - (sizes.cumsum(0) - sizes)[group]
    return Groups(sizes.cumsum(0) - 1, torch.tensor([len(sizes)]), members, group, slot)


def test_published_sizes():
    """Weights counted by hand; the released files are said to hold 29.6 and 22.9 million."""
    block = 4 * 384 + (384 + 1) * 3 * 384 + (384 + 1) * 384 + (384 + 1) * 1536 + (1536 + 1) * 384
    tokens = 4 * 128 + 256 + (128 + 1) * 256 + 512 * 512 + 1024 + (512 + 1) * 384
    position = (3 + 1) * 128 + (128 + 1) * 384
    body = 12 * block + tokens + position
    decoder = 4 * block + 2 * 384 + 384 + (384 + 1) * 128
    energies = tokens - 128 + (256 + 1) * 256 + (768 + 1) * 32
    upsampling = 387 * 384 + 768 + 384 * 384 + 768
    classifier = 1152 * 512 + 1024 + 512 * 256 + 512 + (256 + 1) * 4
    with torch.device("meta"):
        pretraining = NuPointMaeForPreTraining(NuPointMaeConfig())
        semantic = NuPointMaeForSemanticSegmentation(NuPointMaeConfig(num_labels=4))
    assert pretraining.base_model.num_parameters() == body == 21_837_568
    assert pretraining.num_parameters() == body + decoder + energies == 29_570_080
    assert semantic.num_parameters() == body + upsampling + classifier == 22_858_628


@pytest.mark.parametrize("over", ["token", "batch"])
def test_norms_in_closed_form(over):
    torch.manual_seed(0)
    tokens = torch.randn(7, 64) * torch.arange(1, 8)[:, None] + 3
    norm = TokenNorm(NuPointMaeConfig.tiny(norm_over=over))
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    axis = 1 if over == "token" else None
    numbers = tokens.double().numpy()
    expected = (numbers - numbers.mean(axis, keepdims=True)) / numbers.std(axis, keepdims=True)
    expected = expected * norm.weight.detach().numpy() + norm.bias.detach().numpy()
    np.testing.assert_allclose(norm(tokens).detach(), expected, rtol=1e-4, atol=1e-4)
    assert standardised(tokens[:0], over, 1e-5).shape == (0, 64)


def padded_point_net(net, points, is_there, codes=None):
    """The same with every place of a group computed, and masks: as the public code has it."""

    def norm(layer, values):
        valid = values[is_there]
        plain = nn.BatchNorm1d(values.shape[2]).train(net.training)
        plain.load_state_dict(layer.state_dict())
        standard = (values - values).masked_scatter(is_there[..., None], plain(valid) - layer.bias)
        return standard + layer.bias

    def largest(values):
        if not net.pool_padding:
            values = values.masked_fill(~is_there[..., None], -torch.inf)
        return values.amax(dim=1)

    features = net.linear2(F.relu(norm(net.norm1, net.linear1(points))))
    if codes is not None:
        features = features + codes
    features = torch.cat([largest(features)[:, None].expand_as(features), features], dim=2)
    return largest(net.linear4(F.relu(norm(net.norm2, net.linear3(features)))))


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("pool_padding", [True, False])
@pytest.mark.parametrize("is_ordered", [True, False])
def test_point_net_is_the_masked_one(training, pool_padding, is_ordered):
    """With torch's batch norm of the rows that are there, in training by their own statistics."""
    torch.manual_seed(0)
    groups = some_groups([3, PLACES, 1, 9])
    net = MiniPointNet(NuPointMaeConfig.tiny(pool_padding=pool_padding), 4, is_ordered)
    for layer in (net.norm1, net.norm2):
        for tensor in layer.state_dict().values():
            if tensor.is_floating_point():
                tensor.uniform_(0.5, 2)
    net.train(training)
    members = torch.randn(len(groups.members), 4)
    is_there = torch.arange(PLACES) < groups.sizes[:, None]
    codes = net.place(torch.arange(PLACES)) if is_ordered else None
    expected = padded_point_net(net, groups.padded(members, PLACES), is_there, codes)
    torch.testing.assert_close(net(members, groups), expected, rtol=1e-4, atol=1e-5)


def test_places_of_points_are_told_by_waves():
    """The first is sine 0 and cosine 1; the slowest wave takes 10,000 steps."""
    net = MiniPointNet(NuPointMaeConfig.tiny(), 3, is_ordered=True)
    size = net.place.channels
    with torch.no_grad():
        net.place.linear.weight.copy_(torch.eye(size))
        net.place.linear.bias.zero_()
    codes = net.place(torch.arange(3))
    assert codes[0].tolist() == [0.0] * (size // 2) + [1.0] * (size // 2)
    assert codes[2, size // 2 - 1].item() == pytest.approx(np.sin(2 / 10000))
    assert codes[1, 0].item() == pytest.approx(np.sin(1))


def transformer(model, tokens, positions):
    """The encoder for the tokens of one event, without `TokenBlocks`."""
    states = []
    for block in model.encoder:
        tokens = tokens + positions
        norm = F.layer_norm(tokens, tokens.shape[1:], block.norm_attention.weight, block.norm_attention.bias)
        attention = nn.MultiheadAttention(64, 4, batch_first=True).eval()
        attention.load_state_dict(
            {
                "in_proj_weight": block.attention.qkv.weight,
                "in_proj_bias": block.attention.qkv.bias,
                "out_proj.weight": block.attention.proj.weight,
                "out_proj.bias": block.attention.proj.bias,
            }
        )
        tokens = tokens + attention(norm[None], norm[None], norm[None], need_weights=False)[0][0]
        norm = F.layer_norm(tokens, tokens.shape[1:], block.norm_mlp.weight, block.norm_mlp.bias)
        tokens = tokens + block.mlp[2](F.gelu(block.mlp[0](norm)))
        states.append(tokens)
    return states


def test_encoder_is_a_vision_transformer_that_is_told_positions_at_each_block():
    model, inputs = make_network(), make_inputs([150, 1, 0, 60])
    with torch.no_grad():
        groups = model.groups_of(inputs["grid_coordinates"], inputs["offset"])
        three = (inputs[name] for name in ("coordinates", "energy", "grid_coordinates"))
        tokens, positions, members = model.embed(*three, groups)
        states = model(**inputs, output_hidden_states=True).hidden_states
        counts = groups.counts.tolist()
        expected = [
            transformer(model, *own)
            for own in zip(tokens.split(counts), positions.split(counts), strict=True)
        ]
        for number, state in enumerate(states):
            together = torch.cat([event[number] for event in expected])
            torch.testing.assert_close(state, together, rtol=1e-4, atol=1e-4)
    apart = members[:, :3] * model.config.group_radius
    centres = inputs["grid_coordinates"][groups.centres][groups.group]
    torch.testing.assert_close(apart + centres, inputs["grid_coordinates"][groups.members].float())
    assert apart.norm(dim=1).max() < model.config.group_radius


def test_features_of_points_are_interpolated_from_the_mean_of_layers():
    model, inputs = make_network(), make_inputs([150, 3])
    with torch.no_grad():
        output = model(**inputs, output_hidden_states=True)
        groups = model.groups_of(inputs["grid_coordinates"], inputs["offset"])
    layers = [F.layer_norm(output.hidden_states[layer], (64,)) for layer in (1, 2, 3)]
    tokens = torch.stack(layers).mean(0)[: groups.counts[0]]
    centres = inputs["grid_coordinates"][groups.centres[: groups.counts[0]]].numpy()
    distances, rows = cKDTree(centres).query(inputs["grid_coordinates"][:150].numpy(), 6)
    is_clear = distances[:, 4] < distances[:, 5]  # the fifth is not as near as the sixth
    weights = 1 / (distances[:, :5] ** 2 + SOFTENING)
    weights = weights / weights.sum(1, keepdims=True)
    expected = (weights[..., None] * tokens.numpy()[rows[:, :5]]).sum(1)
    assert is_clear.sum() > 50
    np.testing.assert_allclose(output.last_hidden_state[:150][is_clear], expected[is_clear], atol=1e-4)
    pooled = torch.cat([tokens.amax(0), tokens.mean(0)])
    torch.testing.assert_close(output.pooler_output[0], pooled, rtol=1e-4, atol=1e-5)


def test_a_point_at_a_token_has_almost_its_features():
    """0.053 of a squared cell is added to distances: a point on a token, with another 3 cells away."""
    tokens, places = torch.eye(2), torch.tensor([[5, 5, 5], [5, 5, 8]])
    points = torch.tensor([[5, 5, 5]])
    found = interpolated(tokens, places, torch.tensor([2]), points, torch.tensor([1]), 5)
    expected = np.array([1 / 0.0527, 1 / 9.0527])
    np.testing.assert_allclose(found[0], expected / expected.sum(), rtol=1e-3)


@pytest.mark.parametrize("kind", [NuPointMaeModel, NuPointMaeForSemanticSegmentation])
def test_company_counts_only_with_the_published_norm(kind):
    alone, others = make_inputs([120]), make_inputs([300, 5], seed=1)
    together = {name: torch.cat([alone[name], others[name]]) for name in alone}
    together["offset"] = torch.tensor([120, 420, 425])
    for over, is_own in (("token", True), ("batch", False)):
        model = make_network(kind, norm_over=over)
        with torch.no_grad():
            one, other = (model(**inputs)[0][:120] for inputs in (alone, together))
        assert torch.allclose(one, other, atol=1e-5) == is_own


def test_published_padding_counts():
    inputs = make_inputs([120])
    one, other = (make_network(pool_padding=counts)(**inputs)[0] for counts in (False, True))
    assert not torch.allclose(one, other, atol=1e-3)


def test_masks_are_a_part_of_each_event():
    counts = torch.tensor([10, 0, 1, 7, 300])
    for at_random in (True, False):
        is_masked = masked_tokens(counts, 0.6, at_random)
        assert [int(event.sum()) for event in is_masked.split(counts.tolist())] == [6, 0, 0, 4, 180]
    assert torch.equal(masked_tokens(counts, 0.6, False)[-300:], masked_tokens(counts[-1:], 0.6, False))
    drawn = [masked_tokens(counts[-1:], 0.6, True) for _ in range(2)]
    assert not torch.equal(*drawn)
    even = masked_tokens(counts[-1:], 0.6, False)
    assert all(4 <= int(part.sum()) <= 8 for part in even.split(10))


def test_what_is_masked_is_not_seen():
    """Hits of masked groups alone: their energies change no reconstruction, but the loss."""
    model, inputs = make_network(NuPointMaeForPreTraining), make_inputs([200, 90])
    body = model.base_model
    groups = body.groups_of(inputs["grid_coordinates"], inputs["offset"])
    is_masked = masked_tokens(groups.counts, model.config.mask_ratio, False)
    visible = groups.chosen(~is_masked).members
    hidden = torch.ones(290, dtype=torch.bool).index_fill(0, visible, False)
    assert hidden.sum() > 20
    changed = inputs | {"energy": torch.where(hidden[:, None], 5.0, inputs["energy"])}
    with torch.no_grad():
        one, other = (model(**batch, return_loss=True) for batch in (inputs, changed))
    for name in ("reconstructed_points", "reconstructed_energies", "embeddings"):
        assert torch.equal(one[name], other[name])
    assert other.loss > one.loss + 1
    torch.testing.assert_close(one.loss, one.chamfer_loss + one.energy_loss)
    assert one.reconstructed_points.shape == (int(is_masked.sum()), PLACES, 4)


def test_attention_that_drops_no_weights_refuses_to():
    model = make_network(attention_dropout=0.1).train()
    model.set_attn_implementation("varlen")
    with pytest.raises(AttentionError, match=r"attention_dropout 0\.1"):
        model(**make_inputs([40]))


def test_cells_that_no_network_can_take_are_refused():
    model, inputs = make_network(), make_inputs([20])
    twice = inputs["grid_coordinates"].clone()
    twice[1] = twice[0]
    with pytest.raises(PointCellError, match="one point"):
        model(**inputs | {"grid_coordinates": twice})
