"""What is told of hits stands beside the hits."""

import numpy as np
import pytest
from datasets import Dataset
from pyarrow import parquet

from nuzoo.cli import main
from nuzoo.pipelines.loading import load_pipeline
from nuzoo.pipelines.predictions import predict_rows
from nuzoo.zoo.bundled import find_model


@pytest.mark.parametrize(
    ("model", "told"), [("nu-point-motif-tiny", "labels"), ("nu-point-particles-tiny", "instances")]
)
def test_rows_hold_the_hits_that_labels_are_of(model, told):
    pipeline = load_pipeline(find_model(model))
    processor = pipeline.image_processor
    events = [
        event | {"event_id": f"e{i}", "source": "test"} for i, event in enumerate(processor.example_events(3))
    ]
    rows = list(predict_rows(pipeline, events, [], processor.schema))
    assert [row["event_id"] for row in rows] == ["e0", "e1", "e2"]
    for row, event in zip(rows, events, strict=True):
        for name in ("x", "y", "z", "energy"):
            np.testing.assert_array_equal(row[name], event[name])
        assert len(row[told]) == len(row["x"])


def test_an_event_without_hits_is_said_and_has_typed_columns(tmp_path, capsys):
    empty = {"event_id": "none"} | {name: [] for name in ("x", "y", "z", "energy")}
    Dataset.from_list([empty]).to_parquet(tmp_path / "events.parquet")
    command = ["predict", str(tmp_path / "events.parquet"), "--model", "nu-point-motif-tiny"]
    assert main([*command, "--out", str(tmp_path / "labels.parquet")]) == 0
    assert "warning: events without hits: 1, such as none" in capsys.readouterr().err
    types = {field.name: str(field.type) for field in parquet.read_schema(tmp_path / "labels.parquet")}
    assert types["labels"] == "list<element: string>" and types["scores"] == "list<element: double>"
    assert types["energy"] == "list<element: float>" and "null" not in types["x"]
