"""What a vision-language model shall answer to the question on an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from nuzoo.processors.vlm.prompts import Prompt
from nuzoo.training.recipe import Recipe, RecipeError
from nuzoo.training.vlm.event_captions import TRUTH_COLUMNS, caption


@dataclass(frozen=True)
class AnswerStyle:
    """How answers are written, and what of the text is learnt.

    Attributes:
        captions: A sentence on the particles follows the class, so that the model learns to explain.
        train_on_prompt: The loss is on system and user text as well, as in the code of arXiv 2509.08461v4.
    """

    captions: bool = False
    train_on_prompt: bool = False


def answer_style(recipe: Recipe) -> AnswerStyle:
    """The recipe's section `answers`.

    Raises:
        RecipeError: An unknown field, or one that is neither true nor false.
    """
    known = [item.name for item in fields(AnswerStyle)]
    for name, value in recipe.answers.items():
        if name not in known:
            raise RecipeError(f"answers: expected fields among {', '.join(known)}, got {name}")
        if not isinstance(value, bool):
            raise RecipeError(f"answers.{name}: expected true or false, got {value!r}")
    return AnswerStyle(**recipe.answers)


@dataclass(frozen=True)
class ClassAnswer:
    """Names the class of an event in the words of a prompt.

    Attributes:
        prompt: See `nuzoo.processors.vlm.prompts`; it has words for each class, in any order.
        class_names: Of the classes, in the order that the column `label` counts them in.
        captions: See `AnswerStyle`.
    """

    prompt: Prompt
    class_names: Sequence[str]
    captions: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of a row that the answer is made of."""
        return ("label", *TRUTH_COLUMNS) if self.captions else ("label",)

    def __call__(self, row: Mapping[str, Any]) -> str:
        """The answer for a row, such as "I classify the pixel maps as NuE CC."."""
        class_name = self.class_names[row["label"]]
        return self.prompt.answer(class_name, caption(row) if self.captions else "")


@dataclass(frozen=True)
class CaptionAnswer:
    """Describes an event, after a space as where it follows a class, without the class's name."""

    columns: tuple[str, ...] = TRUTH_COLUMNS

    def __call__(self, row: Mapping[str, Any]) -> str:
        """The caption of a row."""
        return f" {caption(row)}"
