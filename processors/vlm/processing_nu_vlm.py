"""From pixel maps to what a vision-language model takes: grey images and a question on them."""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoProcessor
from transformers.image_processing_base import BatchFeature

from nuzoo.files.origin import find_file, verify_files, whereabouts
from nuzoo.processors.input_errors import BaseProcessorError, ProcessorSettingError, PromptError
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import (
    HalfResolution,
    NuPixelMapImageProcessor,
    NuPixelMapKwargs,
    PixelPitch,
)
from nuzoo.processors.vlm.prompts import Prompt

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


class NuVlmKwargs(NuPixelMapKwargs, total=False):
    """Settings that `from_pretrained` may override."""

    base_processor: Any
    prompt: Any
    saturation: float
    invert: bool


class NuVlmProcessor(NuPixelMapImageProcessor):
    """Turn pixel maps into grey images, one for each view, and a question on them.

    The maps are normalised as for the image models. The images are then what the base's own processor makes
    of them: it resizes them to the size that the base takes, so that maps of half the resolution are scaled
    up again.

    Args:
        base_processor: the base's processor: images, tokenizer and chat template.
        prompt: name of a prompt of nuzoo, a JSON file, or its content; see `nuzoo.processors.vlm.prompts`.
        saturation: normalised energy that is white. The root mean square of the active pixels is 1.
        invert: dark energy on white, as in arXiv 2509.08461v4, in place of bright energy on black.
        **kwargs: see `NuPixelMapImageProcessor`.

    Raises:
        PromptError: the prompt cannot be used with these views.
        BaseProcessorError: the tokenizer does not keep the answers apart.
        ProcessorSettingError: a setting is unknown or out of range.
    """

    valid_kwargs = NuVlmKwargs

    def __init__(
        self,
        base_processor: Any = None,
        prompt: Any = "physics-1",
        saturation: float = 4.0,
        invert: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        is_number = isinstance(saturation, int | float) and not isinstance(saturation, bool)
        if not (is_number and 0 < saturation < float("inf")) or not isinstance(invert, bool):
            raise ProcessorSettingError(
                "expected saturation to be a positive number and invert to be true or false, got "
                f"{saturation!r} and {invert!r}"
            )
        self.saturation = saturation
        self.invert = invert
        self._base_processor = base_processor
        self._shots: list[tuple[NDArray[np.uint8], str]] = []
        self._ask(prompt)

    def _ask(self, prompt: Any) -> None:
        """Take a prompt, if it suits the views and the tokenizer."""
        asked = Prompt.of(prompt)
        if asked.image_slots != len(self.views):
            raise PromptError(
                f"prompt {asked.name!r}: expected a place for each of the {len(self.views)} views "
                f"({', '.join(self.views)}), got {asked.image_slots}: write a prompt with as many parts "
                '{"type": "image"}'
            )
        self.prompt = asked.to_dict()
        if self._base_processor is not None:
            self._check_tokens()

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
        """Names of what `preprocess` returns."""
        return list(self.base_processor.model_input_names)

    def label_token_ids(self, class_names: Iterable[str]) -> list[list[int]]:
        """The tokens of the words of classes and the full stop, as they follow the answer's prefix.

        Args:
            class_names: such as those of a configuration's `id2label`, in its order.

        Returns:
            For each class its tokens.

        Raises:
            PromptError: the prompt has no words for a class.
        """
        prompt = Prompt.of(self.prompt)
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

    def _check_tokens(self) -> None:
        prompt = Prompt.of(self.prompt)
        prefix = self._tokens(prompt.answer_prefix)
        for answer in (prompt.answer(name) for name, _ in prompt.labels):
            if self._tokens(answer)[: len(prefix)] != prefix:
                raise BaseProcessorError(
                    f"expected the tokens of {answer!r} to begin with those of its prefix, got others: the "
                    "tokenizer joins the prefix and the label; end the prefix where a word ends"
                )

    @classmethod
    def from_pretrained(  # type: ignore[override]
        cls, pretrained_model_name_or_path: Any, revision: str = "main", **kwargs: Any
    ) -> Any:
        """Load the processor of a model, and the base's processor that is saved with it.

        Args:
            pretrained_model_name_or_path: Hub repository or local folder.
            revision: of the repository.
            **kwargs: see `NuPixelMapImageProcessor.from_pretrained`.

        Returns:
            The processor.

        Raises:
            BaseProcessorError: there is no processor of a base.
            PixelMapError: see `NuPixelMapImageProcessor.from_pretrained`.
        """
        origin = pretrained_model_name_or_path
        if kwargs.get("base_processor") is None:
            where = whereabouts(origin, {**kwargs, "revision": revision})
            revision = where["revision"]
            kwargs["base_processor"] = _load_base_processor(origin, where)
        return super().from_pretrained(origin, revision=revision, **kwargs)

    def save_pretrained(self, save_directory: Any, *args: Any, **kwargs: Any) -> Any:
        """Write the processor's file, and the base's processor in a folder beside it.

        Args:
            save_directory: the folder.
            *args: passed to `NuPixelMapImageProcessor.save_pretrained`.
            **kwargs: passed to `NuPixelMapImageProcessor.save_pretrained`.

        Returns:
            The names of the files.

        Raises:
            MissingStatisticsError: the processor has not been fitted.
            BaseProcessorError: there is no processor of a base.
        """
        self._refuse_unfitted()
        of_base = self.base_processor.save_pretrained(Path(save_directory) / BASE_FOLDER)
        return [*super().save_pretrained(save_directory, *args, **kwargs), *(of_base or [])]

    def to_dict(self) -> dict[str, Any]:
        """The settings, without the base's processor, which has files of its own."""
        hidden = ("_base_processor", "_shots")
        return {name: value for name, value in super().to_dict().items() if name not in hidden}

    def preprocess(
        self,
        images: Any,
        detector: str | None = None,
        pixel_pitch_mm: PixelPitch | None = None,
        mev_per_count: float | None = None,
        half_resolution: HalfResolution | None = None,
        return_tensors: str | None = "pt",
    ) -> BatchFeature:
        """Make the images of one event or of a batch, and the question on each up to the class.

        Args:
            images: see `NuPixelMapImageProcessor.preprocess`.
            detector: see there.
            pixel_pitch_mm: see there.
            mev_per_count: see there.
            half_resolution: see there. Either way the base's processor resizes the images.
            return_tensors: "pt" for torch, "np" for NumPy.

        Returns:
            What the base takes: `input_ids` and `attention_mask` (events, tokens), `pixel_values` as the
            base wants it, and more.

        Raises:
            PixelMapError: see `NuPixelMapImageProcessor.preprocess`.
        """
        options = {
            "detector": detector,
            "pixel_pitch_mm": pixel_pitch_mm,
            "mev_per_count": mev_per_count,
            "half_resolution": half_resolution,
        }
        grey = self.grey_images(images, **options)
        return self._encode(grey, [self.question] * len(grey), return_tensors)

    def grey_images(self, images: Any, **options: Any) -> NDArray[np.uint8]:
        """The images as they are shown to the base.

        Args:
            images: see `preprocess`.
            **options: see `preprocess`.

        Returns:
            (events, views, rows, columns), 0 to 255.
        """
        energy: Any = super().preprocess(images, return_tensors="pt", **options)["pixel_values"]
        grey = (energy * (WHITE / self.saturation)).round_().clamp_(max=WHITE).to(torch.uint8).numpy()
        return WHITE - grey if self.invert else grey

    @property
    def num_examples(self) -> int:
        """How many solved examples are shown before each question."""
        return len(self._shots)

    @property
    def question(self) -> str:
        """The text of the prompt, from its beginning to the answer's prefix."""
        prompt = Prompt.of(self.prompt)
        messages = prompt.conversation([answer for _, answer in self._shots])
        text = self.base_processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        return str(text) + prompt.answer_prefix

    def with_prompt(self, prompt: Any) -> Self:
        """A processor that asks in other words.

        Args:
            prompt: see the class.

        Returns:
            The processor; it is this one but for the prompt.

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
        """A processor that shows solved examples before each question (few-shot, in context).

        Args:
            images: the events, see `preprocess`.
            class_names: the class of each.

        Returns:
            The processor; it is this one but for the examples, which are not saved with it.
        """
        prompt = Prompt.of(self.prompt)
        answers = [prompt.answer(name) for name in class_names]
        shown = copy(self)
        shown._shots = list(zip(self.grey_images(images), answers, strict=True))
        return shown

    def supervised(
        self, images: Any, answers: Sequence[str], train_on_prompt: bool = False, **options: Any
    ) -> BatchFeature:
        """Make a batch to train on: each question with its answer.

        Args:
            images: see `preprocess`.
            answers: whole answers, see `nuzoo.processors.vlm.prompts.Prompt.answer`.
            train_on_prompt: the loss is on the prompt as well, as in the code of arXiv 2509.08461v4.
            **options: see `preprocess`.

        Returns:
            What the base takes, with `labels` (events, tokens): the tokens of the answer, and of the end of
            the turn; elsewhere -100.
        """
        grey = self.grey_images(images, **options)
        question = self.question.removesuffix(Prompt.of(self.prompt).answer_prefix)
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
        """The base's processor, on the images of the examples and of the event."""
        before = [view for images, _ in self._shots for view in images]
        return self.base_processor(
            text=texts,
            images=[[_rgb(view) for view in [*before, *event]] for event in grey],
            return_tensors=return_tensors,
            padding=True,
            padding_side=padding_side,
            add_special_tokens=False,
        )


def _rgb(view: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A grey image with the same value in three channels, (rows, columns, 3)."""
    return np.repeat(view[:, :, None], 3, axis=2)


def _load_base_processor(origin: Any, where: Mapping[str, Any]) -> Any:
    options = {**where, "subfolder": BASE_FOLDER}
    verify_files(origin, FILES_OF_BASE, **options)
    if find_file(origin, "processor_config.json", **options) is None:
        raise BaseProcessorError(
            f"{origin}: expected the base's processor in {BASE_FOLDER}/, got none: save the processor with "
            "save_pretrained, or pass base_processor=AutoProcessor.from_pretrained(base)"
        )
    try:
        return AutoProcessor.from_pretrained(origin, **options)
    except ValueError as error:
        raise BaseProcessorError(
            f"{origin}: expected the base's processor in {BASE_FOLDER}/, got files that cannot be read "
            f"({error}): save it again, or download it again"
        ) from error
