"""Learning from a stream of events: which come, in what order, in which process, and after a stop."""

import json
from collections import Counter
from itertools import islice
from pathlib import Path

import datasets
import pytest
import torch
from datasets import ClassLabel, load_dataset
from safetensors.torch import load_file

from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError
from nuzoo.datasets_scripts.lartpc_pixelmaps import simulate_dataset
from nuzoo.training import streamed_events
from nuzoo.training.fields import RecipeError
from nuzoo.training.recipe import load_recipe
from nuzoo.training.streamed_events import held, training_stream
from nuzoo.training.supervised import build_trainer, describe_network, train

from ..fresh_process import run_ranks

pytestmark = pytest.mark.usefixtures("undrawn_curves")


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    """Events in several files."""
    folder = tmp_path_factory.mktemp("data") / "shards"
    simulate_dataset(folder, events=60, seed=5, shard_size=15)
    return folder


@pytest.fixture(autouse=True)
def _no_wait_at_the_end_of_a_stream(monkeypatch):
    monkeypatch.setattr(datasets.config, "SLEEP_TIME_ON_THREADS_SHUTDOWN", 0)


def quick(output, data, *overrides):
    fields = ["processor.rebin=16", "training.max_steps=4", "training.per_device_train_batch_size=4"]
    fields += ["training.use_cpu=true", "training.disable_tqdm=true", f"training.output_dir={output}"]
    fields += ["training.eval_strategy=no", "training.load_best_model_at_end=false", f"data.path={data}"]
    fields += ["training.save_strategy=steps", "training.save_steps=2", "data.streaming=true"]
    return load_recipe("nu_cnn_tiny", [*fields, *overrides])


def test_what_is_held_is_what_is_there(shards):
    stream = load_dataset(str(shards), split="train", streaming=True)
    rows = load_dataset(str(shards), split="train")
    assert held(stream).features == rows.features
    assert held(stream)["event_id"][:] == rows["event_id"][:]
    assert held(stream, 7)["event_id"][:] == rows["event_id"][:7]


def test_a_stream_has_every_event_once_before_it_begins_again(shards, tmp_path, monkeypatch):
    monkeypatch.setattr(streamed_events, "SHUFFLED", 10)
    recipe = quick(tmp_path, shards)
    head = load_dataset(str(shards), split="train")
    processor, config = describe_network(recipe, head)
    stream = training_stream(
        recipe, load_dataset(str(shards), split="train", streaming=True), processor, config, head
    )
    drawn = [row["event_id"][0].as_py() for row in islice(stream, 3 * len(head))]
    assert drawn == [row["event_id"][0].as_py() for row in islice(stream, 3 * len(head))]
    assert drawn[: len(head)] != head["event_id"][:] and set(drawn) == set(head["event_id"])
    assert set(Counter(drawn[: 2 * len(head)]).values()) <= {1, 2, 3}
    assert {name for name in next(iter(stream)).column_names if "energy" in name} == {
        "xz_energy",
        "yz_energy",
    }


def test_a_run_that_was_stopped_ends_as_one_that_was_not(shards, tmp_path):
    whole = train(quick(tmp_path / "whole", shards))
    train(quick(tmp_path / "stopped", shards, "training.max_steps=2"))
    stopped = train(quick(tmp_path / "stopped", shards))
    one, other = (load_file(folder / "model.safetensors") for folder in (whole, stopped))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert not (whole / "training_events.parquet").exists()


def test_two_processes_learn_from_files_of_their_own(shards, tmp_path):
    """Also when they go on after a stop: from the events of the stream that each would have had."""
    recipe = quick(tmp_path / "run", shards)
    (tmp_path / "recipe.yaml").write_text(recipe.to_yaml())
    script = Path(__file__).with_name("streamed_in_processes.py")
    for done in run_ranks(script, tmp_path, folder=tmp_path):
        assert done.returncode == 0, done.stderr[-3000:]
    seen = [json.loads((tmp_path / f"seen-{rank}.json").read_text()) for rank in (0, 1)]
    head = load_dataset(str(shards), split="train")
    stream = load_dataset(str(shards), split="train", streaming=True)
    whole = training_stream(recipe, stream, *describe_network(recipe, head), head)
    for rank, found in enumerate(seen):
        own = islice(whole.shard(num_shards=2, index=rank), 4 * 4)
        assert found == [row["event_id"][0].as_py() for row in own]
    assert not set(seen[0]) & set(seen[1])
    assert json.loads((tmp_path / "run/trainer_state.json").read_text())["global_step"] == 4


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["training.max_steps=-1"], "expected training.max_steps with it"),
        (["data.train_events=5"], "expected no data.train_events"),
        (["model.evidential=mll"], "expected no model.evidential"),
        (["teacher.model=nu-cnn-tiny"], "expected no teacher"),
        (
            ["training.eval_strategy=epoch"],
            "training.eval_strategy: expected steps or no with data.streaming, got epoch",
        ),
    ],
)
def test_what_needs_all_events_is_refused(tmp_path, overrides, told):
    with pytest.raises(RecipeError, match=told):
        quick(tmp_path, "data/x", *overrides)


def test_a_task_that_reads_events_more_than_once_has_no_stream():
    with pytest.raises(RecipeError, match="expected false for pre-training"):
        load_recipe("nu_point_pretrain_tiny", ["data.streaming=true"])


def test_classes_in_another_order_and_events_that_are_given_are_refused(shards, tmp_path):
    rows = load_dataset(str(shards), split="train")
    recipe = quick(tmp_path / "run", shards)
    with pytest.raises(RecipeError, match="expected false for events that are given"):
        train(recipe, splits={"train": rows})
    turned = rows.cast_column("label", ClassLabel(names=["nc", "numu_cc", "nue_cc"]))
    fixed = quick(
        tmp_path / "run", shards, "model.id2label={0: nue_cc, 1: numu_cc, 2: nc}", "model.num_labels=3"
    )
    processor, config = describe_network(fixed, rows)
    with pytest.raises(UnusableDatasetError, match="expected labels that count the classes nue_cc"):
        training_stream(
            fixed, load_dataset(str(shards), split="train", streaming=True), processor, config, turned
        )
    assert build_trainer(recipe, {"train": rows}, []).args.accelerator_config.dispatch_batches is False
