"""Studies of how many labelled events a network needs: what they train, and what they say of it."""

import csv
import json
from pathlib import Path

import pytest
from datasets import Dataset

from nuzoo.evaluation.core.provenance import events_digest
from nuzoo.training.fields import RecipeError
from nuzoo.training.grid import run_grid as running
from nuzoo.training.grid.run_grid import Measured, measure_cell, summary
from nuzoo.training.grid.study import Cell
from nuzoo.training.label_efficiency.run_study import run_study
from nuzoo.training.label_efficiency.study import Study
from nuzoo.zoo.bundled import find_model

NAME = "nu_point_label_efficiency"


@pytest.fixture
def checkpoint(tmp_path):
    (tmp_path / "before").mkdir()
    config = {"model_type": "nu_point", "architectures": ["NuPointForPreTraining"], "target": "pid"}
    (tmp_path / "before/config.json").write_text(json.dumps(config))
    return str(tmp_path / "before")


def test_a_checkpoint_that_has_learnt_the_same_from_labels_is_refused(checkpoint, tmp_path):
    config = {"model_type": "nu_point", "architectures": ["NuPointForSemanticSegmentation"]}
    (tmp_path / "before/config.json").write_text(json.dumps(config))
    with pytest.raises(RecipeError, match="labels would not be counted"):
        Study.read(NAME, [f"pretrained={checkpoint}"])


def test_cells_are_every_way_number_and_seed(checkpoint):
    study = Study.read(NAME, [f"pretrained={checkpoint}", "events=[100,10]", "seeds=[1,2]"])
    cells = list(study.cells())
    assert len(cells) == len(set(cells)) == 2 * 4 * 2
    assert [cell.events for cell in cells] == [10] * 8 + [100] * 8


def test_recipes_differ_in_what_the_way_says(checkpoint):
    study = Study.read(NAME, [f"pretrained={checkpoint}", "fields.training.max_steps=7"])
    new, linear = (study.recipe_of(Cell(way, 30, 2)) for way in ("scratch", "linear"))
    assert new.model.pretrained is None and new.model.preset == "tiny"
    assert linear.model.pretrained == checkpoint
    assert linear.model.frozen == ["nu_point.embedding", "nu_point.encoder"]
    for recipe in (new, linear):
        assert (recipe.data.train_events, recipe.training.seed, recipe.training.max_steps) == (30, 2, 7)
    assert new.output != linear.output
    assert (new.targets, linear.targets) == (("motif",), ("pid",))


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["evnts=[1]"], "evnts"),
        (["pretrained=null"], "expected a checkpoint"),
        (["events=[]"], "one of each at least"),
        (["fields.training.max_stps=3"], "max_stps"),
        (["ways.full.model.readut=decoder"], "readut"),
        (["events.x=1"], "events of a study is a value"),
        (["ways.scratch=3"], "study.ways: expected"),
        (["events=[10,10]"], "events: expected numbers of 1 or more, each once"),
        (["events=[0,10]"], "events: expected numbers of 1 or more"),
        (["seeds=[1,1]"], "seeds: expected numbers of 1 or more, each once"),
        (["published={}"], "expected also events, source, values"),
        (["published.values=3"], "published.values: expected"),
        (["published.events=[1]"], "1 each as events has"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_trained(checkpoint, overrides, told):
    with pytest.raises(RecipeError, match=told):
        Study.read(NAME, [f"pretrained={checkpoint}", *overrides])


def test_a_study_without_a_field_that_it_needs_is_refused_by_its_name(tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "recipe: nu_point_motif_tiny\nevents: [10]\nseeds: [1]\nways: {new: {}}\n"
    )
    with pytest.raises(RecipeError, match="study: expected also out, source"):
        Study.read(tmp_path / "mine.yaml")


def test_errors_between_trainings_and_of_the_events_are_joined():
    """Trainings at 0.6 and 0.8: 0.1 by their scatter; and 0.1 of the events, which are the same for both."""
    trained = ((1, 0.6), (2, 0.8))
    found = [Measured(Cell("full", 10, seed), "F1", value, 0.1, 5, Path()) for seed, value in trained]
    assert summary(found) == pytest.approx((0.7, 0.02**0.5))


def measured_before(study, cell, recipe, event_ids):
    """Write what a training by a recipe, measured on some events, leaves."""
    results = json.loads((Path(find_model("nu-point-motif-tiny")) / "results.json").read_text())
    results["dataset"]["event_ids_sha256"] = events_digest(event_ids)
    output = study.recipe_of(cell).output
    (output / "report").mkdir(parents=True)
    (output / "report/results.json").write_text(json.dumps(results))
    (output / "recipe.yaml").write_text(recipe.to_yaml())
    (output / "trainer_state.json").write_text("{}")


@pytest.mark.parametrize(
    ("fields", "event_ids", "told"),
    [
        ([], ["a", "b"], None),
        ([], ["a", "c"], "other events"),
        (["fields.model.lovasz_weight=0.9"], ["a", "b"], "another recipe"),
    ],
)
def test_what_was_trained_or_measured_otherwise_is_not_counted(checkpoint, tmp_path, fields, event_ids, told):
    given = [f"pretrained={checkpoint}", f"out={tmp_path / 'study'}"]
    cell, study = Cell("scratch", 10, 1), Study.read(NAME, given)
    before = Study.read(NAME, [*given, *fields])
    measured_before(study, cell, before.recipe_of(cell), event_ids)
    test = Dataset.from_dict({"event_id": ["a", "b"]})
    if told:
        with pytest.raises(RecipeError, match=told):
            measure_cell(study, cell, test, None)
    else:
        assert measure_cell(study, cell, test, None).value == pytest.approx(0.801, abs=0.001)


def test_table_text_and_figure_are_of_all_cells(checkpoint, tmp_path, monkeypatch):
    out = tmp_path / "study"
    given = [f"pretrained={checkpoint}", f"out={out}", "events=[10,100]", "seeds=[1,2]"]
    splits = {"train": range(100), "test": range(5)}
    monkeypatch.setattr(running, "load_splits", lambda recipe: splits)
    monkeypatch.setattr(
        running,
        "measure_cell",
        lambda study, cell, *_: Measured(cell, "F1", 1 - 5 / (cell.events + 10), 0.01, 5, Path()),
    )
    out.mkdir()
    lines = []
    files = run_study(Study.read(NAME, given), tell=lines.append)
    assert len(lines) == 16 and lines[0].startswith("1 of 16: scratch-10-1: f1 0.750")
    assert [file.name for file in files if not file.is_file()] == []
    table = list(csv.DictReader((out / "label_efficiency.csv").open()))
    assert len(table) == 16
    text = (out / "label_efficiency.md").read_text()
    assert "| scratch | 0.750 ± 0.010 | 0.955 ± 0.010 |" in text
    assert "| Panda, full | 0.928 |" in text and "Theirs: arXiv 2512.01324" in text
