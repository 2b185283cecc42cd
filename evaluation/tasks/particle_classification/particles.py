"""The particles of events as rows of a dataset: what the numbers of a classifier of particles are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from datasets import ClassLabel, Dataset, Features, Value
from numpy.typing import NDArray

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.evaluation.core.inference import Times, run_network

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

Answers = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def classify_particles(
    model: PreTrainedModel, processor: EventProcessor, rows: Dataset, batch_size: int, description: str
) -> tuple[Dataset, NDArray[np.float64], Times]:
    """Run a classifier of particles over events.

    Args:
        model: The network.
        processor: Its processor, of images of particles.
        rows: Events with the truth of their particles.
        batch_size: Events per batch.
        description: Text of the progress bar.

    Returns:
        The particles that are seen, one a row, with `event_id` (that of the event, and the particle's row in
        it), `label`, `detector` and `source`; logits float64 (particles, classes); and times.
    """

    def answers_of(outputs: Any, inputs: Mapping[str, Any]) -> Answers:
        numbers = (inputs[name].cpu().numpy() for name in ("event", "particle", "labels"))
        event, particle, label = numbers
        return outputs.logits.double().cpu().numpy(), event, particle, label

    target = model.config.target
    answers, times = run_network(
        model,
        processor,
        rows,
        answers_of,
        batch_size=batch_size,
        description=description,
        targets=(target,),
        return_particles=True,
    )
    firsts = range(0, len(rows), batch_size)
    events = [event + first for first, (_, event, _, _) in zip(firsts, answers, strict=True)]
    names = class_names_of(model.config)
    logits = np.concatenate([np.empty((0, len(names))), *(answer[0] for answer in answers)])
    particle, label = (np.concatenate([answer[place] for answer in answers]) for place in (2, 3))
    return _as_rows(rows, np.concatenate(events), particle, label, names), logits, times


def _as_rows(
    rows: Dataset,
    event: NDArray[np.int64],
    particle: NDArray[np.int64],
    label: NDArray[np.int64],
    names: list[str],
) -> Dataset:
    ids = list(rows["event_id"])
    columns: dict[str, Any] = {
        "event_id": [f"{ids[of]}/{number}" for of, number in zip(event, particle, strict=True)],
        "label": label.tolist(),
    }
    features = {"event_id": Value("string"), "label": ClassLabel(names=names)}
    for name in ("detector", "source"):
        if name in rows.column_names:
            values = list(rows[name])
            columns[name], features[name] = [values[of] for of in event], Value("string")
    return Dataset.from_dict(columns, features=Features(features), split=rows.split)
