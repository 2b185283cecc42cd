"""All that was measured, task by task, with paired tests: what the page and the published dataset show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import FiniteFloat
from scipy.stats import norm

from nuzoo.evaluation.benchmark.contestants import Asked
from nuzoo.evaluation.benchmark.entry import ENTRY_FILE, Entry, reader_of
from nuzoo.evaluation.benchmark.frozen import Benchmark, FrozenSample, FrozenTask
from nuzoo.evaluation.comparison.paired import mcnemar
from nuzoo.evaluation.core.answers import Answers, read_answers
from nuzoo.evaluation.core.bootstrap import bootstrap
from nuzoo.evaluation.core.errors import BenchmarkError
from nuzoo.evaluation.core.results import Number, ResultsFile
from nuzoo.evaluation.core.results_file import read_results
from nuzoo.files.checksums import sha256

LEADERBOARD_FILE = "leaderboard.json"
MCNEMAR, BOOTSTRAP = "McNemar, exact", "paired bootstrap"
OF_RIGHT_ANSWERS = "accuracy"
"""The score that McNemar's test is about."""


@dataclass(frozen=True, kw_only=True)
class PairedTest:
    """Whether one entry is better than another, on the same events: first minus second.

    Attributes:
        difference: Of the score that counts, with its paired bootstrap error.
        p_value: If both were equally good, the probability of a difference at least as large.
        test: `MCNEMAR` where the score counts right answers; else `BOOTSTRAP`, of the difference in units of
            its error, taken for Gaussian.
    """

    first: str
    second: str
    difference: Number
    p_value: FiniteFloat
    test: str


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A task, who answered it, the best first, and how they compare.

    Attributes:
        asked: The frozen task.
        sample: The events that are asked about.
        titles: Of the scores by key, the one that counts first.
        entries: By the score that counts, the largest first.
        tests: Of every two.
    """

    asked: FrozenTask
    sample: FrozenSample
    titles: dict[str, str]
    entries: list[Entry]
    tests: list[PairedTest]


@dataclass(frozen=True, kw_only=True)
class Leaderboard(ResultsFile):
    """The standings of a benchmark by task; those that nobody answered are left out."""

    SCHEMA: ClassVar = ("nuzoo-benchmark-leaderboard", 1)

    benchmark: str
    benchmark_sha256: str
    replicas: int
    seed: int
    tasks: dict[str, Standing]


def entries_of(out: Path, task: str, benchmark: Benchmark) -> dict[Path, Entry]:
    """Read the entries of a task by their folder.

    Raises:
        BenchmarkError: One was measured by another benchmark, or its answers were altered.
    """
    found = {file.parent: read_results(file, Entry) for file in sorted((out / task).glob(f"*/{ENTRY_FILE}"))}
    for folder, entry in found.items():
        if entry.benchmark_sha256 != benchmark.sha256:
            raise BenchmarkError(
                f"{folder}: expected an entry of {benchmark.name} ({benchmark.sha256}), got one of another "
                f"version ({entry.benchmark_sha256}): remove the folder, or give another --out"
            )
        if sha256(folder / entry.answers_file) != entry.answers_sha256:
            raise BenchmarkError(
                f"{folder / entry.answers_file}: expected the answers that were measured, got a file that "
                "was altered: remove the folder, and measure again"
            )
    return found


def standing(asked: Asked, entries: Mapping[Path, Entry], benchmark: Benchmark) -> Standing:
    """Put the entries of a task in order, and compare every two of them."""
    metric, reader = asked.task.metric, reader_of(asked.task)
    ordered = sorted(entries.items(), key=lambda item: -_value(item[1], metric))
    answers = {
        entry.name: read_answers(folder / entry.answers_file, reader, asked.rows, asked.task.targets)
        for folder, entry in ordered
    }
    return Standing(
        asked=asked.task,
        sample=benchmark.samples[asked.task.sample],
        titles=dict(reader.titles),
        entries=[entry for _, entry in ordered],
        tests=compare(answers, metric, len(asked.rows), benchmark.replicas, benchmark.seed),
    )


def compare(
    answers: Mapping[str, Answers], metric: str, events: int, replicas: int = 1000, seed: int = 0
) -> list[PairedTest]:
    """Compare every two of those who answered the same events.

    All see each bootstrap replica, so that what is common to them cancels.

    Args:
        answers: By name.
        metric: Key of the score that counts.
        events: How many.
        replicas: Of the bootstrap.
        seed: Of the bootstrap.
    """
    pairs = list(combinations(answers, 2))
    if not pairs:
        return []

    def differences(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        score = {name: of.scores(weights)[metric] for name, of in answers.items()}
        return {metric: np.stack([score[first] - score[second] for first, second in pairs], axis=-1)}

    found = bootstrap(differences, events, replicas, seed)[metric]
    return [
        _paired_test((first, answers[first]), (second, answers[second]), metric, difference)
        for (first, second), difference in zip(pairs, found, strict=True)
    ]


def _paired_test(
    first: tuple[str, Answers], second: tuple[str, Answers], metric: str, difference: Number
) -> PairedTest:
    (name, ours), (other, theirs) = first, second
    if metric == OF_RIGHT_ANSWERS and ours.right is not None and theirs.right is not None:
        p_value, test = mcnemar(ours.right, theirs.right)[2], MCNEMAR
    else:
        value, error = difference.value or 0.0, difference.error or 0.0
        p_value, test = float(2 * norm.sf(abs(value) / error)) if error else 1.0, BOOTSTRAP
    return PairedTest(first=name, second=other, difference=difference, p_value=p_value, test=test)


def _value(entry: Entry, metric: str) -> float:
    value = entry.scores[metric].value
    return -np.inf if value is None else value
