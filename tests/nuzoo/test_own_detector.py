"""A detector that only a file describes, from its raw maps on: one view of 256 × 200 pixels."""

import json

import numpy as np
import pytest
import yaml

from nuzoo.cli import main
from nuzoo.datasets_scripts.common.loading import load_events
from nuzoo.datasets_scripts.common.splits import SPLITS, split_of
from nuzoo.simulation import detectors
from nuzoo.simulation.detectors import DETECTORS

COUNTS = ("--mev-per-count", "0.05")
EVENTS = {"train": 12, "validation": 4, "test": 4}
DETECTOR = {
    "name": "one-view",
    "size": [256, 200],
    "views": [{"name": "yz", "pitch_mm": [4.0, 3.0]}],
    "mev_per_count": 0.05,
}


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch):
    """Each test begins in a process that knows nuzoo's own detectors alone."""
    monkeypatch.setattr(detectors, "DETECTORS", DETECTORS)
    yield
    forget()


def forget():
    for name in DETECTORS.keys() - detectors.OWN:
        del DETECTORS[name]


def nuzoo(*arguments):
    """Run a command as a process of its own would: it knows no detector from before."""
    forget()
    assert main([str(argument) for argument in arguments]) == 0, arguments


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """`my.yaml`, `raw.npz` of events in counts, and `data`, which they were converted to."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "my.yaml").write_text(yaml.safe_dump(DETECTOR))
    names = {split: [] for split in SPLITS}
    for number in range(1000):
        names[split_of(f"event-{number}")].append(f"event-{number}")
    chosen = [name for split, number in EVENTS.items() for name in names[split][:number]]
    maps = np.zeros((len(chosen), 1, 256, 200), np.uint8)
    rng = np.random.default_rng(0)
    for event in maps:
        event[0, rng.integers(20, 200) :, rng.integers(20, 180)] = 40
    labels = np.arange(len(chosen)) % 3
    np.savez(folder / "raw.npz", images=maps, labels=labels, event_id=np.array(chosen))
    nuzoo("convert", folder / "raw.npz", "--detector", folder / "my.yaml", "--out", folder / "data")
    return folder


def test_its_dataset_describes_it_and_whoever_loads_it_knows_it(folder):
    assert (
        yaml.safe_load((folder / "data" / "detector.yaml").read_text()).items()
        >= {"name": "one-view", "size": [256, 200]}.items()
    )
    card = (folder / "data" / "README.md").read_text()
    assert "256 × 200 pixels of 4 × 3 mm" in card
    assert "drift field" not in card
    forget()
    rows = load_events(str(folder / "data"))
    assert {split: len(part) for split, part in rows.items()} == EVENTS
    assert set(rows["train"]["detector"]) == {"one-view"}
    assert max(rows["train"][0]["yz_energy"]) == pytest.approx(2.0)
    assert detectors.find_detector("one-view").readout.views[0].column_pitch_mm == 3.0


def test_a_network_is_trained_measured_asked_and_drawn(folder, tmp_path, capsys):
    run = tmp_path / "run"
    fields = {
        "data.path": folder / "data",
        "training.output_dir": run,
        "augmentation.swap_views": 0,
        "training.max_steps": 1,
        "training.per_device_train_batch_size": 4,
        "training.report_to": "none",
    }
    nuzoo("train", "nu_cnn_tiny", *(f"{name}={value}" for name, value in fields.items()))
    saved = json.loads((run / "preprocessor_config.json").read_text())
    assert (saved["detector"], saved["views"], saved["height"], saved["width"]) == (
        "one-view",
        ["yz"],
        256,
        200,
    )
    assert saved["pixel_pitch_mm"] == [[4.0, 3.0]]
    measured = ("--model", run, "--data", folder / "data", "--displays", 1, "--sample", "toy events")
    nuzoo("evaluate", *measured)
    assert (run / "report" / "displays" / "index.html").is_file()
    assert (run / "report" / "report.md").is_file()
    out = tmp_path / "predictions.csv"
    nuzoo("predict", "--model", run, folder / "raw.npz", *COUNTS, "--out", out)
    assert len(out.read_text().splitlines()) == 1 + sum(EVENTS.values())
    nuzoo("display", folder / "data", "--number", "1", "--model", run, "--out", tmp_path / "displays")
    assert len(list((tmp_path / "displays").glob("*.png"))) == 1
    nuzoo("display", folder / "raw.npz", "--number", 1, "--model", run, *COUNTS, "--out", tmp_path / "raw")
    assert len(list((tmp_path / "raw").glob("*.png"))) == 1
    forget()
    assert main(["display", str(folder / "raw.npz"), *COUNTS, "--out", str(tmp_path / "none")]) == 1
    assert "--detector FILE" in capsys.readouterr().err


def test_it_cannot_be_simulated_until_drift_is_described(folder, tmp_path, capsys):
    forget()
    options = ("--events", "2", "--out", str(tmp_path / "out"))
    assert main(["simulate", "lartpc-pixelmaps", "--detector", str(folder / "my.yaml"), *options]) == 1
    assert "volume, drift and electronics" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_it_is_simulated_in_several_processes(tmp_path, capsys):
    nuzoo("detectors", "modular-2x2x7")
    described = yaml.safe_load(capsys.readouterr().out)
    described |= {"name": "narrow", "size": [64, 128]}
    for view in described["views"]:
        view["anchor_pixel"] = [32, 8]
    (tmp_path / "narrow.yaml").write_text(yaml.safe_dump(described))
    command = ("simulate", "lartpc-pixelmaps", "--detector", tmp_path / "narrow.yaml", "--events", 40)
    nuzoo(*command, "--num-proc", 2, "--out", tmp_path / "two")
    nuzoo(*command, "--out", tmp_path / "one")
    files = sorted(file.relative_to(tmp_path / "one") for file in (tmp_path / "one").rglob("*.*"))
    assert all((tmp_path / "one" / f).read_bytes() == (tmp_path / "two" / f).read_bytes() for f in files)
    plan = json.loads((tmp_path / "one" / "plan.json").read_text())
    assert plan["detector"] == "narrow"
    described["electronics"]["noise_electrons"] = 900.0
    (tmp_path / "narrow.yaml").write_text(yaml.safe_dump(described))
    forget()
    assert main([*map(str, command), "--out", str(tmp_path / "one")]) == 1
    assert "detector_sha256" in capsys.readouterr().err
