"""Log-probabilities of several short texts after one prompt, in two passes through a language model.

The prompt, images included, is read once and its keys and values are kept. Then all texts are read
together as the tokens of a trie: beginnings that texts share are read once, and a token attends to
the prompt and to those before it in its own texts (tree attention).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

IMAGE_MASK = "cross_attention_mask"
"""Where the images are no tokens of the text: which of them each token sees."""


class LabelTrie:
    """The trie of the tokens of several texts, none of which begins with another.

    Row 0 of the model's predictions is the one after the prompt, row n + 1 the one after the trie's
    token n.

    Args:
        label_token_ids: tokens of each text.

    Attributes:
        tokens: (N,) every token that another one follows.
        depths: (N,) how many tokens stand before it in its text.
        sees: (N, N) whether the token of the column is the row's own or stands before it.
        rows: (E,) row of the predictions for each step of a text.
        targets: (E,) the token that the step goes to.
        belongs: (E, C) 1 where the step is one of the text's.
    """

    def __init__(self, label_token_ids: Sequence[Sequence[int]]):
        nodes: dict[tuple[int, ...], int] = {(): 0}
        steps: dict[tuple[int, ...], set[int]] = {}
        for label, tokens in enumerate(label_token_ids):
            for end in range(1, len(tokens) + 1):
                steps.setdefault(tuple(tokens[:end]), set()).add(label)
                if end < len(tokens):
                    nodes.setdefault(tuple(tokens[:end]), len(nodes))
        paths = list(nodes)[1:]
        self.tokens = torch.tensor([path[-1] for path in paths], dtype=torch.long)
        self.depths = torch.tensor([len(path) - 1 for path in paths], dtype=torch.long)
        self.sees = torch.tensor([[path[: len(other)] == other for other in paths] for path in paths]).bool()
        self.rows = torch.tensor([nodes[step[:-1]] for step in steps])
        self.targets = torch.tensor([step[-1] for step in steps])
        self.belongs = torch.zeros(len(steps), len(label_token_ids))
        for position, labels in enumerate(steps.values()):
            self.belongs[position, sorted(labels)] = 1


def score_labels(base: PreTrainedModel, inputs: Mapping[str, Any], trie: LabelTrie) -> tuple[Tensor, Any]:
    """Log-probability of each text after each prompt.

    Args:
        base: a model of `AutoModelForImageTextToText`, with "eager" or "sdpa" attention.
        inputs: of its processor, for prompts that end where the texts begin; padded on the left. Also
            options such as `output_hidden_states`.
        trie: the texts.

    Returns:
        (B, C) natural logarithms, in float32 or better, and the base's output for the prompt.

    Raises:
        ValueError: the prompt is longer than the window of layers with sliding attention.
    """
    prompt = base(**inputs, use_cache=True, logits_to_keep=1)
    logits = prompt.logits[:, -1:]
    if len(trie.tokens):
        labels = base(**_after(base, inputs, trie), past_key_values=prompt.past_key_values, use_cache=True)
        logits = torch.cat([logits, labels.logits], dim=1)
    exact = logits.to(torch.promote_types(logits.dtype, torch.float32))
    steps = exact.log_softmax(dim=-1)[:, trie.rows, trie.targets]
    return steps @ trie.belongs.to(steps), prompt


def _after(base: PreTrainedModel, inputs: Mapping[str, Any], trie: LabelTrie) -> dict[str, Any]:
    """Give what the base takes to read the trie after the prompt."""
    input_ids = inputs["input_ids"]
    batch, length = input_ids.shape
    _refuse_beyond_window(base, length + len(trie.tokens))
    device, tokens = input_ids.device, len(trie.tokens)
    seen = inputs["attention_mask"] if "attention_mask" in inputs else torch.ones_like(input_ids)
    sees_prompt = seen.bool()[:, None, None, :].expand(-1, -1, tokens, -1)
    sees_labels = trie.sees.to(device).expand(batch, 1, -1, -1)
    offset = getattr(getattr(base, "model", None), "rope_deltas", None)
    positions = (length + trie.depths.to(device)).expand(batch, -1)
    after = {
        "input_ids": trie.tokens.to(device).expand(batch, -1),
        "attention_mask": _mask(base, torch.cat([sees_prompt, sees_labels], dim=-1)),
        "position_ids": positions if offset is None else positions + offset.to(device),
    }
    if IMAGE_MASK in inputs:
        of_labels = inputs[IMAGE_MASK][:, -1:].expand(-1, tokens, -1, -1)
        after[IMAGE_MASK] = torch.cat([inputs[IMAGE_MASK], of_labels], dim=1)
    return after


def _refuse_beyond_window(base: PreTrainedModel, length: int) -> None:
    """Refuse a text whose beginning layers forget: their other cache fits no one mask."""
    config = base.config.get_text_config()
    window = getattr(config, "sliding_window", None)
    if window and length > window and "sliding_attention" in (getattr(config, "layer_types", None) or ()):
        raise ValueError(
            f"expected a prompt and labels of at most {window} tokens, the window of some layers of this "
            f"base, got {length}: show fewer examples, or take a base without such layers"
        )


def _mask(base: PreTrainedModel, sees: Tensor) -> Tensor:
    """Make the mask in the form that the base's attention adds or selects by."""
    if base.config.get_text_config()._attn_implementation != "eager":
        return sees
    dtype = next(base.get_input_embeddings().parameters()).dtype
    return torch.zeros_like(sees, dtype=dtype).masked_fill(~sees, torch.finfo(dtype).min)
