import pytest
from datasets import ClassLabel, Dataset, Features

from nuzoo.datasets_scripts.common.labelled_rows import (
    UnusableDatasetError,
    check_class_names,
    check_classes_of,
    check_detector,
    check_labelled,
    check_lengths,
    check_modality,
)
from nuzoo.files.events.point_cloud_events import point_cloud_schema
from nuzoo.simulation.detectors import find_detector


def rows(names):
    return Dataset.from_dict({"label": [0, 1]}, features=Features({"label": ClassLabel(names=names)}))


def test_classes_in_another_order_are_refused():
    check_class_names(rows(["nue_cc", "nc"]), ["nue_cc", "nc"], "here")
    with pytest.raises(UnusableDatasetError, match="here: expected labels that count the classes nue_cc, nc"):
        check_class_names(rows(["nc", "nue_cc"]), ["nue_cc", "nc"], "here")


def test_labels_without_names_are_taken_as_numbers():
    check_class_names(Dataset.from_dict({"label": [0, 1]}), ["nue_cc", "nc"], "here")


@pytest.mark.parametrize(
    ("motif", "said"),
    [
        ([[0, 1], None, [2]], "a list for each event, got 1 of 3 without one"),
        ([[0, -1], [], [2]], "a class for each hit, got 1 of 3 without one"),
        ([[0, None], [None], [2]], "a class for each hit, got 2 of 4 without one"),
    ],
)
def test_hits_without_a_class_are_counted(motif, said):
    with pytest.raises(UnusableDatasetError, match=f"split test, column motif: expected {said}"):
        check_labelled(Dataset.from_dict({"motif": motif}), "test", ("motif",))


@pytest.mark.parametrize(
    ("column", "event"),
    [([[0, 2], [], [1, 4, 2, 17], [5]], "c"), ([0, 2, 4, 1], "c"), ([[3], [], [], []], "a")],
)
def test_classes_that_a_model_does_not_have_are_refused_with_their_event(column, event):
    rows = Dataset.from_dict({"event_id": ["a", "b", "c", "d"], "kind": column})
    names = ["shower", "track", "michel"]
    told = rf"split test, column kind of event {event}: expected .* 0 to 2 .shower, track, michel., got [34]:"
    with pytest.raises(UnusableDatasetError, match=told):
        check_classes_of(rows, "test", names, "kind")
    check_classes_of(rows, "test", [str(number) for number in range(18)], "kind")
    check_classes_of(rows.select([1]).remove_columns("event_id"), "test", names, "kind")


CUBE = find_detector("lartpc-cube-768").geometry()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"motif": [[0], [1], [2, 3]]},
            "motif of event b: expected as many entries as in x, 0, got 1: write",
        ),
        ({"motif": [[0], [], [2]]}, "motif of event c: expected as many entries as in x, 2, got 1: write"),
        ({"motif": [[0], None, [2, 3]]}, "motif of event b: .* as in x, 0, got no list: write"),
        ({"motif": [0, 1, 2]}, "motif: expected a list for each event, got int64: write lists"),
        ({"keypoint_z": [[], [], []]}, "keypoint_z of event a: .* as in keypoint_kind, 1, got 0"),
    ],
)
def test_truth_that_is_not_of_the_hits_is_refused_with_its_event(changed, told):
    columns = {"event_id": ["a", "b", "c"], "x": [[1], [], [2, 3]], "motif": [[0], [], [2, 3]]}
    columns |= {"keypoint_kind": [[0], [], []], "keypoint_z": [[0.5], [], []]}
    schema, targets = point_cloud_schema(CUBE), ("motif", "keypoint_kind", "keypoint_z")
    check_lengths(Dataset.from_dict(columns), "test", schema, targets)
    with pytest.raises(UnusableDatasetError, match=f"split test, column {told}"):
        check_lengths(Dataset.from_dict(columns | changed), "test", schema, targets)
    check_lengths(Dataset.from_dict(columns | changed), "test", schema, ())


def test_events_without_any_truth_are_refused():
    schema = point_cloud_schema(CUBE)
    for target, what in (("motif", "hits"), ("keypoint_kind", "keypoints")):
        rows = Dataset.from_dict({target: [[], []]})
        with pytest.raises(
            UnusableDatasetError, match=f"test: expected events with {what}, got 2 without any"
        ):
            check_lengths(rows, "test", schema, (target,))


def test_events_of_another_modality_are_called_so():
    hits = {"x": [[1]], "y": [[1]], "z": [[1]], "energy": [[1.0]]}
    clouds = Dataset.from_dict({"detector": ["lartpc-cube-768"], **hits})
    check_modality({"train": clouds, "test": None}, "point-clouds")
    for unknown in (Dataset.from_dict(hits), Dataset.from_dict({"detector": ["my-own"], **hits})):
        check_modality({"train": unknown}, "pixel-maps")
    with pytest.raises(
        UnusableDatasetError, match="split test: this model reads pixel-maps, these events are p"
    ):
        check_modality({"train": None, "test": clouds}, "pixel-maps")


def test_events_of_another_detector_are_called_so():
    seen = Dataset.from_dict({"detector": ["near", "far", None]})
    check_detector(seen.select([0, 2]), "test", "near")
    check_detector(seen, "test", None)
    with pytest.raises(
        UnusableDatasetError, match="test: this model is for events of near, these are of far:"
    ):
        check_detector(seen, "test", "near")
