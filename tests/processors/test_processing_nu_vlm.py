import json

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoProcessor

from nuzoo.files.events.event_classes import EVENT_CLASSES
from nuzoo.processors.input_errors import (
    BaseProcessorError,
    MissingStatisticsError,
    ProcessorSettingError,
    PromptError,
)
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor
from nuzoo.processors.vlm.processing_nu_vlm import IGNORED, NuVlmProcessor
from nuzoo.processors.vlm.prompts import Prompt
from nuzoo.processors.vlm.tiny_base import tiny_base_processor

SIZE = 64


def base_processor():
    return tiny_base_processor([json.dumps(Prompt.of("physics-1").to_dict())], SIZE)


def two_answers():
    prompt = Prompt.of("physics-1")
    return [prompt.answer("nue_cc", "A shower."), prompt.answer("nc")]


@pytest.fixture(scope="module")
def processor():
    made = NuVlmProcessor(base_processor(), height=SIZE, width=SIZE)
    return made.fit(made.example_events(8))


def test_a_window_without_a_place_is_named_where_it_is_missing():
    made = NuVlmProcessor(base_processor(), height=SIZE, width=SIZE, window=[32, 32], active_rms=[1.0, 1.0])
    with pytest.raises(MissingStatisticsError, match="window_start=None"):
        made.refuse_unfitted()


@pytest.fixture
def events(processor):
    return processor.example_events(4)


def test_images_are_the_normalised_maps_in_grey(processor, events):
    plain = NuPixelMapImageProcessor(height=SIZE, width=SIZE, active_rms=processor.maps.active_rms)
    normalised = plain(events)["pixel_values"].numpy()
    expected = np.minimum(np.rint(normalised * 255 / 4), 255).astype(np.uint8)
    assert np.array_equal(processor.grey_images(events), expected)
    assert expected.max() > 50


def test_inverted_images_are_dark_on_white(processor, events):
    inverted = NuVlmProcessor(
        base_processor(), height=SIZE, width=SIZE, active_rms=processor.maps.active_rms, invert=True
    )
    assert np.array_equal(inverted.grey_images(events), 255 - processor.grey_images(events))


def test_base_gets_the_views_in_order(processor, events):
    """The same as calling its processor by hand with pictures."""
    grey = processor.grey_images(events)
    pictures = [[Image.fromarray(view).convert("RGB") for view in event] for event in grey]
    texts = [processor.question] * len(events)
    by_hand = processor.base_processor(
        text=texts, images=pictures, return_tensors="pt", padding=True, add_special_tokens=False
    )
    ours = processor(events)
    assert ours.keys() == by_hand.keys()
    assert all(torch.equal(ours[name], by_hand[name]) for name in ours)


def test_prompt_ends_where_the_label_begins(processor, events):
    text = processor.tokenizer.decode(processor(events)["input_ids"][0])
    assert text.count("<|image|>") == 2
    assert text.endswith("<|start_header_id|>assistant<|end_header_id|>I classify the pixel maps as")


def test_label_tokens_are_those_in_a_whole_answer(processor):
    prompt = Prompt.of("physics-1")
    for (name, _), tokens in zip(prompt.labels, processor.label_token_ids(EVENT_CLASSES), strict=True):
        whole = processor.tokenizer(prompt.answer(name), add_special_tokens=False)["input_ids"]
        assert whole[-len(tokens) :] == tokens
        assert processor.tokenizer.decode(tokens).strip() == f"{dict(prompt.labels)[name]}."
    electron, muon = processor.label_token_ids(["nue_cc", "numu_cc"])
    assert electron[0] == muon[0]


def test_label_tokens_follow_the_names_and_not_the_order_of_the_prompt(processor):
    prompt = Prompt.of("physics-1").to_dict()
    turned = processor.with_prompt(prompt | {"labels": prompt["labels"][::-1]})
    assert turned.label_token_ids(EVENT_CLASSES) == processor.label_token_ids(EVENT_CLASSES)
    with pytest.raises(PromptError, match="got none for nutau_cc"):
        processor.label_token_ids(["nc", "nutau_cc"])


def test_loss_is_on_the_answer_only(processor, events):
    answers = [
        Prompt.of("physics-1").answer(name, "A shower." * (name == "nue_cc")) for name in ("nue_cc", "nc")
    ]
    batch = processor.supervised(events[:2], answers)
    for tokens, labels, answer in zip(batch["input_ids"], batch["labels"], answers, strict=True):
        assert processor.tokenizer.decode(labels[labels != IGNORED]) == f"{answer}<|eot_id|>"
        assert torch.equal(tokens[labels != IGNORED], labels[labels != IGNORED])
    assert batch["attention_mask"][1, -1] == 0
    assert batch["labels"][1, -1] == IGNORED


def test_loss_on_the_prompt_leaves_out_images_and_padding(processor, events):
    answers = [
        Prompt.of("physics-1").answer(name, "A shower." * (name == "nue_cc")) for name in ("nue_cc", "nc")
    ]
    batch = processor.supervised(events[:2], answers, train_on_prompt=True)
    out = batch["labels"] == IGNORED
    expected = (batch["input_ids"] == processor.base_processor.image_token_id) | (
        batch["attention_mask"] == 0
    )
    assert torch.equal(out, expected)


def test_half_resolution_is_scaled_up_again(processor, events):
    nominal, half = processor(events), processor(events, half_resolution="image")
    assert half["pixel_values"].shape == nominal["pixel_values"].shape
    assert not torch.equal(half["pixel_values"], nominal["pixel_values"])
    assert processor.grey_images(events, half_resolution="image").shape[-1] == SIZE // 2


def test_examples_are_shown_before_the_event(processor, events):
    shown = processor.with_examples(events[2:], ["nue_cc", "nc"])
    inputs = shown(events[:2])
    text = shown.tokenizer.decode(inputs["input_ids"][0])
    assert text.count("<|image|>") == 6
    assert text.count("I classify the pixel maps as") == 3
    assert text.index("as NuE CC.") < text.index("as Neutral Current.")
    assert torch.equal(inputs["pixel_values"][:, 4:], processor(events[:2])["pixel_values"])
    assert torch.equal(inputs["pixel_values"][0, :2], processor(events[2:3])["pixel_values"][0])
    assert "examples" not in json.dumps(shown.to_dict())
    assert processor(events[:2])["pixel_values"].shape[1] == 2


@pytest.mark.parametrize("loader", [AutoProcessor, AutoImageProcessor, NuVlmProcessor])
def test_saved_processor_is_whole(processor, events, tmp_path, loader):
    processor.save_pretrained(tmp_path)
    loaded = loader.from_pretrained(tmp_path)
    assert type(loaded) is NuVlmProcessor
    assert loaded.label_token_ids(EVENT_CLASSES) == processor.label_token_ids(EVENT_CLASSES)
    assert all(torch.equal(value, loaded(events)[name]) for name, value in processor(events).items())


def test_prompt_can_be_exchanged_when_loading(processor, events, tmp_path):
    processor.save_pretrained(tmp_path)
    plain = NuVlmProcessor.from_pretrained(tmp_path, prompt="plain-1")
    assert plain(events)["input_ids"].shape[1] < processor(events)["input_ids"].shape[1]
    assert plain.label_token_ids(EVENT_CLASSES) == processor.label_token_ids(EVENT_CLASSES)


def test_prompt_for_other_views_is_refused():
    with pytest.raises(PromptError, match=r"each of the 3 views \(u, v, w\), got 2"):
        NuVlmProcessor(base_processor(), height=SIZE, width=SIZE, views=["u", "v", "w"])


def test_tokenizer_that_joins_prefix_and_label_is_refused():
    prompt = Prompt.of("physics-1").to_dict() | {
        "answer_prefix": "Ne",
        "labels": [["nc", "utral"], ["other", "x"]],
    }

    class Joining:
        def __call__(self, text, **_):
            return {"input_ids": [len(text)]}

    with pytest.raises(BaseProcessorError, match="joins the prefix"):
        NuVlmProcessor(type("Base", (), {"tokenizer": Joining()})(), prompt=prompt)


def test_missing_processor_of_the_base_is_named(processor, tmp_path):
    processor.save_pretrained(tmp_path)
    for file in (tmp_path / "base_processor").iterdir():
        file.unlink()
    with pytest.raises(BaseProcessorError, match="base_processor"):
        NuVlmProcessor.from_pretrained(tmp_path)
    with pytest.raises(BaseProcessorError, match="AutoProcessor"):
        NuVlmProcessor(height=SIZE, width=SIZE).question  # noqa: B018


def test_unfitted_processor_is_not_saved(tmp_path):
    with pytest.raises(MissingStatisticsError):
        NuVlmProcessor(base_processor(), height=SIZE, width=SIZE).save_pretrained(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "settings",
    [
        {"saturation": -1},
        {"saturation": float("nan")},
        {"saturation": 0},
        {"saturation": "x"},
        {"invert": "no"},
    ],
)
def test_setting_out_of_range_is_refused(settings):
    with pytest.raises(ProcessorSettingError, match="expected saturation"):
        NuVlmProcessor(base_processor(), height=SIZE, width=SIZE, **settings)


def test_broken_tokenizer_is_named(processor, tmp_path):
    processor.save_pretrained(tmp_path)
    (tmp_path / "base_processor" / "tokenizer.json").write_text("{")
    with pytest.raises(BaseProcessorError, match="cannot be read"):
        NuVlmProcessor.from_pretrained(tmp_path)
