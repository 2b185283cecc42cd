import json

import pytest

from nuzoo.hub.training_facts import training_arguments, training_facts


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_settings_that_are_no_number_are_null(tmp_path, number):
    text = (
        f'{{"learning_rate": {number}, "max_grad_norm": [{number}], "weight_decay": 1e-2, "run_name": "NaN"}}'
    )
    (tmp_path / "training_args.json").write_text(text)
    arguments = training_arguments(tmp_path)
    json.dumps(arguments, allow_nan=False)
    assert arguments == {
        "learning_rate": None,
        "max_grad_norm": [None],
        "weight_decay": 0.01,
        "run_name": "NaN",
    }
    assert training_facts(tmp_path) == {"weight decay": 0.01}
