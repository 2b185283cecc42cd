"""What a benchmark says of a model, for `.eval_results` in the model's repository."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import EvalResultEntry

from nuzoo.evaluation.benchmark.contestants import model_digest
from nuzoo.evaluation.benchmark.entry import Entry
from nuzoo.evaluation.benchmark.leaderboard import Standing
from nuzoo.evaluation.core.text import with_error
from nuzoo.hub.benchmark.results_folder import read_benchmark_results
from nuzoo.hub.errors import BenchmarkResultsError
from nuzoo.hub.model.card import Publication
from nuzoo.hub.pinned import Pinned


def benchmark_entries(folder: Path, published: Publication, leaderboard: Pinned) -> list[EvalResultEntry]:
    """Give an entry of `.eval_results` for each task that a model was measured at, its error in the notes.

    Args:
        folder: That `nuzoo benchmark` wrote.
        published: The model.
        leaderboard: Dataset repository of the benchmark.

    Raises:
        BenchmarkResultsError: This very model was not measured.
    """
    results = read_benchmark_results(folder)
    digest = model_digest(published.model, published.processor)
    name = results.benchmark.name
    found = [
        _entry(entry, task, standing, leaderboard, name)
        for task, standing in results.leaderboard.tasks.items()
        for entry in standing.entries
        if entry.digest == digest
    ]
    if not found:
        raise BenchmarkResultsError(
            f"{folder}: expected an entry of this very model, got those of others or of other weights: run "
            "`nuzoo benchmark` with its folder"
        )
    return found


def _entry(
    entry: Entry, task: str, standing: Standing, leaderboard: Pinned, benchmark: str
) -> EvalResultEntry:
    metric = standing.asked.metric
    score, events = entry.scores[metric], standing.sample.events
    return EvalResultEntry(
        dataset_id=leaderboard.repo_id,
        task_id=task,
        value=score.value,
        dataset_revision=leaderboard.revision,
        date=entry.created,
        notes=f"{standing.titles[metric]} {with_error(score)}, {events} events of {benchmark}",
    )
