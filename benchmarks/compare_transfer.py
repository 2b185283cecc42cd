"""What a network for hits loses under a diffusion and an attenuation that its training did not have: a table.

Usage: python benchmarks/compare_transfer.py DATA [MODEL ...] [--train FOLDER [--steps 200]] [--events N]

Each model is measured on the test events as they are, and on the same events after detector effects, put into
voxels again as a detector of these voxels records them. Every model sees the same: an event is altered once,
by the seed of its number in the split. Hits that move into one voxel become one with the class of the
largest; those that leave the detector are lost. Each event draws its attenuation from none to the strongest.

`--train` makes two networks in the folder, or takes those that are finished there: equally many steps from
`nu-point-motif-tiny`, without and with detector effects in the augmentation, weaker ones than the test's.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray

from nuzoo.command_parser import at_least
from nuzoo.evaluation.core.bootstrap import bootstrap
from nuzoo.evaluation.core.events import columns_read, read_splits
from nuzoo.evaluation.core.inference import to_inference_device
from nuzoo.evaluation.core.results import Number
from nuzoo.evaluation.core.text import as_table, with_error
from nuzoo.evaluation.tasks.hit_segmentation.evaluate import check_events, label_hits
from nuzoo.evaluation.tasks.hit_segmentation.numbers import scores
from nuzoo.pipelines.loading import load_model
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor
from nuzoo.training.augmentation.point_clouds import PointCloudAugmentation
from nuzoo.training.recipe import load_recipe
from nuzoo.training.recipe_data import geometry_of
from nuzoo.training.supervised import train

DIFFUSION = {"diffusion_mm": 3.0}
ATTENUATION = {"attenuation_mm": 2000.0}
CONDITIONS: dict[str, dict[str, float]] = {
    "as they are": {},
    "diffusion": DIFFUSION,
    "attenuation": ATTENUATION,
    "both": DIFFUSION | ATTENUATION,
}
"""Settings of a `PointCloudAugmentation`."""

BATCH = 4
FINE_TUNING = {
    "model.pretrained": "nu-point-motif-tiny",
    "training.per_device_train_batch_size": BATCH,
    "training.learning_rate": 1e-3,
    "training.eval_strategy": "no",
    "training.save_strategy": "no",
    "training.load_best_model_at_end": False,
    "augmentation.crop": 1.0,
}
"""Of both networks; crops save time."""

EFFECTS = {
    "diffusion_mm": 2.0,
    "attenuation_mm": 4000.0,
    "gain": 0.1,
    "energy_jitter": 0.1,
    "dead": 0.2,
    "dead_mm": 30.0,
    "drop_hits": 0.1,
}
"""In the augmentation of the second network."""


def trained(data: str, out: Path, steps: int) -> list[str]:
    """Fine-tune without and with detector effects, once through as many events; give the folders."""
    fields = FINE_TUNING | {
        "data.path": data,
        "data.train_events": BATCH * steps,
        "training.max_steps": steps,
    }
    effects = {f"augmentation.{name}": value for name, value in EFFECTS.items()}
    for name, more in {"without-effects": {}, "with-effects": effects}.items():
        given = fields | more | {"training.output_dir": out / name}
        train(load_recipe("nu_point_motif_tiny", [f"{field}={value}" for field, value in given.items()]))
    return [str(out / name) for name in ("without-effects", "with-effects")]


def altered(rows: Dataset, target: str, effects: PointCloudAugmentation) -> Dataset:
    """Give events after detector effects, in voxels again."""
    if not effects.asked:
        return rows
    processor = NuPointCloudFeatureExtractor.for_geometry(geometry_of(rows))
    if processor.positions != "voxel":
        raise SystemExit(f"expected events in voxels, got {processor.detector} in {processor.positions}")
    alter = effects.bound_to(processor, (target,))

    def event(row: dict[str, Any], number: int) -> dict[str, Any]:
        torch.manual_seed(number)
        batch = alter(processor(row, targets=(target,)))
        columns = dict(zip("xyz", batch["grid_coordinates"].T.numpy(), strict=True))
        energy = processor.energy_scale.inverse(batch["energy"][:, 0])
        return columns | {"energy": energy.numpy(), target: batch["labels"].numpy()}

    return rows.map(event, with_indices=True, features=rows.features, keep_in_memory=True)


def macro_f1(counts: NDArray[np.float64]) -> dict[str, list[list[Number]]]:
    """Give that of each model and condition, and its paired differences to the first of each.

    Args:
        counts: Hits by true and given class, (models, conditions, events, C, C).
    """

    def statistic(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        found = scores(np.tensordot(weights, counts, axes=(1, 2)))["macro_f1"]
        return {
            "macro F1": found,
            "change to the events as they are": found - found[:, :, :1],
            "change to the first model": found - found[:, :1],
        }

    return bootstrap(statistic, counts.shape[2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("models", nargs="*")
    parser.add_argument("--train", type=Path)
    parser.add_argument("--steps", type=at_least(1), help="of --train; 200 by default")
    parser.add_argument("--events", type=at_least(1), help="of the test split; all by default")
    options = parser.parse_args()
    if not (options.train or options.models):
        parser.error("expected models, or --train FOLDER to make two")
    if options.steps and not options.train:
        parser.error("--steps: expected with --train; leave it out")
    made = trained(options.data, options.train, options.steps or 200) if options.train else []
    names = made + options.models
    models = [load_model(name) for name in names]
    config = models[0][0].config
    rows = read_splits(options.data, "test")["test"].take(options.events or sys.maxsize)
    rows = rows.select_columns([*columns_read(models[0][1]), config.target])
    for model, _ in models:
        if model.config.target != config.target:
            raise SystemExit(f"expected models that tell {config.target}, got {model.config.target}")
        check_events(rows, "test", model.config)
        to_inference_device(model)
    settings = {name: PointCloudAugmentation(**given) for name, given in CONDITIONS.items()}
    conditions = [altered(rows, config.target, effects) for effects in settings.values()]
    found = [[label_hits(*model, events)[0] for events in conditions] for model in models]
    counts = np.array([[hits.confusions(config.num_labels) for hits in of_model] for of_model in found])
    numbers = macro_f1(counts)
    table = [
        [name, condition, f"{counts[i, j].sum():,.0f}", *(with_error(of[i][j]) for of in numbers.values())]
        for i, name in enumerate(names)
        for j, condition in enumerate(CONDITIONS)
    ]
    print(f"{len(rows)} test events of {options.data}\n")
    print(as_table(["model", "events", "hits", *numbers], table))


if __name__ == "__main__":
    main()
