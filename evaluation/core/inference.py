"""Run a network over a dataset of events, and time it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa
import torch
from datasets import Dataset
from numpy.typing import NDArray
from tqdm.auto import tqdm

from nuzoo.evaluation.core.events import columns_read
from nuzoo.evaluation.core.machine import peak_memory
from nuzoo.evaluation.core.results import Cost, Number
from nuzoo.files.events.event_errors import naming_events
from nuzoo.pipelines.finite_outputs import refuse_not_finite
from nuzoo.processors.contract import network_inputs

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

Answer = TypeVar("Answer")
Gather = Callable[[Any, Mapping[str, Any]], Answer]
"""Takes what a task needs out of the outputs of a batch, given the inputs too, off the device."""


@dataclass(frozen=True)
class Times:
    """How long a network took, batch by batch.

    Attributes:
        events: Events in each batch, (batches,).
        read: Seconds for reading rows from Arrow.
        processor: Seconds from rows to tensors.
        model: Seconds for the forward pass; on CUDA with the copy to the device.
    """

    events: NDArray[np.int64]
    read: NDArray[np.float64]
    processor: NDArray[np.float64]
    model: NDArray[np.float64]


def run_network(
    model: PreTrainedModel,
    processor: EventProcessor,
    rows: Dataset,
    gather: Gather[Answer],
    *,
    batch_size: int,
    description: str,
    targets: Sequence[str] = (),
    **options: Any,
) -> tuple[list[Answer], Times]:
    """Run a network in evaluation mode over every row.

    The first batch is run once more, untimed, before the clock starts.

    Args:
        model: The network.
        processor: Called with Arrow tables of rows, gives what the network's `forward` takes.
        rows: Events.
        gather: See `Gather`.
        batch_size: Events per batch.
        description: Text of the progress bar.
        targets: Columns of the truth that the processor is asked for too, for `gather` and not the network.
        **options: Of the processor.

    Returns:
        What was gathered of each batch, and the times.

    Raises:
        NonFiniteOutputError: The network gave NaN or infinity.
    """
    was_training = model.training
    model.eval()
    answers, events, seconds = [], [], []

    def forward(inputs: Mapping[str, Any], first: int) -> Answer:
        inputs = _on_device_of(model, inputs)
        given = network_inputs(processor, inputs)
        names = processor.model_input_names if targets else given
        outputs = model(**{name: given[name] for name in names})
        refuse_not_finite(model, outputs, f"rows {first} to {min(first + batch_size, len(rows)) - 1}")
        return gather(outputs, inputs)

    asked = options | ({"targets": targets} if targets else {})

    def tensors(batch: pa.Table, first: int) -> Any:
        with naming_events(lambda event: rows[first + event]["event_id"]):
            return processor(batch, **asked)

    with torch.inference_mode(), tqdm(total=len(rows), desc=description, unit="ev") as bar:
        if len(rows):
            forward(tensors(next(_batches(rows, processor, batch_size, targets)), 0), 0)
        clock = time.perf_counter()
        for number, batch in enumerate(_batches(rows, processor, batch_size, targets)):
            read = time.perf_counter()
            inputs = tensors(batch, number * batch_size)
            processed = time.perf_counter()
            answers.append(forward(inputs, number * batch_size))
            done = time.perf_counter()
            seconds.append((read - clock, processed - read, done - processed))
            events.append(batch.num_rows)
            bar.update(batch.num_rows)
            clock = time.perf_counter()
    model.train(was_training)
    return answers, Times(np.array(events), *np.array(seconds).reshape(-1, 3).T)


def _batches(
    rows: Dataset, processor: EventProcessor, batch_size: int, targets: Sequence[str]
) -> Iterator[pa.Table]:
    needed = [*columns_read(processor), *targets]
    table = rows.select_columns([name for name in rows.column_names if name in needed]).with_format("arrow")
    for first in range(0, len(table), batch_size):
        yield table[first : first + batch_size]


def _on_device_of(model: PreTrainedModel, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Put tensors on the model's device, floating-point ones in its number format."""
    return {
        name: value.to(model.device, model.dtype if value.is_floating_point() else None)
        if isinstance(value, torch.Tensor)
        else value
        for name, value in inputs.items()
    }


def to_inference_device(model: PreTrainedModel) -> None:
    """Move a network to the GPU if there is one."""
    moved: Any = model
    moved.to("cuda" if torch.cuda.is_available() else "cpu")


def cost_of(model: PreTrainedModel, times: Times, batch_size: int) -> Cost:
    """Sum up what inference cost a network that has been run."""
    parts = {"read": times.read, "processor": times.processor, "model": times.model}
    parts["total"] = times.read + times.processor + times.model
    per_event = {part: _mean_time(seconds, times.events) for part, seconds in parts.items()}
    return Cost(batch_size=batch_size, ms_per_event=per_event, peak_memory=peak_memory(model.device))


def _mean_time(seconds: NDArray[np.float64], events: NDArray[np.int64]) -> Number:
    """Average the time per event in ms, with its standard error from the scatter between batches."""
    mean = float(1e3 * seconds.sum() / events.sum())
    if len(events) < 2:
        return Number(value=mean, error=None, low=None, high=None)
    scatter = np.average((1e3 * seconds / events - mean) ** 2, weights=events)
    error = float(np.sqrt(scatter / (len(events) - 1)))
    return Number(value=mean, error=error, low=mean - error, high=mean + error)
