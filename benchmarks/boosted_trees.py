"""Boosted trees on hand-made features of pixel maps: a submission by code that needs no nuzoo.

Usage: python benchmarks/boosted_trees.py nuzoo-1.json OUT --task modular-events TRAIN TEST 512 [--task …]

TRAIN and TEST are folders of `nuzoo simulate`, of the first the split `train` and of the second all splits
are read; 512 is the number of columns of a map.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.ensemble import HistGradientBoostingClassifier

HOTTEST = 10
FEW = 3


def view_features(index, energy, columns):
    """Give 14 numbers of a view: energy, pixels, extent, moments, main axis, where the energy is."""
    if len(index) < FEW:
        return [energy.sum(), len(index), *[np.nan] * 12]
    row, column = np.divmod(index.astype(np.int64), columns)
    place, total = np.stack([row, column]).astype(np.float64), energy.sum()
    middle = place @ energy / total
    away = place - middle[:, None]
    covariance = (away * energy) @ away.T / total
    (width, length), axes = np.linalg.eigh(covariance)
    along = axes[:, 1] @ away
    begin, end = np.quantile(column, [0.02, 0.98])
    start = column < begin + 0.2 * (end - begin)
    return [
        total,
        len(index),
        energy.mean(),
        np.median(energy),
        energy.max(),
        np.sort(energy)[-HOTTEST:].sum() / total,
        np.ptp(row),
        np.ptp(column),
        np.sqrt(max(length, 0)),
        np.sqrt(max(width, 0)),
        np.abs(axes[0, 1]),
        (along**3 @ energy) / total / max(length, 1e-9) ** 1.5,
        energy[start].sum() / total,
        len(index) / (1 + np.ptp(along)),
    ]


def read(folder, columns, splits):
    """Read names, classes and features of events."""
    names, labels, features = [], [], []
    for file in sorted(path for split in splits for path in Path(folder, "data").glob(f"{split}-*.parquet")):
        views = [name[:-6] for name in pq.read_schema(file).names if name.endswith("_index")]
        pixels = [f"{view}_{what}" for view in views for what in ("index", "energy")]
        for batch in pq.ParquetFile(file).iter_batches(500, columns=["event_id", "label", *pixels]):
            names += batch["event_id"].to_pylist()
            labels += batch["label"].to_pylist()
            for event in zip(*(batch[name] for name in pixels), strict=True):
                arrays = [of.values.to_numpy() for of in event]
                pairs = zip(arrays[::2], arrays[1::2], strict=True)
                features.append([number for pair in pairs for number in view_features(*pair, columns)])
    return names, np.array(labels), np.array(features, dtype=np.float32)


def answer(task, train, test, columns, out):
    """Train, and write answers and the names of the training events; give what a submission says of them."""
    names, labels, features = read(train, columns, ["train"])
    known = labels >= 0
    trees = HistGradientBoostingClassifier(
        max_iter=600, learning_rate=0.06, max_leaf_nodes=31, early_stopping=True, random_state=1
    ).fit(features[known], labels[known])
    test_names, _, test_features = read(test, columns, ["train", "validation", "test"])
    probabilities = trees.predict_proba(test_features)
    file, listed = out / f"{task}.parquet", out / f"{task}-training.txt"
    pq.write_table(pa.table({"event_id": test_names, "probabilities": list(probabilities)}), file)
    listed.write_text("\n".join(np.array(names)[known]) + "\n")
    print(f"{task}: {known.sum()} training events, {trees.n_iter_} iterations")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return {"file": file.name, "sha256": digest, "training_events": listed.name}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("benchmark", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--task", nargs=4, action="append", metavar=("TASK", "TRAIN", "TEST", "COLUMNS"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    frozen = json.loads(args.benchmark.read_text())
    submission = {
        "benchmark": frozen["name"],
        "benchmark_sha256": frozen["sha256"],
        "name": "Boosted trees",
        "description": "scikit-learn's histogram gradient boosting on 14 hand-made features a view",
        "tasks": {
            task: answer(task, train, test, int(columns), args.out)
            for task, train, test, columns in args.task
        },
    }
    (args.out / "submission.json").write_text(json.dumps(submission, indent=2) + "\n")


if __name__ == "__main__":
    main()
