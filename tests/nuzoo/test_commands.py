import argparse
import json
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import numpy as np
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset
from PIL import Image
from pyarrow import csv

from nuzoo.cli import main
from nuzoo.commands import predict
from nuzoo.commands.options import PARTIAL
from nuzoo.configuration.configuration_nu_cnn import NuCnnConfig
from nuzoo.evaluation.core.evaluator import Option
from nuzoo.files.events.event_classes import COLUMNS_OF_PREDICTIONS
from nuzoo.modeling.modeling_nu_cnn import NuCnnForEventClassification
from nuzoo.pipelines.written_tables import write_table
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor
from nuzoo.registry import TASKS
from nuzoo.simulation.spectra import SPECTRA

from ..drawing import undrawn

CLASSES = ("nue_cc", "numu_cc", "nc")


@pytest.fixture(scope="module")
def model(simulated_dataset, tmp_path_factory):
    """An untrained network with a processor: what it says means nothing, how it says it does."""
    folder = tmp_path_factory.mktemp("model")
    rows = load_dataset(str(simulated_dataset), split="train")
    processor = NuPixelMapImageProcessor(detector="modular-2x2x7", rebin=8, mev_per_count=0.033)
    processor.fit(rows).save_pretrained(folder)
    NuCnnForEventClassification(NuCnnConfig.tiny(temperature=2.0)).save_pretrained(folder)
    return folder


@pytest.fixture
def arrays(tmp_path):
    """Five events with energy in both views, as an array file."""
    maps = np.zeros((5, 2, 512, 512), np.float32)
    maps[:, :, 250:260, 256:400] = 1.5
    np.save(tmp_path / "events.npy", maps)
    return tmp_path / "events.npy"


READERS = {
    ".parquet": lambda path: pq.read_table(path).to_pylist(),
    ".csv": lambda path: csv.read_csv(path).to_pylist(),
    ".jsonl": lambda path: [json.loads(line) for line in path.read_text().splitlines()],
}


@pytest.mark.parametrize("suffix", READERS)
def test_predict_writes_one_row_per_event(model, arrays, tmp_path, suffix):
    out = tmp_path / f"predictions{suffix}"
    assert main(["predict", "--model", str(model), str(arrays), "--out", str(out)]) == 0
    rows = READERS[suffix](out)
    assert [row["event_id"].rpartition("#")[2] for row in rows] == ["0", "1", "2", "3", "4"]
    for row in rows:
        probabilities = [row[name] for name in CLASSES]
        assert sum(probabilities) == pytest.approx(1)
        assert row["score"] == pytest.approx(max(probabilities))
        assert set(row) == {*CLASSES, *COLUMNS_OF_PREDICTIONS}
        assert row["label"] == CLASSES[int(np.argmax(probabilities))]


def test_predict_calibrates_with_the_models_temperature(model, arrays, tmp_path):
    out = tmp_path / "predictions.parquet"
    main(["predict", "--model", str(model), str(arrays), "--out", str(out)])
    network = NuCnnForEventClassification.from_pretrained(model).eval()
    inputs = NuPixelMapImageProcessor.from_pretrained(model)(np.load(arrays)[0])
    logits = network(**inputs).logits[0].detach().double().numpy()
    expected = np.exp(logits / 2) / np.exp(logits / 2).sum()
    row = pq.read_table(out).to_pylist()[0]
    assert [row[name] for name in CLASSES] == pytest.approx(expected.tolist(), rel=1e-5)


def test_predict_goes_on_past_broken_files_and_lists_them(model, arrays, tmp_path, capsys):
    (tmp_path / "text.h5").write_text("this is not HDF5")
    (tmp_path / "truncated.gz").write_bytes(zlib.compress(bytes(750_000))[:100])
    nan = np.full((2, 512, 512), np.nan, np.float32)
    np.save(tmp_path / "nan.npy", nan)
    np.save(tmp_path / "negative.npy", np.full((2, 512, 512), -1, np.float32))
    np.save(tmp_path / "one_view.npy", np.zeros((1, 512, 512), np.float32))
    out = tmp_path / "out" / "predictions.csv"
    assert main(["predict", "--model", str(model), str(tmp_path), "--out", str(out)]) == PARTIAL
    captured = capsys.readouterr()
    assert len(READERS[".csv"](out)) == 5
    assert "predicted 5 events, left out 5" in captured.out
    listed = csv.read_csv(out.with_name("predictions.left-out.csv")).to_pylist()
    named = {Path(row["file"]).name for row in listed}
    assert named == {"text.h5", "truncated.gz", "nan.npy", "negative.npy", "one_view.npy"}
    assert all(row["reason"] for row in listed)
    assert {path.name for path in out.parent.iterdir()} == {"predictions.csv", "predictions.left-out.csv"}


def test_predict_refuses_events_of_another_detector_one_by_one(model, tmp_path, capsys):
    (tmp_path / "event.gz").write_bytes(zlib.compress(bytes(749_000) + bytes([30] * 1000)))
    out = tmp_path / "predictions.csv"
    assert main(["predict", "--model", str(model), str(tmp_path / "event.gz"), "--out", str(out)]) == 1
    assert "dune-like-3view" in capsys.readouterr().err
    assert not out.exists()


def test_the_first_word_of_predict_names_the_model_as_it_was_given(arrays, tmp_path):
    args = argparse.Namespace(files=[arrays], model="nu-cnn-tiny", out=tmp_path / "p.csv")
    assert predict.begin(args) == f"reading {arrays} for nu-cnn-tiny"


def test_predict_says_that_a_folder_holds_no_events(model, tmp_path, capsys):
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "LICENSE").write_text("free")
    out = tmp_path / "p.csv"
    assert main(["predict", "--model", str(model), str(tmp_path / "events"), "--out", str(out)]) == 1
    assert "expected events, got no file of any" in capsys.readouterr().err
    assert not out.exists()


def test_predict_needs_no_label_and_tells_of_repeated_names(model, tmp_path, capsys):
    maps = np.zeros((512, 512), np.uint8)
    maps[250:260, 256:400] = 30
    for folder in ("a/run", "b/run"):
        (tmp_path / folder).mkdir(parents=True)
        for view in ("xz", "yz"):
            Image.fromarray(maps).save(tmp_path / folder / f"event_{view}.png")
        (tmp_path / folder / "event_pid.txt").write_text("a label that nobody knows")
    out = tmp_path / "predictions.csv"
    assert main(["predict", "--model", str(model), str(tmp_path / "a"), "--out", str(out)]) == 0
    assert "event_id" not in capsys.readouterr().err
    both = [str(tmp_path / "a"), str(tmp_path / "b")]
    assert main(["predict", "--model", str(model), *both, "--out", str(out)]) == 0
    captured = capsys.readouterr()
    assert "predicted 2 events, left out 0" in captured.out
    assert "warning: events with the event_id of another: 1;" in captured.err
    assert [row["event_id"] for row in READERS[".csv"](out)] == ["run/event", "run/event"]


def test_labels_are_read_by_the_names_in_the_file_beside_the_classes_of_the_model(model, tmp_path, capsys):
    maps = np.zeros((2, 2, 512, 512), np.float32)
    maps[:, :, 250:260, 256:400] = 1.5
    file, out = tmp_path / "named.npz", tmp_path / "p.csv"
    np.savez(file, images=maps, labels=[4, 0], label_names=["nc", "a", "b", "c", "cosmic"])
    assert main(["predict", "--model", str(model), str(file), "--out", str(out)]) == 0
    assert [row["true_label"] for row in READERS[".csv"](out)] == ["cosmic", "nc"]
    assert main(["display", "--model", str(model), str(file), "--out", str(tmp_path / "drawn")]) == 0
    assert "labels stay unknown" not in capsys.readouterr().out
    assert "cosmic" in (tmp_path / "drawn/index.html").read_text()


def test_predict_names_what_it_can_write(model, arrays, tmp_path, capsys):
    assert main(["predict", "--model", str(model), str(arrays), "--out", str(tmp_path / "p.xls")]) == 2
    assert ".jsonl" in capsys.readouterr().err


@undrawn()
def test_evaluate_measures_reports_and_stores_the_temperature(model, simulated_dataset, tmp_path, capsys):
    report = tmp_path / "report"
    command = ["evaluate", "--model", str(model), "--data", str(simulated_dataset), "--out", str(report)]
    before = NuCnnConfig.from_pretrained(model).temperature
    assert main([*command, "--split", "train", "--displays", "2"]) == 0
    index = (report / "displays" / "index.html").read_text()
    shown = load_dataset(str(simulated_dataset), split="train")["event_id"][:3]
    assert [event in index for event in shown] == [True, True, False]
    assert NuCnnConfig.from_pretrained(model).temperature == before
    assert main([*command, "--split", "train", "--displays", "0", "--calibrate"]) == 0
    results = json.loads((report / "results.json").read_text())
    stored = NuCnnConfig.from_pretrained(model).temperature
    assert stored == pytest.approx(results["calibration"]["temperature"]["value"])
    assert (report / "report.md").exists()
    assert main([*command, "--split", "tset"]) == 1
    compared = ["evaluate", "--compare", str(model), str(model), "--data", "x", "--out", str(report)]
    assert main([*compared, "--displays", "2"]) == 2
    assert "train" in capsys.readouterr().err


def test_evaluate_refuses_what_another_task_is_asked(model, simulated_dataset, tmp_path, capsys, monkeypatch):
    """A second task, here with a flag of its own, of which event classification knows nothing."""
    other = SimpleNamespace(task="other", options=(Option("least-hits", "of an event", {"type": int}),))
    monkeypatch.setitem(sys.modules, "other_task", SimpleNamespace(EVALUATOR=other))
    monkeypatch.setitem(
        TASKS, "other", replace(TASKS["instruction-tuning"], evaluator="other_task.EVALUATOR")
    )
    command = ["evaluate", "--model", model, "--data", simulated_dataset, "--out", tmp_path / "out"]
    assert main([str(part) for part in [*command, "--split", "train", "--least-hits", "3"]]) == 2
    message = capsys.readouterr().err
    assert "--least-hits: expected options of event-classification, which is what the model is for" in message
    assert "got --least-hits of other: leave out --least-hits" in message and "--temperature" in message
    assert not (tmp_path / "out").exists()


def test_display_draws_datasets_and_files(model, simulated_dataset, arrays, tmp_path):
    out = tmp_path / "displays"
    command = ["display", "--out", str(out), "--model", str(model)]
    assert main([*command, str(simulated_dataset), "--split", "train", "--number", "1"]) == 0
    assert main([*command, str(arrays), "--number", "1"]) == 0
    assert sorted(path.suffix for path in out.iterdir()) == [".html"] * 3 + [".pdf"] * 2 + [".png"] * 2
    index = (out / "index.html").read_text()
    page = next(path for path in out.glob("*.html") if quote(path.name) in index)
    assert quote(page.with_suffix(".png").name) in index


def test_display_says_when_an_event_is_not_there(simulated_dataset, tmp_path, capsys):
    command = ["display", str(simulated_dataset), "--event", "sim-5-999", "--out", str(tmp_path)]
    assert main(command) == 1
    assert "sim-5-999" in capsys.readouterr().err


def test_convert_makes_a_dataset_of_files(arrays, tmp_path, capsys):
    out = tmp_path / "converted"
    assert main(["convert", str(arrays), "--out", str(out)]) == 0
    assert "converted 5 events" in capsys.readouterr().out
    assert sum(split.num_rows for split in load_dataset(str(out)).values()) == 5


def test_simulate_refuses_impossible_numbers(tmp_path, capsys):
    for option, least in (("--events", 1), ("--num-proc", 1), ("--seed", 0)):
        needed = [] if option == "--events" else ["--events", "5"]
        command = ["simulate", "lartpc-pixelmaps", *needed, option, f"{least - 1}"]
        with pytest.raises(SystemExit) as ended:
            main([*command, "--out", str(tmp_path / "x")])
        assert ended.value.code == 2
        expected = f"{option}: expected a whole number, {least} or more, got '{least - 1}'"
        assert expected in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_help_of_simulate_names_every_spectrum(capsys):
    with pytest.raises(SystemExit):
        main(["simulate", "--help"])
    told = capsys.readouterr().out
    assert all(name in told for name in SPECTRA)


def test_an_option_that_a_dataset_does_not_have_is_refused_by_name(tmp_path, capsys, monkeypatch):
    def simulate(out, *, events, seed=0):
        raise AssertionError("it must not come to this")

    monkeypatch.setattr("nuzoo.datasets_scripts.lartpc_pixelmaps.simulate_dataset", simulate)
    command = ["simulate", "lartpc-pixelmaps", "--events", "2", "--out", str(tmp_path / "x")]
    assert main([*command, "--spectrum", "flat-0-10"]) == 2
    message = "--spectrum: lartpc-pixelmaps has no such option, its own are --events, --seed; leave it out"
    assert message in capsys.readouterr().err


def test_the_demo_runs_from_nothing_to_a_published_model(tmp_path):
    command = [
        sys.executable,
        "-m",
        "nuzoo.cli",
        "demo",
        "--events",
        "150",
        "--epochs",
        "1",
        "--num-proc",
        "1",
    ]
    demo = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert demo.returncode == 0, demo.stderr[-2000:]
    out = tmp_path / "runs" / "demo"
    assert "NuCnnForEventClassification and NuPixelMapImageProcessor from nuzoo/nu-cnn-tiny" in demo.stdout
    assert "nuzoo/nu-cnn-tiny: verified" in demo.stdout
    assert (out / "report" / "report.md").stat().st_size > 0
    assert len(list((out / "displays").glob("*.png"))) == 4
    assert not [p for p in (out / "cache" / "hub").rglob("*") if p.suffix in {".bin", ".pt", ".pth"}]


def test_no_page_has_an_unfilled_place():
    root = Path(__file__).parents[2]
    for page in [*root.glob("*.md"), *root.glob("docs/**/*.md")]:
        assert "@" * 2 not in page.read_text(encoding="utf-8"), page


def test_simulate_says_when_a_split_is_empty(tmp_path, capsys):
    assert main(["simulate", "lartpc-pixelmaps", "--events", "2", "--out", str(tmp_path / "few")]) == 0
    assert "no event fell into" in capsys.readouterr().out


def test_predictions_carry_what_the_file_knows_of_the_truth(model, simulated_dataset, tmp_path):
    source = load_dataset(str(simulated_dataset), split="train")
    out = tmp_path / "predictions.jsonl"
    assert main(["predict", "--model", str(model), str(simulated_dataset / "data"), "--out", str(out)]) == 0
    said = {row["event_id"]: row for row in READERS[".jsonl"](out)}
    for row in source:
        told = said[row["event_id"]]
        assert told["true_label"] == source.features["label"].int2str(row["label"])
        assert told["neutrino_energy"] == pytest.approx(row["neutrino_energy"])


@pytest.mark.parametrize("suffix", READERS)
def test_columns_that_nothing_is_known_of_are_there_and_empty(model, arrays, tmp_path, suffix):
    out = tmp_path / f"predictions{suffix}"
    assert main(["predict", "--model", str(model), str(arrays), "--out", str(out)]) == 0
    for row in READERS[suffix](out):
        assert not row["true_label"] and row["neutrino_energy"] is None


@undrawn()
def test_display_goes_on_past_events_that_cannot_be_drawn(arrays, tmp_path, capsys):
    maps = np.load(arrays)
    maps[1] = np.nan
    np.save(arrays, maps)
    out = tmp_path / "displays"
    assert main(["display", str(arrays), "--number", "3", "--out", str(out)]) == PARTIAL
    assert len(list(out.glob("*.png"))) == 3
    assert "left out 1" in capsys.readouterr().err
    assert [row["event"] for row in csv.read_csv(out / "left-out.csv").to_pylist()] == [1]


def test_numbers_of_displays_and_options_that_do_not_apply_are_refused(simulated_dataset, tmp_path, capsys):
    command = ["display", str(simulated_dataset), "--out", str(tmp_path / "displays")]
    with pytest.raises(SystemExit):
        main([*command, "--number", "-2"])
    assert "--number: expected a whole number, 1 or more, got '-2'" in capsys.readouterr().err
    assert main([*command, "--mev-per-count", "0.1"]) == 2
    assert "--mev-per-count" in capsys.readouterr().err


def test_evaluate_says_to_convert_detector_files_first(model, arrays, tmp_path, capsys):
    for data in (arrays, arrays.parent):
        command = ["evaluate", "--model", str(model), "--data", str(data), "--out", str(tmp_path / "report")]
        assert main(command) == 1
        assert f"nuzoo convert {data} --out DATASET" in capsys.readouterr().err


def test_tables_hold_what_numpy_makes_and_no_number_that_json_lacks(tmp_path):
    rows = [{"a": np.float32(0.5), "b": np.arange(2), "c": [np.int64(3)], "d": float("nan")}]
    assert write_table(iter(rows * 3000), tmp_path / "t.jsonl", {}) == 3000
    first = json.loads((tmp_path / "t.jsonl").read_text().splitlines()[0])
    assert first == {"a": 0.5, "b": [0, 1], "c": [3], "d": None}
    assert write_table(iter(rows * 3000), tmp_path / "t.parquet", {}) == 3000
    assert pq.read_table(tmp_path / "t.parquet")["c"].to_pylist() == [[3]] * 3000
