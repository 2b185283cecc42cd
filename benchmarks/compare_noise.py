"""What noise of real frames costs a classifier of pixel maps, and what it gains by seeing it in training.

    python benchmarks/compare_noise.py DATA --frames FRAMES --out FOLDER [--other DATASET] [--train N]
        [--epochs N] [--seeds N]

DATA has simulated events; FRAMES is a dataset of real frames (docs/real-data.md). `nu-cnn-dune` is
fine-tuned equally long without and with noise in the augmentation, once for each seed, or taken from FOLDER
if that is done. All are measured on the events that were not learnt from as they are, on the same ones with
noise, each by the seed of its number, and on DATASET. One half of the drift of the frames is for training,
the other for the test. Errors are those of the events; "between trainings" is a standard deviation.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray

from nuzoo.command_parser import at_least
from nuzoo.datasets_scripts.common.loading import load_events
from nuzoo.evaluation.core.bootstrap import bootstrap
from nuzoo.evaluation.core.events import with_truth
from nuzoo.evaluation.core.results import Number
from nuzoo.evaluation.core.text import as_table, with_error
from nuzoo.pipelines.loading import load_model
from nuzoo.simulation.detectors import find_detector
from nuzoo.training.augmentation.pixel_maps import Augmentation
from nuzoo.training.recipe import load_recipe
from nuzoo.training.recipe_data import in_classes_of
from nuzoo.training.supervised import train

MODEL, RECIPE = "nu-cnn-dune", "nu_cnn_dune_finetune"
PROBABILITY = 0.5
"""Of noise in an event of training; in the test all events have some."""

BATCH = 64
CLEAN, NOISY = "as they are", "with noise"


def halves(frames: str, out: Path) -> list[str]:
    """Write each half of the drift of frames, and its mirror image in place of the other half."""
    written = []
    for half in ("train", "test"):
        folder = out / f"frames-{half}"
        for split, rows in load_events(frames).items():
            rows = rows.map(_half, fn_kwargs={"first": half == "train"}, keep_in_memory=True)
            (folder / "data").mkdir(parents=True, exist_ok=True)
            rows.to_parquet(folder / "data" / f"{split}-0.parquet")
        written.append(str(folder))
    return written


def _half(row: dict[str, Any], first: bool) -> dict[str, Any]:
    geometry, changed = find_detector(row["detector"]).geometry(), {}
    indices = {view: np.asarray(row[f"{view}_index"], dtype=np.int64) for view in geometry["views"]}
    middle = 1 + max(index.max(initial=0) for index in indices.values()) // geometry["width"] // 2
    for view, index in indices.items():
        line, column = np.divmod(index, geometry["width"])
        kept = (line < middle) == first
        line, column, energy = line[kept], column[kept], np.asarray(row[f"{view}_energy"])[kept]
        mirrored = 2 * middle - 1 - line
        inside = (mirrored >= 0) & (mirrored < geometry["height"])
        places = np.concatenate([line, mirrored[inside]]) * geometry["width"]
        changed[f"{view}_index"] = places + np.concatenate([column, column[inside]])
        changed[f"{view}_energy"] = np.concatenate([energy, energy[inside]])
    return changed


def trained(options: argparse.Namespace, frames: str) -> dict[str, list[str]]:
    """Fine-tune without and with noise; give the folders."""
    fields = {
        "model.pretrained": MODEL,
        "data.path": options.data,
        "data.train_events": options.train,
        "training.num_train_epochs": options.epochs,
        "training.eval_strategy": "no",
        "training.save_strategy": "no",
        "training.load_best_model_at_end": False,
    }
    noise = {"augmentation.noise": frames, "augmentation.noise_probability": PROBABILITY}
    folders: dict[str, list[str]] = {"without noise": [], "with noise": []}
    for seed in range(1, options.seeds + 1):
        for name, more in zip(folders, ({}, noise), strict=True):
            folder = str(options.out / f"{name.replace(' ', '-')}-{seed}")
            given = fields | more | {"training.output_dir": folder, "training.seed": seed}
            train(load_recipe(RECIPE, [f"{field}={value}" for field, value in given.items()]))
            folders[name].append(folder)
    return folders


@torch.no_grad()
def right(name: str, rows: Dataset, frames: str | None) -> NDArray[np.float64]:
    """Say of each event whether a model gives its class, 1 or 0; with noise of frames over it, if any."""
    model, processor = load_model(name)
    rows = in_classes_of(model.config, ("label",), {"test": rows})["test"]
    lay = Augmentation(noise=frames, noise_probability=1.0).bound_to(processor) if frames else dict
    found = []
    for first in range(0, len(rows), BATCH):
        batch = processor(rows[first : first + BATCH], targets=("label",))
        images = [_one(lay, image, first + place) for place, image in enumerate(batch["pixel_values"])]
        said = model.eval()(torch.stack(images)).logits.argmax(dim=1)
        found.append((said == batch["labels"]).double().numpy())
    return np.concatenate(found)


def _one(lay: Any, image: torch.Tensor, number: int) -> torch.Tensor:
    torch.manual_seed(number)
    laid: torch.Tensor = lay({"pixel_values": image[None]})["pixel_values"][0]
    return laid


def learnt_from_none(data: str, learnt_from: int) -> Dataset:
    """Give the events that are not the first training events."""
    splits = load_events(data)
    rest = {"train": splits["train"].skip(learnt_from)}
    return with_truth({**splits, **rest}, ("label",))


def accuracies(found: NDArray[np.float64]) -> dict[str, list[list[Number]]]:
    """Give those of each model and condition, with paired differences.

    Args:
        found: 1 where the class is right, (models, conditions, events).
    """

    def statistic(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        share = np.einsum("re,mce->rmc", weights, found) / weights.sum(axis=1)[:, None, None]
        return {
            "accuracy": share,
            "change to the events as they are": share - share[:, :, :1],
            "change to without noise": share - share[:, 1:2],
        }

    return bootstrap(statistic, found.shape[2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--frames", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--other")
    parser.add_argument("--train", type=at_least(1), default=2000)
    parser.add_argument("--epochs", type=at_least(1), default=4)
    parser.add_argument("--seeds", type=at_least(1), default=3)
    options = parser.parse_args()
    for_training, for_test = halves(options.frames, options.out)
    models = {"as it comes": [MODEL], **trained(options, for_training)}
    held_out = learnt_from_none(options.data, options.train)
    report(options.data, held_out, models, {CLEAN: None, NOISY: for_test})
    if options.other:
        report(options.other, with_truth(load_events(options.other), ("label",)), models, {CLEAN: None})


def report(
    sample: str, rows: Dataset, models: dict[str, list[str]], conditions: dict[str, str | None]
) -> None:
    """Print the table of a sample."""
    each = [
        [np.array([right(name, rows, frames) for name in names]) for frames in conditions.values()]
        for names in models.values()
    ]
    numbers = accuracies(np.array([[of.mean(axis=0) for of in conditions] for conditions in each]))
    table = [
        [name, condition, *(with_error(of[i][j]) for of in numbers.values()), _spread(each[i][j])]
        for i, name in enumerate(models)
        for j, condition in enumerate(conditions)
    ]
    print(f"\n{len(rows):,} events of {sample}\n")
    print(as_table([MODEL, "events", *numbers, "between trainings"], table))


def _spread(found: NDArray[np.float64]) -> str:
    return f"{found.mean(axis=1).std(ddof=1):.4f}" if len(found) > 1 else "–"


if __name__ == "__main__":
    main()
