"""Masked autoencoding, from a recipe to a folder that other networks start from."""

import json

import datasets
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForPreTraining, TrainerCallback

from nuzoo.modeling.modeling_nu_point_mae_pretraining import NuPointMaeForPreTraining
from nuzoo.training.masked_autoencoding.pretraining import pretrain_masked
from nuzoo.training.recipe import RecipeError, load_recipe
from nuzoo.training.supervised import train
from tests.evaluation.point_cloud_rows import event_row

pytestmark = pytest.mark.usefixtures("undrawn_curves")

NAMES = ("event_id", "detector", "positions", "source", "x", "y", "z", "energy", "motif")
SMALL = {
    "model.num_hidden_layers": 2,
    "model.feature_layers": [0, 1],
    "model.hidden_size": 32,
    "probe.points": 200,
}
QUICK = {
    "per_device_train_batch_size": 2,
    "per_device_eval_batch_size": 2,
    "max_steps": 4,
    "warmup_steps": 0,
    "eval_strategy": "no",
    "eval_steps": None,
    "save_strategy": "steps",
    "save_steps": 2,
    "logging_steps": 1,
    "use_cpu": True,
    "disable_tqdm": True,
}


def rows_of(number, first=0, names=NAMES):
    rows = [event_row(first + seed) for seed in range(number)]
    return datasets.Dataset.from_list([{name: row[name] for name in names} for row in rows])


@pytest.fixture(scope="module")
def splits():
    return {"train": rows_of(4), "validation": rows_of(2, first=100)}


def recipe(output, **training):
    fields = {f"training.{name}": value for name, value in (QUICK | training).items()}
    return load_recipe("nu_point_mae_pretrain_tiny").changed(
        SMALL | fields | {"training.output_dir": str(output)}
    )


def history(folder):
    return json.loads((folder / "trainer_state.json").read_text())["log_history"]


class StopAt(TrainerCallback):
    """Interrupts training as Ctrl-C does, at the first step after one that was saved."""

    def __init__(self, step):
        self.step = step

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step >= self.step and not control.should_save:
            raise KeyboardInterrupt


def test_a_stopped_run_goes_on_exactly(splits, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    pretrain_masked(recipe(whole), splits=splits)
    with pytest.raises(KeyboardInterrupt):
        pretrain_masked(recipe(parts), splits=splits, callbacks=[StopAt(3)])
    pretrain_masked(recipe(parts), splits=splits)
    losses = [[entry["loss"] for entry in history(folder) if "loss" in entry] for folder in (whole, parts)]
    assert losses[0] == losses[1] and len(losses[0]) == 4
    expected = load_file(whole / "model.safetensors")
    for name, tensor in load_file(parts / "model.safetensors").items():
        assert torch.equal(tensor, expected[name]), name


def test_loss_falls_and_what_was_learnt_is_taken_over(splits, tmp_path):
    run = recipe(
        tmp_path / "run", max_steps=20, save_steps=20, logging_steps=5, eval_strategy="steps", eval_steps=10
    )
    folder = pretrain_masked(run, splits=splits)
    logged = [entry for entry in history(folder) if "loss" in entry]
    assert logged[-1]["loss"] < 0.7 * logged[0]["loss"]
    for entry in logged:
        assert entry["chamfer_loss"] + entry["energy_loss"] == pytest.approx(entry["loss"], rel=1e-3)
    first, last = (entry for entry in history(folder) if "eval_loss" in entry)
    assert last["eval_loss"] < first["eval_loss"]
    assert {"eval_macro_f1", "eval_svm_macro_f1", "eval_svm_f1_track", "eval_chamfer_loss"} <= last.keys()
    learnt = AutoModelForPreTraining.from_pretrained(folder)
    assert type(learnt) is NuPointMaeForPreTraining
    tuning = load_recipe("nu_point_mae_motif_tiny", [f"model.pretrained={folder}"]).changed(
        {f"training.{name}": value for name, value in (QUICK | {"max_steps": 1, "save_steps": 1}).items()}
        | {"training.output_dir": str(tmp_path / "tuned"), "training.learning_rate": 0.0}
        | {"training.load_best_model_at_end": False}
    )
    tuned = load_file(train(tuning, splits=splits) / "model.safetensors")
    for name, value in learnt.state_dict().items():
        if name.startswith("nu_point_mae.") and "running" not in name and "batches" not in name:
            assert torch.equal(value, tuned[name]), name
    assert any(name.startswith("classifier.") for name in tuned)


def test_events_without_truth_are_enough(tmp_path):
    bare = {split: rows_of(2, names=NAMES[:-1]) for split in ("train", "validation")}
    run = recipe(tmp_path / "run", max_steps=1, eval_strategy="steps", eval_steps=1, save_steps=1)
    measured = next(entry for entry in history(pretrain_masked(run, splits=bare)) if "eval_loss" in entry)
    assert "eval_energy_loss" in measured
    assert not {"eval_macro_f1", "eval_svm_macro_f1"} & measured.keys()


def test_sections_of_another_pre_training_are_refused():
    with pytest.raises(RecipeError, match="masks"):
        load_recipe("nu_point_mae_pretrain_tiny").changed({"masks.warmup": 0.1})
    with pytest.raises(RecipeError, match="pre-training, got nu_point_mae"):
        load_recipe("nu_point_pretrain_tiny").changed({"model.model_type": "nu_point_mae"})


@pytest.mark.parametrize("name", ["nu_point_mae_pretrain", "nu_point_mae_motif"])
def test_published_numbers(name):
    """arXiv 2502.02558 and its public configuration: from 8.6e-6 to 1e-4 and back."""
    run = load_recipe(name).changed({"training.bf16": None, "training.tf32": None})
    arguments = run.training
    assert arguments.learning_rate * arguments.lr_scheduler_kwargs["min_lr_rate"] == pytest.approx(8.6e-6)
    assert arguments.learning_rate * arguments.lr_scheduler_kwargs["warmup_lr_rate"] == pytest.approx(8.6e-6)
    assert (arguments.max_grad_norm, arguments.weight_decay) == (3.0, 0.05)


def test_class_weights_are_inverse_frequencies():
    """Of the points of PILArNet-M, as figure 8 of arXiv 2502.02558 counts them."""
    counts = torch.tensor([1_926_651_899, 2_038_240_940, 34_083_197, 92_015_482, 1_145_363_125.0])
    weights = load_recipe("nu_point_mae_motif").model.fields["class_weights"]
    torch.testing.assert_close(torch.tensor(weights), counts.sum() / counts, rtol=1e-3, atol=0)
