"""Publish a leaderboard: a dataset with a row an entry, the frozen tasks, all answers and the page."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from huggingface_hub import DatasetCardData

from nuzoo.evaluation.benchmark.entry import ENTRY_FILE, Entry
from nuzoo.evaluation.benchmark.leaderboard import LEADERBOARD_FILE, Standing
from nuzoo.evaluation.benchmark.page import PAGE
from nuzoo.evaluation.core.results_file import read_results
from nuzoo.evaluation.core.text import as_table, with_error
from nuzoo.files.checksums import write_checksums
from nuzoo.files.hub_access import check_access
from nuzoo.files.names import CARD_FILE
from nuzoo.files.plain_text import plain
from nuzoo.hub.benchmark.results_folder import BenchmarkResults, read_benchmark_results
from nuzoo.hub.cards import empty_sections, fill_template
from nuzoo.hub.errors import IncompleteCardError
from nuzoo.hub.licences import DATA_LICENCES, check_licence
from nuzoo.hub.safety import check_publishable
from nuzoo.hub.scratch import scratch_folder
from nuzoo.hub.upload import Commit, upload

REGISTRATION_FILE = "eval.yaml"
"""By which the Hub knows a dataset for a benchmark, and its tasks (hub/docs/eval-results)."""

SPLIT = "test"
ENTRIES_FOLDER = "entries"
TAGS = ["benchmark", "leaderboard", "neutrino", "particle-physics", "physics", "nuzoo"]


def publish_benchmark(
    folder: Path,
    repo_id: str,
    *,
    licence: str | None = None,
    private: bool | None = None,
    message: str | None = None,
) -> Commit:
    """Make a dataset repository of the results of a benchmark and upload it.

    Args:
        folder: That `nuzoo benchmark` wrote.
        repo_id: "organisation/name".
        licence: Hub identifier; apache-2.0 by default.
        private: For a new repository.
        message: Of the commit.

    Returns:
        The commit.

    Raises:
        HubError: See `nuzoo.hub.errors`; nothing is published then.
    """
    check_access(repo_id)
    licence = licence or "apache-2.0"
    check_licence(licence, DATA_LICENCES)
    results = read_benchmark_results(folder)
    with scratch_folder(Path(tempfile.gettempdir())) as scratch:
        repository = scratch / "repository"
        repository.mkdir()
        build_leaderboard(repository, results, repo_id, licence)
        return upload(repository, repo_id, repo_type="dataset", message=message, private=private)


def build_leaderboard(repository: Path, results: BenchmarkResults, repo_id: str, licence: str) -> None:
    """Write the files of a repository into a folder.

    Raises:
        IncompleteCardError: A section of the card would be empty.
        UnpublishableContentError: A secret or a path of this machine would be published.
    """
    for name in (results.benchmark_file.name, LEADERBOARD_FILE, PAGE):
        shutil.copyfile(results.folder / name, repository / name)
    for name, standing in results.leaderboard.tasks.items():
        data = repository / _table_of(name)
        data.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(_rows(standing), data)
        for folder in results.entry_folders[name]:
            _copy_entry(folder, repository / ENTRIES_FOLDER / name / folder.name)
    registered = yaml.safe_dump(_registration(results), sort_keys=False, allow_unicode=True)
    (repository / REGISTRATION_FILE).write_text(registered, encoding="utf-8")
    card = _card(results, repo_id, licence)
    if empty := empty_sections(card):
        raise IncompleteCardError(f"the card would have empty sections: {', '.join(empty)}")
    (repository / CARD_FILE).write_text(card, encoding="utf-8")
    check_publishable(repository)
    write_checksums(repository)


def _table_of(task: str) -> str:
    return f"leaderboard/{task}/{SPLIT}.parquet"


def _copy_entry(folder: Path, copy: Path) -> None:
    copy.mkdir(parents=True)
    for name in (ENTRY_FILE, read_results(folder / ENTRY_FILE, Entry).answers_file):
        shutil.copyfile(folder / name, copy / name)


def _rows(standing: Standing) -> pa.Table:
    """Make a table with a row an entry, the best first."""
    columns: dict[str, Any] = {
        name: [getattr(entry, name) for entry in standing.entries]
        for name in ("name", "kind", "description", "task", "created", "digest", "answers_sha256")
    }
    for key in standing.titles:
        columns[key] = pa.array([entry.scores[key].value for entry in standing.entries], pa.float64())
        errors = [entry.scores[key].error for entry in standing.entries]
        columns[f"{key}_error"] = pa.array(errors, pa.float64())
    for name in ("training_events", "parameters"):
        columns[name] = pa.array([getattr(entry, name) for entry in standing.entries], pa.int64())
    times = [entry.ms_per_event and entry.ms_per_event.value for entry in standing.entries]
    columns["ms_per_event"] = pa.array(times, pa.float64())
    return pa.table(columns)


def _registration(results: BenchmarkResults) -> Mapping[str, Any]:
    return {
        "name": results.benchmark.name,
        "description": "Frozen tasks on simulated events of neutrino detectors.",
        "evaluation_framework": "nuzoo",
        "tasks": [{"id": name, "config": name, "split": SPLIT} for name in results.leaderboard.tasks],
    }


def _card(results: BenchmarkResults, repo_id: str, licence: str) -> str:
    names = list(results.leaderboard.tasks)
    data = DatasetCardData(
        license=licence,
        task_categories=["other"],
        tags=TAGS,
        pretty_name=f"{results.benchmark.name}: leaderboard",
        configs=[
            {"config_name": name, "data_files": [{"split": SPLIT, "path": _table_of(name)}]}
            | ({"default": True} if name == names[0] else {})
            for name in names
        ],
    )
    return fill_template(
        "benchmark.md",
        card_data=data.to_yaml(),
        repo_id=repo_id,
        benchmark=results.benchmark,
        leaderboard=results.leaderboard,
        tables={name: _table(standing) for name, standing in results.leaderboard.tasks.items()},
        split=SPLIT,
        page=PAGE,
    )


def _table(standing: Standing) -> str:
    rows = [
        [
            plain(entry.name),
            *(with_error(entry.scores[key]) for key in standing.titles),
            "not told" if entry.training_events is None else f"{entry.training_events:,}",
        ]
        for entry in standing.entries
    ]
    return as_table(["entry", *standing.titles.values(), "learnt from"], rows)
