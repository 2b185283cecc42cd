"""Learning rates of the blocks of networks, beside the formulas of Panda's published configurations."""

import pytest
import torch
from torch.optim import AdamW

from nuzoo.configuration.configuration_nu_perceiver import NuPerceiverConfig
from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.modeling.bounded_kendall import BoundedKendall, WeightBounds
from nuzoo.modeling.modeling_nu_perceiver import NuPerceiverModel
from nuzoo.modeling.modeling_nu_point import NuPointForSemanticSegmentation
from nuzoo.modeling.modeling_nu_point_instances import NuPointForUniversalSegmentation
from nuzoo.modeling.modeling_nu_point_pretraining import NuPointForPreTraining
from nuzoo.training.event_trainer import EventTrainer
from nuzoo.training.fields import RecipeError
from nuzoo.training.layer_decay import Optimiser, parameter_groups
from nuzoo.training.recipe import load_recipe
from nuzoo.training.training_arguments import training_arguments

ENCODER, DECODER = (3, 3, 3, 9, 3), (2, 2, 2, 2)
"""Blocks of the stages of the published network, the finest first."""


def rates_by_name(groups, model):
    rate = {id(parameter): group["lr"] for group in groups for parameter in group["params"]}
    return {name: rate[id(parameter)] for name, parameter in model.named_parameters()}


def published(kind, recipe):
    """Rates of the parameters of a published network by the recipe, and the recipe."""
    loaded = load_recipe(recipe)
    with torch.device("meta"):
        model = kind(NuPointConfig(**{"readout": loaded.model.fields.get("readout", "upcast")}))
    loaded.optimiser.check_effect(model)
    groups = parameter_groups(model, loaded._training["learning_rate"], 0.04, loaded.optimiser)
    return rates_by_name(groups, model)


def blocks_of(part, depths):
    """Names of blocks in the order in which they are counted."""
    return [f"{part}.{stage}.{block}." for stage, depth in enumerate(depths) for block in range(depth)]


def check(rates, expected, base):
    """Every parameter of each block has its rate, and all others have the base's."""
    for name, rate in rates.items():
        block = next((block for block in expected if name.startswith(block)), None)
        assert rate == pytest.approx(base if block is None else expected[block], rel=1e-12), name


def test_rates_of_semantic_fine_tuning_are_the_published_ones():
    rates = published(NuPointForSemanticSegmentation, "nu_point_motif")
    encoder = blocks_of("nu_point.encoder.stages", ENCODER)
    decoder = blocks_of("nu_point.decoder.stages", DECODER)
    expected = {name: 2.6e-3 * 0.9 ** (7 - number) for number, name in enumerate(decoder)}
    expected |= {name: 2.6e-3 * 0.05 * 0.9 ** (28 - number) for number, name in enumerate(encoder)}
    check(rates, expected, 2.6e-3)
    assert (len(encoder), len(decoder)) == (21, 8)
    assert expected[encoder[-1]] == pytest.approx(5.6e-5, rel=0.01)
    assert expected[encoder[0]] == pytest.approx(6.8e-6, rel=0.01)


def test_rates_of_the_detector_are_the_published_ones():
    rates = published(NuPointForUniversalSegmentation, "nu_point_particles")
    encoder = blocks_of("nu_point.encoder.stages", ENCODER)
    expected = {f"query_decoder.blocks.{block}.": 2e-4 * 0.97 ** (2 - block) for block in range(3)}
    expected |= {name: 2e-4 * 0.97 ** (23 - number) for number, name in enumerate(encoder)}
    check(rates, expected, 2e-4)
    assert expected[encoder[-1]] == pytest.approx(1.8e-4, rel=0.02)
    assert expected[encoder[0]] == pytest.approx(9.9e-5, rel=0.01)


def test_frozen_blocks_are_counted_and_are_in_no_group():
    model = NuPointForSemanticSegmentation(NuPointConfig.tiny(readout="decoder"))
    model.freeze(["nu_point.embedding", "nu_point.encoder"])
    groups = parameter_groups(model, 1e-3, 0.05, Optimiser(layer_decay=0.5))
    grouped = {id(parameter) for group in groups for parameter in group["params"]}
    learnt = {id(parameter) for parameter in model.parameters() if parameter.requires_grad}
    assert grouped == learnt
    assert sorted({group["lr"] for group in groups}) == [2.5e-4, 5e-4, 1e-3]


def test_weights_decay_where_they_have_two_axes_and_are_no_tokens():
    model = NuPointForPreTraining(NuPointConfig.tiny(use_mask_token=True))
    groups = parameter_groups(model, 1e-3, 0.05, Optimiser(layer_decay=0.5))
    decay = {id(parameter): group["weight_decay"] for group in groups for parameter in group["params"]}
    for name, parameter in model.named_parameters():
        assert decay[id(parameter)] == (0.0 if parameter.ndim < 2 or "mask_token" in name else 0.05), name
    check(
        rates_by_name(groups, model),
        {f"nu_point.encoder.stages.{stage}.": 1e-3 * 0.5 ** (3 - stage) for stage in range(4)},
        1e-3,
    )


@pytest.mark.parametrize(
    ("frozen", "readout", "optimiser", "named"),
    [
        (["nu_point.encoder"], "upcast", Optimiser(layer_decay=0.9), "optimiser.layer_decay"),
        (["nu_point.encoder"], "decoder", Optimiser(encoder_rate=0.1), "optimiser.encoder_rate"),
        (["nu_point.encoder"], "decoder", Optimiser(layer_decay=0.9), None),
        ([], "upcast", Optimiser(layer_decay=0.9, encoder_rate=0.1), None),
        (["nu_point.encoder"], "upcast", Optimiser(), None),
    ],
)
def test_factors_that_change_no_rate_are_refused_by_name(frozen, readout, optimiser, named):
    model = NuPointForSemanticSegmentation(NuPointConfig.tiny(readout=readout))
    model.freeze(frozen)
    if named is None:
        optimiser.check_effect(model)
    else:
        with pytest.raises(RecipeError, match=f"{named}: it has no effect.*leave it out"):
            optimiser.check_effect(model)


def trainer(model, optimiser, folder):
    fields = {"output_dir": str(folder), "use_cpu": True, "learning_rate": 1e-3, "weight_decay": 0.05}
    arguments = training_arguments("training", {**fields, "report_to": []})
    return EventTrainer(model=model, args=arguments, augmentation=dict, optimiser=optimiser)


def test_the_trainer_has_the_rates_and_the_schedule_scales_each(tmp_path):
    model = NuPointForSemanticSegmentation(NuPointConfig.tiny(readout="decoder"))
    made = trainer(model, Optimiser(layer_decay=0.5), tmp_path)
    optimizer = made.create_optimizer()
    assert isinstance(optimizer, AdamW)
    rates = rates_by_name(optimizer.param_groups, model)
    assert rates["nu_point.encoder.stages.0.0.attention.qkv.weight"] == 1e-3 * 0.5**6
    assert rates["nu_point.decoder.stages.2.0.attention.qkv.weight"] == rates["classifier.weight"] == 1e-3
    before = [group["lr"] for group in optimizer.param_groups]
    scheduler = made.create_scheduler(10, optimizer)
    for _ in range(5):
        optimizer.step()
        scheduler.step()
    ratios = [group["lr"] / first for group, first in zip(optimizer.param_groups, before, strict=True)]
    assert ratios == pytest.approx([ratios[0]] * len(ratios)) and ratios[0] < 1


def test_without_factors_the_trainer_groups_as_transformers_does(tmp_path):
    model = NuPointForSemanticSegmentation(NuPointConfig.tiny())
    assert len(trainer(model, None, tmp_path).create_optimizer().param_groups) == 2


@pytest.mark.parametrize("option", ["params", "model", "optimizer_dict"])
def test_an_optimiser_that_sorts_weights_itself_is_refused(tmp_path, monkeypatch, option):
    """GaLore, LOMO and layerwise ones, whose packages are not installed, come with such an option."""
    made = trainer(torch.nn.Linear(2, 2), Optimiser(layer_decay=0.5), tmp_path)
    monkeypatch.setattr(made, "get_optimizer_cls_and_kwargs", lambda *args: (AdamW, {option: None}))
    with pytest.raises(RecipeError, match=r"training\.optim: .*which sorts them itself"):
        made.create_optimizer()


@pytest.mark.parametrize(
    ("recipe", "override", "complaint"),
    [
        ("nu_point_motif", "optimiser.layer_decay=0", "a number above 0"),
        ("nu_point_motif", "optimiser.layer_deacy=0.9", "did you mean layer_decay"),
        ("nu_point_motif", "optimiser.final_weight_decay=0.2", "final_weight_decay"),
        ("nu_cnn_tiny", "optimiser.encoder_rate=-1", "a number above 0"),
        ("nu_vlm_tiny", "optimiser.layer_decay=0.9", "an adapter learns at one rate"),
    ],
)
def test_recipes_are_checked(recipe, override, complaint):
    with pytest.raises(RecipeError, match=complaint):
        load_recipe(recipe, [override])


def test_recipe_without_the_section_gives_all_one_rate():
    assert load_recipe("nu_point_motif", ["optimiser=null"]).optimiser == Optimiser()


def test_depths_of_the_perceiver_are_the_published_ones():
    """The axis of 14 of the public code of arXiv 2604.07037, and what is learnt of weights of losses."""
    config = NuPerceiverConfig()
    with torch.device("meta"):
        model = NuPerceiverModel(config)
        model.loss_weights = BoundedKendall({"flavour": WeightBounds(1.0, 5.0)})
    rates = rates_by_name(parameter_groups(model, 1.0, 0.05, Optimiser(layer_decay=0.75)), model)
    depths = {"cal_encoder.stem": 0, "cal_encoder.class_token": 0, "ecal": 0, "source_embedding": 0}
    depths |= {"muon_encoder.count": 0, "muon_encoder.track": 0, "muon_encoder.state": 0}
    depths |= {"ahcal_encoder.stem": 0, "ahcal_encoder.class_token": 0}
    depths |= {f"{part}_encoder.blocks.{i}": i + 1 for part in ("cal", "ahcal") for i in range(4)}
    depths |= {"cal_encoder.norm": 4, "ahcal_encoder.norm": 4, "muon_encoder.block": 4}
    depths |= {"module_embedding": 5, "token_norm": 5}
    depths |= {f"latent_reads.{i}": 6 + 2 * i for i in range(4)}
    depths |= {f"latent_blocks.{i}": 7 + 2 * i for i in range(4)}
    for name, rate in rates.items():
        if name == "loss_weights.unbounded":
            assert rate == pytest.approx(0.1)
            continue
        (depth,) = {of for part, of in depths.items() if name == part or name.startswith(f"{part}.")}
        assert rate == pytest.approx(0.75 ** (14 - depth)), name


def test_embeddings_and_tokens_of_the_perceiver_do_not_decay():
    with torch.device("meta"):
        model = NuPerceiverModel(NuPerceiverConfig())
    groups = parameter_groups(model, 1.0, 0.05, Optimiser())
    kept = {id(one) for group in groups if not group["weight_decay"] for one in group["params"]}
    names = {name for name, one in model.named_parameters() if id(one) in kept and one.ndim > 1}
    assert names == {
        "cal_encoder.class_token",
        "ahcal_encoder.class_token",
        "module_embedding.weight",
        "source_embedding.weight",
    }


def test_blocks_side_by_side_share_the_axis():
    """Of two blocks beside four, the first is at the depth of the second of these."""
    with torch.device("meta"):
        steps = NuPerceiverModel(NuPerceiverConfig(num_ahcal_layers=2)).decay_steps
    assert [steps[f"ahcal_encoder.blocks.{i}"] for i in range(2)] == [12, 10]


def test_weights_of_losses_learn_slowly_and_do_not_decay_even_where_all_else_has_one_rate(tmp_path):
    model = NuPerceiverModel(NuPerceiverConfig.tiny())
    model.loss_weights = BoundedKendall({"flavour": WeightBounds(1.0, 5.0)})
    groups = trainer(model, None, tmp_path).create_optimizer().param_groups
    (own,) = [
        group for group in groups if any(one is model.loss_weights.unbounded for one in group["params"])
    ]
    assert (own["lr"], own["weight_decay"]) == (pytest.approx(1e-4), 0.0)
    assert {group["lr"] for group in groups} == {own["lr"], 1e-3}
