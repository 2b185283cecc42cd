"""What is told of hits stands beside the hits."""

import numpy as np
import pytest

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
