"""Seconds of a step of training of the tiny `nu_point`: by our Trainer, and in two processes.

Usage: python benchmarks/bench_training.py [--steps 40] [--points 1500] [--events 8]

Batches are ready, and each process has one thread. The Trainer does what a recipe asks of it: it clips
gradients, follows a schedule, and logs every 20 steps. Beside it a bare loop clips and follows the schedule
too; seconds are the thread's own, so that others do not count. Two processes (torchrun, gloo) share the batch
of one; there seconds are those of the clock, so nothing else should run. Each number is the median of all
steps but the first five.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import torch
from bench_nu_point import Inputs, event
from transformers import TrainerCallback, get_cosine_schedule_with_warmup

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.modeling.modeling_nu_point import NuPointForSemanticSegmentation
from nuzoo.training.event_batches import as_is
from nuzoo.training.event_trainer import EventTrainer
from nuzoo.training.training_arguments import checked_arguments, training_arguments

CLASSES = 5
WARM_UP = 5
RATE, DECAY, CLIP = 4e-3, 0.02, 1.0
"""Of the recipe nu_point_motif_tiny."""


class ReadyBatches(torch.utils.data.Dataset[Inputs]):
    """Batches that are made before anything is timed, for as many steps: a few take turns."""

    def __init__(self, steps: int, events: int, points: int) -> None:
        self.steps, self.events = steps, events
        clouds = [event(points, seed, "voxel") for seed in range(events)]
        turns = [clouds[turn:] + clouds[:turn] for turn in range(events)]
        self.made = [joined(turn) for turn in turns]

    def __len__(self) -> int:
        return self.steps * self.events

    def __getitems__(self, indices: list[int]) -> Inputs:
        first = self.made[indices[0] % len(self.made)]
        return first if len(indices) == self.events else part(first, len(indices))

    def __iter__(self) -> Iterator[Inputs]:
        for step in range(self.steps):
            yield self.__getitems__(list(range(step * self.events, (step + 1) * self.events)))


def joined(clouds: list[Inputs]) -> Inputs:
    """Put events into one batch, with a label for each point."""
    batch = {name: torch.cat([cloud[name] for cloud in clouds]) for name in clouds[0]}
    batch["offset"] = batch["offset"].cumsum(0)
    return batch | {"labels": torch.arange(len(batch["energy"])) % CLASSES}


def part(batch: Inputs, events: int) -> Inputs:
    """Give the first events of a batch."""
    points = int(batch["offset"][events - 1])
    return {name: value[: events if name == "offset" else points] for name, value in batch.items()}


def network() -> NuPointForSemanticSegmentation:
    torch.manual_seed(0)
    return NuPointForSemanticSegmentation(
        NuPointConfig.tiny(readout="decoder", num_labels=CLASSES, lovasz_weight=0.05)
    ).train()


class Clock(TrainerCallback):
    """The time at the end of each step."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now, self.times = now, list[float]()

    def on_step_end(self, *args: Any, **kwargs: Any) -> None:
        self.times.append(self.now())

    def seconds(self) -> list[float]:
        """Give those of each step but the first five."""
        return [
            after - before
            for before, after in zip(self.times[WARM_UP:-1], self.times[WARM_UP + 1 :], strict=True)
        ]


class OneBatch(torch.utils.data.Dataset[Inputs]):
    """The same batch for as many steps."""

    def __init__(self, batch: Inputs, events: int, steps: int) -> None:
        self.batch, self.events, self.steps = batch, events, steps

    def __len__(self) -> int:
        return self.steps * self.events

    def __getitems__(self, indices: list[int]) -> Inputs:
        return self.batch

    def __iter__(self) -> Iterator[Inputs]:
        return (self.batch for _ in range(self.steps))


def compare_trainer(
    make: Callable[[], Any], batch: Inputs, fields: dict[str, Any], steps: int
) -> tuple[float, float]:
    """Give the seconds of a step of a bare loop and of the Trainer, for one batch again and again."""
    batches = OneBatch(batch, fields["per_device_train_batch_size"], steps)
    bare = median(by_loop(batches, make, fields["learning_rate"], fields["weight_decay"]))
    return bare, median(train(make(), batches, steps, time.thread_time, fields, per_hit=False))


def by_trainer(batches: ReadyBatches, now: Callable[[], float], processes: int = 1) -> list[float]:
    """Train as a recipe does."""
    fields = {
        "per_device_train_batch_size": batches.events // processes,
        "learning_rate": RATE,
        "weight_decay": DECAY,
    }
    return train(network(), batches, batches.steps, now, fields, per_hit=True)


def train(
    model: Any,
    batches: torch.utils.data.Dataset[Inputs],
    steps: int,
    now: Callable[[], float],
    fields: dict[str, Any],
    per_hit: bool,
) -> list[float]:
    """Train by our Trainer, and give the seconds of steps."""
    clock = Clock(now)
    with tempfile.TemporaryDirectory() as folder:
        common = {
            "output_dir": folder,
            "max_steps": steps,
            "max_grad_norm": CLIP,
            "lr_scheduler_type": "cosine",
            "warmup_steps": 0.05,
            "train_sampling_strategy": "sequential",
            "eval_strategy": "no",
            "save_strategy": "no",
            "load_best_model_at_end": False,
            "use_cpu": True,
            "disable_tqdm": True,
        }
        trainer = EventTrainer(
            augmentation=dict,
            per_hit=per_hit,
            model=model,
            args=training_arguments("training", checked_arguments("training", common | fields)),
            data_collator=as_is,
            train_dataset=batches,
            callbacks=[clock],
        )
        trainer.train()
    return clock.seconds()


def by_loop(
    batches: ReadyBatches | OneBatch,
    make: Callable[[], Any] = network,
    rate: float = RATE,
    decay: float = DECAY,
) -> list[float]:
    """Train with what PyTorch alone has."""
    model, clock = make(), Clock(time.thread_time)
    optimiser = torch.optim.AdamW(model.parameters(), rate, weight_decay=decay, fused=True)
    schedule = get_cosine_schedule_with_warmup(optimiser, batches.steps // 20, batches.steps)
    for batch in batches:
        model(**batch).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        clock.on_step_end()
    return clock.seconds()


def in_processes(processes: int, arguments: argparse.Namespace) -> float:
    """Give the seconds of a step of as many processes, which share a batch."""
    sizes = [f"--{name}={getattr(arguments, name)}" for name in ("steps", "points", "events")]
    launch = [
        "-m",
        "torch.distributed.run",
        f"--nproc-per-node={processes}",
        "--standalone",
        "--master-port=0",
    ]
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder, "seconds")
        command = [sys.executable, *launch, __file__, *sizes, f"--found={found}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return float(found.read_text())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--points", type=int, default=1500, help="of each event")
    parser.add_argument("--events", type=int, default=8, help="of a batch, an even number")
    parser.add_argument("--found", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    batches = ReadyBatches(arguments.steps, arguments.events, arguments.points)
    if arguments.found:
        taken = median(by_trainer(batches, time.perf_counter, int(os.environ["WORLD_SIZE"])))
        if os.environ["RANK"] == "0":
            arguments.found.write_text(str(taken))
        return
    print(f"{arguments.events} events of {arguments.points:,} points, {arguments.steps} steps", flush=True)
    bare, ours = median(by_loop(batches)), median(by_trainer(batches, time.thread_time))
    print(f"a step: bare loop {bare:.4f} s, Trainer {ours:.4f} s = {ours / bare:.3f} x", flush=True)
    one, two = (in_processes(processes, arguments) for processes in (1, 2))
    print(
        f"a step: one process {one:.4f} s, two {two:.4f} s: {one / two:.2f} x as fast, {os.cpu_count()} cores"
    )


if __name__ == "__main__":
    main()
