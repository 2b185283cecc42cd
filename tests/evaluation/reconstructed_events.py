"""Events with truth, and a network that reconstructs them as it is told to."""

from dataclasses import dataclass

import numpy as np
import torch
from datasets import ClassLabel, Dataset, Features
from transformers.utils import ModelOutput

from nuzoo.datasets_scripts.common.rows import row_features
from nuzoo.evaluation.tasks.event_reconstruction.predictions import EventPredictions
from nuzoo.files.events.detector_event_columns import CHARM_CLASSES, FLAVOURS

NAMES = {"flavour": list(FLAVOURS), "charm": list(CHARM_CLASSES)}


@dataclass
class Told(ModelOutput):
    """What a reconstruction network gives."""

    flavour_logits: torch.Tensor | None = None
    charm_logits: torch.Tensor | None = None
    vis_momentum: torch.Tensor | None = None
    jet_momentum: torch.Tensor | None = None
    vertex: torch.Tensor | None = None
    vertex_error: torch.Tensor | None = None


def drawn_predictions(events=200, seed=1, **changes):
    """Random truth and imperfect reconstruction; tau neutrinos have a weight of 0.05."""
    rng = np.random.default_rng(seed)
    flavour, charm = rng.integers(0, 6, events), rng.integers(0, 4, events)
    visible, jet = rng.normal((0, 0, 300), (3, 3, 90), (2, events, 3))
    vertex = rng.normal((174, 109, -66), (135, 125, 650), (events, 3))
    known = {
        "event_id": [f"e{number}" for number in range(events)],
        "weight": np.where((flavour >= 2) & (flavour <= 4), 0.05, 1.0),
        "flavour": flavour,
        "charm": charm,
        "is_cc": flavour != 5,
        "neutrino_energy": rng.uniform(100, 1000, events),
        "flavour_logits": 2 * np.eye(6)[flavour] + rng.normal(0, 1, (events, 6)),
        "charm_logits": np.eye(4)[charm] + rng.normal(0, 1, (events, 4)),
        "true_vis_momentum": visible,
        "true_jet_momentum": 0.4 * jet,
        "true_vertex": vertex,
        "vis_momentum": visible * rng.normal(1.0, 0.2, (events, 1)),
        "jet_momentum": 0.4 * jet * rng.normal(1.1, 0.3, (events, 1)),
        "vertex": vertex + rng.normal(0, 20, (events, 3)),
    }
    return EventPredictions(**(known | changes))


def rows_of(predictions, processor, split="test"):
    """Rows with the truth of predictions; each counts as many muon tracks as its number, none stored."""
    examples = processor.example_events(len(predictions.event_id))
    rows = [
        {
            **{
                name: [] if name.startswith("muon_") else np.asarray(value).tolist()
                for name, value in example.items()
            },
            "event_id": f"{split}-{number}",
            "detector": "fasercal",
            "source": "nuzoo-simulation test",
            "muon_count": number,
            "weight": float(predictions.weight[number]),
            "flavour": int(predictions.flavour[number]),
            "charm": int(predictions.charm[number]),
            "is_cc": int(predictions.is_cc[number]),
            "neutrino_energy": float(predictions.neutrino_energy[number]),
            "vis_momentum": predictions.true_vis_momentum[number].tolist(),
            "jet_momentum": predictions.true_jet_momentum[number].tolist(),
            "primary_vertex": predictions.true_vertex[number].tolist(),
        }
        for number, example in enumerate(examples)
    ]
    features = {name: of for name, of in row_features(processor.schema).items() if name in rows[0]}
    features |= {name: ClassLabel(names=list(NAMES[name])) for name in NAMES}
    return Dataset.from_list(rows, features=Features(features), split=split)


def told_outputs(predictions, numbers, **more):
    """The reconstruction of some of the events, as outputs of a network."""
    names = ("flavour_logits", "charm_logits", "vis_momentum", "jet_momentum", "vertex")
    found = {name: torch.from_numpy(getattr(predictions, name)[numbers]).float() for name in names}
    return Told(**found, **more)
