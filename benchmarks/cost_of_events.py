"""What many events cost on many cores, by rates that were measured on one.

Run `python benchmarks/cost_of_events.py [--events 1000000] [--cores 1 10 100 1000] [--rates FILE]`;
the file is what `benchmarks/bench_rates.py` prints. Shards are not cut: as many cores as there are shards are
the most that are of use, and the last round may keep few of them busy.
"""

import argparse
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

RATES = Path(__file__).with_name("rates.jsonl")
SHARD_SIZE = {"simulate": 500, "predict": 64}
"""Events of a piece of work: those of `nuzoo simulate --shard-size`, and a block of `nuzoo predict`."""


@dataclass(frozen=True)
class Cost:
    """What events cost.

    Attributes:
        hours: From the first to the last, of workers that have begun.
        disk_gb: Of what is written.
        memory_gb: Of all workers together.
        busy: Share of the cores' time in which they work.
    """

    hours: float
    disk_gb: float
    memory_gb: float
    busy: float


def cost_of(rate: dict, events: int, cores: int, shard_size: int | None = None) -> Cost:
    """Calculate what events cost.

    Args:
        rate: A line of `bench_rates.py`.
        events: How many.
        cores: How many workers there are, each with a core of the kind that was measured.
        shard_size: Events of a piece of work.
    """
    size = min(shard_size or SHARD_SIZE[rate["what"]], events)
    shards = math.ceil(events / size)
    working = min(cores, shards)
    seconds = math.ceil(shards / cores) * size / rate["events_per_core_s"]
    busy = events / rate["events_per_core_s"] / (seconds * cores)
    return Cost(
        seconds / 3600, events * rate["mb_per_1000"] / 1e6, working * rate["gb_per_process"], min(busy, 1.0)
    )


def table(rates: Iterable[dict], events: int, cores: Iterable[int]) -> str:
    """Write what events cost as Markdown."""
    lines = [f"| {events:,} events | cores | hours | GB on disk | GB of memory | busy |", "|---" * 6 + "|"]
    cores = list(cores)
    for rate in rates:
        for number in cores:
            cost = cost_of(rate, events, number)
            lines.append(
                f"| {rate['what']} {rate['of']} | {number:,} | {cost.hours:.3g} | {cost.disk_gb:.3g} | "
                f"{cost.memory_gb:.3g} | {cost.busy:.0%} |"
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 10, 100, 1000])
    parser.add_argument("--rates", type=Path, default=RATES, metavar="FILE")
    args = parser.parse_args()
    rates = [json.loads(line) for line in args.rates.read_text().splitlines()]
    print(table(rates, args.events, args.cores))


if __name__ == "__main__":
    main()
