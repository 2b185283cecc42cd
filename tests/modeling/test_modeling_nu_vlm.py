import json
from copy import deepcopy

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoModelForImageTextToText

from nuzoo.configuration.configuration_nu_vlm import TINY_MLLAMA, NuVlmConfig
from nuzoo.files.events.event_classes import EVENT_CLASSES
from nuzoo.modeling.label_scoring import LabelTrie, score_labels
from nuzoo.modeling.modeling_nu_vlm import NuVlmForEventClassification
from nuzoo.modeling.weight_errors import WeightsError
from nuzoo.processors.input_errors import ProcessorModelMismatchError
from nuzoo.processors.vlm.processing_nu_vlm import NuVlmProcessor
from nuzoo.processors.vlm.prompts import Prompt
from nuzoo.processors.vlm.tiny_base import tiny_base_processor

MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


@pytest.fixture(scope="module")
def processor():
    text = [json.dumps(Prompt.of("physics-1").to_dict())]
    processor = NuVlmProcessor(tiny_base_processor(text, 64), height=64, width=64)
    return processor.fit(processor.example_events(8))


@pytest.fixture(scope="module")
def inputs(processor):
    return dict(processor(processor.example_events(4)))


@pytest.fixture
def base_folder(tmp_path):
    torch.manual_seed(0)
    model = NuVlmForEventClassification(NuVlmConfig.tiny())
    model.base.save_pretrained(tmp_path / "base")
    return tmp_path / "base"


def with_adapter(base_folder, **options):
    """The base with a LoRA adapter that changes its results."""
    peft = pytest.importorskip("peft", reason="peft is not installed")
    model = NuVlmForEventClassification.from_base(NuVlmConfig.tiny(base_model=str(base_folder)), **options)
    model.base.add_adapter(peft.LoraConfig(r=2, lora_alpha=4, target_modules=MODULES))
    torch.manual_seed(3)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.3)
    return model.eval()


def logits(model, inputs):
    with torch.no_grad():
        return model(**inputs).logits


def test_from_base_takes_the_weights_of_the_base(base_folder, inputs):
    model = NuVlmForEventClassification.from_base(NuVlmConfig.tiny(base_model=str(base_folder)))
    stored = load_file(base_folder / "model.safetensors")
    assert torch.equal(model.base.lm_head.weight, stored["language_model.lm_head.weight"])


def test_adapter_is_saved_alone_and_loads_with_its_base(base_folder, inputs, tmp_path):
    model = with_adapter(base_folder)
    model.save_pretrained(tmp_path / "run")
    files = {path.relative_to(tmp_path / "run").as_posix() for path in (tmp_path / "run").rglob("*.*")}
    assert {"config.json", "adapter/adapter_config.json", "adapter/adapter_model.safetensors"} <= files
    assert "model.safetensors" not in files
    loaded = AutoModel.from_pretrained(tmp_path / "run")
    assert type(loaded) is NuVlmForEventClassification
    assert torch.equal(logits(loaded, inputs), logits(model, inputs))
    bare = NuVlmForEventClassification.from_base(NuVlmConfig.tiny(base_model=str(base_folder)))
    assert not torch.allclose(logits(bare, inputs), logits(model, inputs), atol=1e-3)


def test_adapter_loads_with_plain_peft(base_folder, inputs, tmp_path):
    model = with_adapter(base_folder)
    model.save_pretrained(tmp_path / "run")
    peft = pytest.importorskip("peft")
    base = AutoModelForImageTextToText.from_pretrained(base_folder)
    plain = peft.PeftModel.from_pretrained(base, tmp_path / "run", subfolder="adapter").eval()
    with torch.no_grad():
        scores, _ = score_labels(plain, inputs, LabelTrie(model.config.label_token_ids))
    torch.testing.assert_close(scores, logits(model, inputs), rtol=0, atol=1e-5)


def test_run_folder_with_its_base_can_be_moved(base_folder, inputs, tmp_path):
    model = with_adapter(base_folder)
    model.config.base_model = "base"
    model.save_pretrained(base_folder.parent)
    moved = base_folder.parent.rename(tmp_path.with_name("moved"))
    loaded = NuVlmForEventClassification.from_pretrained(moved)
    assert torch.equal(logits(loaded, inputs), logits(model, inputs))


def test_merged_model_is_the_same_without_peft(base_folder, inputs, tmp_path):
    model = with_adapter(base_folder)
    expected = logits(model, inputs)
    model.merge_adapter()
    assert not any("lora" in name for name, _ in model.named_modules())
    torch.testing.assert_close(logits(model, inputs), expected, rtol=0, atol=1e-4)
    model.save_pretrained(tmp_path / "merged")
    loaded = NuVlmForEventClassification.from_pretrained(tmp_path / "merged")
    torch.testing.assert_close(logits(loaded, inputs), expected, rtol=0, atol=1e-4)
    with pytest.raises(WeightsError, match="got one without"):
        model.merge_adapter()


def test_quantised_base_is_four_bits_and_near(base_folder, inputs):
    pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed")
    config = NuVlmConfig.tiny(base_model=str(base_folder), quantization="nf4")
    model = NuVlmForEventClassification.from_base(config)
    projection = model.base.model.language_model.layers[0].mlp.up_proj
    assert type(projection).__name__ == "Linear4bit"
    assert projection.weight.quant_state.quant_type == "nf4"
    assert projection.weight.quant_state.nested
    exact = NuVlmForEventClassification.from_base(config, quantization_config=None)
    assert type(exact.base.lm_head) is type(model.base.lm_head) is torch.nn.Linear
    assert 0 < (logits(model, inputs) - logits(exact, inputs)).abs().max() < 1
    with_adapter_of = with_adapter(base_folder, quantization_config=model.base.config.quantization_config)
    with pytest.raises(WeightsError, match="quantization_config=None"):
        with_adapter_of.merge_adapter()


def test_text_begins_with_the_most_probable_label(processor, inputs):
    torch.manual_seed(0)
    model = NuVlmForEventClassification(NuVlmConfig.tiny()).eval()
    model.base.lm_head.weight.data.mul_(20)
    text = processor.tokenizer.batch_decode(model.generate(**inputs, max_new_tokens=10))
    words = ["NuE CC.", "NuMu CC.", "Neutral Current."]
    best = logits(model, inputs).argmax(-1)
    assert all(one.startswith(f" {words[index]}") for one, index in zip(text, best, strict=True))
    chosen = model.generate(**inputs, classes=torch.tensor([0, 1, 2, 0]), max_new_tokens=1)
    assert [
        one.strip().removesuffix("<|pad|>") for one in processor.tokenizer.batch_decode(chosen[:2])
    ] == words[:2]


def test_rest_of_the_text_is_free(processor, inputs):
    """After the label the tokens are those of an ordinary generation from there."""
    torch.manual_seed(0)
    model = NuVlmForEventClassification(NuVlmConfig.tiny()).eval()
    one = {name: value[:1] for name, value in inputs.items()}
    ours = model.generate(**one, max_new_tokens=9)[0].tolist()
    label = model.config.label_token_ids[int(logits(model, one).argmax())]
    tokens = torch.cat([one["input_ids"], torch.tensor([label])], dim=1)
    longer = one | {
        "input_ids": tokens,
        "attention_mask": torch.ones_like(tokens),
        "cross_attention_mask": torch.ones(1, tokens.shape[1], 2, 1, dtype=torch.long),
    }
    longer["cross_attention_mask"][:, : one["input_ids"].shape[1]] = one["cross_attention_mask"]
    free = model.base.generate(**longer, max_new_tokens=9 - len(label), do_sample=False)
    assert ours == [*label, *free[0, tokens.shape[1] :].tolist()]


def test_full_size_has_the_parameters_of_llama():
    """10,670,220,835: 9,775,192,064 of the language model and 895 million of tower and projector."""
    with torch.device("meta"):
        model = NuVlmForEventClassification(NuVlmConfig.llama_11b())
    assert model.num_parameters() == 10_670_220_835
    assert model.config.base_revision == "9eb2daaa8597bf192a8b0e73f848f3a102794df5"


def test_paper_adapter_has_its_29_million_parameters():
    """arXiv 2509.08461v4: 29.5 M trainable; 26,214,400 in the language model, the rest in the tower."""
    peft = pytest.importorskip("peft", reason="peft is not installed")
    with torch.device("meta"):
        model = NuVlmForEventClassification(NuVlmConfig.llama_11b())
        adapted = peft.get_peft_model(model.base, peft.LoraConfig(r=8, lora_alpha=16, target_modules=MODULES))
    trained = {name: one.numel() for name, one in adapted.named_parameters() if one.requires_grad}
    assert sum(trained.values()) == 29_491_200
    assert sum(size for name, size in trained.items() if "language_model" in name) == 26_214_400


def test_gates_of_a_fresh_base_are_open(inputs):
    torch.manual_seed(0)
    model = NuVlmForEventClassification(NuVlmConfig.tiny()).eval()
    scores = logits(model, inputs)
    assert not torch.allclose(scores[0], scores[2], atol=1e-4)


def test_adapter_of_another_base_is_refused(base_folder, tmp_path):
    with_adapter(base_folder).save_pretrained(tmp_path / "run")
    path = tmp_path / "run" / "adapter" / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"base_model_name_or_path": "org/other"}))
    with pytest.raises(WeightsError, match=r"got one for org/other.*take both files"):
        NuVlmForEventClassification.from_pretrained(tmp_path / "run")


def test_adapter_of_other_shapes_is_refused(base_folder, tmp_path):
    with_adapter(base_folder).save_pretrained(tmp_path / "run")
    path = tmp_path / "run" / "adapter" / "adapter_model.safetensors"
    tensors = load_file(path)
    save_file({name: value.new_zeros(value.shape[0], 3) for name, value in tensors.items()}, path)
    with pytest.raises(WeightsError, match="of another shape"):
        NuVlmForEventClassification.from_pretrained(tmp_path / "run")


def test_base_of_other_shapes_is_refused(base_folder):
    wider = TINY_MLLAMA | {"text_config": TINY_MLLAMA["text_config"] | {"hidden_size": 96}}
    config = NuVlmConfig.tiny(base_model=str(base_folder), base_config=wider)
    with pytest.raises(WeightsError, match=r"of width 96.*got 'mllama' of width 64"):
        NuVlmForEventClassification.from_base(config)


def test_missing_base_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"(?s)no/such.*connection"):
        NuVlmForEventClassification.from_base(NuVlmConfig.tiny(base_model="no/such"))


def test_model_without_labels_is_refused(inputs):
    model = NuVlmForEventClassification(NuVlmConfig.tiny(label_token_ids=None))
    model.config.label_token_ids = None
    with pytest.raises(ValueError, match="label_token_ids"):
        model(**inputs)


def test_pixel_values_alone_are_refused():
    model = NuVlmForEventClassification(NuVlmConfig.tiny())
    with pytest.raises(ValueError, match="processor that is saved"):
        model(pixel_values=torch.zeros(1, 2, 64, 64))


def test_configuration_does_not_name_folders_of_this_machine(base_folder, tmp_path):
    model = with_adapter(base_folder)
    model.config.base_model = "org/base"
    model.save_pretrained(tmp_path / "run")
    assert str(tmp_path) not in (tmp_path / "run" / "config.json").read_text()
    assert str(tmp_path) not in (tmp_path / "run" / "adapter" / "adapter_config.json").read_text()


def test_base_with_missing_tensors_is_refused(base_folder):
    tensors = load_file(base_folder / "model.safetensors")
    gone = sorted(tensors)[3]
    del tensors[gone]
    save_file(tensors, base_folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(WeightsError, match="missing"):
        NuVlmForEventClassification.from_base(NuVlmConfig.tiny(base_model=str(base_folder)))


def test_damaged_base_is_refused(base_folder):
    path = base_folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="none that can be read"):
        NuVlmForEventClassification.from_base(NuVlmConfig.tiny(base_model=str(base_folder)))


def test_another_base_of_the_same_shapes_is_refused(base_folder, tmp_path):
    with_adapter(base_folder).save_pretrained(tmp_path / "run")
    torch.manual_seed(9)
    NuVlmForEventClassification(NuVlmConfig.tiny()).base.save_pretrained(base_folder)
    with pytest.raises(WeightsError, match="that the adapter was trained on"):
        NuVlmForEventClassification.from_pretrained(tmp_path / "run")


def test_copy_of_an_adapter_finds_its_base(base_folder, inputs, tmp_path):
    run = base_folder.parent
    model = with_adapter(base_folder)
    model.config.base_model = "base"
    model.save_pretrained(run)
    loaded = NuVlmForEventClassification.from_pretrained(run)
    loaded.save_pretrained(tmp_path / "copy")
    assert loaded.config.base_model == "base"
    copy = NuVlmForEventClassification.from_pretrained(tmp_path / "copy")
    assert torch.equal(logits(copy, inputs), logits(model, inputs))


def test_base_that_was_left_behind_is_named_at_once(base_folder, tmp_path):
    model = with_adapter(base_folder)
    model.config.base_model = "base"
    model.save_pretrained(base_folder.parent)
    base_folder.rename(tmp_path / "elsewhere")
    with pytest.raises(WeightsError, match="in the folder 'base' beside"):
        NuVlmForEventClassification.from_pretrained(base_folder.parent)


def test_adapter_with_nonsense_settings_is_refused(base_folder, tmp_path):
    with_adapter(base_folder).save_pretrained(tmp_path / "run")
    path = tmp_path / "run" / "adapter" / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"target_modules": ["nope"]}))
    with pytest.raises(WeightsError, match="does not fit or is damaged"):
        NuVlmForEventClassification.from_pretrained(tmp_path / "run")


@pytest.mark.parametrize("classes", [[0], [5, 0, 1, 2], [-1, 0, 1, 2]])
def test_classes_to_go_on_with_are_checked(inputs, classes):
    model = NuVlmForEventClassification(NuVlmConfig.tiny()).eval()
    with pytest.raises(ValueError, match="a class below 3 for each of 4 events"):
        model.generate(**inputs, classes=torch.tensor(classes))


@pytest.mark.parametrize("tokens", [520, 530, 500])
def test_resized_base_is_saved_and_loaded(tokens, tmp_path):
    torch.manual_seed(0)
    model = NuVlmForEventClassification(NuVlmConfig.tiny())
    before = model.get_input_embeddings().weight.detach().clone()
    embeddings = model.resize_token_embeddings(tokens)
    kept = min(len(before), tokens)
    assert torch.equal(embeddings.weight[:kept], before[:kept])
    assert len(model.get_output_embeddings().weight) == model.config.get_text_config().vocab_size == tokens
    model.save_pretrained(tmp_path)
    loaded = NuVlmForEventClassification.from_pretrained(tmp_path)
    assert torch.equal(loaded.get_input_embeddings().weight, embeddings.weight)


def gates(model):
    return {name: gate.item() for name, gate in model.named_parameters() if name.endswith("_gate")}


def test_base_that_starts_afresh_sees_its_images(tmp_path):
    model = NuVlmForEventClassification(NuVlmConfig.tiny())
    model.save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    weights = load_file(file)
    closed = {name: 0 * weight if name.endswith("_gate") else weight for name, weight in weights.items()}
    save_file(closed, file, metadata={"format": "pt"})
    assert set(gates(NuVlmForEventClassification.from_pretrained(tmp_path)).values()) == {0.0}
    without = {name: weight for name, weight in weights.items() if not name.endswith("_gate")}
    save_file(without, file, metadata={"format": "pt"})
    assert gates(NuVlmForEventClassification.from_pretrained(tmp_path, reinitialize=["base"])) == gates(model)


def test_saving_with_an_adapter_swallows_no_option(base_folder, tmp_path, inputs):
    model = with_adapter(base_folder)
    with pytest.raises(WeightsError, match="expected save_original_format=False"):
        model.save_pretrained(tmp_path / "model", save_original_format=True)
    with pytest.raises(WeightsError, match="expected no max_shard_size"):
        model.save_pretrained(tmp_path / "model", max_shard_size="1MB")
    model.save_pretrained(tmp_path / "other", is_main_process=False)
    assert not (tmp_path / "other" / "config.json").exists()
    model.save_pretrained(tmp_path / "model", state_dict=model.state_dict(), save_original_format=False)
    loaded = NuVlmForEventClassification.from_pretrained(tmp_path / "model")
    assert torch.equal(logits(loaded, inputs), logits(model, inputs))


FOUR_TILES = deepcopy(TINY_MLLAMA)
FOUR_TILES["vision_config"] |= {"max_num_tiles": 4, "supported_aspect_ratios": None}


@pytest.fixture
def base_of_four_tiles(tmp_path):
    torch.manual_seed(0)
    model = NuVlmForEventClassification(NuVlmConfig.tiny(base_config=FOUR_TILES))
    tables = (parameter for name, parameter in model.base.named_parameters() if "til" in name)
    for table in tables:
        torch.nn.init.normal_(table)
    model.base.save_pretrained(tmp_path / "four")
    return tmp_path / "four"


def one_tile(base, **options):
    config = NuVlmConfig.tiny(base_model=str(base), base_config=FOUR_TILES, image_tiles=1, **options)
    return NuVlmForEventClassification.from_base(config)


def test_one_tile_keeps_what_belongs_to_the_first(base_of_four_tiles):
    before = AutoModelForImageTextToText.from_pretrained(base_of_four_tiles).model.vision_model
    after = one_tile(base_of_four_tiles).base.model.vision_model
    images = torch.rand(2, 1, 3, 64, 64)
    patches = after.patch_embedding(images[:, 0]).flatten(2).transpose(1, 2)[:, None]
    ratio = torch.ones(2, dtype=torch.long)
    for place in ("pre_tile_positional_embedding", "post_tile_positional_embedding"):
        filled = getattr(before, place)(patches.expand(-1, 4, -1, -1), ratio)
        torch.testing.assert_close(getattr(after, place)(patches, ratio), filled[:, :1])
    tokens = torch.cat([patches, patches[:, :, :1]], dim=2)
    filled = before.gated_positional_embedding(tokens.expand(-1, 4, -1, -1), ratio)
    torch.testing.assert_close(after.gated_positional_embedding(tokens, ratio), filled[:, :1])


def test_one_tile_is_kept_in_adapters_and_whole_models(base_of_four_tiles, inputs, tmp_path):
    model = one_tile(base_of_four_tiles)
    model.save_pretrained(tmp_path / "whole")
    again = AutoModel.from_pretrained(tmp_path / "whole")
    assert again.config.image_tiles == 1 and again.config.base_config.vision_config.max_num_tiles == 1
    torch.testing.assert_close(logits(again, inputs), logits(model, inputs))
    peft = pytest.importorskip("peft", reason="peft is not installed")
    model.base.add_adapter(peft.LoraConfig(r=2, target_modules=MODULES))
    model.save_pretrained(tmp_path / "adapter")
    torch.testing.assert_close(
        logits(AutoModel.from_pretrained(tmp_path / "adapter"), inputs), logits(model, inputs)
    )


def test_one_tile_needs_a_base_and_a_processor_that_have_it(processor, base_of_four_tiles):
    with pytest.raises(ValueError, match="expected a base of type mllama beside image_tiles, got 'llava'"):
        NuVlmConfig(base_config={"model_type": "llava"}, image_tiles=1)
    with pytest.raises(ProcessorModelMismatchError, match=r"images of 4 tiles.* fills them up to 1"):
        processor.check_agrees(
            NuVlmConfig.tiny(base_config=FOUR_TILES, label_token_ids=processor.label_token_ids(EVENT_CLASSES))
        )
