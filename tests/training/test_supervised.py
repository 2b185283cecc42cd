import json
import os
import subprocess
import sys
from pathlib import Path

import datasets
import numpy as np
import pytest
import torch
from datasets import Dataset, Features, LargeList, List, Value
from safetensors.torch import load_file, save_file
from transformers import AutoImageProcessor, AutoModelForImageClassification, TrainerCallback

from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError
from nuzoo.evaluation.core.errors import EvaluationError
from nuzoo.files.errors import FolderInUseError
from nuzoo.files.folder_lock import locked
from nuzoo.training.cross_validation import cross_validate, cross_validate_and_report
from nuzoo.training.network_choice import NetworkChoice
from nuzoo.training.recipe import RecipeError, load_recipe
from nuzoo.training.recipe_data import load_splits
from nuzoo.training.safe_trainer import DivergedError
from nuzoo.training.supervised import build_processor, build_trainer, is_per_hit, train

pytestmark = pytest.mark.usefixtures("undrawn_curves")


@pytest.fixture(scope="module")
def splits(simulated_dataset):
    return datasets.load_dataset(str(simulated_dataset))


def recipe(output: Path, name: str = "nu_cnn_tiny", **training: object):
    """32 pixels a side, two events a step: a step is a few milliseconds."""
    quick = {
        "output_dir": output.as_posix(),
        "per_device_train_batch_size": 2,
        "max_steps": 20,
        "lr_scheduler_type": "constant",
        "warmup_steps": 0,
        "eval_strategy": "no",
        "save_strategy": "steps",
        "save_steps": 10,
        "load_best_model_at_end": False,
        "logging_steps": 1,
        "use_cpu": True,
        "disable_tqdm": True,
    }
    loaded = load_recipe(name, ["processor.rebin=16"])
    return loaded.changed({f"training.{field}": value for field, value in (quick | training).items()})


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def losses(folder: Path) -> list[float]:
    history = json.loads((folder / "trainer_state.json").read_text())["log_history"]
    return [entry["loss"] for entry in history if "loss" in entry]


class StopAt(TrainerCallback):
    def __init__(self, step: int) -> None:
        self.step = step

    """Interrupts training as Ctrl-C does, at the first step after one that was saved."""

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step >= self.step and not control.should_save:
            raise KeyboardInterrupt


def test_ten_and_ten_steps_after_a_stop_equal_twenty(splits, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train(recipe(whole), splits=splits)
    with pytest.raises(KeyboardInterrupt):
        train(recipe(parts), splits=splits, callbacks=[StopAt(11)])
    assert (parts / "checkpoint-10").is_dir()
    train(recipe(parts), splits=splits)
    assert len(losses(whole)) == 20
    assert losses(parts) == losses(whole)
    expected = weights(whole)
    for name, tensor in weights(parts).items():
        assert torch.equal(tensor, expected[name]), name


def test_the_seed_decides_the_run(splits, tmp_path):
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        train(recipe(tmp_path / name, seed=seed, max_steps=3), splits=splits)
    assert losses(tmp_path / "first") == losses(tmp_path / "again")
    assert losses(tmp_path / "first") != losses(tmp_path / "other")


def test_what_is_saved_loads_with_the_auto_classes(splits, tmp_path):
    train(recipe(tmp_path, max_steps=2), splits=splits)
    model = AutoModelForImageClassification.from_pretrained(tmp_path)
    processor = AutoImageProcessor.from_pretrained(tmp_path)
    assert processor.detector == "modular-2x2x7"
    assert processor.active_rms is not None
    logits = model(**processor(splits["test"][0])).logits
    assert logits.shape == (1, 3)
    assert load_recipe(tmp_path / "recipe.yaml").training.max_steps == 2


def test_the_network_takes_the_size_of_the_processors_images(splits, tmp_path):
    """Maps of 8 pixels, padded to 32; trained in bfloat16 with checkpointing, as the paper's recipe is."""
    quick = recipe(tmp_path, "nu_vit_tiny", max_steps=2, bf16=True, activation_checkpointing=True)
    odd = quick.changed({"processor": {"rebin": 64, "pad_to_multiple": 32, "scale": "log"}})
    train(odd, splits=splits)
    model = AutoModelForImageClassification.from_pretrained(tmp_path)
    processor = AutoImageProcessor.from_pretrained(tmp_path)
    assert model.config.image_size == list(processor.image_size) == [32, 32]
    assert all(np.isfinite(losses(tmp_path)))
    half = processor(splits["test"][0], half_resolution="image")
    assert model(**half).logits.shape == (1, 3)


def started(fields, splits):
    start = load_recipe("nu_cnn_tiny", ["processor.rebin=16"]).changed({"model": fields})
    return network(start, splits["train"])


def network(start, rows):
    return start.model.build(start.model.config(build_processor(start, rows)))


def test_the_papers_vision_transformer_sees_padded_maps_of_full_size(splits):
    paper = load_recipe("nu_vit", ["model.timm_weights=null"])
    with torch.device("meta"):
        model = network(paper, splits["train"])
    assert model.config.image_size == [518, 518]
    assert model.num_parameters() == 631_942_403


def test_a_network_starts_from_weights_of_timm(splits, tmp_path):
    timm = pytest.importorskip("timm", reason="timm is not installed")
    sizes = {"patch_size": 16, "hidden_size": 192, "num_hidden_layers": 2, "num_attention_heads": 3}
    network = timm.create_model("vit_tiny_patch16_224", depth=2)
    save_file(network.state_dict(), tmp_path / "timm.safetensors")
    fields = {"model_type": "nu_vit", "timm_weights": str(tmp_path / "timm.safetensors"), **sizes}
    model = started(fields, splits)
    first = network.blocks[0].mlp.fc1.weight
    assert torch.equal(model.base_model.layers[0].mlp.fc1.weight, first)
    assert model.config.timm_backbone == "timm"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model_type": "nu_cnn", "preset": "huge"}, "expected one of tiny, small, got 'huge'"),
        ({"model_type": "nu_cnn", "timm_weights": "resnet50"}, "nu_cnn has no counterpart in timm"),
        ({"model_type": "nu_vit", "timm_weights": "a", "pretrained": "b"}, "got both"),
        ({"model_type": "nu_vid"}, "nu_vid"),
        ({"model_type": "nu_cnn", "temperature": -1}, "temperature must be from 0.001 to 1000, got -1"),
    ],
)
def test_a_start_that_cannot_be_is_refused(fields, message, splits):
    with pytest.raises(RecipeError, match=message):
        started(fields, splits)


def test_a_checkpoint_is_fine_tuned_with_its_own_processor(splits, tmp_path):
    train(recipe(tmp_path / "first", max_steps=2), splits=splits)
    start = recipe(tmp_path / "second", max_steps=1, learning_rate=0.0, weight_decay=0.0)
    first = {"model_type": "nu_cnn", "pretrained": str(tmp_path / "first")}
    tuned = start.changed({"model": first, "processor": None})
    train(tuned, splits=splits)
    before, after = weights(tmp_path / "first"), weights(tmp_path / "second")
    trained = [name for name in before if not name.endswith(("running_mean", "running_var", "tracked"))]
    assert all(torch.equal(before[name], after[name]) for name in trained)
    first, second = (AutoImageProcessor.from_pretrained(tmp_path / name) for name in ("first", "second"))
    assert first.active_rms == second.active_rms


def test_a_folder_with_another_run_is_refused(splits, tmp_path):
    train(recipe(tmp_path, max_steps=10), splits=splits)
    with pytest.raises(RecipeError, match="another recipe"):
        train(recipe(tmp_path, max_steps=20, learning_rate=1.0), splits=splits)


def test_early_stopping_survives_a_stop_and_a_finished_run_is_left_alone(splits, tmp_path):
    """Next to no learning rate never improves: a patience of two ends the run after three evaluations."""
    changes = {"learning_rate": 1e-12, "weight_decay": 0.0, "max_steps": 200, "eval_strategy": "steps"}
    changes |= {"eval_steps": 10, "load_best_model_at_end": True, "greater_is_better": True}
    changes |= {"metric_for_best_model": "eval_accuracy", "save_total_limit": 2}
    patient = recipe(tmp_path, **changes).changed({"early_stopping_patience": 2})
    with pytest.raises(KeyboardInterrupt):
        train(patient, splits=splits, callbacks=[StopAt(21)])
    train(patient, splits=splits)
    state = (tmp_path / "trainer_state.json").read_text()
    assert json.loads(state)["global_step"] == 30
    train(patient, splits=splits)
    assert (tmp_path / "trainer_state.json").read_text() == state


def test_events_without_the_maps_that_the_processor_reads_are_refused_first(splits, tmp_path):
    blind = dict(splits) | {"validation": splits["validation"].remove_columns("yz_index")}
    message = "split validation: expected .*xz_index.*got none named yz_index"
    with pytest.raises(UnusableDatasetError, match=message):
        train(recipe(tmp_path / "run", eval_strategy="epoch"), splits=blind)
    assert not (tmp_path / "run").exists()


def renumbered(rows, names):
    """The same events and classes, which another list of names numbers."""
    known = rows.features["label"].names
    numbers = [names.index(known[label]) for label in rows["label"]]
    return rows.remove_columns("label").add_column("label", numbers, feature=datasets.ClassLabel(names=names))


def test_a_new_network_takes_the_classes_of_the_training_events(splits, tmp_path):
    own = ["nutau_cc", "cosmics", "nue_cc", "nc", "numu_cc"]
    turned = {split: renumbered(rows, own) for split, rows in splits.items()}
    turned["validation"] = renumbered(splits["validation"], ["numu_cc", "nc", "nue_cc"])
    trainer = build_trainer(recipe(tmp_path / "run", eval_strategy="epoch"), turned, [])
    assert list(trainer.model.config.id2label.values()) == own
    for split, batches in (("train", trainer.train_dataset), ("validation", trainer.eval_dataset)):
        seen = batches[0]["labels"].item()
        assert own[seen] == splits[split].features["label"].int2str(splits[split]["label"][0])
    train(recipe(tmp_path / "run", max_steps=1), splits=turned)
    model = AutoModelForImageClassification.from_pretrained(tmp_path / "run")
    assert model(**AutoImageProcessor.from_pretrained(tmp_path / "run")(splits["test"][0])).logits.shape == (
        1,
        5,
    )


def test_the_classes_of_a_recipe_are_matched_by_name(splits, tmp_path):
    turned = ["nc", "nue_cc", "numu_cc"]
    named = recipe(tmp_path / "run").changed({"model.id2label": dict(enumerate(turned))})
    trainer = build_trainer(named, splits, [])
    labels = [trainer.train_dataset[place]["labels"].item() for place in range(6)]
    assert [turned[label] for label in labels] == splits["train"].features["label"].int2str(
        splits["train"]["label"][:6]
    )
    lacking = named.changed({"model.id2label": {0: "nc", 1: "nue_cc"}})
    with pytest.raises(UnusableDatasetError, match=r"split train.*\(nc, nue_cc\), got \d+ of numu_cc"):
        train(lacking.changed({"training.output_dir": str(tmp_path / "other")}), splits=splits)
    assert not (tmp_path / "other").exists()


def test_a_checkpoint_of_other_classes_is_refused_until_its_head_starts_afresh(splits, tmp_path):
    two = recipe(tmp_path / "two", max_steps=1)
    few = splits["train"].filter(lambda row: row["label"] != 2)
    train(two, splits={"train": renumbered(few, ["numu_cc", "nue_cc"])})
    tuned = recipe(tmp_path / "run", max_steps=1, learning_rate=0.0, weight_decay=0.0).changed(
        {"model": {"model_type": "nu_cnn", "pretrained": str(tmp_path / "two")}, "processor": None}
    )
    with pytest.raises(UnusableDatasetError, match=r"got \d+ of nc: .*reinitialize.*ignore_mismatched_sizes"):
        train(tuned, splits=splits)
    train(tuned.changed({"model.reinitialize": ["classifier"]}), splits=splits)
    before, after = weights(tmp_path / "two"), weights(tmp_path / "run")
    assert (before["classifier.weight"].shape[0], after["classifier.weight"].shape[0]) == (2, 3)
    assert torch.equal(before["nu_cnn.branches.0.stem.weight"], after["nu_cnn.branches.0.stem.weight"])


def test_a_checkpoint_of_another_architecture_is_refused(splits, tmp_path):
    train(recipe(tmp_path / "vit", "nu_vit_tiny", max_steps=1), splits=splits)
    fields = {"model_type": "nu_cnn", "pretrained": str(tmp_path / "vit")}
    with pytest.raises(RecipeError, match=r"expected a nu_cnn, by .*, which is a nu_vit"):
        started(fields, splits)


def test_a_checkpoint_for_other_events_is_refused_by_its_type_before_anything_of_it_is_read():
    choice = NetworkChoice.parse({"model_type": "nu_point", "pretrained": "nu-cnn-tiny"}, "hit-segmentation")
    with pytest.raises(RecipeError, match=r"expected a nu_point, by .*nu-cnn-tiny, which is a nu_cnn"):
        choice.checkpoint  # noqa: B018 (it is looked up)


def test_a_killed_run_goes_on_from_the_last_whole_checkpoint(splits, tmp_path, caplog):
    start = recipe(tmp_path, max_steps=6, save_steps=2, save_total_limit=None)
    train(start, splits=splits)
    expected = weights(tmp_path)
    (tmp_path / "trainer_state.json").write_text("{")
    (tmp_path / "checkpoint-999").mkdir()
    torn = tmp_path / "checkpoint-6" / "optimizer.pt"
    torn.write_bytes(torn.read_bytes()[:1000])
    (tmp_path / "model.safetensors").unlink()
    train(start, splits=splits)
    told = [record.getMessage() for record in caplog.records if "checkpoint-" in record.getMessage()]
    assert [line.rpartition("checkpoint-")[2] for line in told] == [
        "999 was not written to its end (no *.safetensors): passed over",
        "6 was not written to its end (optimizer.pt is torn): passed over",
        "4",
    ]
    assert all(torch.equal(tensor, expected[name]) for name, tensor in weights(tmp_path).items())


def test_what_is_recorded_of_a_run_is_what_was_made(splits, tmp_path):
    train(recipe(tmp_path, max_steps=4, save_steps=2), splits=splits)
    before = (tmp_path / "recipe.yaml").read_text()
    with pytest.raises(RecipeError, match=r"training\.max_steps: expected 4 or more.*got 2"):
        train(recipe(tmp_path, max_steps=2, save_steps=2), splits=splits)
    assert (tmp_path / "recipe.yaml").read_text() == before
    longer = recipe(tmp_path, max_steps=6, save_steps=2)
    with pytest.raises(KeyboardInterrupt):
        train(longer, splits=splits, callbacks=[StopAt(5)])
    train(longer, splits=splits)
    assert json.loads((tmp_path / "trainer_state.json").read_text())["global_step"] == 6


def test_two_runs_into_one_folder_are_one_too_many(tmp_path):
    with locked(tmp_path), pytest.raises(FolderInUseError, match="no other run writes to"):
        train(recipe(tmp_path))


@pytest.mark.parametrize("changes", [{"learning_rate": 1e30}, {"learning_rate": 1e30, "max_steps": 1}])
def test_a_diverged_training_fails_and_saves_nothing(changes, splits, tmp_path):
    with pytest.raises(
        DivergedError, match=r"step [12]: expected finite numbers, got .*learning_rate than 1e\+30"
    ):
        train(recipe(tmp_path, save_steps=1, eval_strategy="epoch", **changes), splits=splits)
    assert not (tmp_path / "model.safetensors").exists()


def test_an_unknown_training_field_is_named(splits, tmp_path):
    with pytest.raises(RecipeError, match="learning_rat"):
        train(recipe(tmp_path, learning_rat=1.0), splits=splits)


def test_cross_validation_judges_every_event_once_and_by_others(splits, tmp_path):
    rows = splits["train"].select(range(24))
    start = recipe(tmp_path, max_steps=3)
    logits = np.stack(cross_validate(start, rows, folds=2))
    assert logits.shape == (24, 3)
    assert np.isfinite(logits).all()
    assert np.array_equal(logits, np.stack(cross_validate(start, rows, folds=2)))
    with pytest.raises(RecipeError, match="folds"):
        cross_validate(start, rows, folds=1)
    with pytest.raises(EvaluationError, match="do not come from nuzoo's simulation"):
        foreign = rows.remove_columns("source").add_column("source", ["elsewhere"] * 24)
        cross_validate_and_report(start, {"train": foreign}, folds=2)
    with pytest.raises(RecipeError, match=r"data\.train_events: expected none with --folds.*got 5"):
        cross_validate(start.changed({"data.train_events": 5}), rows, folds=2)


def test_torchrun_with_two_processes_trains_one_model(simulated_dataset, tmp_path):
    overrides = {
        "processor.rebin": 16,
        "data.path": simulated_dataset,
        "training.output_dir": tmp_path,
        "training.per_device_train_batch_size": 4,
        "training.max_steps": 4,
    }
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    command += ["-m", "nuzoo.cli", "train", "nu_cnn_tiny"]
    command += [f"{name}={value}" for name, value in overrides.items()]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    result = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False, timeout=240
    )
    assert result.returncode == 0, result.stderr[-3000:]
    state = json.loads((tmp_path / "trainer_state.json").read_text())
    events = len(datasets.load_dataset(str(simulated_dataset), split="train"))
    # Each of the two processes takes 4 events a step, so an epoch has a quarter fewer steps than alone.
    assert state["epoch"] == pytest.approx(4 / np.ceil(events / 8), rel=0.01)
    assert weights(tmp_path)


@pytest.mark.parametrize(
    ("kind", "per_hit"),
    [
        (Value("int64"), False),
        (List(Value("float32"), length=3), False),
        (List(Value("int64")), True),
        (LargeList(Value("int64")), True),
    ],
)
def test_a_vector_is_one_truth_and_a_list_one_for_each_hit(kind, per_hit):
    rows = Dataset.from_dict({"truth": []}, features=Features({"truth": kind}))
    assert is_per_hit(rows, ("truth",)) is per_hit


def test_a_dataset_of_several_configurations_is_asked_for_one(splits, tmp_path):
    for name, events in (("few", 3), ("more", 5)):
        (tmp_path / "ds" / name).mkdir(parents=True)
        splits["train"].select(range(events)).to_parquet(tmp_path / "ds" / name / "train-0.parquet")
    listed = "".join(f"- config_name: {name}\n  data_files: {name}/*.parquet\n" for name in ("few", "more"))
    (tmp_path / "ds" / "README.md").write_text(f"---\nconfigs:\n{listed}---\n")
    start = recipe(tmp_path / "run").changed({"data.path": str(tmp_path / "ds")})
    assert len(load_splits(start.changed({"data.config": "more"}))["train"]) == 5
    with pytest.raises(RecipeError, match=r"data\.config: expected a configuration .*few.*more"):
        load_splits(start.changed({"data.config": "most"}))
