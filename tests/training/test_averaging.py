"""The average of weights: beside its formula, and what a training does with it."""

import json
import shutil

import datasets
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from nuzoo.configuration.configuration_nu_perceiver import NuPerceiverConfig
from nuzoo.modeling.modeling_nu_perceiver_reconstruction import NuPerceiverForEventReconstruction
from nuzoo.processors.detector_events.feature_extraction_nu_detector_event import (
    NuDetectorEventFeatureExtractor,
)
from nuzoo.training.averaging import Averaging, swapped, take_weights
from nuzoo.training.fields import RecipeError
from nuzoo.training.recipe import load_recipe
from nuzoo.training.supervised import build_trainer, train

pytestmark = pytest.mark.usefixtures("undrawn_curves")

SMALL = [
    "model.hidden_size=16",
    "model.num_attention_heads=2",
    "model.num_module_layers=1",
    "model.num_ahcal_layers=1",
    "model.num_latent_layers=1",
    "training.per_device_train_batch_size=4",
    "training.num_train_epochs=4",
    "training.report_to=[]",
    "training.use_cpu=true",
    "averaging.decay=0.9",
]


def rows_with_truth(events, seed):
    rng = np.random.default_rng(seed)
    return [
        row
        | {
            "event_id": str(number),
            "source": "made up",
            "detector": "fasercal",
            "flavour": int(rng.integers(6)),
            "charm": int(rng.integers(4)),
            "is_cc": number % 2,
            "is_tau": 0,
            "vis_momentum": (rng.normal(size=3) * (1, 1, 200) + (0, 0, 500)).tolist(),
            "jet_momentum": (rng.normal(size=3) * (4, 4, 100) + (0, 0, 300)).tolist(),
            "lepton_momentum": (rng.normal(size=3) * (4, 4, 100) + (0, 0, 200)).tolist(),
            "tau_vis_momentum": [0.0, 0.0, 0.0],
            "primary_vertex": rng.normal((174, 109, -66), (135, 125, 652)).tolist(),
        }
        for number, row in enumerate(NuDetectorEventFeatureExtractor().example_events(events))
    ]


@pytest.fixture(scope="module")
def splits():
    vectors = ("vis_momentum", "jet_momentum", "lepton_momentum", "tau_vis_momentum", "primary_vertex")
    made = {}
    for seed, (name, events) in enumerate((("train", 12), ("validation", 6))):
        rows = datasets.Dataset.from_list(rows_with_truth(events, seed))
        three = datasets.List(datasets.Value("float32"), length=3)
        made[name] = rows.cast(datasets.Features(rows.features | dict.fromkeys(vectors, three)))
    return made


def recipe(folder, *overrides):
    return load_recipe(
        "nu_perceiver_fasercal_tiny", [*SMALL, f"training.output_dir={folder.as_posix()}", *overrides]
    )


def test_the_average_follows_by_its_formula():
    """In the n-th step (1 + n) / (10 + n) of it stays, at most `decay`."""
    torch.manual_seed(0)
    network = nn.Linear(3, 2)
    averaged = Averaging(decay=0.3).average_of(network)
    expected = network.weight.detach().clone()
    for step in range(1, 7):
        with torch.no_grad():
            network.weight.normal_()
        averaged.update_parameters(network)
        decay = min(0.3, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * network.weight.detach()
        torch.testing.assert_close(averaged.module.weight, expected)


def test_weights_are_swapped_for_a_while_and_taken_for_good():
    network = nn.Linear(1, 1, bias=False)
    averaged = Averaging(decay=0.5).average_of(network)
    before = network.weight.item()
    with torch.no_grad():
        network.weight.add_(1)
    with swapped(network, averaged):
        assert (network.weight.item(), averaged.module.weight.item()) == (before, before + 1)
    assert (network.weight.item(), averaged.module.weight.item()) == (before + 1, before)
    take_weights(network, averaged)
    assert network.weight.item() == averaged.module.weight.item() == before


def weights_of(folder, name="model.safetensors"):
    return {key.removeprefix("module."): value for key, value in load_file(folder / name).items()}


def same(first, second):
    names = first.keys() & second.keys()
    return bool(names) and all(torch.equal(first[name], second[name]) for name in names)


@pytest.fixture(scope="module")
def finished(splits, tmp_path_factory):
    return train(
        recipe(tmp_path_factory.mktemp("whole") / "run", "training.save_total_limit=null"), splits=splits
    )


def best_of(folder):
    steps = {int(one.name.rpartition("-")[2]): one for one in folder.glob("checkpoint-*")}
    last = steps[max(steps)]

    return (
        folder / json.loads((last / "trainer_state.json").read_text())["best_model_checkpoint"].split("/")[-1]
    )


def test_the_model_is_the_average_of_the_best_checkpoint(finished):
    best = best_of(finished)
    assert same(weights_of(finished), weights_of(best, "averaged.safetensors"))
    assert not same(weights_of(finished), weights_of(best))


def test_a_stopped_run_ends_with_the_same_average(splits, finished, tmp_path):
    """Both the weights that learn and their average go on from the checkpoint."""
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    for ended in ("model.safetensors", "trainer_state.json"):
        (folder / ended).unlink()
    for late in ("checkpoint-9", "checkpoint-12"):
        shutil.rmtree(folder / late)
    again = recipe(folder, "training.save_total_limit=null")
    (folder / "recipe.yaml").write_text(again.to_yaml())
    train(again, splits=splits)
    last = "checkpoint-12"
    for name in ("model.safetensors", "averaged.safetensors"):
        assert same(weights_of(folder / last, name), weights_of(finished / last, name))
    assert same(weights_of(folder), weights_of(finished))


def test_the_average_is_what_is_evaluated(splits, tmp_path):
    trainer = build_trainer(recipe(tmp_path / "run"), splits, [])
    for parameter in trainer.averaged.module.parameters():
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    found = trainer.evaluate()["eval_loss"]
    trainer.model.load_state_dict(trainer.averaged.module.state_dict())
    trainer.averaging = Averaging(decay=0.9, is_used=False)
    assert trainer.evaluate()["eval_loss"] == pytest.approx(found)


def test_an_average_that_is_not_used_is_kept_beside_the_checkpoints(splits, tmp_path):
    """As the public code of arXiv 2604.07037 does."""
    folder = train(recipe(tmp_path / "run", "averaging.is_used=false"), splits=splits)
    best = best_of(folder)
    assert same(weights_of(folder), weights_of(best))
    assert not same(weights_of(folder), weights_of(best, "averaged.safetensors"))


def test_the_configuration_has_the_constants_of_the_training_events(splits, finished):
    processor = NuDetectorEventFeatureExtractor.from_pretrained(finished)
    config = NuPerceiverConfig.from_pretrained(finished)
    assert config.momentum_statistics == processor.momentum_statistics is not None
    assert config.input_statistics == processor.input_statistics is not None
    fitted = NuDetectorEventFeatureExtractor(detector="fasercal").fit(splits["train"])
    assert config.momentum_statistics == fitted.momentum_statistics


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("averaging.decay=1", "averaging.decay: expected a number from 0 to below 1"),
        ("averaging.dekay=0.9", "averaging.*did you mean decay"),
    ],
)
def test_recipes_are_checked(tmp_path, override, complaint):
    with pytest.raises(RecipeError, match=complaint):
        recipe(tmp_path, override)


def test_recipes_of_tasks_that_keep_no_average_refuse_it():
    with pytest.raises(RecipeError, match="averaging"):
        load_recipe("nu_point_pretrain_tiny", ["averaging.decay=0.9"])


def test_published_recipe_has_the_published_numbers():
    """A rate of 5e-4 for 256 events, which falls by 0.75 over an axis of 14, and five epochs of warm-up."""
    loaded = load_recipe("nu_perceiver_fasercal", ["training.bf16=false"])
    arguments = loaded.training
    assert arguments.learning_rate == pytest.approx(5e-4 * arguments.per_device_train_batch_size / 256)
    assert arguments.warmup_steps * arguments.num_train_epochs == 5
    assert loaded.augmentation == type(loaded.augmentation).published()
    with torch.device("meta"):
        model = NuPerceiverForEventReconstruction(NuPerceiverConfig.base())
    rates = set(loaded.optimiser.rates_of(model, 1.0).values())
    assert min(rates) == pytest.approx(0.75**14) and max(rates) == pytest.approx(0.75)
