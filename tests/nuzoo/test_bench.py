"""The options of `nuzoo bench` are fields of studies."""

import pytest

from nuzoo.cli import main
from nuzoo.training.label_efficiency import run_study as running


@pytest.fixture
def studies(monkeypatch):
    asked = []
    monkeypatch.setattr(running, "run_study", lambda study, sample, tell, **_: asked.append(study) or [])
    return asked


def test_budgets_recipe_and_seeds_are_those_of_the_study(studies, tmp_path):
    given = ["--recipe", "nu_cnn_tiny", "--budgets", "10", "20", "--seeds", "2", f"out={tmp_path}"]
    assert main(["bench", "label-efficiency", *given, "ways={new: {}}", "fields={}"]) == 0
    study = studies[0]
    assert (study.recipe, study.events, study.seeds) == ("nu_cnn_tiny", [10, 20], [1, 2])
    assert study.recipe_of(next(study.cells())).data.train_events == 10


def test_studies_of_data_efficiency_start_in_three_ways(studies, tmp_path):
    ways = "ways={scratch: {}}"
    assert main(["bench", "data-efficiency", "--budgets", "7", "--seeds", "1", f"out={tmp_path}", ways]) == 0
    assert studies[0].recipe == "nu_perceiver_fasercal_tiny"
    assert [cell.name for cell in studies[0].cells()] == ["scratch-7-1"]


def test_options_of_another_study_are_refused(capsys):
    assert main(["bench", "uncertainty", "--budgets", "10"]) != 0
    assert "--budgets: expected a study of label-efficiency" in capsys.readouterr().err


def test_a_cluster_is_refused_where_it_would_do_nothing(capsys):
    assert main(["bench", "uncertainty", "--cluster", "tcp://127.0.0.1:1"]) != 0
    assert (
        "--cluster: expected a study whose trainings are measured each by itself" in capsys.readouterr().err
    )
