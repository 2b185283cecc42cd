"""A network for images of particles starts from the parts of a `nu_perceiver` that mean the same."""

import json

import datasets
import numpy as np
import pytest
import torch

from nuzoo.configuration.configuration_nu_perceiver import NuPerceiverConfig
from nuzoo.files.names import TRANSFER_FILE
from nuzoo.modeling.arguments import ArgumentError
from nuzoo.modeling.modeling_nu_perceiver import NuPerceiverModel
from nuzoo.modeling.transfer_weights import load_transfer
from nuzoo.modeling.weight_errors import WeightsError
from nuzoo.processors.point_clouds.feature_extraction_nu_particle_image import NuParticleImageFeatureExtractor
from nuzoo.simulation.detectors import find_detector
from nuzoo.training.fields import RecipeError
from nuzoo.training.layer_decay import Optimiser, parameter_groups
from nuzoo.training.network_choice import NetworkChoice
from nuzoo.training.recipe import load_recipe
from nuzoo.training.supervised import build_processor, train

STEM = "nu_perceiver_image.window_encoder.stem"
DETECTOR = "scintillator-cube-200"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """The encoder of a detector, of another size than `tiny`."""
    torch.manual_seed(7)
    model = NuPerceiverModel(
        NuPerceiverConfig.tiny(
            hidden_size=32, num_attention_heads=2, num_module_layers=3, num_latent_layers=1
        )
    )
    folder = tmp_path_factory.mktemp("perceiver")
    model.save_pretrained(folder)
    return folder, model


def choice(source, **given):
    section = {"model_type": "nu_perceiver_image", "preset": "tiny", "pretrained": str(source), **given}
    return NetworkChoice.parse(section, "particle-classification")


def network(source, **given):
    made = choice(source, **given)
    torch.manual_seed(0)
    return made.build(made.config(NuParticleImageFeatureExtractor(classes=["proton", "muon"])))


def test_what_means_the_same_is_loaded_and_the_rest_is_new(source):
    folder, theirs = source
    model = network(folder)
    own, other = model.nu_perceiver_image, theirs.state_dict()
    assert (own.config.hidden_size, len(own.window_encoder.blocks), len(own.latent_reads)) == (32, 3, 1)
    pairs = {"window_encoder.": "cal_encoder.", "token_norm.": "token_norm.", "latent_": "latent_"}
    loaded = set()
    for name, tensor in own.state_dict().items():
        start = next((start for start in pairs if name.startswith(start)), None)
        if start is None or name == "window_encoder.positions":
            continue
        there = pairs[start] + name.removeprefix(start)
        assert torch.equal(tensor, other[there]), name
        loaded.add(f"nu_perceiver_image.{name}")
    account = model.transfer
    assert set(account.loaded) == loaded
    assert {*account.loaded, *account.fresh} == model.state_dict().keys()
    assert not loaded & account.fresh.keys()
    assert {*account.loaded.values(), *account.left} == other.keys()
    assert account.numbers["loaded"] == sum(model.state_dict()[name].numel() for name in loaded)
    assert "ahcal_encoder.stem" in account.summary and "context_token" in account.summary


def test_the_stem_starts_afresh_where_asked(source):
    folder, theirs = source
    model = network(folder, reinitialize=[STEM])
    assert not torch.equal(model.get_parameter(f"{STEM}.first.weight"), theirs.cal_encoder.stem.first.weight)
    assert {name for name, why in model.transfer.fresh.items() if why == "asked for"} == {
        f"{STEM}.{name}" for name in model.get_submodule(STEM).state_dict()
    }
    with pytest.raises(RecipeError, match="reinitialize: expected names of modules"):
        network(folder, reinitialize=["stem"])


def test_a_smaller_network_takes_the_first_blocks(source):
    folder, theirs = source
    model = network(folder, num_window_layers=1)
    weight = "attention.qkv.weight"
    own = model.nu_perceiver_image.window_encoder.blocks[0].get_parameter(weight)
    assert torch.equal(own, theirs.cal_encoder.blocks[0].get_parameter(weight))
    assert f"cal_encoder.blocks.1.{weight}" in model.transfer.left


def test_sizes_of_which_nothing_fits_are_refused(source):
    folder, _ = source
    with pytest.raises(WeightsError, match=r"got none \(.*has the shape \(2, 32\), this \(2, 64\)"):
        network(folder, hidden_size=64)
    with pytest.raises(
        RecipeError, match=r"num_attention_heads: expected 2, as .* splits its weights, got 4"
    ):
        network(folder, num_attention_heads=4)
    model = network(folder)
    with pytest.raises(ArgumentError):
        load_transfer(model, str(folder), ["nothing"])


def test_other_networks_are_still_refused(source, tmp_path):
    folder, _ = source
    with pytest.raises(RecipeError, match=r"expected a nu_unet, by model.model_type, got .* a nu_perceiver"):
        section = {"model_type": "nu_unet", "pretrained": str(folder)}
        NetworkChoice.parse(section, "hit-segmentation").checkpoint  # noqa: B018 (it is looked for)


def test_what_was_loaded_learns_slower_layer_by_layer(source):
    """By hand: stem 0, three blocks 1 to 3, norm of tokens 4, latents 5 and 6, all else 7."""
    model = network(source[0])
    groups = parameter_groups(model, 1.0, 0.05, Optimiser(transfer_decay=0.5))
    rate = {id(parameter): group["lr"] for group in groups for parameter in group["params"]}
    rates = {name: rate[id(parameter)] for name, parameter in model.named_parameters()}
    body = "nu_perceiver_image"
    expected = {
        f"{STEM}.last.weight": 7,
        f"{body}.window_encoder.class_token": 7,
        f"{body}.window_encoder.blocks.0.mlp.0.bias": 6,
        f"{body}.window_encoder.blocks.2.mlp.0.bias": 4,
        f"{body}.window_encoder.norm.weight": 4,
        f"{body}.token_norm.bias": 3,
        f"{body}.latent_reads.0.attention.kv.weight": 2,
        f"{body}.latent_blocks.0.attention.qkv.weight": 1,
        f"{body}.context_token.linear.weight": 0,
        "classifier.linear.weight": 0,
    }
    assert {name: rates[name] for name in expected} == {name: 0.5**steps for name, steps in expected.items()}
    model = network(source[0], reinitialize=[STEM])
    groups = parameter_groups(model, 1.0, 0.05, Optimiser(transfer_decay=0.5))
    stem = {id(parameter) for parameter in model.get_submodule(STEM).parameters()}
    assert {group["lr"] for group in groups for one in group["params"] if id(one) in stem} == {1.0}


def particles(events):
    """Straight tracks whose class is their brightness."""
    rng = np.random.default_rng(0)
    rows = []
    for event in range(events):
        steps = np.arange(40)[:, None] * rng.normal(size=3)
        cells = np.unique((100 + steps / 2).astype(int), axis=0)
        light = rng.gamma(4.0, 0.5, len(cells)) * (1 + 3 * (event % 4))
        rows.append(
            {"event_id": str(event), "detector": DETECTOR, "positions": "voxel", "label": event % 4}
            | {axis: cells[:, number].tolist() for number, axis in enumerate("xyz")}
            | {"energy": light.tolist()}
        )
    names = datasets.ClassLabel(names=list(find_detector(DETECTOR).readout.classes))
    return datasets.Dataset.from_list(rows).cast_column("label", names)


def test_a_recipe_starts_from_another_network_and_says_what_of_it_it_took(source, tmp_path, undrawn_curves):
    given = [f"model.pretrained={source[0]}", f"training.output_dir={tmp_path / 'run'}"]
    given += ["training.max_steps=2", "training.per_device_train_batch_size=4", "training.use_cpu=true"]
    recipe = load_recipe("nu_perceiver_scintillator_tiny", given)
    assert recipe.model.preset == "tiny" and recipe.model.is_transfer
    splits = {"train": particles(8), "validation": particles(4)}
    assert not build_processor(recipe, splits["train"]).is_fitted
    folder = train(recipe, splits=splits)
    account = json.loads((folder / TRANSFER_FILE).read_text())
    assert account["model_type"] == "nu_perceiver" and account["origin"] == str(source[0])
    assert account["loaded"][f"{STEM}.last.weight"] == "cal_encoder.stem.last.weight"
    assert json.loads((folder / "config.json").read_text())["hidden_size"] == 32
