from types import SimpleNamespace

import pytest
from datasets import Dataset

from nuzoo.evaluation.core.errors import RunFileError
from nuzoo.evaluation.core.training_events import (
    count_trained_on,
    event_digests,
    seen_events,
    training_warning,
    write_training_events,
)
from nuzoo.evaluation.core.training_facts import training_of
from nuzoo.files.events.pixel_map_events import pixel_map_schema
from nuzoo.files.names import TRAINING_EVENTS_FILE

SCHEMA = pixel_map_schema({"detector": "toy", "views": ("xz", "yz"), "height": 9, "width": 9})


def rows(*numbers, name="event"):
    return Dataset.from_list(
        [
            {
                "event_id": f"{name}-{n}",
                "xz_index": [n, n + 1],
                "xz_energy": [1.0, 2.0],
                "yz_index": [],
                "yz_energy": [],
                "label": n % 3,
            }
            for n in numbers
        ]
    )


def test_events_are_known_again_by_their_hits_under_any_name_and_folder(tmp_path):
    splits = {"train": rows(0, 1, 2), "validation": rows(3), "test": rows(4)}
    write_training_events(tmp_path, splits, SCHEMA)
    found = seen_events(str(tmp_path), rows(2, 3, 4, 5, name="elsewhere"), SCHEMA)
    assert (found.trained_on, found.steered_by) == (1, 1)
    none = seen_events(str(tmp_path), rows(6, 7), SCHEMA)
    assert (none.trained_on, none.steered_by) == (0, 0)


def test_hits_of_two_views_and_events_without_hits_are_told_apart():
    moved = Dataset.from_list(
        [
            {"event_id": "a", "xz_index": [], "xz_energy": [], "yz_index": [0, 1], "yz_energy": [1.0, 2.0]},
            {"event_id": "b", "xz_index": [], "xz_energy": [], "yz_index": [], "yz_energy": []},
            {"event_id": "c", "xz_index": [], "xz_energy": [], "yz_index": [], "yz_energy": []},
        ]
    )
    assert len({*event_digests(moved, SCHEMA), *event_digests(rows(0), SCHEMA)}) == 4


def test_a_model_that_does_not_tell_and_one_that_cannot_be_read(tmp_path):
    assert seen_events(str(tmp_path), rows(1), SCHEMA) is None
    assert seen_events("recipe_name", rows(1), SCHEMA) is None
    (tmp_path / TRAINING_EVENTS_FILE).write_text("no table")
    with pytest.raises(RunFileError, match="cannot be read"):
        seen_events(str(tmp_path), rows(1), SCHEMA)


@pytest.mark.parametrize(
    ("split", "seen", "told"),
    [
        ("test", (3, 0), "3 of 9 events are events that the model was trained on"),
        ("test", (0, 2), "2 of 9 events are validation events"),
        ("test", (0, 0), None),
        ("train", (0, 0), None),
        ("train", None, "events of split train"),
        ("test", None, None),
    ],
)
def test_numbers_of_events_that_a_model_has_seen_are_told(split, seen, told):
    known = None if seen is None else SimpleNamespace(trained_on=seen[0], steered_by=seen[1])
    warning = training_warning(SimpleNamespace(split=split, events=9), known)
    assert warning is told is None or told in warning


def test_a_run_tells_the_events_that_there_were_and_not_those_that_were_wanted(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "recipe.yaml").write_text("data: {path: data/mine, train_events: 3000}\n")
    assert training_of(str(tmp_path), "data/mine", 278).events == 278
    assert training_of(str(tmp_path), "data/mine", 5000).events == 3000
    assert training_of(str(tmp_path), "data/others", 5000).events is None
    write_training_events(tmp_path, {"train": rows(1, 2, 3), "validation": rows(4)}, SCHEMA)
    assert training_of(str(tmp_path), "data/others", 5000).events == count_trained_on(str(tmp_path)) == 3
