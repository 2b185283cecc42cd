"""`nu_vlm`: a vision-language model that classifies events, with class probabilities and in words."""

from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AutoModelForImageTextToText, BitsAndBytesConfig, PreTrainedModel
from transformers import initialization as init
from transformers.modeling_outputs import ImageClassifierOutput
from transformers.utils.generic import can_return_tuple

from nuzoo.configuration.configuration_nu_vlm import NuVlmConfig
from nuzoo.files.modes import unlock_weights
from nuzoo.files.origin import verify_files, whereabouts
from nuzoo.modeling.adapter_files import ADAPTER_FOLDER, find_adapter, name_base_of_adapter
from nuzoo.modeling.arguments import named_arguments, refuse_arguments
from nuzoo.modeling.base_of_vlm import load_base
from nuzoo.modeling.label_scoring import LabelTrie, score_labels
from nuzoo.modeling.merge_adapter import merge_adapter
from nuzoo.modeling.modeling_utils_nu import NuPreTrainedModel, has_adapter, load_adapter
from nuzoo.modeling.weight_errors import WeightsError

IMAGE_GATES = ("cross_attn_attn_gate", "cross_attn_mlp_gate")
OPEN = 0.5
BASE = "base."
GREEDY = {"do_sample": False, "temperature": None, "top_p": None}


class NuVlmForEventClassification(NuPreTrainedModel):
    """Any model of `AutoModelForImageTextToText`, and how it tells the classes of an event.

    `forward` gives class logits, `generate` gives text. The base is trained as it is, through `base`.

    Attributes:
        base: the vision-language model, with its adapter if there is one.
    """

    config: NuVlmConfig
    base_model_prefix = ""
    accepts_loss_kwargs = False  # the loss is a mean: the Trainer divides it by the steps of accumulation
    main_input_name = "input_ids"
    input_modalities = ["image", "text"]  # noqa: RUF012 (transformers' own declaration)
    supports_gradient_checkpointing = False  # labels are scored from cached keys; `base` has it for training
    _supports_sdpa = True

    def __init__(self, config: NuVlmConfig):
        super().__init__(config)
        self.base = AutoModelForImageTextToText.from_config(config.base_config)
        _state_type(config.base_config, self.base.dtype)
        self.post_init()

    @classmethod
    def from_base(cls, config: NuVlmConfig, **options: Any) -> Self:
        """Take the base that a configuration names, as it was published, without an adapter.

        Args:
            config: the configuration; its `base_config` becomes that of the base.
            **options: passed to the `from_pretrained` of the base, such as `device_map` and `token`.

        Raises:
            WeightsError: the base cannot be loaded.
        """
        return cls._around(load_base(config, _quantized(config, options)), config)

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: Any, *args: Any, **kwargs: Any) -> Any:
        """Load an adapter and the base that it is for, or a model that has its weights beside it.

        Args:
            pretrained_model_name_or_path: Hub repository or local folder.
            *args: passed to `NuPreTrainedModel.from_pretrained`.
            **kwargs: passed to it, and with an adapter to that of the base. `quantization_config=None`
                loads without the quantisation that the configuration names.

        Raises:
            WeightsError: the adapter is for another base, or see `NuPreTrainedModel.from_pretrained`.
            CorruptedFileError: a file differs from the one that was published.
        """
        origin = pretrained_model_name_or_path
        if origin is None:
            return super().from_pretrained(origin, *args, **kwargs)
        where = whereabouts(origin, kwargs)
        verify_files(origin, ["config.json"], **where)
        config = kwargs.pop("config", None)
        if config is None:
            of_weights = {name: kwargs.pop(name) for name in ("dtype", "torch_dtype") if name in kwargs}
            found: Any = NuVlmConfig.from_pretrained(origin, return_unused_kwargs=True, **kwargs | where)
            config, kwargs = found[0], found[1] | of_weights
        adapter = find_adapter(origin, {"subfolder": ADAPTER_FOLDER}, **where)
        if adapter is None:
            return super().from_pretrained(origin, *args, config=config, **_quantized(config, kwargs | where))
        if (adapter.base, adapter.base_revision) != (config.base_model, config.base_revision):
            raise WeightsError(
                f"{origin}: expected an adapter for {config.base_model} at {config.base_revision}, as "
                f"config.json says, got one for {adapter.base} at {adapter.base_revision}: take both files "
                "from one training"
            )
        report_wanted = kwargs.pop("output_loading_info", False)
        base = load_base(config, _quantized(config, kwargs), beside=Path(origin))
        report = load_adapter(base, adapter, kwargs.pop("adapter_name", "default"))
        model = cls._around(base, config)
        return (model, report) if report_wanted else model

    @classmethod
    def _around(cls, base: PreTrainedModel, config: NuVlmConfig) -> Self:
        """Make the network with a base that has been loaded."""
        with torch.device("meta"):
            model = cls(config)
        model.base = base
        return model.eval()

    def _save(
        self,
        save_directory: Any,
        is_main_process: bool = True,
        state_dict: dict[str, Tensor] | None = None,
        save_original_format: bool = False,
        **options: Any,
    ) -> None:
        """Write configuration and adapter to a folder, or without an adapter all weights.

        Args:
            save_directory: the folder.
            is_main_process: see `PreTrainedModel.save_pretrained`.
            state_dict: see there.
            save_original_format: see there; the names of the weights are always ours, so it is refused.
            **options: see there; an adapter takes none.

        Raises:
            WeightsError: an option cannot be followed.
        """
        if save_original_format:
            raise WeightsError(
                "expected save_original_format=False, got True: the weights of the base lie under the names "
                "of this network, which alone loads them; save model.base for a folder of the base's own form"
            )
        writing: dict[str, Any] = {"is_main_process": is_main_process}
        if not has_adapter(self.base):
            writing |= {"state_dict": state_dict, "save_original_format": False}
            super()._save(save_directory, **writing, **options)
            return
        if given := sorted(name for name, value in options.items() if value is not None):
            raise WeightsError(
                f"expected no {', '.join(given)} with an adapter, which is one small file: leave it out"
            )
        if state_dict is not None:
            writing["state_dict"] = {name.removeprefix(BASE): value for name, value in state_dict.items()}
        adapter = Path(save_directory) / ADAPTER_FOLDER
        self.base.save_pretrained(adapter, **writing)
        if is_main_process:
            unlock_weights(adapter)
            config = copy(self.config)
            config.base_model = self._base_seen_from(Path(save_directory))
            name_base_of_adapter(adapter, config.base_model, config.base_revision)
            config.save_pretrained(save_directory)

    def _base_seen_from(self, folder: Path) -> str:
        """Name the base for a model in a folder: one that lies beside another model by its path."""
        name, loaded_from = self.config.base_model, Path(self.base.name_or_path or "")
        if "/" in name or (folder / name).is_dir() or not loaded_from.is_dir():
            return name
        return str(loaded_from.resolve())

    def merge_adapter(self) -> None:
        """Add the adapter to the weights of the base, which must not be quantised, and forget it.

        Raises:
            WeightsError: there is no adapter, or the base is quantised.
        """
        merge_adapter(self.base)
        self.config.quantization = None

    def get_input_embeddings(self) -> nn.Module:
        """Give the token embeddings of the base."""
        return self.base.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the token embeddings of the base."""
        self.base.set_input_embeddings(value)

    def get_output_embeddings(self) -> nn.Module:
        """Give the layer of the base that predicts tokens; quantisation leaves it as it is."""
        return self.base.get_output_embeddings()

    def set_output_embeddings(self, new_embeddings: nn.Module) -> None:
        """Replace the layer of the base that predicts tokens."""
        self.base.set_output_embeddings(new_embeddings)

    def resize_token_embeddings(self, *args: Any, **kwargs: Any) -> Any:
        """Change the number of tokens of the base; see `PreTrainedModel.resize_token_embeddings`.

        Embeddings of tokens that are read and never written, as Mllama's for images, are kept behind them.
        """
        embeddings: Any = self.get_input_embeddings()
        before, text = embeddings.weight.detach(), self.base.config.get_text_config()
        never_written = len(before) - text.vocab_size
        embeddings = self.base.resize_token_embeddings(*args, **kwargs)
        if never_written and len(embeddings.weight) == text.vocab_size:
            self.base.set_input_embeddings(_lengthened(embeddings, never_written, before))
        self.config.get_text_config().vocab_size = text.vocab_size
        return self.get_input_embeddings()

    def initialize_weights(self) -> None:
        """Fill the weights that were not loaded, and let a base that starts afresh see its images."""
        super().initialize_weights()
        _open_image_gates(self.base)

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        pixel_values: Tensor | None = None,
        labels: Tensor | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        **kwargs: Any,
    ) -> ImageClassifierOutput:
        """Classify a batch of events, exactly: one pass over their prompts, one over all labels.

        Args:
            input_ids: (B, L), from the processor; the prompt up to the class.
            attention_mask: (B, L), 0 for padding, which is on the left.
            pixel_values: the images, in the base's form.
            labels: (B,) class indices; with them the mean cross entropy is returned as `loss`.
            output_hidden_states: also return those of the prompt, from the base.
            output_attentions: also return those of the prompt; they need the "eager" attention.
            **kwargs: what else the processor gives, for the base; `return_dict=False` returns a tuple.

        Returns:
            `loss`, and `logits` (B, num_labels): for each class the natural logarithm of the probability
            that the base goes on with its words, before the temperature; `hidden_states`, `attentions`.

        Raises:
            ValueError: the configuration has no `label_token_ids`, or there is no prompt.
        """
        prompt = {"input_ids": input_ids, "attention_mask": attention_mask, "pixel_values": pixel_values}
        self._check(prompt)
        given = {name: value for name, value in prompt.items() if value is not None}
        asked = {"output_hidden_states": output_hidden_states, "output_attentions": output_attentions}
        wanted = {what: getattr(self.config, what) if now is None else now for what, now in asked.items()}
        of_base = named_arguments(self.base.forward)
        refuse_arguments(self, {name: value for name, value in kwargs.items() if name not in of_base})
        kwargs.pop("return_dict", None)
        trie = LabelTrie(self.config.label_token_ids or [])
        logits, read = score_labels(self.base, given | wanted | kwargs, trie)
        return ImageClassifierOutput(
            loss=None if labels is None else F.cross_entropy(logits, labels),
            logits=logits,
            hidden_states=read.hidden_states,
            attentions=read.attentions,
        )

    @torch.no_grad()
    def generate(self, classes: Tensor | None = None, **inputs: Any) -> Tensor:
        """Go on after the prompt: with the words of one class, then freely.

        The words are those of the most probable class, so that text and probabilities agree. What
        follows is written after the decision: it need not be its cause.

        Args:
            classes: (B,) class indices to go on with; by default the most probable ones.
            **inputs: from the processor, and options of `generate` of the base, such as
                `max_new_tokens`. Tokens are the most probable ones unless `do_sample=True`.

        Returns:
            (B, T) token ids, without the prompt.

        Raises:
            ValueError: see `forward`.
        """
        self._check(inputs)
        prompt = {name: value for name, value in inputs.items() if isinstance(value, Tensor)}
        if classes is None:
            classes = self(**prompt).logits.argmax(dim=-1)
        label_token_ids: Any = self.config.label_token_ids
        known, wanted = len(label_token_ids), classes.tolist()
        if len(wanted) != len(prompt["input_ids"]) or not all(0 <= index < known for index in wanted):
            raise ValueError(
                f"expected a class below {known} for each of {len(prompt['input_ids'])} events, got {wanted}"
            )
        words = [label_token_ids[index] for index in wanted]
        length = prompt["input_ids"].shape[1]
        if "max_new_tokens" in inputs:  # half a label names no class
            inputs["max_new_tokens"] = max(inputs["max_new_tokens"], *map(len, words))
        allowed = _words_then_any(words, length, self.config.get_text_config().vocab_size)
        text = self.base.generate(prefix_allowed_tokens_fn=allowed, **(GREEDY | inputs))
        return text[:, length:]

    def _check(self, inputs: dict[str, Any]) -> None:
        if self.config.label_token_ids is None:
            raise ValueError(
                "expected label_token_ids in the configuration, got None: set "
                "config.label_token_ids = processor.label_token_ids(config.id2label.values())"
            )
        if inputs.get("input_ids") is None:
            raise ValueError(
                "expected input_ids and what else the processor gives, got none: call "
                "model(**processor(events)) with the processor that is saved with the model"
            )


def _lengthened(embeddings: nn.Embedding, rows: int, before: Tensor) -> nn.Embedding:
    """Add rows to embeddings: those that were there before, else the mean."""
    weight = embeddings.weight.detach()
    added = weight.mean(dim=0).repeat(rows, 1)
    kept = before[len(weight) : len(weight) + rows]
    added[: len(kept)] = kept
    is_learnt = embeddings.weight.requires_grad
    longer = nn.Embedding.from_pretrained(torch.cat([weight, added]), not is_learnt, embeddings.padding_idx)
    return longer.train(embeddings.training)


def _state_type(config: Any, dtype: torch.dtype) -> None:
    """Write the number format of the weights into a configuration and its parts."""
    config.dtype = dtype
    for part in config.sub_configs:
        _state_type(getattr(config, part), dtype)


def _words_then_any(words: list[list[int]], length: int, vocabulary: int) -> Callable[[int, Tensor], Any]:
    """For `generate`: the tokens of an event's label after the prompt, then every token."""
    every = torch.arange(vocabulary)

    def allowed(event: int, tokens: Tensor) -> Any:
        written = len(tokens) - length
        return words[event][written : written + 1] if written < len(words[event]) else every

    return allowed


def _quantized(config: NuVlmConfig, options: dict[str, Any]) -> dict[str, Any]:
    """Add the quantisation that the configuration names to the options of `from_pretrained`."""
    if "quantization_config" in options or config.quantization is None:
        return options
    return options | {"quantization_config": nf4_config()}


def nf4_config() -> BitsAndBytesConfig:
    """Make QLoRA's 4-bit NormalFloat, double quantised, for bfloat16 (arXiv 2305.14314, section 3)."""
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def _open_image_gates(base: nn.Module) -> None:
    """Let a freshly made base see its images: Mllama's gates begin at zero, to start from Llama's weights."""
    for name, parameter in base.named_parameters():
        if name.rpartition(".")[2] in IMAGE_GATES:
            init.constant_(parameter, OPEN)
