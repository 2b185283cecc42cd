"""The configuration of `nu_vlm`, a vision-language model that tells the class of an event in words."""

from copy import deepcopy
from itertools import permutations
from typing import Any, ClassVar, Literal, Self

from huggingface_hub.dataclasses import strict
from transformers import CONFIG_MAPPING, AutoConfig, PreTrainedConfig

from nuzoo.configuration.event_classifier_config import EventClassifierConfig, class_names_of
from nuzoo.configuration.pixel_map_config import PixelMapConfig

Quantization = Literal["nf4"]

LLAMA_3_2_11B_VISION: dict[str, Any] = {"model_type": "mllama", "vision_config": {"image_size": 560}}
"""Shapes of Llama 3.2 11B Vision: transformers' defaults for the architecture, with the released tile."""

TINY_MLLAMA: dict[str, Any] = {
    "model_type": "mllama",
    "image_token_index": 6,
    "vision_config": {
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_global_layers": 1,
        "attention_heads": 4,
        "intermediate_size": 256,
        "vision_output_dim": 128,
        "intermediate_layers_indices": [0],
        "image_size": 64,
        "patch_size": 16,
        "max_num_tiles": 1,
        "supported_aspect_ratios": [[1, 1]],
    },
    "text_config": {
        "vocab_size": 512,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "cross_attention_layers": [1],
        "max_position_embeddings": 2048,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 5,
    },
}
"""One tile, 512 tokens: the base for tests, which `nuzoo.processors.vlm.tiny_base` has a processor for."""

TINY_LABEL_TOKEN_IDS = [[8, 9, 13, 14], [8, 10, 13, 14], [11, 12, 14]]


@strict
class NuVlmConfig(PixelMapConfig, EventClassifierConfig):
    """A vision-language model, the base, that answers a question on the pixel maps of an event.

    The base is any model of transformers' `AutoModelForImageTextToText`. Its answer begins with fixed
    words; the probability of a class is that of the words that name it, after those.

    Args:
        num_views: see `PixelMapConfig`; each view is an image of its own.
        base_model: repository or folder of the base. The default is that of arXiv 2509.08461v4.
        base_revision: commit of the repository; None for a folder, or for the head of the branch.
        base_sha256: of the weights of a base that is a folder, which has no commit; see
            `nuzoo.modeling.base_of_vlm.weights_sha256`.
        base_config: configuration of the base; by default that of Llama 3.2 11B Vision.
        label_token_ids: for each class, the tokens of its words and the full stop after them.
            `NuVlmProcessor.label_token_ids` gives those of its tokenizer.
        quantization: "nf4" if the base is loaded in 4-bit NormalFloat with double quantisation, as in
            QLoRA (arXiv 2305.14314); None for the number format of its weights.
        image_tiles: 1 has the vision tower of an Mllama base compute one tile of an image, and not the four
            that its processor fills up to (Llama 3.2 Vision): about a quarter of the time, with other
            results, so that it is chosen before training; None leaves the base as it is.
        prompt: name of the prompt that the model was trained on, see `nuzoo.processors.vlm.prompts`.
        temperature: see `EventClassifierConfig`. Logits are log-probabilities, so the paper's
            softmax(T log p) with T = 5 is the temperature 0.2.
        id2label: see `EventClassifierConfig`.
    """

    model_type = "nu_vlm"
    writes_text: ClassVar[bool] = True
    without_effect: ClassVar[dict[str, tuple[Any, ...]]] = EventClassifierConfig.without_effect | {
        "evidential": (None,)  # logits are log-probabilities of words
    }
    sub_configs: ClassVar = {"base_config": AutoConfig}

    base_model: str = "meta-llama/Llama-3.2-11B-Vision-Instruct"
    base_revision: str | None = None
    base_sha256: str | None = None
    base_config: dict[str, Any] | PreTrainedConfig | None = None
    label_token_ids: list[list[int]] | None = None
    quantization: Quantization | None = None
    image_tiles: Literal[1] | None = None
    prompt: str = "physics-1"

    def __post_init__(self, **kwargs: Any) -> None:
        base = LLAMA_3_2_11B_VISION if self.base_config is None else self.base_config
        self.base_config = _base_of(base) if isinstance(base, dict) else base
        if self.image_tiles is not None:
            self._keep_one_tile()
        if self.label_token_ids is not None:
            self.label_token_ids = [list(tokens) for tokens in self.label_token_ids]
        super().__post_init__(**kwargs)

    def get_text_config(self, decoder: bool | None = None, encoder: bool | None = None) -> Any:
        """Give the configuration of the base's language model."""
        base: Any = self.base_config
        return base.get_text_config(decoder=decoder, encoder=encoder)

    @classmethod
    def llama_11b(cls, **kwargs: Any) -> Self:
        """Make the default, Llama 3.2 11B Vision at its makers' last commit: 10.7 billion parameters."""
        return cls(**({"base_revision": "9eb2daaa8597bf192a8b0e73f848f3a102794df5"} | kwargs))

    @classmethod
    def tiny(cls, **kwargs: Any) -> Self:
        """Make a network of 0.4 million parameters for tests, with labels for the three classes only."""
        size: dict[str, Any] = {"base_model": "tiny", "base_config": TINY_MLLAMA}
        if not kwargs.keys() & {"id2label", "num_labels"}:
            size["label_token_ids"] = TINY_LABEL_TOKEN_IDS
        return cls(**(size | kwargs))

    def _keep_one_tile(self) -> None:
        base: Any = self.base_config
        if base.model_type != "mllama":
            raise ValueError(
                f"expected a base of type mllama beside image_tiles, got {base.model_type!r}, which has no "
                "tiles to leave out: leave image_tiles out"
            )
        base.vision_config.max_num_tiles, base.vision_config.supported_aspect_ratios = 1, [[1, 1]]

    def validate_architecture(self) -> None:
        """Check that the base takes images and the classes can be told apart.

        Raises:
            ValueError: the base takes no images, there are not as many labels as classes, or the tokens
                of one begin with those of another.
        """
        if not hasattr(self.base_config, "vision_config"):
            raise ValueError(
                "expected the configuration of a base that takes images and text, got "
                f"{getattr(self.base_config, 'model_type', self.base_config)!r}: name a model of "
                "AutoModelForImageTextToText, such as meta-llama/Llama-3.2-11B-Vision-Instruct"
            )
        if self.label_token_ids is not None:
            self._validate_labels(self.label_token_ids)

    def _validate_labels(self, label_token_ids: list[list[int]]) -> None:
        classes = class_names_of(self)
        vocabulary = self.get_text_config().vocab_size
        if any(not 0 <= token < vocabulary for tokens in label_token_ids for token in tokens):
            raise ValueError(
                f"expected tokens of the labels from 0 to {vocabulary - 1}, the base's vocabulary, got "
                f"{label_token_ids}: take processor.label_token_ids(classes)"
            )
        if len(label_token_ids) != len(classes) or not all(label_token_ids):
            raise ValueError(
                f"expected the tokens of {len(classes)} labels, one for each class, got {label_token_ids}: "
                "take processor.label_token_ids(classes)"
            )
        for (first, one), (second, other) in permutations(zip(classes, label_token_ids, strict=True), 2):
            if one == other[: len(one)]:
                raise ValueError(
                    f"the label of {first} begins that of {second} ({one}, {other}), so its probability "
                    "would contain the other's: choose other words"
                )


def _base_of(keys: dict[str, Any]) -> Any:
    """Make the configuration of a base from its keys."""
    known = CONFIG_MAPPING.keys()
    if keys.get("model_type") not in known:
        raise ValueError(
            "expected base_config to name a model_type of transformers, such as 'mllama', got "
            f"{keys.get('model_type')!r}: take the config.json of the base"
        )
    return AutoConfig.for_model(**deepcopy(keys))
