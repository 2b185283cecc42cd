"""From pixel maps to what a vision-language model takes: grey images and a question on them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from copy import copy, deepcopy
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoProcessor, PreTrainedConfig, ProcessorMixin
from transformers.image_processing_base import BatchFeature
from transformers.image_processing_utils import BaseImageProcessor

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.files.migration import Migration
from nuzoo.files.origin import find_file, verify_files, whereabouts
from nuzoo.processors.event_tables import as_table, read_target
from nuzoo.processors.input_errors import (
    BaseProcessorError,
    ProcessorModelMismatchError,
    ProcessorSettingError,
    PromptError,
)
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor
from nuzoo.processors.saved_processor import SavedProcessor
from nuzoo.processors.vlm.prompts import Prompt
from nuzoo.processors.vlm.tiny_base import tiny_base_processor

BASE_FOLDER = "base_processor"
"""Where in a repository the files of the base's own processor lie."""

FILES_OF_BASE = (
    "processor_config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
)
IGNORED = -100
"""Label of a token that is not in the loss."""

WHITE = 255


def _of_maps(name: str) -> Any:
    """Make an attribute or method that is that of the processor of the maps."""
    return property(lambda self: getattr(self.maps, name))


class NuVlmProcessor(SavedProcessor, BaseImageProcessor):  # type: ignore[misc]
    """Turn pixel maps into grey images, one for each view, and a question on them.

    The maps are normalised as for the image models. The images are then what the base's own processor makes
    of them: it resizes them to the size that the base takes, so that maps of half the resolution are scaled
    up again.

    Args:
        base_processor: the base's processor: images, tokenizer and chat template.
        prompt: name of a prompt of nuzoo, a JSON file, or its content; see `nuzoo.processors.vlm.prompts`.
        saturation: normalised energy that is white. The root mean square of the active pixels is 1.
        invert: dark energy on white, as in arXiv 2509.08461v4, in place of bright energy on black.
        **kwargs: settings of `NuPixelMapImageProcessor`; see also `SavedProcessor`.

    Raises:
        PromptError: the prompt cannot be used with these views.
        BaseProcessorError: the tokenizer does not keep the answers apart.
        ProcessorSettingError: a setting is unknown or out of range.

    Attributes:
        maps: the processor of the pixel maps.
    """

    modality: ClassVar[str] = NuPixelMapImageProcessor.modality
    latest_format: ClassVar[int] = NuPixelMapImageProcessor.latest_format
    migrations: ClassVar[Mapping[int, Migration]] = NuPixelMapImageProcessor.migrations
    statistics: ClassVar[tuple[str, ...]] = NuPixelMapImageProcessor.statistics
    writes_text: ClassVar[bool] = True

    def __init__(
        self,
        base_processor: ProcessorMixin | None = None,
        prompt: Any = "physics-1",
        saturation: float = 4.0,
        invert: bool = False,
        **kwargs: Any,
    ):
        of_maps = {name: kwargs.pop(name) for name in NuPixelMapImageProcessor.settings() if name in kwargs}
        super().__init__(**kwargs)
        is_number = isinstance(saturation, int | float) and not isinstance(saturation, bool)
        if not (is_number and 0 < saturation < float("inf")) or not isinstance(invert, bool):
            raise ProcessorSettingError(
                "expected saturation to be a positive number and invert to be true or false, got "
                f"{saturation!r} and {invert!r}"
            )
        self.maps = NuPixelMapImageProcessor(**of_maps)
        self.saturation = saturation
        self.invert = invert
        self._base_processor = base_processor
        self._shots: list[tuple[NDArray[np.uint8], str]] = []
        self._ask(prompt)

    @classmethod
    def settings(cls) -> list[str]:
        """Give the names of the settings, those of the maps among them."""
        return [*super().settings(), *NuPixelMapImageProcessor.settings()]

    @classmethod
    def tiny(cls, config: Any) -> Self:
        """Build a small one for tests, with the processor of the tiny base."""
        maps = NuPixelMapImageProcessor.tiny(config)
        base = tiny_base_processor([json.dumps(Prompt.of(config.prompt).to_dict())], maps.height)
        return cls(base, config.prompt, views=maps.views, height=maps.height, width=maps.width)

    detector = _of_maps("detector")
    views = _of_maps("views")
    image_size = _of_maps("image_size")
    schema = _of_maps("schema")
    is_fitted = _of_maps("is_fitted")
    needed_statistics = _of_maps("needed_statistics")
    is_single_event = _of_maps("is_single_event")
    split_events = _of_maps("split_events")
    example_events = _of_maps("example_events")
    call_options = _of_maps("call_options")
    reading_options = _of_maps("reading_options")

    def fit(self, rows: Any, **options: Any) -> Self:
        """Measure the normalisation; see `NuPixelMapImageProcessor.fit`."""
        self.maps.fit(rows, **options)
        return self

    def check_agrees(self, config: PreTrainedConfig) -> None:
        """Refuse the configuration of a network for other views, or that scores other words."""
        super().check_agrees(config)
        self.maps.check_views(config)
        self._check_tiles(config)
        tokens = config.label_token_ids
        if tokens is None:
            raise ProcessorModelMismatchError(
                "expected label_token_ids in the model's configuration, got none: set "
                "config.label_token_ids = processor.label_token_ids(config.id2label.values()) and save it"
            )
        if self.label_token_ids(class_names_of(config)) != tokens:
            raise ProcessorModelMismatchError(
                f"expected a processor whose tokens of the labels are {tokens}, got others: its tokenizer or "
                "its labels are not those that the model was trained with; use the processor that is saved "
                "with it"
            )

    def _check_tiles(self, config: Any) -> None:
        """Refuse a network of other tables of tiles than images are filled up to, where there are tiles."""
        ours = getattr(self.base_processor.image_processor, "max_image_tiles", None)
        theirs = getattr(config.base_config.vision_config, "max_num_tiles", ours)
        if ours is not None and ours != theirs:
            raise ProcessorModelMismatchError(
                f"expected images of {theirs} tiles, as the network computes, got a processor of the base "
                f"that fills them up to {ours}: use the processor that is saved with the model, or set "
                f"processor.base_processor.image_processor.max_image_tiles = {theirs}"
            )

    def network_fields(self) -> dict[str, Any]:
        """Give those of the maps, and the name of the prompt."""
        return self.maps.network_fields() | {"prompt": self.prompt["name"]}

    def facts(self) -> dict[str, str]:
        """Say what it expects, with units, for people: meaning and value."""
        rows, columns = self.image_size
        takes = (
            f"{len(self.views)} grey images of {rows} × {columns} pixels, resized by the processor of "
            f"the base, and the prompt `{self.prompt['name']}` as tokens"
        )
        return self.maps.facts_of_maps() | {"what the network takes": takes}

    def _ask(self, prompt: Any) -> None:
        """Take a prompt, if it suits the views and the tokenizer."""
        self._prompt = asked = Prompt.of(prompt)
        if asked.image_slots != len(self.maps.views):
            raise PromptError(
                f"prompt {asked.name!r}: expected a place for each of the {len(self.views)} views "
                f"({', '.join(self.views)}), got {asked.image_slots}: write a prompt with as many parts "
                '{"type": "image"}'
            )
        self.prompt = asked.to_dict()
        if self._base_processor is None:
            return
        prefix = self._tokens(asked.answer_prefix)
        for answer in (asked.answer(name) for name, _ in asked.labels):
            if self._tokens(answer)[: len(prefix)] != prefix:
                raise BaseProcessorError(
                    f"expected the tokens of {answer!r} to begin with those of its prefix, got others: the "
                    "tokenizer joins the prefix and the label; end the prefix where a word ends"
                )

    @property
    def base_processor(self) -> Any:
        """The base's own processor.

        Raises:
            BaseProcessorError: there is none.
        """
        if self._base_processor is None:
            raise BaseProcessorError(
                "expected the base's processor, got none: pass "
                "base_processor=AutoProcessor.from_pretrained(base)"
            )
        return self._base_processor

    @property
    def tokenizer(self) -> Any:
        """The base's tokenizer."""
        return self.base_processor.tokenizer

    @property
    def model_input_names(self) -> list[str]:  # type: ignore[override]
        """Names of what `__call__` returns, without labels."""
        return list(self.base_processor.model_input_names)

    def label_token_ids(self, class_names: Iterable[str]) -> list[list[int]]:
        """Give the tokens of the words of classes and the full stop, as they follow the answer's prefix.

        Args:
            class_names: such as those of a configuration's `id2label`, in its order.

        Raises:
            PromptError: the prompt has no words for a class.
        """
        prompt = self._prompt
        known, wanted = dict(prompt.labels), list(class_names)
        if missing := [name for name in wanted if name not in known]:
            raise PromptError(
                f"prompt {prompt.name!r}: expected words for the classes {', '.join(wanted)}, got none for "
                f"{', '.join(missing)}: add them to its labels"
            )
        prefix = self._tokens(prompt.answer_prefix)
        return [self._tokens(prompt.answer(name))[len(prefix) :] for name in wanted]

    def _tokens(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    @classmethod
    def from_pretrained(  # type: ignore[override]
        cls, pretrained_model_name_or_path: Any, revision: str = "main", **kwargs: Any
    ) -> Any:
        """Load the processor of a model, and the base's processor that is saved with it.

        Args:
            pretrained_model_name_or_path: Hub repository or local folder.
            revision: of the repository.
            **kwargs: see `SavedProcessor.from_pretrained`.

        Raises:
            BaseProcessorError: there is no processor of a base.
            EventError: see `SavedProcessor.from_pretrained`.
        """
        origin = pretrained_model_name_or_path
        if kwargs.get("base_processor") is None:
            where = whereabouts(origin, {**kwargs, "revision": revision})
            revision = where["revision"]
            kwargs["base_processor"] = _load_base_processor(origin, where)
        return super().from_pretrained(origin, revision=revision, **kwargs)

    def save_pretrained(self, save_directory: Any, *args: Any, **kwargs: Any) -> Any:
        """Write the processor's file, and the base's processor in a folder beside it.

        Raises:
            MissingStatisticsError: the processor has not been fitted.
            BaseProcessorError: there is no processor of a base.
        """
        self.refuse_unfitted()
        of_base = self.base_processor.save_pretrained(Path(save_directory) / BASE_FOLDER)
        return [*super().save_pretrained(save_directory, *args, **kwargs), *(of_base or [])]

    def to_dict(self) -> dict[str, Any]:
        """Give the settings, without the base's processor, which has files of its own."""
        own = {name: value for name, value in vars(self).items() if name != "maps" and name[0] != "_"}
        return self.maps.to_dict() | deepcopy(own) | {"image_processor_type": type(self).__name__}

    def __call__(  # type: ignore[override]
        self, rows: Any, *, targets: Sequence[str] = (), return_tensors: str | None = "pt", **options: Any
    ) -> BatchFeature:
        """Make the images of one event or of a batch, and the question on each up to the class.

        Args:
            rows: see `NuPixelMapImageProcessor.__call__`.
            targets: see there.
            return_tensors: "pt" for torch, "np" for NumPy.
            **options: see there. The base's processor resizes images of half the resolution as well.

        Returns:
            What the base takes: `input_ids` and `attention_mask` (events, tokens), `pixel_values` as the
            base wants it, and more; with targets `labels`, int64 (events,).

        Raises:
            EventError: see `NuPixelMapImageProcessor.__call__`.
        """
        rows = as_table(rows)
        grey = self.grey_images(rows, **options)
        batch = self._encode(grey, [self.question] * len(grey), return_tensors)
        batch.update(BatchFeature(read_target(rows, targets, len(grey)), tensor_type=return_tensors))
        return batch

    preprocess = __call__

    def grey_images(self, images: Any, **options: Any) -> NDArray[np.uint8]:
        """Make the images that the base is shown of events, uint8 (events, views, rows, columns)."""
        energy: Any = self.maps(images, **options)["pixel_values"]
        grey = (energy * (WHITE / self.saturation)).round_().clamp_(max=WHITE).to(torch.uint8).numpy()
        return WHITE - grey if self.invert else grey

    @property
    def num_examples(self) -> int:
        """How many solved examples are shown before each question."""
        return len(self._shots)

    @property
    def question(self) -> str:
        """The text of the prompt, from its beginning to the answer's prefix."""
        messages = self._prompt.conversation([answer for _, answer in self._shots])
        text = self.base_processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        return str(text) + self._prompt.answer_prefix

    def with_prompt(self, prompt: Any) -> Self:
        """Make a processor that asks in other words and is this one else.

        Args:
            prompt: see the class.

        Raises:
            PromptError: it has not one place for each view, or other labels.
        """
        asking = copy(self)
        asking._ask(prompt)
        if sorted(asking.prompt["labels"]) != sorted(self.prompt["labels"]):
            raise PromptError(
                f"prompt {asking.prompt['name']!r}: expected the labels {self.prompt['labels']}, which the "
                f"model was trained on, got {asking.prompt['labels']}"
            )
        return asking

    def with_examples(self, images: Any, class_names: Sequence[str]) -> Self:
        """Make a processor that shows solved examples before each question (few-shot), and is this one else.

        Args:
            images: the events, see `__call__`; they are not saved with the processor.
            class_names: the class of each.
        """
        answers = [self._prompt.answer(name) for name in class_names]
        shown = copy(self)
        shown._shots = list(zip(self.grey_images(images), answers, strict=True))
        return shown

    def supervised(
        self, images: Any, answers: Sequence[str], train_on_prompt: bool = False, **options: Any
    ) -> BatchFeature:
        """Make a batch to train on: each question with its answer.

        Args:
            images: see `__call__`.
            answers: whole answers, see `nuzoo.processors.vlm.prompts.Prompt.answer`.
            train_on_prompt: the loss is on the prompt as well, as in the code of arXiv 2509.08461v4.
            **options: see `__call__`.

        Returns:
            What the base takes, with `labels` (events, tokens): the tokens of the answer, and of the end of
            the turn; elsewhere -100.
        """
        grey = self.grey_images(images, **options)
        question = self.question.removesuffix(self._prompt.answer_prefix)
        ends = [answer + self.tokenizer.eos_token for answer in answers]
        batch = self._encode(grey, [question + end for end in ends], "pt", padding_side="right")
        tokens, seen = batch["input_ids"], batch["attention_mask"].bool()
        if train_on_prompt:
            learnt = seen & (tokens != getattr(self.base_processor, "image_token_id", -1))
        else:
            lengths = torch.tensor([len(self._tokens(end)) for end in ends])
            learnt = seen & (seen.cumsum(dim=1) > (seen.sum(dim=1) - lengths)[:, None])
        batch["labels"] = tokens.masked_fill(~learnt, IGNORED)
        return batch

    def _encode(
        self,
        grey: NDArray[np.uint8],
        texts: list[str],
        return_tensors: str | None,
        padding_side: str = "left",
    ) -> BatchFeature:
        """Call the base's processor on the images of the examples and of the event."""
        before = [view for images, _ in self._shots for view in images]
        return self.base_processor(
            text=texts,
            images=[[np.repeat(view[:, :, None], 3, axis=2) for view in [*before, *event]] for event in grey],
            return_tensors=return_tensors,
            padding=True,
            padding_side=padding_side,
            add_special_tokens=False,
        )


def _load_base_processor(origin: Any, where: Mapping[str, Any]) -> Any:
    options = {**where, "subfolder": BASE_FOLDER}
    verify_files(origin, FILES_OF_BASE, **options)
    if find_file(origin, "processor_config.json", **options) is None:
        raise BaseProcessorError(
            f"{origin}: expected the base's processor in {BASE_FOLDER}/, got none: save the processor with "
            "save_pretrained, or pass base_processor=AutoProcessor.from_pretrained(base)"
        )
    try:
        return AutoProcessor.from_pretrained(origin, trust_remote_code=False, **options)
    except ValueError as error:
        raise BaseProcessorError(
            f"{origin}: expected the base's processor in {BASE_FOLDER}/, got files that cannot be read "
            f"({error}): save it again, or download it again"
        ) from error
