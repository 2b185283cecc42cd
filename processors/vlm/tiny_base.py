"""A vision-language model small enough to train on two CPU cores, in place of one that needs a download.

It has the architecture of Llama 3.2 Vision (`mllama`), and a tokenizer whose pieces are the characters and
the words of a given text.
"""

import re
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import Unigram
from transformers import MllamaImageProcessorPil, MllamaProcessor, PreTrainedTokenizerFast

SPECIAL_TOKENS = (
    "<|pad|>",
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
    "<|image|>",
    "<|python_tag|>",
)
"""Names of Llama 3's; their positions are their ids."""

LABEL_PIECES = ("▁Nu", "E", "Mu", "▁Neutral", "▁Current", "▁CC", ".")
"""As in Llama 3's vocabulary, `NuE` and `NuMu` begin with the same token."""

ROLES = ("system", "user", "assistant")
SPACE = "▁"
VOCABULARY = 512
WORD_SCORE, CHARACTER_SCORE = -1.0, -20.0
"""Log-probabilities: a word is never cheaper in characters."""

CHAT_TEMPLATE = (
    "{{- bos_token }}{%- for message in messages %}"
    "{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>' }}"
    "{%- if message['content'] is string %}{{- message['content'] }}{%- else %}"
    "{%- for part in message['content'] %}"
    "{{- '<|image|>' if part['type'] == 'image' else part['text'] }}"
    "{%- endfor %}{%- endif %}{{- '<|eot_id|>' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>' }}{%- endif %}"
)


def tiny_tokenizer(text: Iterable[str]) -> PreTrainedTokenizerFast:
    """Make a tokenizer, with a chat template, that holds every word of a text as one token and spells others.

    Raises:
        ValueError: The text has more words than fit.
    """
    characters = [chr(code) for code in range(33, 127)] + [SPACE]
    pieces = dict.fromkeys((*LABEL_PIECES, *characters, *ROLES, *_words(text)))
    vocabulary = [(token, 0.0) for token in SPECIAL_TOKENS]
    vocabulary += [
        (piece, CHARACTER_SCORE if piece in characters else WORD_SCORE * (1 + piece.startswith(SPACE)))
        for piece in pieces
    ]
    if len(vocabulary) > VOCABULARY:
        raise ValueError(
            f"expected a text of at most {VOCABULARY} pieces, got {len(vocabulary)}: raise VOCABULARY "
            "and the model's vocab_size, or use fewer words"
        )
    tokenizer = Tokenizer(Unigram(vocabulary, unk_id=0))
    tokenizer.normalizer = normalizers.Replace(" ", SPACE)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(f"{SPACE}?[A-Za-z]+|{SPACE}?[^A-Za-z]"), "isolated")
    tokenizer.decoder = decoders.Sequence([decoders.Replace(SPACE, " "), decoders.Fuse()])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|begin_of_text|>",
        eos_token="<|eot_id|>",
        pad_token="<|pad|>",
        additional_special_tokens=list(SPECIAL_TOKENS[3:]),
        padding_side="left",
        chat_template=CHAT_TEMPLATE,
    )


def tiny_base_processor(text: Iterable[str], image_size: int, tiles: int = 1) -> MllamaProcessor:
    """Make the processor of the tiny model.

    Args:
        text: All that the model shall read and write.
        image_size: Edge in pixels to which images are resized.
        tiles: Places for tiles of each image; square images fill one of them.
    """
    images = MllamaImageProcessorPil(
        max_image_tiles=tiles,
        size={"height": image_size, "width": image_size},
        image_mean=[0.0] * 3,
        image_std=[1.0] * 3,
    )
    return MllamaProcessor(images, tiny_tokenizer(text), chat_template=CHAT_TEMPLATE)


def _words(text: Iterable[str]) -> list[str]:
    """List the words of a text in alphabetical order, each with the space before it."""
    found = {word for line in text for word in re.findall(r" ?[A-Za-z]+", line)}
    return sorted(word.replace(" ", SPACE) for word in found if not word.strip().startswith("Nu"))
