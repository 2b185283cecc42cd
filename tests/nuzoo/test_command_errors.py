"""What commands say of folders, datasets and recipes that they cannot use: one line, before any work."""

import os
import subprocess
import sys
from pathlib import Path

import datasets
import numpy as np
import pytest

from nuzoo.cli import main
from nuzoo.configuration.configuration_nu_cnn import NuCnnConfig
from nuzoo.files.errors import UnusableOutputError
from nuzoo.files.events.event_classes import COLUMNS_OF_PREDICTIONS
from nuzoo.files.output_folder import check_output
from nuzoo.hub.local_hub import LocalHub
from nuzoo.modeling.modeling_nu_cnn import NuCnnForEventClassification
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor


@pytest.fixture(scope="module")
def rows(simulated_dataset):
    return datasets.load_dataset(str(simulated_dataset))["train"]


@pytest.fixture(scope="module")
def model(rows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    NuPixelMapImageProcessor(detector="modular-2x2x7", rebin=8).fit(rows).save_pretrained(folder)
    NuCnnForEventClassification(NuCnnConfig.tiny()).save_pretrained(folder)
    return folder


def refused(capsys, *arguments, status=1) -> str:
    """The one line that a command ends with."""
    assert main([str(argument) for argument in arguments]) == status
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("nuzoo ")]
    assert len(lines) == 1
    return lines[0]


def commands(data, model, out) -> dict[str, list]:
    """Every command that reads a dataset."""
    return {
        "train": ["train", "nu_cnn_tiny", f"data.path={data}", f"training.output_dir={out}"],
        "folds": ["train", "nu_cnn_tiny", f"data.path={data}", f"training.output_dir={out}", "--folds", "2"],
        "evaluate": ["evaluate", "--model", model, "--data", data, "--out", out],
        "display": ["display", data, "--out", out],
    }


@pytest.mark.parametrize("command", ["train", "folds", "evaluate", "display"])
@pytest.mark.parametrize("data", ["nowhere", "/no/where", "./no/where", "a/b/c", "../there"])
def test_a_path_that_is_not_there_is_refused_without_asking_the_hub(
    command, data, model, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("datasets.load_dataset", lambda *args, **kwargs: pytest.fail("asked the Hub"))
    message = refused(capsys, *commands(data, model, tmp_path / "out")[command])
    assert f"{data}: expected a dataset folder or a repository organisation/name, got neither" in message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["train", "folds", "evaluate", "display"])
def test_no_way_to_the_hub_is_said_in_a_line(command, model, tmp_path, capsys):
    message = refused(capsys, *commands("nuzoo/nowhere", model, tmp_path / "out")[command])
    assert "cannot find nuzoo/nowhere, which is no folder here" in message
    assert "HF_HUB_OFFLINE is set" in message


def test_a_name_that_the_hub_does_not_have_is_said_in_a_line(model, tmp_path):
    with LocalHub(tmp_path / "hub") as hub:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        done = subprocess.run(
            [sys.executable, "-m", "nuzoo.cli", *commands("nuzoo/nowhere", model, "out")["display"]],
            env=environment | hub.environment(tmp_path / "cache"),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=200,
        )
    assert done.returncode == 1
    [message] = done.stderr.splitlines()
    assert message.startswith("nuzoo display: cannot find nuzoo/nowhere, which is no folder here")
    assert "there is no such repository" in message


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("train.parquet", "expected a readable dataset"),
        (
            "nothing.txt",
            "expected a dataset folder, got a folder that is none: convert first: `nuzoo convert",
        ),
        ("data.py", "expected a dataset folder, got a folder that is none: convert first: `nuzoo convert"),
    ],
)
def test_a_folder_without_a_readable_dataset_is_refused(name, complaint, model, tmp_path, capsys):
    data = tmp_path / "data"
    data.mkdir()
    (data / name).write_bytes(b"")
    message = refused(capsys, *commands(data, model, tmp_path / "out")["evaluate"])
    assert f"{data}: {complaint}" in message


def stored(folder: Path, **splits: datasets.Dataset) -> Path:
    for name, rows in splits.items():
        (folder / "data").mkdir(parents=True, exist_ok=True)
        rows.to_parquet(folder / "data" / f"{name}-00000-of-00001.parquet")
    return folder


def without_classes(rows, value):
    return rows.remove_columns("label").add_column("label", [value] * len(rows))


CHANGES = {
    "no label": (lambda rows: rows.remove_columns("label"), "label"),
    "null labels": (lambda rows: without_classes(rows, None), "label"),
    "labels of -1": (lambda rows: without_classes(rows, -1), "label"),
    "words": (lambda rows: without_classes(rows, "nutau_cc"), "nutau_cc"),
    "no map": (lambda rows: rows.remove_columns("yz_index"), "yz_index"),
    "no detector": (lambda rows: rows.remove_columns("detector"), "detector"),
    "text": (lambda rows: datasets.Dataset.from_dict({"text": ["a"] * len(rows)}), "has text"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("command", ["train", "folds", "evaluate"])
def test_rows_that_cannot_be_learnt_from_are_refused_by_column(
    change, command, rows, model, tmp_path, capsys
):
    alter, complaint = CHANGES[change]
    few = alter(rows.select(range(6)))
    data = stored(tmp_path / "data", train=few, validation=few, test=few)
    message = refused(capsys, *commands(data, model, tmp_path / "out")[command])
    assert complaint in message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("splits", "complaint"),
    [
        (("test",), "has no split 'train', it has test: take"),
        (("train", "test"), "has no split 'validation', it has test, train: take"),
    ],
)
def test_a_dataset_without_a_split_that_is_needed_is_told_which_it_has(
    splits, complaint, rows, model, tmp_path, capsys
):
    data = stored(tmp_path / "data", **dict.fromkeys(splits, rows.select(range(4))))
    message = refused(capsys, *commands(data, model, tmp_path / "out")["train"])
    assert f"the dataset {complaint}" in message


@pytest.mark.parametrize("split", ["tests", "validation"])
def test_a_split_that_is_not_there_is_named_with_those_that_are(split, rows, model, tmp_path, capsys):
    data = stored(tmp_path / "data", test=rows.select(range(2)))
    message = refused(capsys, *commands(data, model, tmp_path / "out")["evaluate"], "--split", split)
    meant = ": did you mean test?" if split == "tests" else ": take a dataset that has one"
    assert f"{data} has no split {split!r}, it has test{meant}" in message


@pytest.mark.parametrize("command", ["train", "evaluate", "display", "simulate", "convert", "predict"])
def test_a_file_in_the_way_of_a_folder_is_named_before_any_work(
    command, simulated_dataset, model, tmp_path, capsys
):
    blocked = tmp_path / "file" / "out"
    blocked.parent.write_text("mine")
    np.save(tmp_path / "maps.npy", np.ones((1, 2, 512, 512), np.float32))
    others = {
        "simulate": ["simulate", "lartpc-pixelmaps", "--events", 10**9, "--out", blocked],
        "convert": ["convert", tmp_path / "maps.npy", "--out", blocked],
        "predict": ["predict", tmp_path / "maps.npy", "--model", model, "--out", blocked / "p.csv"],
    }
    message = refused(capsys, *(commands(simulated_dataset, model, blocked) | others)[command])
    assert f"{blocked}: expected a folder that can be made and written to" in message
    assert blocked.parent.read_text() == "mine"


def test_predictions_do_not_take_the_place_of_a_folder(model, tmp_path, capsys):
    (tmp_path / "p.csv").mkdir()
    options = ["--model", model, "--out", tmp_path / "p.csv"]
    message = refused(capsys, "predict", tmp_path, *options, status=2)
    assert "expected the name of a file, got a folder" in message


def test_what_is_read_is_not_written_over(model, tmp_path, capsys):
    events, folder = tmp_path / "in" / "events.parquet", tmp_path / "in"
    folder.mkdir()
    events.write_bytes(b"events")
    for files, out in ((events, events), (folder, events), (events, folder / ".." / "in" / "events.parquet")):
        message = refused(capsys, "predict", files, "--model", model, "--out", out, status=2)
        assert "expected an output apart from what is read" in message
    for out in (folder, folder / "out"):
        message = refused(capsys, "convert", folder, "--out", out, status=2)
        assert "expected an output apart from what is read" in message
    assert events.read_bytes() == b"events" and list(folder.iterdir()) == [events]


def test_an_output_of_the_name_of_the_list_beside_it_is_refused(model, tmp_path, capsys):
    np.save(tmp_path / "maps.npy", np.ones((1, 2, 512, 512), np.float32))
    options = ["--model", model, "--out", tmp_path / "left-out.csv"]
    message = refused(capsys, "predict", tmp_path / "maps.npy", *options, status=2)
    assert "expected another name" in message


def test_a_page_of_the_user_is_not_written_over(simulated_dataset, tmp_path, capsys):
    (tmp_path / "index.html").write_text("<title>mine</title>")
    message = refused(capsys, "display", simulated_dataset, "--number", "1", "--out", tmp_path)
    assert "got a page of something else" in message
    assert (tmp_path / "index.html").read_text() == "<title>mine</title>"


@pytest.mark.parametrize("classes", [f"nue_cc,{name}" for name in (*COLUMNS_OF_PREDICTIONS, "NueCC")])
def test_classes_that_no_table_can_hold_are_refused(tmp_path, capsys, classes):
    with pytest.raises(SystemExit):
        main(["convert", str(tmp_path), "--out", str(tmp_path / "out"), "--classes", classes])
    assert classes.partition(",")[2] in capsys.readouterr().err


def test_a_folder_without_the_right_to_write_is_refused(tmp_path, monkeypatch):
    def denied(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    check_output(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("tempfile.TemporaryFile", denied)
    with pytest.raises(UnusableOutputError, match=f"{tmp_path}: Permission denied"):
        check_output(tmp_path / "a" / "b")


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("training.learning_rate=fast", "training.learning_rate: expected a number of 0 or more, got 'fast'"),
        ("training.learning_rate=.nan", "training.learning_rate: expected a number of 0 or more, got nan"),
        ("training.num_train_epochs=-1", "training.num_train_epochs: expected a number above 0, got -1"),
        ("training.per_device_train_batch_size=0", "batch_size: expected a whole number of 1 or more, got 0"),
        ("training.per_device_train_batch_size=2.5", "expected a whole number of 1 or more, got 2.5"),
        ("training.seed=x", "training.seed: expected a whole number, got 'x'"),
        ("training.warmup_steps=-5", "warmup_steps"),
        ("training.lr_scheduler_type=cosin", "cosin"),
        ("training=5", "training: expected fields, got 5"),
        ("augmentation.flip=1", "expected fields among flip_rows, independent_views"),
        (
            "augmentation.flip_rows=1.5",
            "flip_rows: expected a probability, from 0 to 1, got 1.5",
        ),
        ("augmentation.swap_views=often", "augmentation.swap_views: expected a probability"),
        ("augmentation.independent_views=2", "augmentation.independent_views: expected true or false, got 2"),
        ("early_stopping_patience=0", "early_stopping_patience: expected a whole number of 1 or more"),
        ("model.se_ratio=x", "model.se_ratio: expected a whole number, got 'x'"),
        ("processor.rebin=x", "processor.rebin: expected a whole number, got 'x'"),
        ("data.train_events=all", "data.train_events: expected a whole number of 1 or more"),
        ("training.report_to=neptune", "training.report_to: expected one that is installed"),
        ("training.learning_rat=1", "got learning_rat: did you mean learning_rate?"),
    ],
)
def test_a_value_that_a_recipe_cannot_have_is_named_before_the_data_is_read(
    override, complaint, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("datasets.load_dataset", lambda *args, **kwargs: pytest.fail("read the data"))
    (tmp_path / "README.md").touch()  # a dataset's folder, as far as a glance tells
    command = commands(tmp_path, None, tmp_path / "out")["train"]
    assert complaint in refused(capsys, *command, override)


def test_events_of_a_detector_that_is_not_known_are_refused(rows, tmp_path, capsys):
    few = rows.select(range(4))
    few = few.remove_columns("detector").add_column("detector", ["bubble-chamber"] * 4)
    data = stored(tmp_path / "data", train=few, validation=few)
    message = refused(capsys, *commands(data, None, tmp_path / "out")["train"])
    assert "column detector: expected one of" in message
    assert "got 'bubble-chamber'" in message
