import json

import pytest

from nuzoo.processors.input_errors import PromptError
from nuzoo.processors.vlm.prompts import SHIPPED, Prompt


def changed(**parts):
    return Prompt.of("physics-1").to_dict() | parts


@pytest.mark.parametrize("name", [path.stem for path in SHIPPED.glob("*.json")])
def test_shipped_prompts_ask_for_the_labels_of_the_paper(name):
    prompt = Prompt.of(name)
    assert prompt.name == name
    assert prompt.image_slots == 2
    assert dict(prompt.labels) == {"nue_cc": "NuE CC", "numu_cc": "NuMu CC", "nc": "Neutral Current"}
    assert prompt.answer("numu_cc") == "I classify the pixel maps as NuMu CC."
    assert all(label in prompt.user[-1]["text"] for _, label in prompt.labels)


def test_ablation_has_no_physics():
    words = Prompt.of("plain-1").system.lower()
    assert not any(word in words for word in ("shower", "track", "muon", "electron", "hadron"))
    assert all(word in Prompt.of("physics-1").system for word in ("shower", "track", "hadrons"))


def test_answer_goes_on_with_the_explanation():
    answer = Prompt.of("physics-1").answer("nc", "Only hadrons.")
    assert answer == "I classify the pixel maps as Neutral Current. Only hadrons."


def test_examples_stand_before_the_question():
    conversation = Prompt.of("plain-1").conversation(["one", "two"])
    assert [message["role"] for message in conversation] == ["system", *["user", "assistant"] * 2, "user"]
    assert conversation[2]["content"][0]["text"] == "one"


def test_file_of_ones_own(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(changed(name="mine-3", system="Look.")))
    assert Prompt.of(str(path)).system == "Look."
    assert Prompt.of(Prompt.of(str(path)).to_dict()) == Prompt.of(str(path))


def test_prompt_without_images_is_refused():
    with pytest.raises(PromptError, match=r"place|part .*image.*would not see the event"):
        Prompt.of(changed(user=[{"type": "text", "text": "Which?"}]))


@pytest.mark.parametrize("second", ["NuE CC", "NuE CC with pions"])
def test_label_that_begins_another_is_refused(second):
    with pytest.raises(PromptError, match=r"'NuE CC' of nue_cc begins"):
        Prompt.of(changed(labels=[["nue_cc", "NuE CC"], ["other", second]]))


def test_unknown_prompt_names_those_that_exist(tmp_path):
    with pytest.raises(PromptError, match=r"physics-1, or a JSON|physics-1.*got 'physics-9'"):
        Prompt.of("physics-9")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(PromptError, match="JSON"):
        Prompt.of(str(tmp_path / "broken.json"))
    with pytest.raises(PromptError, match=r"keys answer_prefix, labels.*got name"):
        Prompt.of({"name": "x"})


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"answer_prefix": ""}, "answer_prefix to be text"),
        ({"answer_prefix": "I say "}, "without spaces around"),
        ({"system": None}, "system to be text"),
        ({"name": 3}, "name to be text"),
        ({"user": "Which?"}, "user to be a list of parts"),
        ({"user": [{"type": "video"}]}, "user to be a list of parts"),
        ({"user": [{"type": "image"}, {"type": "text"}]}, "user to be a list of parts"),
        ({"labels": {"nc": "Neutral"}}, "labels to be a list of pairs"),
        ({"labels": None}, "labels to be a list of pairs"),
        ({"labels": [["nc", " Neutral"]]}, "labels to be a list of pairs"),
    ],
)
def test_parts_of_another_kind_are_refused(parts, message):
    with pytest.raises(PromptError, match=message):
        Prompt.of(changed(**parts))
