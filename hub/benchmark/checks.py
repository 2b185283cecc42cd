"""Check the repository of a leaderboard that was downloaded, and load it as a user would."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from datasets import load_dataset

from nuzoo.evaluation.benchmark.frozen import Benchmark, read_benchmark
from nuzoo.evaluation.benchmark.leaderboard import LEADERBOARD_FILE, Leaderboard, Standing, entries_of
from nuzoo.evaluation.core.errors import BenchmarkError
from nuzoo.evaluation.core.results_file import read_results
from nuzoo.hub.benchmark.publish import ENTRIES_FOLDER, SPLIT
from nuzoo.hub.checks import Check, run_check


def check_leaderboard_repository(folder: Path) -> Iterator[Check]:
    """Check the frozen tasks, the answers of every entry, and that the tables load.

    Scores are not computed again: that needs the events, and is what `nuzoo benchmark` does.

    Args:
        folder: The repository.

    Yields:
        Each check as it is done.
    """
    found = list[tuple[Benchmark, Leaderboard]]()
    yield run_check("frozen tasks", lambda: found.append(_read(folder)))
    for benchmark, leaderboard in found:
        for task, standing in leaderboard.tasks.items():
            yield run_check(f"{task}: entries", partial(_check_entries, folder, task, standing, benchmark))
            yield run_check(f"{task}: table loads", partial(_load, folder, task, standing))


def _read(folder: Path) -> tuple[Benchmark, Leaderboard]:
    leaderboard = read_results(folder / LEADERBOARD_FILE, Leaderboard)
    benchmark = read_benchmark(folder / f"{leaderboard.benchmark}.json")
    if benchmark.sha256 != leaderboard.benchmark_sha256:
        raise BenchmarkError(
            f"expected the leaderboard of {benchmark.sha256}, got that of {leaderboard.benchmark_sha256}: "
            "publish it again"
        )
    return benchmark, leaderboard


def _check_entries(folder: Path, task: str, standing: Standing, benchmark: Benchmark) -> str:
    measured = list(entries_of(folder / ENTRIES_FOLDER, task, benchmark).values())
    missing = [entry.name for entry in standing.entries if entry not in measured]
    if missing or len(measured) != len(standing.entries):
        raise BenchmarkError(
            f"expected the {len(standing.entries)} entries of the leaderboard, got {len(measured)}"
            f"{f', without {missing[0]}' if missing else ''}: publish it again"
        )
    return f"{len(measured)}"


def _load(folder: Path, task: str, standing: Standing) -> None:
    with tempfile.TemporaryDirectory() as cache:
        rows = load_dataset(str(folder), task, split=SPLIT, cache_dir=cache)
        stated = [entry.scores[standing.asked.metric].value for entry in standing.entries]
        if list(rows[standing.asked.metric]) != stated:
            raise BenchmarkError(f"expected the numbers of {LEADERBOARD_FILE}, got others: publish it again")
