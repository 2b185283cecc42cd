"""A label for each hit of a point cloud, trained from a recipe through the trainer that all tasks share."""

import json
import sys
from dataclasses import dataclass

import datasets
import numpy as np
import pytest
import torch
import yaml
from huggingface_hub.dataclasses import strict
from torch import nn
from transformers import BatchFeature, PreTrainedModel
from transformers.modeling_outputs import TokenClassifierOutput

from nuzoo import registry
from nuzoo.configuration.configuration_utils_nu import NuPreTrainedConfig
from nuzoo.files.events.event_schema import Column, EventSchema
from nuzoo.files.events.point_cloud_events import MOTIFS
from nuzoo.training import recipe_data
from nuzoo.training.cross_validation import cross_validate
from nuzoo.training.fields import RecipeError
from nuzoo.training.recipe import load_recipe
from nuzoo.training.supervised import build_trainer, train
from tests.evaluation.point_cloud_rows import LED, TRACK, small_row

pytestmark = pytest.mark.usefixtures("undrawn_curves")

HERE = __name__
COUNTS = (3, 0, 5, 1, 2, 4, 1, 1, 7)
"""Hits of the events: of the last batch of four, one event is left, with more hits than there are events."""


def row(hits: int, seed: int) -> dict:
    rng = np.random.default_rng(seed)
    place = rng.normal(size=(hits, 3)).astype(np.float32)
    return {
        "x": place[:, 0],
        "y": place[:, 1],
        "z": place[:, 2],
        "energy": rng.random(hits).astype(np.float32),
        "hit_class": (place[:, 0] > 0).astype(np.int64),
        "detector": "toy",
    }


def rows(counts) -> datasets.Dataset:
    columns = ("x", "y", "z", "energy")
    types = {name: datasets.List(datasets.Value("float32")) for name in columns}
    types |= {"hit_class": datasets.List(datasets.Value("int64")), "detector": datasets.Value("string")}
    made = [row(hits, seed) for seed, hits in enumerate(counts)]
    return datasets.Dataset.from_list(made, features=datasets.Features(types))


@strict
class ToyConfig(NuPreTrainedConfig):
    model_type = "toy_points"
    width: int = 8


class ToyModel(PreTrainedModel):
    config_class = ToyConfig

    def __init__(self, config):
        super().__init__(config)
        self.net = nn.Sequential(nn.Linear(4, config.width), nn.ReLU(), nn.Linear(config.width, 2))
        self.post_init()

    def forward(self, coordinates, energy, offset, labels=None):
        assert len(coordinates) == len(energy) == offset[-1]
        logits = self.net(torch.cat([coordinates, energy[:, None]], dim=1))
        loss = None if labels is None else nn.functional.cross_entropy(logits, labels)
        return TokenClassifierOutput(loss=loss, logits=logits)


class ToyProcessor:
    def __init__(self, detector, scale=1.0, fitted=False):
        self.detector, self.scale, self.is_fitted = detector, scale, fitted
        names = ("x", "y", "z", "energy")
        self.schema = EventSchema(
            tuple(Column(name, "float32", name, per="hit", required=True) for name in names)
        )

    @classmethod
    def for_geometry(cls, geometry, scale: float = 1.0):
        return cls(geometry["detector"], scale)

    def fit(self, rows):
        self.is_fitted = True
        return self

    def network_fields(self):
        return {"image_size": 3}

    def check_agrees(self, config):
        pass

    def __call__(self, table, targets=()):
        flat = {
            name: torch.tensor(np.concatenate(table[name].to_numpy()))
            for name in table.column_names
            if name != "detector"
        }
        batch = {
            "coordinates": torch.stack([flat["x"], flat["y"], flat["z"]], dim=1),
            "energy": flat["energy"] * self.scale,
            "offset": torch.tensor([len(hits) for hits in table["x"].to_pylist()]).cumsum(0),
        }
        return BatchFeature(batch | ({"labels": flat[targets[0]]} if targets else {}))

    def save_pretrained(self, folder, **options):
        pass


@dataclass(frozen=True)
class Mirror:
    probability: float = 0.0

    def __call__(self, batch):
        sign = 1 - 2 * (torch.rand(1) < self.probability).float()
        return {**batch, "coordinates": batch["coordinates"] * torch.tensor([1.0, sign.item(), 1.0])}


class Evaluator:
    def __init__(self):
        self.seen = []

    def check_events(self, rows, split, config):
        assert rows is not None, split

    def training_metrics(self, prediction):
        self.seen.append(prediction)
        return {"accuracy": float((prediction.predictions.argmax(-1) == prediction.label_ids).mean())}


EVALUATOR = Evaluator()


class ToyDetector:
    def geometry(self):
        return {"detector": "toy"}


@pytest.fixture
def toy(monkeypatch):
    """The toy in the tables, and them as they were afterwards."""
    for name in ("MODALITIES", "TASKS", "ARCHITECTURES"):
        monkeypatch.setattr(registry, name, getattr(registry, name))
        for key in ("points", "hits", "toy_points"):
            monkeypatch.delitem(getattr(registry, name), key, raising=False)
    monkeypatch.setitem(sys.modules, "toy_of_test", sys.modules[HERE])
    monkeypatch.setattr(recipe_data, "find_detector", lambda name: ToyDetector())
    own = {
        name: f"toy_of_test.{name}"
        for name in ("Mirror", "EVALUATOR", "ToyConfig", "ToyModel", "ToyProcessor")
    }
    modality = registry.Modality("points", "", own["ToyProcessor"], "", "", own["Mirror"])
    task = registry.Task(
        name="hits",
        recipe="nuzoo.training.recipe.Recipe",
        trainer="nuzoo.training.supervised.train",
        targets=("hit_class",),
        auto_class="AutoModelForTokenClassification",
        evaluator=own["EVALUATOR"],
    )
    network = registry.Architecture("toy_points", own["ToyConfig"], "points", {"hits": own["ToyModel"]})
    monkeypatch.setitem(registry.MODALITIES, "points", modality)
    monkeypatch.setitem(registry.TASKS, "hits", task)
    monkeypatch.setitem(registry.ARCHITECTURES, "toy_points", network)
    monkeypatch.setattr("transformers.AutoModelForTokenClassification.from_config", ToyModel)
    EVALUATOR.seen.clear()


@pytest.fixture
def recipe(toy, tmp_path):
    content = {
        "source": "a test",
        "task": "hits",
        "model": {"model_type": "toy_points", "width": 16},
        "processor": {},
        "augmentation": {"probability": 0.5},
        "training": {
            "output_dir": str(tmp_path / "run"),
            "per_device_train_batch_size": 4,
            "per_device_eval_batch_size": 4,
            "num_train_epochs": 30,
            "learning_rate": 0.05,
            "use_cpu": True,
            "disable_tqdm": True,
        },
    }
    (tmp_path / "toy.yaml").write_text(yaml.safe_dump(content))
    return load_recipe(tmp_path / "toy.yaml")


def test_a_label_for_each_hit_is_learnt(recipe):
    splits = {"train": rows((5, 0, 9, 1, 12, 8)), "validation": rows(COUNTS)}
    output = train(recipe, splits=splits)
    log = json.loads((output / "trainer_state.json").read_text())["log_history"]
    accuracy = [entry["eval_accuracy"] for entry in log if "eval_accuracy" in entry]
    assert accuracy[-1] > 0.8
    assert load_recipe(output / "recipe.yaml") == recipe


def test_the_point_transformer_learns_from_eighty_events(tmp_path):
    """As many as the mini sample of PILArNet-M has: the loss falls, and more than for the commonest class."""
    rng = np.random.default_rng(0)

    def event(number):
        """Hits along a line, and others anywhere."""
        line = 300 + np.arange(30)[:, None] * rng.uniform(-1, 1, 3)
        voxels = np.unique(np.concatenate([line.astype(int), rng.integers(200, 400, (20, 3))]), axis=0)
        is_line = (voxels[:, None] == line.astype(int)).all(-1).any(-1)
        hits = dict(zip("xyz", voxels.T.tolist(), strict=True)) | {"energy": [0.5] * len(voxels)}
        return small_row(event_id=f"sim-1-{number}", **hits, motif=np.where(is_line, TRACK, LED).tolist())

    names = ("event_id", "detector", "positions", "x", "y", "z", "energy", "motif")
    events = [{name: row[name] for name in names} for row in map(event, range(100))]
    made = datasets.Dataset.from_list(events).cast_column(
        "motif", datasets.List(datasets.ClassLabel(names=list(MOTIFS)))
    )
    given = {"num_train_epochs": 3, "per_device_train_batch_size": 8, "logging_steps": 1, "use_cpu": True}
    given |= {"output_dir": str(tmp_path / "run"), "disable_tqdm": True, "save_strategy": "no"}
    given |= {"load_best_model_at_end": False}
    changes = {f"training.{name}": value for name, value in given.items()}
    run = load_recipe("nu_point_motif_tiny").changed(changes)
    splits = {"train": made.select(range(80)), "validation": made.select(range(80, 100))}
    folder = train(run, splits=splits)
    log = json.loads((folder / "trainer_state.json").read_text())["log_history"]
    losses = [entry["loss"] for entry in log if "loss" in entry]
    assert len(losses) == 30 and np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])
    commonest = max(np.mean(np.concatenate(splits["validation"]["motif"]) == kind) for kind in (TRACK, LED))
    assert [entry["eval_accuracy"] for entry in log if "eval_accuracy" in entry][-1] > commonest + 0.1


@pytest.mark.parametrize("counts", [COUNTS, (1, 1, 1, 1), (1, 1, 1), (4,), (2, 0, 1, 1, 0)])
def test_metrics_and_predictions_are_of_every_hit_once_and_in_order(recipe, counts):
    held_out = rows(counts)
    trainer = build_trainer(recipe, {"train": rows(COUNTS), "validation": held_out}, [])
    trainer.evaluate()
    seen = EVALUATOR.seen[-1]
    expected = np.concatenate([np.asarray(labels) for labels in held_out["hit_class"]])
    assert np.array_equal(seen.label_ids, expected)
    with torch.no_grad():
        alone = [
            trainer.model(**batch).logits.numpy()
            for batch in map(trainer.eval_dataset.__getitem__, range(len(counts)))
        ]
    np.testing.assert_allclose(seen.predictions, np.concatenate(alone), atol=1e-6)


def test_held_out_events_of_cross_validation_keep_their_hits(recipe):
    predictions = cross_validate(recipe.changed({"training.num_train_epochs": 1}), rows(COUNTS), folds=3)
    assert [prediction.shape for prediction in predictions] == [(hits, 2) for hits in COUNTS]
    with pytest.raises(RecipeError, match="2 to 9 folds"):
        cross_validate(recipe, rows(COUNTS), folds=10)


def test_a_recipe_of_the_toy_is_checked_as_those_of_the_zoo(recipe):
    for change, complaint in {
        "model.widht": "did you mean width",
        "augmentation.probabilty": "fields among probability, got probabilty",
        "processor.scales": "did you mean scale",
    }.items():
        with pytest.raises(RecipeError, match=complaint):
            recipe.changed({change: 1})
    with pytest.raises(RecipeError, match="expected a network for hits, got nu_cnn, which is for event-"):
        recipe.changed({"model": {"model_type": "nu_cnn"}})


@pytest.mark.parametrize("factor", ["layer_decay", "encoder_rate"])
def test_rates_of_blocks_that_a_network_does_not_have_are_refused_before_the_training(recipe, factor):
    splits = {"train": rows(COUNTS), "validation": rows(COUNTS)}
    with pytest.raises(RecipeError, match=rf"optimiser\.{factor}: it has no effect"):
        build_trainer(recipe.changed({f"optimiser.{factor}": 0.5}), splits, [])
