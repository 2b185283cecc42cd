"""Results from which no card can be made are refused, with the place."""

import json
from copy import deepcopy
from pathlib import Path

import pytest

from nuzoo.files.errors import HubError
from nuzoo.hub.errors import MissingResultsError
from nuzoo.hub.model.report_check import read_report
from nuzoo.hub.model.results_shape import check_shape

NUMBER = {"value": 0.5, "error": 0.1}
UNDEFINED = {"value": None, "error": None}
CLASSES = ["nue_cc", "nc"]
RESULTS = {
    "schema": "nuzoo-event-classification-results",
    "schema_version": 1,
    "created": "2026-11-22T12:00:00+00:00",
    "class_names": CLASSES,
    "dataset": {
        "sample": "ours",
        "split": None,
        "events": 2,
        "events_per_class": {"nue_cc": 2, "nc": 0},
        "event_ids_sha256": "0" * 64,
    },
    "model": {"model_type": "nu_cnn", "parameters": 3, "dtype": "float32"},
    "metrics": {
        **dict.fromkeys(("accuracy", "macro_precision", "macro_recall", "macro_auc"), NUMBER),
        **{key: {"nue_cc": NUMBER, "nc": UNDEFINED} for key in ("recall", "precision", "auc")},
    },
    "calibration": {
        "temperature": {"value": 1, "error": None, "fitted_on": "nothing"},
        **dict.fromkeys(("ece_before", "ece_after", "ece_if_perfect"), NUMBER),
    },
    "half_resolution": {"energy": {"accuracy": NUMBER, "accuracy_change": UNDEFINED}},
    "cost": {
        "batch_size": 2,
        "ms_per_event": {"total": NUMBER, "model": NUMBER},
        "peak_memory": {"mib": 5, "counts": "all"},
    },
    "machine": {"processor": "a processor", "threads": 2},
}

FAULTS = [
    ("metrics", None, "lacks metrics"),
    ("metrics", [], "should have names and values at metrics, it has []"),
    ("metrics.accuracy.value", "0.9", "should have a number at metrics.accuracy.value, it has '0.9'"),
    ("metrics.accuracy.value", True, "should have a number at metrics.accuracy.value"),
    ("metrics.accuracy.error", "x", "should have a number or null at metrics.accuracy.error"),
    ("metrics.accuracy", 0.9, "should have names and values at metrics.accuracy, it has 0.9"),
    ("metrics.recall.nc", None, "lacks metrics.recall.nc"),
    ("calibration.temperature", None, "lacks calibration.temperature"),
    ("calibration.temperature.value", "1", "should have a number at calibration.temperature.value"),
    ("calibration.ece_after", None, "lacks calibration.ece_after"),
    ("class_names", "nc", "should have a list of texts at class_names"),
    ("class_names", ["nue_cc", 3], "should have a list of texts at class_names"),
    ("dataset.events", 2.5, "should have a whole number at dataset.events, it has 2.5"),
    ("dataset.sample", 7, "should have a text at dataset.sample"),
    ("dataset.split", 7, "should have a text or null at dataset.split"),
    ("dataset.event_ids_sha256", None, "lacks dataset.event_ids_sha256"),
    ("dataset.events_per_class.nc", "0", "should have a whole number at dataset.events_per_class.nc"),
    ("half_resolution", 3, "should have names and values at half_resolution"),
    ("half_resolution.energy.accuracy", None, "lacks half_resolution.energy.accuracy"),
    ("cost.peak_memory.mib", "5 MB", "should have a number at cost.peak_memory.mib"),
    ("machine", None, "lacks machine"),
    ("metrics.macro_auc.value", float("nan"), "should have a number at metrics.macro_auc.value, it has nan"),
    ("energy", {"efficiency": [float("inf")]}, "holds NaN or infinity"),
]


def test_results_pass(tmp_path):
    (tmp_path / "results.json").write_text(json.dumps(RESULTS))
    assert read_report(tmp_path, Path("run")) == RESULTS
    check_shape({name: part for name, part in RESULTS.items() if name != "half_resolution"}, "", "")


@pytest.mark.parametrize(("place", "value", "message"), FAULTS)
def test_what_is_missing_or_something_else_is_named(tmp_path, place, value, message):
    """A value of None removes the key."""
    results = deepcopy(json.loads(json.dumps(RESULTS)))
    *outer, last = place.split(".")
    section = results
    for name in outer:
        section = section[name]
    section[last] = value
    if value is None:
        del section[last]
    (tmp_path / "results.json").write_text(json.dumps(results))
    with pytest.raises(MissingResultsError) as refusal:
        read_report(tmp_path, Path("run"))
    assert isinstance(refusal.value, HubError)
    assert message in str(refusal.value)
    assert "nuzoo evaluate --model run" in str(refusal.value)
