import pytest

from nuzoo.app.asking import Asker, find_model
from nuzoo.app.errors import QuestionError
from nuzoo.app.limits import Limits
from nuzoo.app.offered import offered_models, silent_models
from nuzoo.app.sample_events import LARGEST, check_sample, sample_event
from nuzoo.registry import TASKS
from nuzoo.zoo.bundled import bundled_models
from nuzoo.zoo.origins import ORIGINS


def test_every_model_that_answers_is_offered_and_the_others_are_named():
    offered, silent = offered_models(), silent_models()
    assert {*offered, *silent} == set(bundled_models()) and not {*offered} & {*silent}
    assert {model.task.name for model in offered.values()} == {
        name for name, task in TASKS.items() if task.pipeline and name != "point-proposal"
    }
    assert all("pretrain" in name or name.endswith(("mae-tiny", "rel-tiny")) for name in silent)


def test_a_sample_event_is_of_the_class_that_was_asked_for_and_the_same_each_time():
    model = find_model("nu-perceiver-scintillator-tiny")
    for wanted in model.classes:
        row = sample_event(model, 3, wanted)
        assert row["label"] == wanted and row["detector"] == ORIGINS[model.name].events.plan["detector"]
        assert row["event_id"].startswith("sim-3-")
    assert sample_event(model, 3, wanted)["source"] == row["source"]
    assert sample_event(model, 4)["event_id"] == "sim-4-0"


@pytest.mark.parametrize(
    ("seed", "wanted", "told"),
    [
        (7, None, "was trained on"),
        (-1, None, "whole number from 0"),
        (1.5, None, "whole number"),
        (LARGEST + 1, None, "whole number"),
        (True, None, "whole number"),
        (float("nan"), None, "whole number"),
        ("1; rm -rf /", None, "whole number"),
        (None, None, "whole number"),
        (1, "moun", "did you mean muon"),
    ],
)
def test_a_question_that_cannot_be_is_refused_with_what_is_wrong(seed, wanted, told):
    with pytest.raises(QuestionError, match=told):
        check_sample(find_model("nu-perceiver-scintillator-tiny"), seed, wanted)


@pytest.mark.parametrize("name", ["nu-cnn-tny", "../../nu-cnn-tiny", "nu-point-pretrain-tiny", None, ["x"]])
def test_a_model_that_is_not_offered_is_refused_in_a_sentence(name, tmp_path):
    shown = Asker(Limits(), tmp_path, tmp_path).of_sample(name, "any", 1)
    assert 'role="alert"' in shown.told and "expected one of nu-cnn-dune" in shown.told
    assert shown[1:] == ("", "", "")
