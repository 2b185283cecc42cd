import json
import math
import shutil

import datasets
import numpy as np
import pytest
import torch
from transformers import (
    AutoProcessor,
    ImageClassificationPipeline,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessorPil,
    pipeline,
)
from transformers.pipelines.pt_utils import KeyDataset

import nuzoo
from nuzoo.configuration.configuration_nu_vlm import NuVlmConfig
from nuzoo.modeling.modeling_nu_vlm import NuVlmForEventClassification
from nuzoo.pipelines.loading import UnusableModelError, load_pipeline
from nuzoo.pipelines.pipeline_errors import MissingProcessorError, PipelineOptionError
from nuzoo.processors.input_errors import DetectorMismatchError, ProcessorModelMismatchError
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor
from nuzoo.processors.vlm.processing_nu_vlm import NuVlmProcessor
from nuzoo.processors.vlm.prompts import Prompt
from nuzoo.processors.vlm.tiny_base import tiny_base_processor

TASK = "neutrino-event-classification"


@pytest.fixture(scope="module")
def events():
    rng = np.random.default_rng(0)
    rows = []
    for number in range(5):
        row = {"event_id": str(number), "detector": "here"}
        for view in ("xz", "yz"):
            row[f"{view}_index"] = np.sort(rng.choice(4096, 100, replace=False)).tolist()
            row[f"{view}_energy"] = rng.exponential(2.0, 100).astype(np.float32).tolist()
        rows.append(row)
    return rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory, events):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("nu-cnn")
    config = nuzoo.NuCnnConfig.tiny(temperature=2.5)
    nuzoo.NuCnnForEventClassification(config).save_pretrained(path)
    processor = nuzoo.NuPixelMapImageProcessor(height=64, width=64, detector="here")
    processor.fit(events).save_pretrained(path)
    return str(path)


@pytest.fixture(scope="module")
def classify(folder):
    return pipeline(TASK, model=folder)


def test_probabilities_are_the_softmax_of_logits_over_temperature(classify, folder, events):
    result = classify(events[0])
    model = nuzoo.NuCnnForEventClassification.from_pretrained(folder)
    with torch.no_grad():
        logits = model(**AutoProcessor.from_pretrained(folder)(events[0])).logits[0].tolist()
    weights = [math.exp(logit / 2.5) for logit in logits]
    for label, weight in zip(("nue_cc", "numu_cc", "nc"), weights, strict=True):
        assert result["scores"][label] == pytest.approx(weight / sum(weights), rel=1e-5)
    assert result["score"] == max(result["scores"].values())
    assert result["scores"][result["label"]] == result["score"]


def test_every_way_to_pass_several_events_gives_a_list(classify, events):
    expected = [classify(event) for event in events]
    dataset = datasets.Dataset.from_list(events)
    dense = np.zeros((5, 2, 4096), np.float32)
    for image, event in zip(dense, events, strict=True):
        for channel, view in enumerate(("xz", "yz")):
            image[channel, event[f"{view}_index"]] = event[f"{view}_energy"]
    dense = dense.reshape(5, 2, 64, 64)
    ways = [events, dataset, dataset[:], dense, list(dense), torch.from_numpy(dense)]
    for way in ways:
        results = classify(way, batch_size=2)
        assert isinstance(results, list) and len(results) == 5
        for result, single in zip(results, expected, strict=True):
            assert result["scores"] == pytest.approx(single["scores"], rel=1e-4)
    assert classify(dense[0])["scores"] == pytest.approx(expected[0]["scores"], rel=1e-4)


def test_processor_options_are_passed_on(classify, events):
    elsewhere = events[0] | {"detector": "there"}
    with pytest.raises(DetectorMismatchError):
        classify(elsewhere)
    assert classify(elsewhere, detector="there") == classify(events[0])
    assert classify(events[0], half_resolution="image") != classify(events[0])


def test_options_that_the_processor_does_not_have_are_refused(classify, folder, events):
    with pytest.raises(PipelineOptionError, match=r"half_resolution.*got detectr"):
        classify(events[0], detectr="there")
    with pytest.raises(PipelineOptionError, match="got batchsize"):
        pipeline(TASK, model=folder, batchsize=2)
    elsewhere = pipeline(TASK, model=folder, detector="there")
    assert elsewhere(events[0] | {"detector": "there"}) == classify(events[0])


@pytest.mark.parametrize("size", [-1, 0, 1.5, "2", True])
def test_a_batch_of_no_number_of_events_is_refused(classify, folder, events, size):
    for inputs in (events, events[0], iter(events)):
        with pytest.raises(PipelineOptionError, match="batch_size: expected a whole number"):
            classify(inputs, batch_size=size)
    with pytest.raises(PipelineOptionError, match="batch_size: expected a whole number"):
        pipeline(TASK, model=folder, batch_size=size)


def test_a_result_is_a_row(classify, events):
    result = classify(events[0])
    assert classify.as_row(result) == {"label": result["label"], "score": result["score"], **result["scores"]}


def test_model_without_its_processor_is_refused(tmp_path):
    nuzoo.NuCnnForEventClassification(nuzoo.NuCnnConfig.tiny()).save_pretrained(tmp_path)
    with pytest.raises(MissingProcessorError, match=r"preprocessor_config\.json"):
        pipeline(TASK, model=str(tmp_path))


def test_processor_for_other_views_is_refused(folder):
    other = nuzoo.NuPixelMapImageProcessor(views=["u", "v", "z"], active_rms=[1.0] * 3)
    with pytest.raises(ProcessorModelMismatchError, match="2 views, got one for 3"):
        pipeline(TASK, model=folder, image_processor=other)


def vlm_processor(**settings):
    text = [json.dumps(Prompt.of("plain-1").to_dict())]
    processor = NuVlmProcessor(tiny_base_processor(text, 64), height=64, width=64, **settings)
    return processor.fit(processor.example_events(8))


def test_labels_that_the_model_does_not_score_are_refused():
    config = NuVlmConfig.tiny()
    vlm_processor().check_agrees(config)
    shortened = Prompt.of("plain-1").to_dict() | {
        "labels": [["nue_cc", "NuE"], ["numu_cc", "NuMu"], ["nc", "Neutral"]]
    }
    with pytest.raises(ProcessorModelMismatchError, match="tokens of the labels"):
        vlm_processor(prompt=shortened).check_agrees(config)


def test_processor_of_another_kind_is_refused():
    plain = NuPixelMapImageProcessor(height=64, width=64, active_rms=[1.0, 1.0])
    with pytest.raises(ProcessorModelMismatchError, match="for a nu_vlm, got a NuPixelMapImageProcessor"):
        plain.check_agrees(NuVlmConfig.tiny())
    with pytest.raises(ProcessorModelMismatchError, match="for a nu_cnn, got a NuVlmProcessor"):
        vlm_processor().check_agrees(nuzoo.NuCnnConfig.tiny())


def test_vision_language_model_in_the_pipeline():
    torch.manual_seed(0)
    model, processor = NuVlmForEventClassification(NuVlmConfig.tiny(temperature=2.0)).eval(), vlm_processor()
    classify = pipeline("neutrino-event-classification", model=model, image_processor=processor)
    events = processor.example_events(3)
    with torch.no_grad():
        expected = (model(**processor(events)).logits / 2).softmax(-1)
    for found, probabilities in zip(classify(events, batch_size=2), expected, strict=True):
        assert list(found["scores"].values()) == pytest.approx(probabilities.tolist(), abs=1e-4)


class Items(torch.utils.data.Dataset):
    """Has `events` under their numbers, and nothing beyond."""

    def __init__(self, events):
        self.events = events

    def __len__(self):
        return len(self.events)

    def __getitem__(self, number):
        return {"event": self.events[number]}


class Stream(torch.utils.data.IterableDataset):
    def __init__(self, events):
        self.events = events

    def __iter__(self):
        return iter(self.events)


LAZY = {
    "generator": lambda events: (event for event in events),
    "streaming dataset": lambda events: datasets.Dataset.from_list(events).to_iterable_dataset(),
    "dataset of torch": lambda events: KeyDataset(Items(events), "event"),
    "iterable dataset of torch": Stream,
}


@pytest.mark.parametrize("name", LAZY)
def test_what_pipelines_take_lazily_gives_the_same_one_after_the_other(classify, events, name):
    results = classify(LAZY[name](events), batch_size=2)
    assert iter(results) is results
    for result, expected in zip(results, classify(events), strict=True):
        assert result["scores"] == pytest.approx(expected["scores"], rel=1e-4)


def test_a_generator_is_read_as_answers_are_asked_for(classify, events):
    read = []
    answers = classify((read.append(number) or events[0] for number in range(50)), batch_size=2)
    assert not read
    next(answers)
    assert len(read) == 2


def test_the_hubs_word_for_the_task_asks_the_same_pipeline(folder, classify, events):
    found = pipeline("image-classification", model=folder)
    assert type(found) is type(classify) and found.task == TASK
    assert found(events) == classify(events)


def test_the_hubs_word_for_the_task_asks_nobody_whether_to_run_code(folder, tmp_path, monkeypatch):
    copy, asked = tmp_path / "published", []
    shutil.copytree(folder, copy)
    settings = json.loads((copy / "preprocessor_config.json").read_text())
    settings["auto_map"] = {"AutoImageProcessor": "theirs.TheirImageProcessor"}
    (copy / "preprocessor_config.json").write_text(json.dumps(settings))
    monkeypatch.setattr("builtins.input", asked.append)
    pipeline("image-classification", model=copy)
    assert not asked


def test_the_hubs_word_for_the_task_still_asks_networks_of_others():
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    model = ViTForImageClassification(ViTConfig(image_size=8, patch_size=4, **sizes))
    theirs = pipeline("image-classification", model=model, image_processor=ViTImageProcessorPil())
    assert isinstance(theirs, ImageClassificationPipeline)


def test_a_model_of_others_is_refused_and_its_code_does_not_run(tmp_path):
    keys = {"model_type": "theirs", "auto_map": {"AutoConfig": "theirs.C"}}
    (tmp_path / "config.json").write_text(json.dumps(keys))
    (tmp_path / "theirs.py").write_text("raise SystemExit")
    with pytest.raises(UnusableModelError, match=r"expected a model of nuzoo .* got model_type 'theirs'"):
        load_pipeline(str(tmp_path))


def test_a_training_that_is_not_finished_is_called_so(tmp_path):
    run = tmp_path / "run"
    for step in (9, 10):
        (run / f"checkpoint-{step}").mkdir(parents=True)
        (run / f"checkpoint-{step}" / "config.json").touch()
    (run / "recipe.yaml").touch()
    told = rf"not finished.*`nuzoo train {run}/recipe.yaml`.*newest checkpoint, {run}/checkpoint-10"
    with pytest.raises(UnusableModelError, match=told):
        load_pipeline(str(run))
