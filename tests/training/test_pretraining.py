"""Pre-training without labels, from a recipe to a folder that other networks start from."""

import json
from pathlib import Path

import datasets
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForPreTraining, TrainerCallback

from nuzoo.modeling.modeling_nu_point import NuPointForSemanticSegmentation
from nuzoo.training.recipe import load_recipe
from nuzoo.training.self_distillation.pretraining import build_pretraining, pretrain
from nuzoo.training.self_distillation.teacher import TEACHER_FILE
from tests.evaluation.point_cloud_rows import event_row, without_truth
from tests.fresh_process import run_ranks
from tests.training.distilled_in_processes import VIEWS, loss_of, networks

pytestmark = pytest.mark.usefixtures("undrawn_curves")

SMALL = {
    "views.local_views": 2,
    "views.largest": 300,
    "model.encoder_depths": [1, 1, 1],
    "model.encoder_channels": [16, 32, 32],
    "model.decoder_depths": [1, 1],
    "model.decoder_channels": [16, 32],
    "model.prototypes": 32,
    "model.token_steps": 1,
    "probe.points": 200,
}


def rows_of(number, first=0):
    names = ("event_id", "detector", "positions", "source", "x", "y", "z", "energy", "motif")
    rows = [event_row(first + seed) for seed in range(number)]
    return datasets.Dataset.from_list([{name: row[name] for name in names} for row in rows])


@pytest.fixture(scope="module")
def splits():
    return {"train": rows_of(8), "validation": rows_of(4, first=100)}


def recipe(output, **training):
    quick = {
        "output_dir": str(output),
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
    fields = {f"training.{name}": value for name, value in (quick | training).items()}
    return load_recipe("nu_point_pretrain_tiny").changed(SMALL | fields)


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
    """Student, teacher, schedules and random numbers."""
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    pretrain(recipe(whole), splits=splits)
    with pytest.raises(KeyboardInterrupt):
        pretrain(recipe(parts), splits=splits, callbacks=[StopAt(3)])
    assert (parts / "checkpoint-2" / TEACHER_FILE).is_file()
    pretrain(recipe(parts), splits=splits)
    losses = [[entry["loss"] for entry in history(folder) if "loss" in entry] for folder in (whole, parts)]
    assert losses[0] == losses[1] and len(losses[0]) == 4
    for file in ("model.safetensors", f"checkpoint-4/{TEACHER_FILE}"):
        expected = load_file(whole / file)
        for name, tensor in load_file(parts / file).items():
            assert torch.equal(tensor, expected[name]), (file, name)


def test_teacher_follows_the_steps_of_the_optimiser(splits, tmp_path):
    """Also where a step is of several batches; its momentum goes along a cosine from 0.98 to 1."""
    run = recipe(tmp_path / "run", max_steps=2, gradient_accumulation_steps=2, save_steps=1)
    trainer = build_pretraining(run, splits, [])
    start = {name: value.clone() for name, value in trainer.teacher.state_dict().items()}
    trainer.train()
    folder = tmp_path / "run"
    students = [load_file(folder / f"checkpoint-{step}/model.safetensors") for step in (1, 2)]
    teacher = load_file(folder / f"checkpoint-2/{TEACHER_FILE}")
    name = "nu_point.encoder.stages.0.0.attention.qkv.weight"
    first = 0.98 * start[name] + 0.02 * students[0][name]
    second = 0.99 * first + 0.01 * students[1][name]
    assert not torch.equal(students[0][name], students[1][name])
    torch.testing.assert_close(teacher[name], second, rtol=1e-6, atol=1e-8)
    assert all(parameter.grad is None for parameter in trainer.teacher.parameters())


def test_decay_of_weights_follows_its_schedule(splits, tmp_path):
    run = recipe(tmp_path / "run", max_steps=3, save_strategy="no", save_steps=None)
    seen = []

    class Look(TrainerCallback):
        def on_optimizer_step(self, args, state, control, optimizer=None, **kwargs):
            seen.append({group["weight_decay"] for group in optimizer.param_groups})

    trainer = build_pretraining(run, splits, [Look()])
    trainer.train()
    expected = [0.1 - 0.03 * (1 + torch.cos(torch.tensor(torch.pi * step / 3))).item() for step in range(3)]
    assert [sorted(decays)[0] for decays in seen] == [0.0] * 3
    assert [max(decays) for decays in seen] == pytest.approx(expected)


def test_loss_falls_and_what_was_learnt_is_taken_over(splits, tmp_path):
    run = recipe(
        tmp_path / "run", max_steps=24, save_steps=24, logging_steps=4, eval_strategy="steps", eval_steps=12
    )
    folder = pretrain(run, splits=splits)
    losses = [entry["loss"] for entry in history(folder) if "loss" in entry]
    assert losses[-1] < losses[0] - 0.3
    measured = [entry for entry in history(folder) if "eval_loss" in entry]
    assert len(measured) == 2
    for name in ("macro_f1", "prototypes_used", "assignment_entropy", "feature_spread"):
        assert 0 < measured[-1][f"eval_{name}"] <= 1.5, name
    assert {"mask_loss", "roll_loss", "unmask_loss"} <= history(folder)[0].keys()
    student = AutoModelForPreTraining.from_pretrained(folder)
    tuned = load_recipe(
        "nu_point_motif_tiny", [f"model.pretrained={folder}", "model.reinitialize=[classifier]"]
    )
    config = tuned.changed({"model.preset": None, "model.readout": "upcast"}).model.config
    assert config is not None
    loaded = NuPointForSemanticSegmentation.from_pretrained(folder, reinitialize=["classifier"])
    for name, value in student.nu_point.state_dict().items():
        assert torch.equal(value, loaded.nu_point.state_dict()[name]), name


def test_events_without_truth_are_enough(splits, tmp_path):
    bare = {
        split: datasets.Dataset.from_list([without_truth(dict(row)) for row in rows]).remove_columns("motif")
        for split, rows in splits.items()
    }
    run = recipe(tmp_path / "run", max_steps=1, eval_strategy="steps", eval_steps=1, save_steps=1)
    folder = pretrain(run, splits=bare)
    measured = next(entry for entry in history(folder) if "eval_loss" in entry)
    assert "eval_prototypes_used" in measured and "eval_macro_f1" not in measured


def of_events(clouds, events, chosen):
    """Every view of some events of a batch of clouds."""
    numbers = [view * events + event for view in range(VIEWS) for event in chosen]
    ends = clouds["offset"].tolist()
    rows = torch.cat([torch.arange([0, *ends][number], ends[number]) for number in numbers])
    counts = torch.diff(clouds["offset"], prepend=torch.zeros(1, dtype=torch.long))[numbers]
    part = {name: value[rows] for name, value in clouds.items() if name != "offset"}
    return {**part, "offset": counts.cumsum(0)}


def test_two_processes_have_the_loss_and_the_gradient_of_one(splits, tmp_path):
    """Of three events one process has two: their tokens are not as many."""
    trainer = build_pretraining(recipe(tmp_path / "run"), splits, [])
    clouds = trainer.augmentation(trainer.train_dataset.__getitems__([0, 1, 2]))
    clouds["is_masked"] = torch.rand(len(clouds["coordinates"])) < 0.5
    clouds["is_masked"][int(clouds["offset"][2 * 3 - 1]) :] = False
    for rank, chosen in enumerate(([0, 2], [1])):
        torch.save(of_events(clouds, 3, chosen), tmp_path / f"clouds-{rank}.pt")
    script = Path(__file__).with_name("distilled_in_processes.py")
    for done in run_ranks(script, tmp_path, folder=tmp_path):
        assert done.returncode == 0, done.stderr
    found = torch.load(tmp_path / "found.pt")
    student, teacher = networks()
    loss = loss_of(student, teacher, clouds)
    loss.backward()
    assert found["loss"].item() == pytest.approx(loss.item(), rel=1e-6)
    for name, parameter in student.named_parameters():
        torch.testing.assert_close(found["gradients"][name], parameter.grad, rtol=1e-3, atol=1e-6)
