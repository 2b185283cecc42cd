"""`nuzoo predict --passes`: errors of reconstructed quantities, and of nothing else."""

import numpy as np
import pytest
from datasets import Dataset
from pyarrow import parquet

from nuzoo.cli import main
from nuzoo.pipelines.loading import load_model
from nuzoo.zoo.bundled import find_model


@pytest.fixture
def events(tmp_path):
    processor = load_model(find_model("nu-perceiver-fasercal-tiny"))[1]
    rows = [
        {name: np.asarray(value).tolist() for name, value in event.items()} | {"event_id": f"e{number}"}
        for number, event in enumerate(processor.example_events(2))
    ]
    Dataset.from_list(rows).to_parquet(tmp_path / "events.parquet")
    return tmp_path / "events.parquet"


def test_errors_stand_beside_quantities(events, tmp_path):
    command = ["predict", str(events), "--model", "nu-perceiver-fasercal-tiny", "--passes", "3"]
    assert main([*command, "--out", str(tmp_path / "told.parquet")]) == 0
    told = parquet.read_table(tmp_path / "told.parquet").to_pydict()
    assert all(error > 0 for axis in "xyz" for error in told[f"vertex_error_{axis}_mm"])
    assert main([*command[:-2], "--out", str(tmp_path / "plain.parquet")]) == 0
    assert not [name for name in parquet.read_schema(tmp_path / "plain.parquet").names if "error" in name]


def test_they_are_refused_where_no_quantity_is_told(events, tmp_path, capsys):
    command = ["predict", str(events), "--model", "nu-point-motif-tiny", "--passes", "3"]
    assert main([*command, "--out", str(tmp_path / "told.parquet")]) == 1
    assert "got passes" in capsys.readouterr().err
    assert not (tmp_path / "told.parquet").exists()
