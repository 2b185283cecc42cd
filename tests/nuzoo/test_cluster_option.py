"""`--cluster` of the commands: the bytes of one process."""

import numpy as np
import pytest
from datasets import Dataset

from nuzoo.cli import main
from nuzoo.pipelines.predictions import EVENTS_AT_A_TIME
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor
from nuzoo.zoo.bundled import find_model


@pytest.fixture
def cluster(tmp_path):
    """Two workers that are threads of this process: those of tests/datasets_scripts are others."""
    file = tmp_path / "cluster.yaml"
    file.write_text("kind: local\nn_workers: 2\nprocesses: false\nprotocol: tcp\n")
    return ["--cluster", str(file)]


def contents(folder):
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_simulation_has_the_bytes_of_one_process(tmp_path, cluster, capsys):
    command = ["simulate", "lartpc-pixelmaps", "--events", "8", "--shard-size", "2", "--out"]
    assert main([*command, str(tmp_path / "one")]) == 0
    assert main([*command, str(tmp_path / "two"), *cluster]) == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert "working on 2 workers of" in capsys.readouterr().err


def test_a_conversion_has_the_bytes_of_one_process(tmp_path, cluster, monkeypatch, capsys):
    """With what is left out, where names are relative, an event is there twice and endings alone differ."""
    read = tmp_path / "read"
    (read / "below").mkdir(parents=True)
    for number, name in enumerate(["a.npy", "b.npy", "below/a.npy", "below/c.npy"]):
        maps = np.zeros((3, 2, 512, 512), np.float32)
        maps[:, :, 250:260, 256 : 300 + number] = 1.5
        np.save(read / name, maps)
    np.savez(read / "a.npz", images=maps)
    (read / "broken.npy").write_bytes(b"no array")
    (read / "LICENSE").write_text("free")
    monkeypatch.chdir(tmp_path)
    told = []
    for out, options in (("one", []), ("two", cluster)):
        split = ["--split-fractions", "train=0.5,validation=0.25,test=0.25"]
        assert main(["convert", "read", "read/below/a.npy", "--out", out, *split, *options]) == 3
        captured = capsys.readouterr()
        told.append(captured.out.replace(out, "OUT"))
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    left_out = (tmp_path / "two" / "left-out.csv").read_text()
    assert "read/broken.npy" in left_out and "read/LICENSE" in left_out
    assert told[0] == told[1]


MODEL = "nu-point-motif-tiny"


def test_a_prediction_has_the_bytes_of_one_process(tmp_path, cluster):
    processor = NuPointCloudFeatureExtractor.from_pretrained(find_model(MODEL))
    events = [
        event | {"event_id": f"e{number}", "source": "test"}
        for number, event in enumerate(processor.example_events(EVENTS_AT_A_TIME + 6))
    ]
    Dataset.from_list(events).to_parquet(tmp_path / "events.parquet")
    command = ["predict", str(tmp_path / "events.parquet"), "--model", MODEL, "--out"]
    assert main([*command, str(tmp_path / "one" / "told.parquet")]) == 0
    assert main([*command, str(tmp_path / "two" / "told.parquet"), *cluster]) == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "two") != {}


def test_processes_and_a_cluster_at_once_are_refused(tmp_path, capsys):
    out = ["--out", str(tmp_path / "out")]
    both = ["--num-proc", "2", "--cluster", "tcp://127.0.0.1:9"]
    assert main(["simulate", "lartpc-pixelmaps", "--events", "2", *out, *both]) == 2
    assert "--cluster, --num-proc: expected one of them, got both" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
