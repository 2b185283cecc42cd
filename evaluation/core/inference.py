"""Run a classifier over a dataset of pixel-map rows, and time it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from datasets import Dataset
from numpy.typing import NDArray
from tqdm.auto import tqdm


@dataclass(frozen=True)
class ModelOutputs:
    """What a classifier said, and how long it took.

    Attributes:
        logits: float64 (n, C), in the dataset's order.
        events: Events in each batch, (batches,).
        read_seconds: Reading rows from Arrow, per batch.
        processor_seconds: Rows to tensors, per batch.
        model_seconds: Forward pass, per batch; on CUDA with the copy to the device.
    """

    logits: NDArray[np.float64]
    events: NDArray[np.int64]
    read_seconds: NDArray[np.float64]
    processor_seconds: NDArray[np.float64]
    model_seconds: NDArray[np.float64]


def classify_dataset(
    model: Any,
    processor: Any,
    dataset: Dataset,
    *,
    batch_size: int,
    half_resolution: str | None = None,
    description: str = "classify",
) -> ModelOutputs:
    """Run the model in evaluation mode over every row.

    The first batch is run once more, untimed, before the clock starts.

    Args:
        model: A classifier whose output has `logits` (B, C).
        processor: Called with Arrow tables of rows, gives what the model's `forward` takes.
        dataset: Pixel-map rows.
        batch_size: Events per batch.
        half_resolution: None, or the processor's "energy" or "image".
        description: Text of the progress bar.

    Returns:
        Logits and times.
    """
    options = {} if half_resolution is None else {"half_resolution": half_resolution}
    was_training = model.training
    model.eval()
    logits, events, times = [], [], []
    with torch.inference_mode(), tqdm(total=len(dataset), desc=description, unit="ev") as bar:
        if len(dataset):
            _forward(model, processor(next(_batches(dataset, batch_size)), **options))
        clock = time.perf_counter()
        for rows in _batches(dataset, batch_size):
            read = time.perf_counter()
            inputs = processor(rows, **options)
            processed = time.perf_counter()
            logits.append(_forward(model, inputs))
            done = time.perf_counter()
            times.append((read - clock, processed - read, done - processed))
            events.append(rows.num_rows)
            bar.update(rows.num_rows)
            clock = time.perf_counter()
    model.train(was_training)
    read_seconds, processor_seconds, model_seconds = np.array(times).reshape(-1, 3).T
    return ModelOutputs(
        logits=np.concatenate(logits) if logits else np.empty((0, model.config.num_labels)),
        events=np.array(events),
        read_seconds=read_seconds,
        processor_seconds=processor_seconds,
        model_seconds=model_seconds,
    )


def _batches(dataset: Dataset, batch_size: int) -> Iterator[pa.Table]:
    rows = dataset.select_columns(_input_columns(dataset.column_names)).with_format("arrow")
    for first in range(0, len(rows), batch_size):
        yield rows[first : first + batch_size]


def view_names(columns: Iterable[str]) -> list[str]:
    """The views that pixel-map rows hold, by the names of their columns."""
    return [name.removesuffix("_index") for name in columns if name.endswith("_index")]


def _input_columns(columns: list[str]) -> list[str]:
    maps = {f"{view}_{part}" for view in view_names(columns) for part in ("index", "energy")}
    return [c for c in columns if c in {"event_id", "detector", *maps}]


def _forward(model: Any, inputs: Mapping[str, Any]) -> NDArray[np.float64]:
    return model(**_on_device_of(model, inputs)).logits.double().cpu().numpy()


def _on_device_of(model: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs, tensors on the model's device and floating-point ones in its number format."""
    return {
        name: value.to(model.device, model.dtype if value.is_floating_point() else None)
        if isinstance(value, torch.Tensor)
        else value
        for name, value in inputs.items()
    }


def mean_time(seconds: NDArray[np.float64], events: NDArray[np.int64]) -> dict[str, float | None]:
    """Time per event in ms, with its standard error from the scatter between batches, by events.

    Args:
        seconds: Per batch.
        events: Per batch.
    """
    per_event = 1e3 * seconds / events
    mean = 1e3 * seconds.sum() / events.sum()
    if len(events) < 2:
        return {"value": float(mean), "error": None, "low": None, "high": None}
    scatter = np.average((per_event - mean) ** 2, weights=events)
    error = np.sqrt(scatter / (len(events) - 1))
    return {
        "value": float(mean),
        "error": float(error),
        "low": float(mean - error),
        "high": float(mean + error),
    }
