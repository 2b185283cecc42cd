"""`nu_perceiver_image`: its sizes, what results depend on, and its blocks beside torch's."""

import pytest
import torch
from torch import nn

from nuzoo.configuration.configuration_nu_perceiver_image import NuPerceiverImageConfig
from nuzoo.modeling.evidence import evidential_risk
from nuzoo.modeling.modeling_nu_perceiver_image import (
    ContextError,
    EventEncoder,
    NuPerceiverImageForParticleClassification,
    NuPerceiverImageModel,
)

OF_EVENTS = NuPerceiverImageConfig.tiny_pilarnet_event(context_features=5)
FIVE = dict(enumerate(("photon", "electron", "muon", "pion", "proton")))


def moved(network, config):
    torch.manual_seed(0)
    made = network(config).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return made


def images(config, *counts):
    """Random voxels, each once, and a random context."""
    generator = torch.Generator().manual_seed(sum(counts))
    shape = torch.tensor(config.grid_shape)
    cells = [
        torch.unique((torch.rand(count, 3, generator=generator) * shape).long(), dim=0) for count in counts
    ]
    return {
        "grid_coordinates": torch.cat(cells),
        "energy": torch.randn(sum(map(len, cells)), 1, generator=generator),
        "offset": torch.tensor([len(one) for one in cells]).cumsum(0),
        "context": torch.randn(len(counts), config.context_features, generator=generator),
    }


def taken(batch, number, order=None):
    """One image of a batch, its voxels in another order."""
    start = int(batch["offset"][number - 1]) if number else 0
    rows = torch.arange(start, int(batch["offset"][number]))
    rows = rows if order is None else rows[order(len(rows))]
    return {
        "grid_coordinates": batch["grid_coordinates"][rows],
        "energy": batch["energy"][rows],
        "offset": torch.tensor([len(rows)]),
        "context": batch["context"][number : number + 1],
    }


@pytest.mark.parametrize(
    ("config", "size", "fixed"),
    [
        (NuPerceiverImageConfig.base(), 23_037_954, 60_672),
        (NuPerceiverImageConfig.pilarnet(id2label=FIVE), 23_236_069, 117_504),
        (NuPerceiverImageConfig.pilarnet_event(id2label=FIVE), 26_792_323, 117_504),
    ],
)
def test_published_sizes(config, size, fixed):
    """Those of the public code; of the last one without a head that it never asks."""
    with torch.device("meta"):
        model = NuPerceiverImageForParticleClassification(config)
    buffers = sum(buffer.numel() for buffer in model.buffers())
    assert (sum(parameter.numel() for parameter in model.parameters()) + buffers, buffers) == (size, fixed)


def test_class_tokens_follow_the_patches_with_hits():
    scintillator = NuPerceiverImageModel(NuPerceiverImageConfig.tiny()).window_encoder
    assert scintillator.class_counts(torch.tensor([0, 1, 4, 5, 8])).tolist() == [1, 1, 1, 2, 2]
    pilarnet = NuPerceiverImageModel(NuPerceiverImageConfig.tiny_pilarnet()).window_encoder
    assert pilarnet.class_counts(torch.tensor([1, 6, 7, 12])).tolist() == [1, 1, 2, 2]


@torch.no_grad()
@pytest.mark.parametrize("preset", ["tiny", "tiny_pilarnet"])
def test_an_image_is_the_same_in_any_batch_and_order_of_voxels(preset):
    config = getattr(NuPerceiverImageConfig, preset)()
    model, batch = moved(NuPerceiverImageModel, config), images(config, 300, 0, 1, 40)
    found = model(**batch)
    is_there = found.last_hidden_state.abs().sum(-1) > 0
    assert is_there.sum(-1).tolist()[1:3] == [1, 1] and is_there.sum(-1)[0] > 40
    for number in range(4):
        alone = model(**taken(batch, number, torch.randperm)).pooler_output[0]
        torch.testing.assert_close(alone, found.pooler_output[number], rtol=1e-4, atol=1e-4)
    if preset == "tiny":
        mean = found.last_hidden_state.sum(1) / is_there.sum(-1, keepdim=True)
        torch.testing.assert_close(found.pooler_output, mean)


@torch.no_grad()
@pytest.mark.parametrize("preset", ["tiny", "tiny_pilarnet"])
def test_place_and_context_of_an_image_are_seen(preset):
    """A move by a whole window is told by the fixed embedding of windows alone."""
    config = getattr(NuPerceiverImageConfig, preset)()
    model, batch = moved(NuPerceiverImageModel, config), images(config, 30)
    cells = batch["grid_coordinates"] % torch.tensor(config.window_shape)
    near = batch | {"grid_coordinates": torch.unique(cells, dim=0)}
    near |= {"energy": torch.ones(len(near["grid_coordinates"]), 1)}
    near |= {"offset": torch.tensor([len(near["energy"])])}
    far = near | {"grid_coordinates": near["grid_coordinates"] + torch.tensor(config.window_shape)}
    other = near | {"context": -near["context"]}
    first, second, third = (model(**one).pooler_output for one in (near, far, other))
    assert (first - second).abs().max() > 1e-2 and (first - third).abs().max() > 1e-2


def test_a_context_that_was_not_learnt_is_refused():
    config = NuPerceiverImageConfig.tiny()
    model, batch = NuPerceiverImageModel(config), images(config, 5, 6)
    with pytest.raises(ContextError, match="expected 31 numbers beside each image, got none"):
        model(**batch | {"context": None})
    with pytest.raises(ContextError, match=r"shape \(2, 31\), got \(2, 16\)"):
        model(**batch | {"context": batch["context"][:, :16]})
    without = NuPerceiverImageModel(NuPerceiverImageConfig.tiny(context_features=0))
    del batch["context"]
    assert without(**batch).pooler_output.isfinite().all()


@torch.no_grad()
def test_the_encoder_of_events_is_that_of_torch():
    torch.manual_seed(0)
    config = NuPerceiverImageConfig.tiny_pilarnet_event(layer_norm_eps=1e-5)
    encoder = EventEncoder(config).eval()
    layer = nn.TransformerEncoderLayer(64, 4, 128, 0.1, "gelu", batch_first=True, norm_first=True)
    theirs = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval()
    pairs = {"self_attn.in_proj": "attention.qkv", "self_attn.out_proj": "attention.proj"}
    pairs |= {"linear1": "mlp.0", "linear2": "mlp.2", "norm1": "norm_attention", "norm2": "norm_mlp"}
    own, state = encoder.state_dict(), {}
    for block in range(2):
        for name, other in pairs.items():
            for kind in ("weight", "bias"):
                join = "_" if name.endswith("in_proj") else "."
                state[f"layers.{block}.{name}{join}{kind}"] = own[f"blocks.{block}.{other}.{kind}"]
    theirs.load_state_dict(state)
    rows, counts = torch.randn(7, 64), torch.tensor([4, 0, 1, 2])
    found, states, _ = encoder(rows, counts)
    assert len(states) == 2
    for event in (rows[:4], rows[4:5], rows[5:]):
        expected = encoder.norm(theirs(encoder.norm_particles(event)[None]))[0]
        torch.testing.assert_close(found[: len(event)], expected)
        found = found[len(event) :]


@torch.no_grad()
def test_particles_see_those_of_their_event_and_no_others():
    model = moved(NuPerceiverImageForParticleClassification, OF_EVENTS)
    batch = images(OF_EVENTS, 20, 30, 40, 50)
    logits = model(**batch, event_offset=torch.tensor([1, 4])).logits
    apart = model(**batch, event_offset=torch.tensor([1, 2, 4])).logits
    torch.testing.assert_close(apart[0], logits[0])
    assert (apart[1:] - logits[1:]).abs().amax(1).min() > 1e-3
    alone = model(**taken(batch, 0), event_offset=torch.tensor([1])).logits
    torch.testing.assert_close(alone[0], logits[0], rtol=1e-4, atol=1e-4)
    with pytest.raises(ContextError, match="event_offset"):
        model(**batch)


def test_particles_without_a_class_do_not_count():
    model = moved(NuPerceiverImageForParticleClassification, NuPerceiverImageConfig.tiny())
    batch = images(model.config, 20, 30)
    both = model(**batch, labels=torch.tensor([2, -100])).loss
    torch.testing.assert_close(both, model(**taken(batch, 0), labels=torch.tensor([2])).loss)


@pytest.mark.parametrize("kind", ["mll", "bayes_risk", "brier"])
def test_particles_have_evidence(kind):
    config = NuPerceiverImageConfig.tiny()
    model, batch = moved(NuPerceiverImageForParticleClassification, config), images(config, 40, 30)
    scores = model(**batch).logits
    model.config.evidential = kind
    output = model(**batch, labels=torch.tensor([2, -100]))
    torch.testing.assert_close(output.logits.exp(), 1 + scores.exp())
    expected = evidential_risk(output.logits[:1], torch.tensor([2]), kind)[0]
    torch.testing.assert_close(output.loss, expected)


def test_everything_learns():
    torch.manual_seed(0)
    config = NuPerceiverImageConfig.tiny_pilarnet_event(context_features=5, drop_path_rate=0.5)
    model = NuPerceiverImageForParticleClassification(config).train()
    batch = images(config, 20, 30, 40)
    with torch.no_grad():
        model.classifier.linear.weight.normal_()
    first, second = (model(**batch, event_offset=torch.tensor([2, 3])).logits for _ in range(2))
    assert not torch.equal(first, second)
    first.square().sum().backward()
    assert [name for name, one in model.named_parameters() if one.grad is None] == []
    assert set(model.decay_steps.values()) == set(range(1, 9))
