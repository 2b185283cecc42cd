"""How a vision-language model is asked in an evaluation, where that differs from how it was saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nuzoo.evaluation.core.calibration import TEMPERATURE_LIMITS
from nuzoo.pipelines.loading import load_model

if TYPE_CHECKING:
    from datasets import Dataset

    Load = Callable[[str, Dataset | None], tuple[Any, Any]]


@dataclass(frozen=True)
class Asking:
    """Differences from the saved model.

    Attributes:
        prompt: Name or file of another prompt.
        few_shot: Show one solved training event of each class before each question.
        frozen: The base of a recipe, without any training.
        temperature: Of the probabilities, in place of a fitted one.
    """

    prompt: str | None = None
    few_shot: bool = False
    frozen: bool = False
    temperature: float | None = None


def load_asked(
    path: str, asking: Asking, training: Dataset | None, load: Load | None = None
) -> tuple[Any, Any]:
    """The network and its processor, made to ask in this way.

    Args:
        path: Model folder or repository; of a frozen base, the recipe.
        asking: The way.
        training: Events for the statistics of a frozen base, and for the examples.
        load: Loads what `path` names, with the help of these events; a saved model by default.

    Raises:
        ValueError: It is no vision-language model, there are no training events, or the temperature is none.
    """
    low, high = TEMPERATURE_LIMITS
    if asking.temperature is not None and not low <= asking.temperature <= high:
        raise ValueError(f"--temperature: expected a number from {low} to {high}, got {asking.temperature}")
    model, processor = load(path, training) if load else load_model(path)
    if asking.prompt or asking.few_shot:
        _check_asks(processor, path)
    if asking.prompt:
        processor = processor.with_prompt(asking.prompt)
    if (shown := examples_shown(asking, training)) is not None:
        processor = processor.with_examples(shown, shown.features["label"].names)
    if asking.temperature is not None:
        model.config.temperature = asking.temperature
    return model, processor


def _check_asks(processor: Any, path: str) -> None:
    if not hasattr(processor, "with_examples"):
        raise ValueError(
            "--prompt and --few-shot: expected a vision-language model, which is asked a question, got "
            f"{path}"
        )


def examples_shown(asking: Asking, training: Dataset | None) -> Dataset | None:
    """The events whose answers are told: of each class the first training event; None if none are.

    Raises:
        ValueError: There is no training event of a class.
    """
    if not asking.few_shot:
        return None
    rows = _given(training)
    labels, names = list(rows["label"]), rows.features["label"].names
    if missing := [name for index, name in enumerate(names) if index not in labels]:
        raise ValueError(
            f"--few-shot: expected a training event of each class, got none of {', '.join(missing)}"
        )
    return rows.select([labels.index(index) for index in range(len(names))])


def _given(training: Dataset | None) -> Dataset:
    if training is None:
        raise ValueError("expected a dataset with a split 'train', for statistics and examples, got none")
    return training
