import json
import re

import pytest

from nuzoo.evaluation.core.errors import RunFileError
from nuzoo.evaluation.core.training_facts import read_run, training_facts


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_settings_that_are_no_number_are_null(tmp_path, number):
    text = (
        f'{{"learning_rate": {number}, "max_grad_norm": [{number}], "weight_decay": 1e-2, "run_name": "NaN"}}'
    )
    (tmp_path / "training_args.json").write_text(text)
    arguments = read_run(tmp_path).arguments
    json.dumps(arguments, allow_nan=False)
    assert arguments == {
        "learning_rate": None,
        "max_grad_norm": [None],
        "weight_decay": 0.01,
        "run_name": "NaN",
    }
    assert training_facts(read_run(tmp_path)) == {"weight decay": "0.01"}


def test_what_a_training_does_not_tell_is_left_out(tmp_path):
    nothing = {"epoch": None, "global_step": None, "log_history": None}
    (tmp_path / "trainer_state.json").write_text(json.dumps(nothing))
    (tmp_path / "recipe.yaml").write_text("source:\nmodel:\ndata:\naugmentation:\n")
    assert training_facts(read_run(tmp_path)) == {}
    log = [{"train_runtime": 60}, {"train_runtime": 90.0}, {"train_runtime": None}, {"loss": 1}]
    told = {"epoch": 3.5, "global_step": 1200, "log_history": log}
    (tmp_path / "trainer_state.json").write_text(json.dumps(told))
    assert training_facts(read_run(tmp_path)) == {
        "epochs": "3.5 (1,200 steps)",
        "time of the last session of training": "1.5 minutes",
    }


def test_who_taught_and_how(tmp_path):
    (tmp_path / "recipe.yaml").write_text("teacher: {model: org/large, temperature: 2.0, features: 3.0}\n")
    told = {"teacher": "org/large, temperature 2.0, features 3.0"}
    assert training_facts(read_run(tmp_path)) == told


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        (
            "trainer_state.json",
            {"epoch": "3"},
            "trainer_state.json: expected a number or null as epoch, got '3'",
        ),
        ("trainer_state.json", {"global_step": [1]}, "as global_step"),
        (
            "trainer_state.json",
            {"log_history": 5},
            "expected a list of names and values as log_history, got 5",
        ),
        ("trainer_state.json", {"log_history": [None]}, "as log_history"),
        ("trainer_state.json", {"log_history": [{"train_runtime": "1 h"}]}, "as train_runtime, got '1 h'"),
        ("recipe.yaml", {"model": "tiny"}, "expected names and values as model, got 'tiny'"),
        ("recipe.yaml", {"data": ["x"]}, "as data"),
        ("recipe.yaml", {"teacher": "large"}, "expected names and values as teacher, got 'large'"),
        ("recipe.yaml", {"augmentation": 3}, "as augmentation, got 3; mend it, or train again"),
    ],
)
def test_files_of_a_run_that_say_something_else(tmp_path, name, content, match):
    (tmp_path / name).write_text(json.dumps(content))
    with pytest.raises(RunFileError, match=re.escape(match)):
        read_run(tmp_path)
