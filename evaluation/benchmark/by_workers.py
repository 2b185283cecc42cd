"""Contestants measured by many workers: each does one of them at one task, and writes its entry."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tqdm.auto import tqdm

from nuzoo.datasets_scripts.workers.same_folder import in_this_folder
from nuzoo.datasets_scripts.workers.workers import Workers
from nuzoo.evaluation.benchmark.contestants import asked_of, contestant
from nuzoo.evaluation.benchmark.entry import find_entry, measure
from nuzoo.evaluation.benchmark.frozen import Benchmark


@dataclass(frozen=True)
class Piece:
    """A contestant at a task.

    Attributes:
        path: See `contestant`.
        task: Name of the task.
        folders: Dataset folder of each sample that is read, by its name.
    """

    path: str
    task: str
    folders: dict[str, str]


def measure_by_workers(
    workers: Workers,
    paths: Sequence[str],
    benchmark: Benchmark,
    out: Path,
    *,
    folder_of: Callable[[str], str],
    tasks: Collection[str] = (),
) -> None:
    """Have workers write what entries are missing; who is refused is left to whoever asks for all of them.

    Args:
        workers: They see the folders that this process sees.
        paths: See `contestant`.
        benchmark: The frozen tasks.
        out: Folder of the entries.
        folder_of: Gives the dataset folder of a sample by its name; makes it first where it is missing.
        tasks: Names of those that are asked; all by default.
    """
    pieces = list(_missing(paths, benchmark, out, folder_of, tasks))
    work = in_this_folder(partial(_measure, benchmark, out))
    done = workers.do(work, pieces, lambda events: None)
    for _ in tqdm(done, "measuring", len(pieces), unit="entry"):
        pass


def _missing(
    paths: Sequence[str],
    benchmark: Benchmark,
    out: Path,
    folder_of: Callable[[str], str],
    tasks: Collection[str],
) -> Iterator[Piece]:
    for path in paths:
        try:
            who = contestant(path, benchmark)
        except ValueError:
            continue
        for name in who.tasks:
            if (not tasks or name in tasks) and find_entry(out, name, who, benchmark) is None:
                task = benchmark.tasks[name]
                read = [sample for sample in (task.sample, task.fit) if sample]
                yield Piece(path, name, {sample: folder_of(sample) for sample in read})


def _measure(benchmark: Benchmark, out: Path, piece: Piece) -> None:
    """Write an entry, unless it is refused."""
    asked = asked_of(benchmark, piece.task, piece.folders.__getitem__)
    try:
        measure(contestant(piece.path, benchmark), asked, benchmark, out)
    except ValueError:
        return
