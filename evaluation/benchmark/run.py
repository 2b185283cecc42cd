"""Run a benchmark: measure who takes part, compare, and write the page."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cache
from pathlib import Path

from nuzoo.datasets_scripts.workers.workers import Workers
from nuzoo.evaluation.benchmark.by_workers import measure_by_workers
from nuzoo.evaluation.benchmark.contestants import Asked, Contestant, asked_of, contestant
from nuzoo.evaluation.benchmark.entry import ENTRY_FILE, find_entry, measure
from nuzoo.evaluation.benchmark.frozen import Benchmark, write_benchmark
from nuzoo.evaluation.benchmark.leaderboard import (
    LEADERBOARD_FILE,
    Leaderboard,
    entries_of,
    standing,
)
from nuzoo.evaluation.benchmark.page import write_page
from nuzoo.evaluation.core.errors import BenchmarkError
from nuzoo.evaluation.core.results_file import write_results
from nuzoo.evaluation.core.text import with_error

Ask = Callable[[str], Asked]


def run_benchmark(
    paths: Sequence[str],
    benchmark: Benchmark,
    out: Path,
    *,
    folder_of: Callable[[str], str],
    tasks: Collection[str] = (),
    tell: Callable[[str], None] = print,
    workers: Workers | None = None,
) -> Path:
    """Measure contestants and write the leaderboard with all that were measured before.

    One that is refused keeps none of the others from being measured.

    Args:
        paths: See `contestant`.
        benchmark: The frozen tasks.
        out: Folder, with one of each task in it.
        folder_of: Gives the dataset folder of a sample by its name.
        tasks: Names of those that are asked; all by default.
        tell: Told of each entry.
        workers: Who measure, each another contestant at another task; this process by default.

    Returns:
        The page.

    Raises:
        BenchmarkError: Somebody was refused, at the end; or the events are not those of the benchmark.
    """
    for name in tasks:
        benchmark.task(name)
    out.mkdir(parents=True, exist_ok=True)

    @cache
    def ask(name: str) -> Asked:
        return asked_of(benchmark, name, folder_of)

    write_benchmark(out / f"{benchmark.name}.json", benchmark)
    if workers is not None:
        measure_by_workers(workers, paths, benchmark, out, folder_of=folder_of, tasks=tasks)
    refused = _measure_all(paths, benchmark, out, tasks, ask, tell)
    if refused and not any(out.glob(f"*/*/{ENTRY_FILE}")):
        raise BenchmarkError("; ".join(refused))
    page = write_leaderboard(benchmark, out, ask)
    if refused:
        raise BenchmarkError("; ".join(refused))
    return page


def _measure_all(
    paths: Sequence[str],
    benchmark: Benchmark,
    out: Path,
    tasks: Collection[str],
    ask: Ask,
    tell: Callable[[str], None],
) -> list[str]:
    """Measure everybody; give the reasons why some were refused."""
    refused, named = [], dict[str, str]()
    for path in paths:
        try:
            who = contestant(path, benchmark)
            if (other := named.setdefault(who.name, path)) != path:
                raise BenchmarkError(
                    f"{path}: expected another name than that of {other}, {who.name}: rename one"
                )
            _measure(who, benchmark, out, tasks, ask, tell)
        except ValueError as error:
            refused.append(f"{path} was refused: {error}")
            tell(refused[-1])
    return refused


def _measure(
    who: Contestant,
    benchmark: Benchmark,
    out: Path,
    tasks: Collection[str],
    ask: Ask,
    tell: Callable[[str], None],
) -> None:
    """Measure somebody at every task that is asked, unless that was done before."""
    chosen = [name for name in who.tasks if not tasks or name in tasks]
    if not chosen:
        tell(f"{who.name}: none of these tasks, but {', '.join(who.tasks)}")
    for name in chosen:
        known = find_entry(out, name, who, benchmark)
        entry = known or measure(who, ask(name), benchmark, out)
        score = with_error(entry.scores[benchmark.tasks[name].metric])
        tell(f"{name}: {who.name} {score}{' (measured before)' if known else ''}")


def write_leaderboard(benchmark: Benchmark, out: Path, ask: Ask) -> Path:
    """Compare all that was measured, and write `leaderboard.json` and the page.

    Raises:
        BenchmarkError: Nothing was measured.
    """
    entries = {name: entries_of(out, name, benchmark) for name in benchmark.tasks}
    standings = {name: standing(ask(name), found, benchmark) for name, found in entries.items() if found}
    if not standings:
        raise BenchmarkError(f"{out}: expected entries, got none: name a model or a submission")
    leaderboard = Leaderboard(
        benchmark=benchmark.name,
        benchmark_sha256=benchmark.sha256,
        replicas=benchmark.replicas,
        seed=benchmark.seed,
        tasks=standings,
    )
    write_results(out / LEADERBOARD_FILE, leaderboard)
    return write_page(out, leaderboard)
