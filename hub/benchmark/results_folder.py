"""The folder that `nuzoo benchmark` wrote: read whole, and checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nuzoo.evaluation.benchmark.entry import folder_of
from nuzoo.evaluation.benchmark.frozen import Benchmark, read_benchmark
from nuzoo.evaluation.benchmark.leaderboard import LEADERBOARD_FILE, Leaderboard, entries_of
from nuzoo.evaluation.core.errors import EvaluationError
from nuzoo.evaluation.core.results_file import read_results
from nuzoo.hub.errors import BenchmarkResultsError


@dataclass(frozen=True)
class BenchmarkResults:
    """Results of a benchmark.

    Attributes:
        folder: Where they are.
        benchmark: The frozen tasks.
        leaderboard: Who answered them.
    """

    folder: Path
    benchmark: Benchmark
    leaderboard: Leaderboard

    @property
    def benchmark_file(self) -> Path:
        """The file of the frozen tasks."""
        return self.folder / f"{self.benchmark.name}.json"

    @property
    def entry_folders(self) -> dict[str, list[Path]]:
        """The folders of the entries of each task."""
        return {
            name: [folder_of(self.folder, name, entry.name) for entry in standing.entries]
            for name, standing in self.leaderboard.tasks.items()
        }


def read_benchmark_results(folder: Path) -> BenchmarkResults:
    """Read the results of a benchmark.

    Raises:
        BenchmarkResultsError: Nothing of a benchmark is there, or its parts do not belong together.
    """
    try:
        leaderboard = read_results(folder / LEADERBOARD_FILE, Leaderboard)
        benchmark = read_benchmark(folder / f"{leaderboard.benchmark}.json")
        if benchmark.sha256 != leaderboard.benchmark_sha256:
            raise BenchmarkResultsError(
                f"{folder}: expected the leaderboard of {benchmark.sha256}, got that of "
                f"{leaderboard.benchmark_sha256}: run `nuzoo benchmark` again"
            )
        for name, standing in leaderboard.tasks.items():
            measured = entries_of(folder, name, benchmark).values()
            if sorted(entry.digest for entry in measured) != sorted(of.digest for of in standing.entries):
                raise BenchmarkResultsError(
                    f"{folder}: expected the entries of its {LEADERBOARD_FILE} at {name}, got others: run "
                    "`nuzoo benchmark` again, which writes it anew"
                )
    except EvaluationError as error:
        raise BenchmarkResultsError(f"{folder}: expected results of `nuzoo benchmark`: {error}") from error
    return BenchmarkResults(folder, benchmark, leaderboard)
