"""Prediction from files to a table: events per second, and how much of the time the network works.

Usage: python benchmarks/bench_prediction.py data/lartpc-pixelmaps [--model nu-cnn-tiny] [--batch-size 64]
       [--threads 1] [--repeats 5]

One block of events is read after the other, and read ahead as `nuzoo predict` does: in turns, so that other
work on the machine meets both; the median and the fastest are told. Both tables must be the same bytes.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import torch

from nuzoo.pipelines.predicted_blocks import AskedModel, in_blocks, predict_block
from nuzoo.pipelines.read_ahead import read_ahead
from nuzoo.pipelines.reading import reading_for
from nuzoo.pipelines.written_tables import types_of, write_table
from nuzoo.registry import MODALITIES, import_object

Wait = Callable[[Iterable[Any]], Iterator[Any]]
WAYS: dict[str, Wait] = {"one after the other": iter, "read ahead": read_ahead}


class Clock:
    """Adds up the time in which a network works.

    Args:
        model: the network; its `forward` is watched from then on.
    """

    def __init__(self, model: Any) -> None:
        self.seconds, self._forward = 0.0, model.forward
        model.forward = self._watched

    def _watched(self, *args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        try:
            return self._forward(*args, **kwargs)
        finally:
            self.seconds += time.perf_counter() - start


def predict(asked: AskedModel, data: Path, way: Wait, out: Path) -> int:
    """Do what `nuzoo predict` does; return the number of events."""
    pipeline = asked.pipeline()
    reader = import_object(MODALITIES[pipeline.image_processor.modality].reader)
    files = reader([data], truth=False, **reading_for(pipeline, reader))
    schema = pipeline.image_processor.schema
    answers = (predict_block(asked, schema, lambda _: None, block) for block in way(in_blocks(files)))
    return write_table((row for rows, _ in answers for row in rows), out, types_of(pipeline, schema))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="files of events, or a folder of them")
    parser.add_argument("--model", default="nu-cnn-tiny")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    asked = AskedModel(arguments.model, arguments.batch_size)
    clock = Clock(asked.pipeline().model)
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    shares: dict[str, list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        tables = {way: Path(folder) / f"{number}.parquet" for number, way in enumerate(WAYS)}
        for _ in range(arguments.repeats + 1):
            for way, wait in WAYS.items():
                clock.seconds, start = 0.0, time.perf_counter()
                events = predict(asked, arguments.data, wait, tables[way])
                seconds[way].append(time.perf_counter() - start)
                shares[way].append(clock.seconds / seconds[way][-1])
        same = len({table.read_bytes() for table in tables.values()}) == 1
    print(
        f"{arguments.model}: {events} events, batches of {arguments.batch_size}, "
        f"{arguments.threads} threads, load {os.getloadavg()[0]:.1f}; "
        f"tables: {'same' if same else 'NOT THE SAME'}"
    )
    for way in WAYS:
        warm, share = seconds[way][1:], shares[way][1:]
        print(
            f"{way:20s} median {events / statistics.median(warm):7.0f} events/s, fastest "
            f"{events / min(warm):7.0f}; in the network {statistics.median(share):.2f} of the time"
        )


if __name__ == "__main__":
    main()
