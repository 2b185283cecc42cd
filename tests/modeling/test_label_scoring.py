"""Against the plain way: every whole text read by itself, without cache or trie."""

import pytest
import torch
from transformers import AutoConfig, AutoModelForImageTextToText

from nuzoo.configuration.configuration_nu_vlm import TINY_MLLAMA
from nuzoo.modeling.label_scoring import LabelTrie, score_labels

LABELS = [[8, 9, 13, 14], [8, 10, 13, 14], [11, 12, 14]]
IMAGE = 99
TEXT = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "intermediate_size": 64,
    "vocab_size": 100,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
VISION = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "image_size": 32,
    "patch_size": 16,
}


def prompt(image_slots, length=20):
    tokens = torch.randint(20, 90, (2, length))
    tokens[:, image_slots] = IMAGE
    return {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}


def mllama():
    tokens = prompt(slice(0), 20)
    images = {
        "pixel_values": torch.rand(2, 2, 1, 3, 64, 64),
        "aspect_ratio_ids": torch.ones(2, 2, dtype=torch.long),
        "aspect_ratio_mask": torch.ones(2, 2, 1, dtype=torch.long),
        "cross_attention_mask": torch.ones(2, 20, 2, 1, dtype=torch.long),
    }
    return AutoConfig.for_model(**TINY_MLLAMA), tokens | images


def llava():
    config = AutoConfig.for_model(
        "llava",
        vision_config=VISION | {"model_type": "clip_vision_model"},
        text_config=TEXT | {"model_type": "llama"},
        image_token_index=IMAGE,
        vision_feature_layer=-1,
    )
    return config, prompt([3, 4, 5, 6, 9, 10, 11, 12]) | {"pixel_values": torch.randn(4, 3, 32, 32)}


def qwen2_vl():
    """Positions in three dimensions: text after an image does not go on where the tokens do."""
    vision = {"embed_dim": 32, "depth": 2, "num_heads": 4, "hidden_size": 32}
    rope = {"rope_type": "default", "mrope_section": [2, 1, 1], "rope_theta": 1e4}
    config = AutoConfig.for_model(
        "qwen2_vl",
        vision_config=vision,
        text_config=TEXT | {"rope_parameters": rope},
        image_token_id=IMAGE,
        video_token_id=98,
        vision_start_token_id=97,
        vision_end_token_id=96,
    )
    inputs = prompt([3, 4, 5, 6])
    inputs["mm_token_type_ids"] = (inputs["input_ids"] == IMAGE).long()
    return config, inputs | {
        "pixel_values": torch.randn(2 * 16, 3 * 2 * 14 * 14),
        "image_grid_thw": torch.tensor([[1, 4, 4]] * 2),
    }


def gemma3():
    """Image tokens see each other in both directions, and some layers have a window."""
    config = AutoConfig.for_model(
        "gemma3",
        vision_config=VISION,
        text_config=TEXT | {"head_dim": 8, "sliding_window": 64},
        image_token_id=IMAGE,
        mm_tokens_per_image=4,
    )
    inputs = prompt([3, 4, 5, 6])
    inputs["token_type_ids"] = (inputs["input_ids"] == IMAGE).long()
    return config, inputs | {"pixel_values": torch.randn(2, 3, 32, 32)}


def stirred_base(config, attention="sdpa"):
    torch.manual_seed(0)
    base = AutoModelForImageTextToText.from_config(config, attn_implementation=attention).eval()
    with torch.no_grad():
        for parameter in base.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return base


def continued(inputs, tokens):
    """The inputs with tokens of text behind the prompt."""
    batch, more = len(inputs["input_ids"]), len(tokens)

    def extended(name, last):
        return torch.cat([inputs[name], last], dim=1)

    zeros = torch.zeros(batch, more, dtype=torch.long)
    changed = {
        "input_ids": extended("input_ids", torch.tensor(tokens).expand(batch, -1)),
        "attention_mask": extended("attention_mask", zeros + 1),
    }
    for name in ("token_type_ids", "mm_token_type_ids"):
        if name in inputs:
            changed[name] = extended(name, zeros)
    if (name := "cross_attention_mask") in inputs:
        changed[name] = extended(name, inputs[name][:, -1:].expand(-1, more, -1, -1))
    return inputs | changed


def brute_force(base, inputs):
    """(B, C) log-probability of each label, from one whole pass for each."""
    scores = []
    for tokens in LABELS:
        logits = base(**continued(inputs, tokens)).logits.log_softmax(-1)
        first = inputs["input_ids"].shape[1] - 1
        scores.append(sum(logits[:, first + step, token] for step, token in enumerate(tokens)))
    return torch.stack(scores, dim=1)


@pytest.mark.parametrize("family", [mllama, llava, qwen2_vl, gemma3])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@torch.no_grad()
def test_scores_are_those_of_whole_texts(family, attention):
    torch.manual_seed(1)
    config, inputs = family()
    base = stirred_base(config, attention)
    scores, _ = score_labels(base, inputs, LabelTrie(LABELS))
    assert scores.std() > 0.1
    torch.testing.assert_close(scores, brute_force(base, inputs), rtol=0, atol=1e-4)


@torch.no_grad()
def test_padding_on_the_left_is_not_seen():
    torch.manual_seed(1)
    config, inputs = mllama()
    base = stirred_base(config)
    padded = inputs | {
        "input_ids": torch.cat([torch.zeros(2, 5, dtype=torch.long), inputs["input_ids"]], dim=1),
        "attention_mask": torch.cat([torch.zeros(2, 5, dtype=torch.long), inputs["attention_mask"]], dim=1),
        "cross_attention_mask": torch.cat(
            [torch.zeros(2, 5, 2, 1, dtype=torch.long), inputs["cross_attention_mask"]], dim=1
        ),
    }
    alone, _ = score_labels(base, inputs, LabelTrie(LABELS))
    together, _ = score_labels(base, padded, LabelTrie(LABELS))
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-4)


@torch.no_grad()
def test_scores_are_those_of_a_constrained_beam_search():
    torch.manual_seed(1)
    config, inputs = mllama()
    base = stirred_base(config)
    length = inputs["input_ids"].shape[1]

    def allowed(_, tokens):
        written = tokens[length:].tolist()
        after = len(written)
        return [label[after] for label in LABELS if label[:after] == written and label[after:]] or [14]

    found = base.generate(
        **inputs,
        prefix_allowed_tokens_fn=allowed,
        num_beams=3,
        num_return_sequences=3,
        length_penalty=0.0,
        eos_token_id=14,
        pad_token_id=0,
        max_new_tokens=4,
        do_sample=False,
        output_scores=True,
        return_dict_in_generate=True,
    )
    scores, _ = score_labels(base, inputs, LabelTrie(LABELS))
    texts = [text[: text.index(14) + 1] for text in found.sequences[:, length:].tolist()]
    for row, (text, score) in enumerate(zip(texts, found.sequences_scores, strict=True)):
        assert scores[row // 3, LABELS.index(text)].item() == pytest.approx(score.item(), abs=1e-4)
    assert sorted(texts[:3]) == sorted(LABELS)


def test_trie_reads_shared_beginnings_once():
    trie = LabelTrie(LABELS)
    assert trie.tokens.tolist() == [8, 9, 13, 10, 13, 11, 12]
    assert trie.depths.tolist() == [0, 1, 2, 1, 2, 0, 1]
    assert trie.sees[4].tolist() == [True, False, False, True, True, False, False]
    assert trie.belongs.sum(dim=0).tolist() == [4, 4, 3]


@torch.no_grad()
def test_labels_of_one_token_need_no_second_pass():
    torch.manual_seed(1)
    config, inputs = llava()
    base = stirred_base(config)
    scores, _ = score_labels(base, inputs, LabelTrie([[5], [6]]))
    expected = base(**inputs).logits[:, -1].log_softmax(-1)[:, [5, 6]]
    torch.testing.assert_close(scores, expected, rtol=0, atol=1e-5)


def test_gradients_reach_the_images():
    torch.manual_seed(1)
    config, inputs = mllama()
    inputs["pixel_values"].requires_grad_(True)
    scores, _ = score_labels(stirred_base(config), inputs, LabelTrie(LABELS))
    scores[:, 1].sum().backward()
    assert inputs["pixel_values"].grad.abs().sum() > 0


def test_prompt_beyond_the_window_is_refused():
    torch.manual_seed(1)
    config, inputs = gemma3()
    config.text_config.sliding_window = 8
    with pytest.raises(ValueError, match="at most 8 tokens"):
        score_labels(stirred_base(config), inputs, LabelTrie(LABELS))
