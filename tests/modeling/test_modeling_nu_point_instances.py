"""The network that finds instances: sizes of the published detectors, order of masks, attention, memory."""

import pytest
import torch
import torch.nn.functional as F
from huggingface_hub.errors import StrictDataclassError

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.modeling.modeling_nu_point_instances import NuPointForUniversalSegmentation
from nuzoo.modeling.query_decoder import QueryAttention, QueryDecoder
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor
from nuzoo.registry import TASKS

from .sparse.clouds import random_cloud
from .watched import largest_tensor

PARTICLES = dict(enumerate(["photon", "electron", "muon", "pion", "proton", "none"]))
INTERACTIONS = {0: "none", 1: "interaction"}


def size_of(module):
    return sum(parameter.numel() for parameter in module.parameters())


def tiny(seed=0, **fields):
    torch.manual_seed(seed)
    return NuPointForUniversalSegmentation(NuPointConfig.tiny(**({"id2label": PARTICLES} | fields))).eval()


def events(number=4):
    processor = NuPointCloudFeatureExtractor.tiny(None)
    return dict(processor(processor.example_events(number)))


def labels_for(inputs):
    points = torch.arange(len(inputs["coordinates"]))
    return {"particle_labels": points % 4 - 1, "pid_labels": points % 4}


def test_sizes_of_the_published_detectors():
    with torch.device("meta"):
        particles = NuPointForUniversalSegmentation(NuPointConfig(id2label=PARTICLES))
        fields = {"instances": "interaction", "queries": 12, "deep_projections": False}
        interactions = NuPointForUniversalSegmentation(NuPointConfig(id2label=INTERACTIONS, **fields))
    assert size_of(particles) == 95_164_040
    assert size_of(particles) - size_of(particles.nu_point) == 4_405_256
    assert size_of(interactions) == 95_021_188
    assert size_of(interactions) - size_of(interactions.nu_point) == 4_262_404
    assert size_of(particles.query_decoder.blocks[0]) == 1_185_536
    assert size_of(particles.stuff_head) == 315_905


def test_masks_are_told_by_queries_that_enter_or_leave_the_last_block():
    inputs = events()
    networks = {order: tiny(masks_from=order) for order in ("entering", "leaving")}
    outputs = {order: network(**inputs) for order, network in networks.items()}
    torch.testing.assert_close(
        outputs["entering"].class_queries_logits, outputs["leaving"].class_queries_logits
    )
    entering, leaving = (outputs[order].masks_queries_logits for order in ("entering", "leaving"))
    assert (entering - leaving).abs().max() > 1e-3
    for network in networks.values():  # what the last block changes of the queries shall not matter
        with torch.no_grad():
            network.query_decoder.blocks[-1].mlp[-1].bias.add_(1.0)
    changed = {order: network(**inputs).masks_queries_logits for order, network in networks.items()}
    torch.testing.assert_close(changed["entering"], entering)
    assert (changed["leaving"] - leaving).abs().max() > 1e-3


def test_attention_over_ragged_events_is_that_over_each():
    """Against one call of torch for each event, with a bias."""
    torch.manual_seed(0)
    config = NuPointConfig.tiny()
    config._attn_implementation = "sdpa"
    attention = QueryAttention(config)
    channels, counts = config.query_channels, [5, 0, 9]
    queries, keys = torch.randn(3, 7, channels), torch.randn(14, channels)
    values, bias = torch.randn(14, channels), torch.randn(14, 7)
    found, _ = attention(queries, keys, values, counts, bias)

    def heads(rows):
        return rows.unflatten(-1, (-1, 16)).transpose(0, 1)

    start = 0
    for event, count in enumerate(counts):
        rows = slice(start, start + count)
        parts = attention.query(queries[event]), attention.key(keys[rows]), attention.value(values[rows])
        if count:
            seen = F.scaled_dot_product_attention(*map(heads, parts), attn_mask=bias[rows].T)
            expected = attention.projection(seen.transpose(0, 1).flatten(1))
        else:
            expected = attention.projection(torch.zeros(7, channels))
        torch.testing.assert_close(found[event], expected)
        start += count


def test_queries_attend_to_points_that_may_be_of_an_instance():
    """Those that are likelier to belong to none change nothing but their own mask."""
    torch.manual_seed(0)
    decoder = QueryDecoder(NuPointConfig.tiny(), 24)
    features, places = torch.randn(30, 24), torch.randn(30, 3)
    is_thing = torch.arange(30) % 3 > 0
    counts = torch.tensor([10, 20])
    first, _ = decoder(features, places, is_thing, counts)
    features[~is_thing] += 5.0
    second, _ = decoder(features, places, is_thing, counts)
    torch.testing.assert_close(first[-1].queries, second[-1].queries)
    torch.testing.assert_close(first[-1].masks[is_thing], second[-1].masks[is_thing])
    assert (first[-1].masks[~is_thing] - second[-1].masks[~is_thing]).abs().max() > 0.01


def test_an_event_without_such_points_has_a_result():
    decoder = QueryDecoder(NuPointConfig.tiny(), 24)
    none = torch.zeros(6, dtype=torch.bool)
    blocks, _ = decoder(torch.randn(6, 24), torch.randn(6, 3), none, torch.tensor([6, 0]))
    assert blocks[-1].queries.isfinite().all() and blocks[-1].masks.shape == (6, 32)


def test_results_of_the_earlier_blocks():
    inputs = events()
    network = tiny()
    assert network(**inputs).auxiliary_logits is None
    found = network(**inputs, output_auxiliary_logits=True).auxiliary_logits
    assert len(found) == network.config.query_blocks - 1
    assert found[0]["masks_queries_logits"].shape == (len(inputs["coordinates"]), 32)
    assert len(network.train()(**inputs).auxiliary_logits) == 2


def test_particles_and_interactions_learn_from_their_labels():
    inputs = events()
    known, interaction = labels_for(inputs), torch.arange(len(inputs["coordinates"])) % 2 - 1
    particles, interactions = tiny(), tiny(instances="interaction", id2label=None)
    assert interactions.config.id2label == INTERACTIONS
    assert particles(**inputs, **known).loss > 0
    assert interactions(**inputs, labels=interaction).loss > 0
    for wrong in ({"labels": interaction}, {"particle_labels": known["particle_labels"]}):
        with pytest.raises(ValueError, match="expected particle_labels with pid_labels"):
            particles(**inputs, **wrong)
    with pytest.raises(ValueError, match="expected labels, of interactions"):
        interactions(**inputs, **known)


def test_columns_of_the_truth_follow_from_the_configuration():
    """Of fields that a recipe gives, and of whole configurations."""
    task = TASKS["particle-segmentation"]
    assert task.targets_of({}) == task.targets_of(vars(NuPointConfig.tiny())) == ("particle", "pid")
    assert task.targets_of({"instances": "interaction"}) == ("interaction",)
    starts = tuple(f"interaction_{axis}" for axis in "xyz")
    assert task.targets_of({"instances": "interaction", "regressed": ["start"]}) == ("interaction", *starts)
    momenta = tuple(f"particle_p{axis}" for axis in "xyz")
    assert task.targets_of({"regressed": ["momentum"]}) == ("particle", "pid", *momenta)


def test_points_of_the_background_class_are_stuff():
    """As low-energy deposits are, though they are numbered."""
    inputs = events()
    labels = labels_for(inputs)
    network = tiny()
    with torch.no_grad():
        network.stuff_head[-1].bias.fill_(20.0)  # all is stuff
    background = labels | {"pid_labels": torch.full_like(labels["pid_labels"], 5)}
    assert network(**inputs, **labels).loss - network(**inputs, **background).loss > 5


def test_momentum_and_start_are_told():
    inputs = events()
    network = tiny(regressed=["momentum", "start"])
    counts = [3] * 4
    known = {
        "particle_start": torch.randn(sum(counts), 3),
        "particle_start_momentum": torch.rand(sum(counts), 3) * 1000,
        "particle_offset": torch.tensor(counts).cumsum(0),
    }
    output = network(**inputs, **labels_for(inputs), **known)
    assert output.momentum_queries.shape == (4, 32, 1) and output.start_queries.shape == (4, 32, 3)
    more = known | {"particle_start_momentum": known["particle_start_momentum"] * 1000}
    assert network(**inputs, **labels_for(inputs), **more).loss > output.loss
    assert output.loss.isfinite()
    with pytest.raises(ValueError, match="true start of each particle"):
        network(**inputs, **labels_for(inputs), **(known | {"particle_start": None}))
    with pytest.raises(StrictDataclassError, match="no momentum"):
        NuPointConfig.tiny(instances="interaction", regressed=["momentum"])


def test_interactions_have_one_class():
    with pytest.raises(StrictDataclassError, match="where interactions are looked for"):
        NuPointConfig.tiny(instances="interaction", id2label=PARTICLES)


@torch.no_grad()
def largest_of_decoder(points, events):
    """Numbers in its largest tensor, for as many events of as many points."""
    decoder = QueryDecoder(NuPointConfig.tiny(), 24)
    rows = points * events
    counts = torch.tensor([points] * (events - 1) + [points - 1, 1])
    is_thing = torch.ones(rows, dtype=torch.bool)
    return largest_tensor(decoder, torch.randn(rows, 24), torch.randn(rows, 3), is_thing, counts)


def test_memory_grows_with_the_points_of_all_events():
    """Not with their product with the number of events, nor with the longest event times it."""
    assert largest_of_decoder(500, 8) <= 8.1 * largest_of_decoder(500, 1)
    assert largest_of_decoder(4000, 1) <= 8.1 * largest_of_decoder(500, 1)


@pytest.mark.parametrize("whole", [True, False], ids=["bfloat16", "autocast"])
def test_loss_and_gradients_are_finite_in_bfloat16_for_events_of_any_size(whole):
    counts = [3000, 1, 0, 700, 65]
    cells, offset = random_cloud(counts, 48)
    network = tiny().train()
    inputs = {"coordinates": cells / 48, "energy": cells[:, :1] / 48}
    inputs |= {"grid_coordinates": cells, "offset": offset}
    if whole:
        network = network.to(torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16, enabled=not whole):
        loss = network(**inputs, **labels_for(inputs)).loss
    loss.backward()
    assert loss.isfinite()
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())
