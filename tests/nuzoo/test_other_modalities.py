"""What commands say of events in space that are given to a model, a dataset or a reader of other events."""

import io
import json

import numpy as np
import pytest
import torch

from nuzoo.cli import main
from nuzoo.registry import DATASETS
from nuzoo.zoo.bundled import bundled

from ..datasets_scripts.pilarnet_files import pilarnet_event, write_pilarnet

POINTS = [[40, 1, 1, 0, 1, 2]]


def refused(capsys, *arguments, status=1) -> str:
    """The one line that a command ends with; what follows it says what was left out."""
    assert main([str(argument) for argument in arguments]) == status
    [line] = [line for line in capsys.readouterr().err.splitlines() if line.startswith("nuzoo ")]
    return line


@pytest.fixture(scope="module")
def clouds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clouds")
    for split in ("train", "val", "test"):
        write_pilarnet(folder / split / "a.h5", [pilarnet_event(POINTS, seed=seed) for seed in range(2)])
    options = ["--format", "pilarnet-m", "--min-points", "0", "--out", str(folder / "data")]
    assert main(["convert", *(str(folder / split) for split in ("train", "val", "test")), *options]) == 0
    return folder


READING = {
    "train": ["train", "nu_cnn_tiny", "data.path={data}", "training.output_dir={out}"],
    "train a checkpoint": [
        *("train", "nu_cnn_tiny", "model.pretrained={model}"),
        *("data.path={data}", "training.output_dir={out}"),
    ],
    "train words": ["train", "nu_vlm_tiny", "data.path={data}", "training.output_dir={out}"],
    "folds": ["train", "nu_cnn_tiny", "data.path={data}", "training.output_dir={out}", "--folds", "2"],
    "evaluate": ["evaluate", "--model", "{model}", "--data", "{data}", "--out", "{out}"],
    "evaluate all": [
        "evaluate",
        "--model",
        "{model}",
        "--data",
        "{data}",
        "--out",
        "{out}",
        "--split",
        "all",
    ],
    "compare": ["evaluate", "--compare", "{model}", "{other}", "--data", "{data}", "--out", "{out}"],
    "explain": ["explain", "--model", "{model}", "--data", "{data}", "--out", "{out}"],
}


@pytest.mark.parametrize("command", READING)
def test_a_model_of_other_events_names_what_it_reads(clouds, tmp_path, capsys, command):
    places = {"data": clouds / "data", "out": tmp_path / "out"}
    places |= {"model": bundled("nu-cnn-tiny"), "other": bundled("nu-vit-tiny")}
    said = refused(capsys, *(part.format(**places) for part in READING[command]))
    assert (
        "split train: this model reads pixel-maps, these events are point-clouds, of lartpc-cube-768: take a "
        "model that reads point-clouds, or a dataset of pixel-maps" in said
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("given", ["data", "test/a.h5"])
def test_a_model_of_other_events_predicts_nothing(clouds, tmp_path, capsys, given):
    out = tmp_path / "p.csv"
    command = ["predict", clouds / given, "--model", bundled("nu-cnn-tiny"), "--out", out]
    assert main([str(part) for part in command]) == 1
    assert "got point clouds" in capsys.readouterr().err and not out.exists()


def test_a_model_and_a_modality_that_contradict_each_other(clouds, tmp_path, capsys):
    command = ["display", clouds / "test", "--model", bundled("nu-cnn-tiny"), "--modality", "point-clouds"]
    said = refused(capsys, *command, "--out", tmp_path / "out", status=2)
    assert "--modality: expected pixel-maps, which" in said and "leave --model out" in said
    assert not (tmp_path / "out").exists()


def test_the_columns_of_a_parquet_file_tell_how_it_is_drawn(clouds, tmp_path):
    file = next((clouds / "data").rglob("*.parquet"))
    assert main(["display", str(file), "--number", "1", "--out", str(tmp_path / "out")]) == 0
    assert list((tmp_path / "out").glob("*.png"))


OTHER_DETECTORS = [
    ("lartpc-cubes", "modular-2x2x7"),
    ("lartpc-cubes", "scintillator-cube-200"),
    ("lartpc-cubes", "fasercal"),
    ("scintillator-particles", "lartpc-cube-768"),
    ("fasercal", "lartpc-cube-768"),
    ("lartpc-pixelmaps", "lartpc-cube-768"),
]


@pytest.mark.parametrize(("name", "detector"), OTHER_DETECTORS)
def test_a_detector_of_other_events_is_not_simulated(name, detector, tmp_path, capsys):
    out = tmp_path / "out"
    said = refused(capsys, "simulate", name, "--events", 3, "--out", out, "--detector", detector)
    assert "whose events this dataset holds" in said and f"got {detector}: take another detector" in said
    assert not out.exists()


@pytest.mark.parametrize("name", [name for name, row in DATASETS.items() if row.simulate])
def test_only_options_of_the_command_are_offered(name, tmp_path, capsys):
    options = ["--events", 3, "--out", tmp_path / "out"]
    has_spectrum = name == "lartpc-pixelmaps"
    if not has_spectrum:
        said = refused(capsys, "simulate", name, *options, "--spectrum", "flat-0-10", status=2)
        offered = said.partition("its own are ")[2].partition(";")[0].split(", ")
        with pytest.raises(SystemExit):
            main(["simulate", "--help"])
        assert set(offered) <= set(capsys.readouterr().out.replace(",", " ").split())
    with pytest.raises(SystemExit, match="2"):
        main(["simulate", name, "--events", "0", "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_a_folder_of_another_dataset_is_called_so(clouds, capsys):
    said = refused(capsys, "simulate", "lartpc-cubes", "--events", 3, "--out", clouds / "data")
    assert said.endswith(
        "holds another dataset: in its plan.json, dataset is 'pilarnet-m' instead of 'lartpc-cubes'. "
        "Give another folder, or remove this one"
    )


def test_rows_that_nuzoo_stored_become_no_other_dataset(clouds, tmp_path, capsys):
    plan = json.loads((clouds / "data" / "plan.json").read_text())
    options = ["--format", plan["dataset"], "--out", str(tmp_path / "out")]
    assert main(["convert", str(clouds / "data"), *options]) == 1
    said = capsys.readouterr().err
    assert "got rows as nuzoo stores them" in said and "a dataset of nuzoo's needs no conversion" in said
    np.savez(tmp_path / "one.npz", voxel=[[1, 2, 3]], energy=[1.0])
    assert main(["convert", str(tmp_path / "one.npz"), *options]) == 1
    assert "got a point cloud of one event; leave it out" in capsys.readouterr().err
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["left-out.csv"]


def torch_file():
    stream = io.BytesIO()
    torch.save({"reco_hits": np.ones((2, 4))}, stream)
    return stream.getvalue()


def npz_of_fasercal():
    stream = io.BytesIO()
    np.savez(stream, reco_hits=np.ones((2, 6)))
    return stream.getvalue()


OTHER_FILES = [
    ("lartpc-pixelmaps", "a.pt", torch_file, "got a file of torch.save; give --format"),
    ("fasercal", "a.pt", torch_file, "got a file of torch.save; give --format"),
    ("fasercal", "a.h5", lambda: b"\x89HDF\r\n\x1a\n", "got an HDF5 file; give --format"),
    ("pilarnet-m", "a.hdf", lambda: b"\x89HDF\r\n\x1a\n", "got an HDF5 file; name it .h5"),
    (
        "lartpc-pixelmaps",
        "a.npz",
        npz_of_fasercal,
        "as of FASERCal: reco_hits (2, 6); give --format fasercal",
    ),
    ("pilarnet-m", "a.npz", npz_of_fasercal, "as of FASERCal: reco_hits (2, 6); give --format fasercal"),
]


@pytest.mark.parametrize(("name", "file", "content", "words"), OTHER_FILES)
def test_files_of_other_formats_are_called_what_they_are(tmp_path, capsys, name, file, content, words):
    (tmp_path / file).write_bytes(content())
    assert main(["convert", str(tmp_path / file), "--format", name, "--out", str(tmp_path / "out")]) == 1
    assert words in capsys.readouterr().err
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["left-out.csv"]
