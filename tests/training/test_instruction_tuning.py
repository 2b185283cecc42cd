"""Fine-tuning of a base as small as can be: 64 pixels a side, a few steps."""

import json
from pathlib import Path

import datasets
import pytest
import torch
from huggingface_hub.errors import GatedRepoError, LocalEntryNotFoundError, RepositoryNotFoundError
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor, BertConfig, TrainerCallback

from nuzoo.configuration.configuration_nu_vlm import NuVlmConfig
from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError
from nuzoo.files.errors import HubAccessError
from nuzoo.files.events.event_classes import EVENT_CLASSES
from nuzoo.modeling.modeling_nu_vlm import NuVlmForEventClassification
from nuzoo.pipelines.loading import load_model
from nuzoo.processors.input_errors import PromptError
from nuzoo.processors.vlm.processing_nu_vlm import NuVlmProcessor
from nuzoo.processors.vlm.prompts import Prompt
from nuzoo.training.augmentation.pixel_maps import Augmentation
from nuzoo.training.cross_validation import cross_validate
from nuzoo.training.recipe import RecipeError, load_recipe
from nuzoo.training.recipe_data import class_names_in, in_classes_of
from nuzoo.training.vlm import requirements as vlm_requirements
from nuzoo.training.vlm.event_captions import MissingTruthError, caption
from nuzoo.training.vlm.image_augmentation import ImageAugmentation
from nuzoo.training.vlm.instruction_tuning import build_tuning, check_base_of, train_vlm
from nuzoo.zoo.bundled import bundled

pytestmark = pytest.mark.usefixtures("undrawn_curves")

for package in ("peft", "trl", "bitsandbytes"):
    pytest.importorskip(package, reason=f"{package} is not installed")

QUICK = {
    "per_device_train_batch_size": 2,
    "max_steps": 4,
    "lr_scheduler_type": "constant",
    "warmup_steps": 0,
    "eval_strategy": "no",
    "save_strategy": "steps",
    "save_steps": 2,
    "load_best_model_at_end": False,
    "logging_steps": 1,
    "learning_rate": 1e-2,
    "use_cpu": True,
    "disable_tqdm": True,
}


def recipe(output: Path, **training: object):
    """The tiny recipe with the smallest base, 64 pixels a side."""
    tiny = load_recipe("nu_vlm_tiny", ["processor.rebin=8"])
    own = QUICK | {"output_dir": output.as_posix()} | training
    base = tiny.given["pretraining"]["training"] | QUICK
    return tiny.changed(
        {f"training.{name}": value for name, value in own.items()} | {"pretraining": {"training": base}}
    )


def on_base(started, run: Path, **model: object):
    """The same recipe, on the base that another run has made."""
    fields = {"base_model": str(run / "base")} | model
    return started.changed({f"model.{name}": value for name, value in fields.items()} | {"pretraining": None})


@pytest.fixture(scope="module")
def splits(simulated_dataset):
    return datasets.load_dataset(str(simulated_dataset))


@pytest.fixture(scope="module")
def run(splits, tmp_path_factory):
    """A finished run."""
    return train_vlm(recipe(tmp_path_factory.mktemp("vlm") / "run"), splits=splits)


def losses(state: Path) -> list[float]:
    return [entry["loss"] for entry in json.loads(state.read_text())["log_history"] if "loss" in entry]


def assert_equal_weights(one: Path, other: Path) -> None:
    expected, got = load_file(one), load_file(other)
    assert expected.keys() == got.keys()
    assert all(torch.equal(expected[name], got[name]) for name in expected)


class StopAt(TrainerCallback):
    """Interrupts as Ctrl-C does, after so many steps in all, pretraining included."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def on_step_end(self, args, state, control, **kwargs):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def test_the_papers_adapter_has_as_many_weights_as_published():
    """arXiv:2509.08461v4: 29.5 M, of which those of the vision tower are often lost."""
    from peft import get_peft_model

    with torch.device("meta"):
        base = NuVlmForEventClassification(NuVlmConfig.llama_11b()).base
        adapted = get_peft_model(base, load_recipe("nu_vlm").adapter)
    trained = {name: p.numel() for name, p in adapted.named_parameters() if p.requires_grad}
    vision = sum(size for name, size in trained.items() if "vision_model" in name)
    assert (sum(trained.values()), vision) == (29_491_200, 3_276_800)


@pytest.mark.parametrize("train_on_prompt", [False, True])
def test_the_loss_is_that_of_the_answer(splits, run, tmp_path, train_on_prompt):
    start = on_base(recipe(tmp_path), run, quantization=None)
    start = start.changed({"answers": {"captions": True, "train_on_prompt": train_on_prompt}})
    tuning = build_tuning(start, check_base_of(start), splits, [])
    trainer, tokenizer = tuning.trainer, tuning.processor.tokenizer
    batch = trainer.data_collator([{"split": "train", "row": row} for row in (0, 1, 2)])
    trainer.model.eval()
    with torch.no_grad():
        loss = trainer.compute_loss(trainer.model, dict(batch))
        logits = trainer.model(**{k: v for k, v in batch.items() if k != "labels"}).logits
    losses = []
    for row in range(3):
        event = splits["train"][row]
        words = ["NuE CC", "NuMu CC", "Neutral Current"][event["label"]]
        text = f"I classify the pixel maps as {words}. {caption(event)}<|eot_id|>"
        answer = tokenizer(text, add_special_tokens=False)["input_ids"]
        tokens = [token for token in batch["input_ids"][row].tolist() if token != tokenizer.pad_token_id]
        assert tokens[-len(answer) :] == answer
        scores = logits[row, : len(tokens)].log_softmax(dim=-1)
        image = tokenizer.convert_tokens_to_ids("<|image|>")
        learnt = range(1 if train_on_prompt else len(tokens) - len(answer), len(tokens))
        losses += [-scores[place - 1, tokens[place]] for place in learnt if tokens[place] != image]
    assert loss.item() == pytest.approx(torch.stack(losses).mean().item(), rel=1e-5)


def test_two_steps_in_four_bits_lower_the_loss_and_leave_the_base_alone(splits, run, tmp_path):
    file = run / "base" / "model.safetensors"
    before = file.read_bytes()
    start = on_base(recipe(tmp_path, max_steps=2, per_device_train_batch_size=8), run)
    start = start.changed({"adapter.lora_dropout": 0.0, "augmentation": None})
    trainer = build_tuning(start, check_base_of(start), splits, []).trainer
    base = {name: p.detach().clone() for name, p in trainer.model.named_parameters() if "lora" not in name}
    four_bit = [name for name, p in trainer.model.named_parameters() if type(p).__name__ == "Params4bit"]
    adapted = sum(name.endswith("base_layer.weight") for name in base)
    assert len(four_bit) == adapted + 2 * 3 + 1  # and the MLPs of three vision layers, and the projector
    batch = trainer.data_collator([{"split": "train", "row": row} for row in range(16)])

    def loss() -> float:
        trainer.model.eval()
        with torch.no_grad():
            return trainer.compute_loss(trainer.model, dict(batch)).item()

    first = loss()
    trainer.train()
    assert loss() < first - 0.01
    for name, parameter in trainer.model.named_parameters():
        if name in base:  # bitsandbytes keeps biases in the type that it computes in
            assert torch.equal(parameter, base[name].to(parameter.dtype)), name
    assert file.read_bytes() == before


def test_what_is_learnt_after_an_evaluation_passes_through_the_base(splits, run, tmp_path):
    """The vision tower is reached through quantised layers only; see `nuzoo.modeling.base_of_vlm`."""
    start = on_base(recipe(tmp_path), run)
    trainer = build_tuning(start, check_base_of(start), splits, []).trainer
    batch = trainer.data_collator([{"split": "train", "row": row} for row in range(4)])
    for _ in range(2):
        trainer.model.train().zero_grad()
        trainer.compute_loss(trainer.model, dict(batch)).backward()
        seen = {n: p.grad for n, p in trainer.model.named_parameters() if "vision" in n and "lora_B" in n}
        assert seen
        assert all(gradient.abs().sum() > 0 for gradient in seen.values())
        trainer.model.eval()
        with torch.no_grad():
            trainer.compute_loss(trainer.model, dict(batch))


def test_runs_that_were_stopped_in_either_stage_end_as_one_that_was_not(splits, run, tmp_path):
    parts = recipe(tmp_path / "parts")
    in_pretraining, two_of_it_and_three_of_tuning = StopAt(3), StopAt(2 + 3)
    for stop in (in_pretraining, two_of_it_and_three_of_tuning):
        with pytest.raises(KeyboardInterrupt):
            train_vlm(parts, splits=splits, callbacks=[stop])
    assert (tmp_path / "parts" / "checkpoint-2").is_dir()
    train_vlm(parts, splits=splits)
    for name in ("base/model.safetensors", "adapter/adapter_model.safetensors"):
        assert_equal_weights(run / name, tmp_path / "parts" / name)
    assert losses(tmp_path / "parts" / "trainer_state.json") == losses(run / "trainer_state.json")
    assert not (run / "pretraining").exists()


def test_a_finished_run_is_left_alone_and_another_one_refused(splits, run):
    state = (run / "trainer_state.json").stat().st_mtime_ns
    assert train_vlm(recipe(run), splits=splits) == run
    assert (run / "trainer_state.json").stat().st_mtime_ns == state
    other = recipe(run)
    with pytest.raises(RecipeError, match="another recipe"):
        train_vlm(other.changed({"pretraining": {"training": {"seed": 1}}}), splits=splits)


def test_what_is_saved_is_a_classifier_an_adapter_and_no_pickle(splits, run, tmp_path):
    from peft import PeftModel

    model = NuVlmForEventClassification.from_pretrained(run, quantization_config=None)
    processor = NuVlmProcessor.from_pretrained(run)
    assert (
        model.config.label_token_ids
        == processor.label_token_ids(EVENT_CLASSES)
        == [[8, 9, 13, 14], [8, 10, 13, 14], [11, 12, 14]]
    )
    rows = splits["test"].select(range(2))
    with torch.no_grad():
        scores = model(**processor(rows)).logits
    base = AutoModelForImageTextToText.from_pretrained(run / "base")
    bare = by_hand(base, processor, rows)
    adapted = PeftModel.from_pretrained(base, run, subfolder="adapter").eval()
    torch.testing.assert_close(scores, by_hand(adapted, processor, rows), atol=1e-4, rtol=0)
    assert (scores - bare).abs().max() > 0.1
    assert not [file for file in run.glob("**/*") if file.suffix == ".bin"]
    assert not (run / "adapter" / "README.md").exists()
    assert json.loads((run / "training_args.json").read_text())["learning_rate"] == 1e-2
    text = "".join(file.read_text() for file in run.glob("**/*.json") if "checkpoint" not in str(file))
    assert str(run) not in text


def by_hand(model, processor, rows):
    """Log-probability of each label's tokens, one event and one label at a time."""
    scores = torch.zeros(len(rows), 3)
    for row, event in enumerate(rows):
        inputs = processor(event)
        prompt = inputs["input_ids"].shape[1]
        for label, tokens in enumerate(processor.label_token_ids(EVENT_CLASSES)):
            whole = dict(inputs)
            whole["input_ids"] = torch.cat([inputs["input_ids"], torch.tensor([tokens])], dim=1)
            whole["attention_mask"] = torch.ones_like(whole["input_ids"])
            last = inputs["cross_attention_mask"][:, -1:].expand(-1, len(tokens), -1, -1)
            whole["cross_attention_mask"] = torch.cat([inputs["cross_attention_mask"], last], dim=1)
            with torch.no_grad():
                logits = model(**whole).logits.log_softmax(dim=-1)
            scores[row, label] = sum(logits[0, prompt + k - 1, token] for k, token in enumerate(tokens))
    return scores


def test_images_are_flipped_and_swapped_as_the_maps_that_they_show():
    maps = torch.rand(6, 2, 8, 8)
    images = maps[:, :, None, None].expand(-1, -1, 1, 3, -1, -1)
    augmentation = Augmentation(flip_rows=0.5, swap_views=0.5)
    torch.manual_seed(1)
    expected = augmentation.transformed(maps)
    torch.manual_seed(1)
    augmented = ImageAugmentation(augmentation)({"pixel_values": images})["pixel_values"]
    assert torch.equal(augmented, expected[:, :, None, None].expand_as(images))
    assert not torch.equal(expected, maps)


def test_what_is_not_trained_whole_is_not_cross_validated(splits, run):
    with pytest.raises(RecipeError, match="trained whole"):
        cross_validate(recipe(run), splits["train"], folds=2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"adapter": {"task_type": "CAUSAL_LM"}}, "without its images"),
        ({"adapter": {"r": 0}}, "adapter.r: expected a whole number"),
        ({"adapter": {"rank": 8}}, "adapter: .*rank"),
        ({"adapter": {"target_modules": []}}, "names of layers"),
        ({"adapter": {"r": -8}}, "adapter.r: expected a whole number"),
        ({"adapter": {"target_modules": ["nothing"]}}, "adapter: .*'nothing'.* not found"),
        ({"adapter": {"target_modules": ["q_proj", "nothing"]}}, "layers of the base, got nothing"),
        ({"adapter": {"target_modules": [1, 2]}}, "adapter: "),
        ({"adapter": {"lora_dropout": 2}}, "adapter: .*between 0 and 1, but got 2"),
        ({"adapter": {"bias": "foo"}}, "adapter: .*foo"),
        ({"model": {"id2label": {0: "nue_cc", 1: "nutau_cc"}}}, "got none for nutau_cc"),
        ({"answers": {"caption": True}}, "captions, train_on_prompt, got caption"),
        ({"answers": {"captions": "yes"}}, "answers.captions: expected true or false"),
        ({"augmentation": {"intensity_jitter": 0.1}}, "intensity_jitter: expected 0"),
        ({"model": {"preset": "tiny"}}, "got preset"),
        ({"model": {"base_model": "elsewhere"}}, "expected one of them, got 2"),
        ({"model": {"prompt": "poetry-1"}}, "poetry-1"),
        ({"model": {"temperature": -1}}, "temperature must be from 0.001 to 1000, got -1"),
        ({"model": {"quantization": "int3"}}, "model.quantization: expected 'nf4', or null, got 'int3'"),
        ({"pretraining": {"training": {"learning_rat": 1}}}, "pretraining.training: .*learning_rat"),
        ({"pretraining": {"learning_rate": 1}}, "base_config, training, got learning_rate"),
        ({"pretraining": {"base_config": {"model_type": "bert"}}}, "takes images and text, got 'bert'"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused_first(splits, tmp_path, changes, message):
    start = recipe(tmp_path / "run")
    given = {
        f"{section}.{name}": value for section, fields in changes.items() for name, value in fields.items()
    }
    with pytest.raises(ValueError, match=message) as refused:
        train_vlm(start.changed(given), splits=splits)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_a_base_without_images_is_refused(splits, run, tmp_path):
    BertConfig(num_hidden_layers=1).save_pretrained(tmp_path / "bert")
    for base, message in ((tmp_path / "bert", "takes images and text, .*bert"), (tmp_path, "got none")):
        with pytest.raises(RecipeError, match=message):
            train_vlm(on_base(recipe(tmp_path / "run"), run, base_model=str(base)), splits=splits)


def test_a_base_that_cannot_be_asked_is_refused(splits, run, tmp_path):
    start = recipe(tmp_path / "run")
    silent, mute = tmp_path / "silent", tmp_path / "mute"
    for folder in (silent, mute):
        AutoConfig.from_pretrained(run / "base").save_pretrained(folder)
    processor = AutoProcessor.from_pretrained(run / "base")
    processor.chat_template = processor.tokenizer.chat_template = None
    processor.save_pretrained(mute)
    for base, message in ((silent, "have a processor"), (mute, "no chat template"), (3, "a text, got 3")):
        with pytest.raises(RecipeError, match=message) as refused:
            train_vlm(on_base(start, run, base_model=base if base == 3 else str(base)), splits=splits)
        assert "\n" not in str(refused.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (GatedRepoError, "read org/base, the model.base_model, .*accept the terms on its page, then log in"),
        (RepositoryNotFoundError, "there is no such repository, or this token may not see it"),
        (LocalEntryNotFoundError, "no connection to the Hub"),
    ],
)
def test_a_base_that_cannot_be_had_is_explained(splits, run, tmp_path, monkeypatch, error, message):
    class Raised(error):
        def __init__(self) -> None:
            Exception.__init__(self, "no")

    def refuse(*args, **kwargs):
        raise Raised

    monkeypatch.setattr(vlm_requirements, "hf_hub_download", refuse)
    with pytest.raises(HubAccessError, match=message):
        train_vlm(on_base(recipe(tmp_path / "run"), run, base_model="org/base"), splits=splits)


def test_missing_packages_are_named(splits, tmp_path, monkeypatch):
    monkeypatch.setattr(vlm_requirements, "find_spec", lambda name: None if name == "bitsandbytes" else name)
    with pytest.raises(RecipeError, match=r"no bitsandbytes: pip install \"nuzoo\[vlm\]\""):
        train_vlm(recipe(tmp_path), splits=splits)


def test_a_prompt_for_other_views_and_events_without_truth_are_refused(splits, run, tmp_path):
    prompt = Prompt.of("plain-1").to_dict()
    (tmp_path / "one.json").write_text(json.dumps(prompt | {"user": prompt["user"][1:]}))
    with pytest.raises(PromptError, match="each of the 2 views"):
        train_vlm(on_base(recipe(tmp_path / "a"), run, prompt=str(tmp_path / "one.json")), splits=splits)
    unknown = {"train": splits["train"].remove_columns("lepton_pdg")}
    with pytest.raises(MissingTruthError, match="lepton_pdg"):
        train_vlm(on_base(recipe(tmp_path / "b"), run), splits=unknown)


def test_answers_name_the_class_whatever_the_order_of_the_prompts_labels(splits, run, tmp_path):
    prompt = Prompt.of("plain-1").to_dict()
    turned = prompt | {"name": "turned-1", "labels": prompt["labels"][::-1]}
    (tmp_path / "turned.json").write_text(json.dumps(turned))
    start = on_base(recipe(tmp_path / "run"), run, prompt=str(tmp_path / "turned.json"), quantization=None)
    tuning = build_tuning(start, check_base_of(start), splits, [])
    answer = tuning.trainer.data_collator.answer
    words = {"nue_cc": "NuE CC", "numu_cc": "NuMu CC", "nc": "Neutral Current"}
    for label, name in enumerate(splits["train"].features["label"].names):
        assert answer({**splits["train"][0], "label": label}).startswith(
            f"I classify the pixel maps as {words[name]}."
        )
    assert tuning.config.label_token_ids == [[8, 9, 13, 14], [8, 10, 13, 14], [11, 12, 14]]


def test_a_base_in_a_folder_is_found_from_everywhere(splits, run, tmp_path, monkeypatch):
    monkeypatch.chdir(run)
    start = on_base(recipe(tmp_path / "run", max_steps=1), run, base_model="base")
    train_vlm(start, splits=splits)
    monkeypatch.chdir(tmp_path)
    config = NuVlmForEventClassification.from_pretrained(tmp_path / "run", quantization_config=None).config
    adapter = json.loads((tmp_path / "run" / "adapter" / "adapter_config.json").read_text())
    assert config.base_model == adapter["base_model_name_or_path"] == str((run / "base").resolve())


def test_the_classes_of_the_events_are_those_that_the_prompt_has_words_for(splits, tmp_path):
    names = ["cosmics", "nutau_cc", "nc"]
    own = {
        split: rows.cast_column("label", datasets.ClassLabel(names=names)) for split, rows in splits.items()
    }
    start = recipe(tmp_path / "run")
    with pytest.raises(RecipeError, match=r"model.prompt: .*got none for cosmics, nutau_cc: add them"):
        train_vlm(start, splits=own)
    blind = {"train": splits["train"].remove_columns("xz_energy")}
    with pytest.raises(UnusableDatasetError, match=r"split train: expected .*got none named xz_energy"):
        train_vlm(start, splits=blind)
    assert not (tmp_path / "run").exists()
    prompt = Prompt.of("plain-1").to_dict() | {"name": "own-1"}
    prompt["labels"] = [["nc", "Neutral Current"], ["nutau_cc", "NuTau CC"], ["cosmics", "Cosmic"]]
    (tmp_path / "own.json").write_text(json.dumps(prompt))
    asked = start.changed({"model.prompt": str(tmp_path / "own.json")})
    config = check_base_of(asked, class_names_in(own["train"], ("label",)))
    assert class_names_of(config) == names
    assert len(config.label_token_ids) == 3


def test_labels_are_matched_by_name(splits, tmp_path):
    turned = splits["train"].cast_column("label", datasets.ClassLabel(names=["nc", "nue_cc", "numu_cc"]))
    config = check_base_of(recipe(tmp_path))
    matched = in_classes_of(config, ("label",), {"train": turned})["train"]
    names = turned.features["label"].int2str(turned["label"][:])
    assert [EVENT_CLASSES[label] for label in matched["label"]] == names


def test_the_base_is_an_ordinary_model(run):
    assert AutoConfig.from_pretrained(run / "base").model_type == "mllama"
    processor = AutoProcessor.from_pretrained(run / "base")
    assert processor.image_processor.size["height"] == 64


def continued(output: Path, start: str, *more: str):
    fields = {**QUICK, "max_steps": 1, "output_dir": output.as_posix()}
    given = [f"model.pretrained={start}", *(f"training.{name}={value}" for name, value in fields.items())]
    return load_recipe("nu_vlm_tiny", [*given, *more])


def test_training_goes_on_where_another_model_has_ended(splits, tmp_path):
    """The new base says, without an adapter, what the old one says with it."""
    folder = train_vlm(continued(tmp_path / "run", "nu-vlm-tiny"), splits=splits)
    old, processor = load_model("nu-vlm-tiny")
    whole = NuVlmForEventClassification.from_pretrained(bundled("nu-vlm-tiny"), quantization_config=None)
    config = NuVlmConfig.from_pretrained(folder)
    assert (config.base_model, config.prompt, config.temperature) == ("base", old.config.prompt, 1.0)
    base = AutoModelForImageTextToText.from_pretrained(folder / "base")
    merged = NuVlmForEventClassification._around(base, old.config)
    inputs = processor(splits["test"])
    with torch.no_grad():
        torch.testing.assert_close(
            merged(**inputs).logits, whole.eval()(**inputs).logits, atol=1e-4, rtol=1e-4
        )
    new, own = load_model(str(folder))
    assert torch.equal(own(splits["test"])["pixel_values"], inputs["pixel_values"])
    assert new.config.id2label == old.config.id2label


@pytest.mark.parametrize(
    ("start", "more", "told"),
    [
        ("nu-cnn-tiny", [], "model.pretrained: expected a nu_vlm, got nu-cnn-tiny, which is a nu_cnn"),
        (
            "nu-vlm-tiny",
            ["model.base_model=x"],
            "model.base_model and model.pretrained: expected one of them",
        ),
        ("nu-vlm-tiny", ["processor.rebin=2"], "processor: expected none with model.pretrained"),
    ],
)
def test_a_start_that_is_none_or_twofold_is_refused(splits, tmp_path, start, more, told):
    with pytest.raises(RecipeError, match=told):
        train_vlm(continued(tmp_path / "run", start, *more), splits=splits)


def test_a_start_of_another_detector_is_refused(splits, tmp_path):
    other = {
        name: rows.remove_columns("detector").add_column("detector", ["mine"] * len(rows))
        for name, rows in splits.items()
    }
    with pytest.raises(UnusableDatasetError, match="for events of modular-2x2x7, these are of mine"):
        train_vlm(continued(tmp_path / "run", "nu-vlm-tiny"), splits=other)
