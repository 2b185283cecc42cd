"""A benchmark of the few events that tests have, and submissions to it."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nuzoo.evaluation.benchmark.frozen import Benchmark, Budget, FrozenTask, write_benchmark
from nuzoo.evaluation.benchmark.samples import describe_sample, in_frozen_order
from nuzoo.evaluation.benchmark.submission import SUBMISSION_FILE
from nuzoo.files.checksums import sha256

TASK, SAMPLE = "events", "pixels"
ARGUMENTS = "lartpc-pixelmaps --events 60 --seed 5"


def tiny_benchmark(dataset):
    rows = in_frozen_order(str(dataset))
    task = FrozenTask(
        title="Event classification <of few>",
        kinds=["event-classification"],
        sample=SAMPLE,
        targets=["label"],
        metric="accuracy",
        training=Budget(arguments="lartpc-pixelmaps --events 100 --seed 6", events=90),
        fit=None,
        options={"half_resolution": False},
    )
    samples = {SAMPLE: describe_sample(ARGUMENTS, rows, ["label"])}
    return Benchmark(name="tiny-1", replicas=50, seed=1, samples=samples, tasks={TASK: task}), rows


def probabilities(rows, seed, right=0.7):
    """Answers that are right about so often."""
    rng = np.random.default_rng(seed)
    label = np.array(list(rows["label"]))
    scores = rng.dirichlet(np.ones(3), len(label))
    favoured = np.where(rng.random(len(label)) < right, label, (label + 1) % 3)
    scores[np.arange(len(label)), favoured] += 1.5
    return scores / scores.sum(axis=1, keepdims=True)


def write_submission(folder, benchmark, event_ids, answers, title, training=("sim-6-1",), /, **changed):
    """The folder of a submission; `changed` replaces what its file says."""
    folder.mkdir(parents=True)
    file = folder / "answers.parquet"
    pq.write_table(pa.table({"event_id": list(event_ids), "probabilities": list(answers)}), file)
    (folder / "training.txt").write_text("\n".join(training))
    task = {"file": file.name, "sha256": sha256(file), "training_events": "training.txt"}
    content = {
        "benchmark": benchmark.name,
        "benchmark_sha256": benchmark.sha256,
        "name": title,
        "description": "made up",
        "tasks": {TASK: task},
    } | changed
    (folder / SUBMISSION_FILE).write_text(json.dumps(content))
    return folder


def frozen_file(folder, benchmark):
    write_benchmark(folder / "frozen.json", benchmark)
    return folder / "frozen.json"
