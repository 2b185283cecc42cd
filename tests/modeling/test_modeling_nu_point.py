import math
from itertools import chain

import pytest
import torch

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.modeling.modeling_nu_point import NuPointForSemanticSegmentation, NuPointModel, upcast
from nuzoo.modeling.sparse.point_level import PointCellError
from nuzoo.modeling.sparse.submanifold_convolution import SubmanifoldConv3d

from .sparse.clouds import random_cloud
from .watched import largest_tensor

CLASSES = ("shower", "track", "michel", "delta", "low energy")
COUNTS = [150, 1, 64, 0, 65]


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def stirred(model):
    """The model with weights that make everything in it matter, norms and biases too."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            spread = parameter[0].numel() ** -0.5 if parameter.ndim > 1 else 0.3
            parameter.add_(spread * torch.randn_like(parameter))
    return model.eval()


def tiny(**fields):
    return stirred(NuPointModel(NuPointConfig.tiny(**fields)))


def example(counts=COUNTS, extent=24):
    cells, offset = random_cloud(counts, extent)
    generator = torch.Generator().manual_seed(1)
    energy = torch.rand(len(cells), 1, generator=generator)
    return {"coordinates": cells / extent, "energy": energy, "grid_coordinates": cells, "offset": offset}


def taken(inputs, rows, counts):
    picked = {name: value[rows] for name, value in inputs.items() if name != "offset"}
    return picked | {"offset": torch.tensor(counts).cumsum(0)}


@torch.no_grad()
def features(model, inputs, **options):
    return model(**inputs, **options).last_hidden_state


def test_parameter_counts_are_those_of_panda():
    with torch.device("meta"):
        model = NuPointForSemanticSegmentation(NuPointConfig(readout="decoder", num_labels=5))
        encoder = NuPointModel(NuPointConfig(use_mask_token=True))
        probe = NuPointForSemanticSegmentation(NuPointConfig(num_labels=5))
    assert (count(encoder), count(model)) == (90_758_832, 107_093_573)
    assert (count(encoder.embedding), count(probe.classifier)) == (384, 6_165)
    convolutions = [part for part in encoder.modules() if isinstance(part, SubmanifoldConv3d)]
    assert sum(map(count, convolutions)) == 60_990_576
    backbone = model.nu_point
    assert count(backbone.decoder) == 16_334_464
    stages = [count(stage) for stage in backbone.encoder.stages]
    poolings = [0] + [count(pooling) for pooling in backbone.encoder.poolings]
    together = [stage + pooling for stage, pooling in zip(stages, poolings, strict=True)]
    assert together == [279_216, 1_116_288, 4_453_632, 53_224_704, 31_684_608]
    model.freeze(["nu_point.embedding", "nu_point.encoder"])
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == 16_334_789


def test_drop_paths_rise_along_the_encoder_and_fall_along_the_decoder():
    config = NuPointConfig()
    assert [*chain(*config.encoder_drop_paths)] == pytest.approx([0.3 * block / 20 for block in range(21)])
    in_use = [*chain(*config.decoder_drop_paths[::-1])]
    assert in_use == pytest.approx([0.3 * block / 7 for block in range(8)][::-1])


def test_upcast_joins_to_each_point_the_cells_that_it_is_in():
    assert NuPointConfig().feature_size == 1232
    model, inputs = tiny(), example()
    with torch.no_grad():
        stages, _, order = model.encode(**inputs)
    rows = {}
    for number, stage in enumerate(stages):
        event = torch.repeat_interleave(stage.level.counts)
        keys = zip(event.tolist(), stage.level.cells.tolist(), strict=True)
        rows |= {(number, key, *cell): row for (key, cell), row in zip(keys, stage.features, strict=True)}
    found = upcast(stages)
    event = torch.repeat_interleave(stages[0].level.counts).tolist()
    for row in range(0, len(found), 7):
        cell = inputs["grid_coordinates"][order[row]]
        parents = [rows[(number, event[row], *(cell >> number).tolist())] for number in range(len(stages))]
        assert torch.equal(found[row], torch.cat(parents))
    assert upcast(stages[2:]).shape == (len(stages[2].features), sum(model.config.encoder_channels[2:]))
    assert sum(NuPointConfig().encoder_channels[2:]) == 1088


def test_pooling_keeps_the_largest_of_each_channel():
    model = tiny()
    pooling, points, sizes = model.encoder.poolings[0], torch.randn(6, 16), torch.tensor([1, 3, 2])
    with torch.no_grad():
        projected = points @ pooling.projection.weight.T + pooling.projection.bias
        largest = torch.stack([part.amax(dim=0) for part in projected.split(sizes.tolist())])
        deviation = largest - largest.mean(1, keepdim=True)
        normed = deviation / (deviation.square().mean(1, keepdim=True) + 1e-5).sqrt()
        normed = normed * pooling.norm.weight + pooling.norm.bias
        expected = normed * (1 + torch.erf(normed / math.sqrt(2))) / 2
        torch.testing.assert_close(pooling(points, sizes), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("readout", ["upcast", "decoder"])
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_event_has_the_same_features_in_any_batch(readout, attention):
    model, inputs = tiny(readout=readout, attn_implementation=attention), example()
    together, start = features(model, inputs), 0
    for counted in COUNTS:
        rows = torch.arange(start, start + counted)
        alone = features(model, taken(inputs, rows, [counted]))
        torch.testing.assert_close(together[rows], alone, rtol=1e-5, atol=1e-5)
        start += counted


def test_features_go_with_their_points_in_any_order():
    model, inputs = tiny(readout="decoder"), example([150])
    order = torch.randperm(150, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(
        features(model, taken(inputs, order, [150])), features(model, inputs)[order], rtol=0, atol=0
    )


def test_evaluation_does_not_draw_and_training_draws_the_curves():
    model, inputs = tiny(drop_path_rate=0.0), example()
    state = torch.get_rng_state()
    assert torch.equal(features(model, inputs), features(model, inputs))
    assert torch.equal(state, torch.get_rng_state())
    model.train()
    assert not torch.equal(features(model, inputs), features(model, inputs))
    model.config.shuffle_curves = False
    assert torch.equal(features(model, inputs), features(model, inputs))


def test_moving_a_cloud_by_whole_coarsest_cells_changes_nothing_within_a_window():
    """It is promised of events that fit into a window, whose coordinates stay; others are cut elsewhere."""
    model, inputs = tiny(), example([60, 20])
    coarsest = 2 ** (len(model.config.encoder_depths) - 1)
    moved = inputs | {"grid_coordinates": inputs["grid_coordinates"] + coarsest * torch.tensor([3, 50, 1])}
    torch.testing.assert_close(features(model, moved), features(model, inputs), rtol=1e-4, atol=1e-5)


def test_attention_weights_need_eager_attention_and_sum_to_one():
    model, inputs = tiny(attn_implementation="eager"), example()
    attentions = model(**inputs, output_attentions=True).attentions
    for weights in attentions:
        torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))
    model.set_attn_implementation("sdpa")
    with pytest.raises(ValueError, match="eager"):
        model(**inputs, output_attentions=True)


def test_no_number_that_is_wrong_reaches_another_event():
    """The processor refuses it; were it to come through, it would spoil its own event alone."""
    model, inputs = tiny(), example([80, 70])
    expected = features(model, inputs)
    inputs["energy"][3] = math.nan
    spoilt = features(model, inputs)
    assert spoilt[:80].isnan().any()
    assert torch.equal(spoilt[80:], expected[80:])


def test_memory_follows_the_points_and_not_the_volume():
    """16 events in 768 cubed voxels, where the points of each are as near to each other as in 24 cubed."""
    model, near = tiny(readout="decoder"), example([40] * 16)
    corner = torch.tensor([[0, 0, 0], [744, 744, 744]])[torch.arange(640) % 40 // 20]
    far = near | {"grid_coordinates": near["grid_coordinates"] + corner}
    twice = example([80] * 16)
    sizes = [largest_tensor(features, model, inputs) for inputs in (near, far, twice)]
    assert sizes[1] <= 1.2 * sizes[0]
    assert sizes[2] <= 2.2 * sizes[0]


@pytest.mark.parametrize("counts", [[], [0, 0], [1], [0, 1, 0]])
@pytest.mark.parametrize("readout", ["upcast", "decoder"])
def test_events_of_no_and_of_one_point_pass(counts, readout):
    model, inputs = tiny(readout=readout), example(counts)
    found = features(model, inputs)
    assert found.shape == (sum(counts), model.config.feature_size)
    assert found.isfinite().all()


def test_several_points_in_a_cell_and_cells_beyond_the_grid_are_refused():
    model, inputs = tiny(), example([20])
    doubled = inputs | {"grid_coordinates": inputs["grid_coordinates"].clone()}
    doubled["grid_coordinates"][1] = doubled["grid_coordinates"][0]
    with pytest.raises(PointCellError, match="processor"):
        model(**doubled)
    with pytest.raises(PointCellError, match="from 0 to 16383"):
        model(**inputs | {"grid_coordinates": inputs["grid_coordinates"] * 1000})


def test_masked_points_have_the_token_and_their_place():
    model, inputs = tiny(use_mask_token=True), example([40])
    is_masked = torch.arange(40) % 2 == 0
    seen = features(model, inputs, is_masked=is_masked)
    other = inputs | {"energy": torch.where(is_masked[:, None], 9.0, inputs["energy"])}
    assert torch.equal(features(model, other, is_masked=is_masked), seen)
    assert not torch.equal(features(model, other), features(model, inputs))
    with pytest.raises(ValueError, match="use_mask_token"):
        tiny()(**inputs, is_masked=is_masked)


def test_an_event_of_300_000_points_is_one_like_others_and_changes_no_other():
    model = tiny()
    inputs = example([300_000, 500], extent=96)
    small = taken(inputs, slice(300_000, None), [500])
    found = features(model, inputs)
    assert found.isfinite().all()
    torch.testing.assert_close(found[300_000:], features(model, small), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("whole", "most", "extent"),
    [(True, 10_000, 48), (False, 150_000, 96)],
    ids=["bfloat16", "autocast"],
)
def test_loss_and_gradients_are_finite_in_bfloat16_for_events_of_any_size(whole, most, extent):
    config = NuPointConfig.tiny(id2label=dict(enumerate(CLASSES)), readout="decoder")
    torch.manual_seed(0)
    model = NuPointForSemanticSegmentation(config).train()
    inputs = example([most, 1, 0, 700, 65], extent=extent)
    labels = torch.arange(len(inputs["energy"])) % 6 - 1
    if whole:
        model = model.to(torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16, enabled=not whole):
        loss = model(**inputs, labels=labels).loss
    loss.backward()
    assert loss.isfinite()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_gradient_checkpointing_gives_the_same_gradients():
    config = NuPointConfig.tiny(readout="decoder", drop_path_rate=0.0, shuffle_curves=False)
    model, inputs = stirred(NuPointModel(config)).train(), example()
    gradients = []
    for enable in (model.gradient_checkpointing_disable, model.gradient_checkpointing_enable):
        enable()
        model.zero_grad()
        model(**inputs).last_hidden_state.square().mean().backward()
        gradients.append([parameter.grad.clone() for parameter in model.parameters()])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


def test_points_skip_what_a_block_adds_as_often_as_they_shall():
    model = tiny(drop_path_rate=0.5).train()
    drop = model.encoder.stages[-1][-1].drop_path
    dropped = drop(torch.ones(20_000, 1))
    assert dropped.unique().tolist() == [0, 2]
    assert dropped.mean() == pytest.approx(1, abs=0.04)
