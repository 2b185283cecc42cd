"""How a vision-language model is asked in an evaluation, where that differs from how it was saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedConfig

    from nuzoo.evaluation.core.events import Events
    from nuzoo.processors.contract import EventProcessor


def asked(
    processor: EventProcessor,
    events: Events,
    config: PreTrainedConfig,
    *,
    prompt: str | None = None,
    few_shot: bool = False,
) -> tuple[EventProcessor, Events]:
    """Make a processor ask in another way than it was saved.

    Args:
        processor: As it was saved.
        events: Those of `training` are shown as examples.
        config: Of the network.
        prompt: Name or file of another prompt.
        few_shot: Show one solved training event of each class before each question.

    Returns:
        The processor, and the events without those whose answers it tells.

    Raises:
        ValueError: It is no vision-language model, or there are no training events.
    """
    if (prompt or few_shot) and not config.writes_text:
        raise ValueError(
            "--prompt and --few-shot: expected a vision-language model, which is asked a question, got a "
            f"{config.model_type}"
        )
    questioner: Any = processor
    if prompt:
        questioner = questioner.with_prompt(prompt)
    if few_shot:
        shown = examples_shown(events.training)
        questioner = questioner.with_examples(shown, shown.features["label"].names)
        events = events.without(set(shown["event_id"]))
    return questioner, events


def examples_shown(training: Dataset | None) -> Dataset:
    """Choose the events whose answers are told: of each class the first training event.

    Raises:
        ValueError: There are no training events, or none of a class.
    """
    if training is None:
        raise ValueError("expected a dataset with a split 'train', for examples, got none")
    labels, names = list(training["label"]), training.features["label"].names
    if missing := [name for index, name in enumerate(names) if index not in labels]:
        raise ValueError(
            f"--few-shot: expected a training event of each class, got none of {', '.join(missing)}"
        )
    return training.select([labels.index(index) for index in range(len(names))])
