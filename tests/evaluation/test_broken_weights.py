"""Networks whose weights are no numbers are refused by every task, whichever part of them is broken."""

import numpy as np
import pytest
import torch
from datasets import Dataset, Features, NamedSplit

from nuzoo.datasets_scripts.common.rows import row_features
from nuzoo.evaluation.core.errors import EvaluationError
from nuzoo.evaluation.core.events import Events
from nuzoo.evaluation.retrieval.embeddings import Embeddings, embed
from nuzoo.evaluation.retrieval.retrieve import nearest_to
from nuzoo.files.events.point_cloud_events import KEYPOINT_KINDS, PARTICLE_TYPES, point_cloud_schema
from nuzoo.pipelines.pipeline_errors import NonFiniteOutputError
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor
from nuzoo.registry import ARCHITECTURES, TASKS, import_object
from nuzoo.simulation.detectors import find_detector

from .point_cloud_rows import event_row

CUBE = find_detector("lartpc-cube-768").geometry()
NETWORKS = {
    "hit-segmentation": ("nu_point", {}, "classifier"),
    "particle-segmentation": ("nu_point", {"id2label": dict(enumerate(PARTICLE_TYPES))}, "classifier"),
    "point-proposal": ("nu_point", {"id2label": dict(enumerate(KEYPOINT_KINDS))}, "keypoint_head"),
    "pre-training": ("nu_point", {}, "unmask_head"),
    "masked-autoencoding": ("nu_point_mae", {}, "energy_head"),
}
POINTS = {"keypoint_kind": [0], "keypoint_x": [100.5], "keypoint_y": [200.5], "keypoint_z": [300.5]}


def rows_of(numbers, split):
    rows = [event_row(number, event_id=f"{split}-{number}") | POINTS for number in numbers]
    features = row_features(point_cloud_schema(CUBE))
    features = Features({name: kind for name, kind in features.items() if name in rows[0]})
    return Dataset.from_list(rows, features=features, split=NamedSplit(split))


@pytest.fixture(scope="module")
def events():
    return Events(rows_of(range(2), "test"), validation=rows_of(range(2, 4), "validation"))


def broken(task, part):
    """A tiny network with NaN in the weights of its body, or of its head alone."""
    name, fields, head = NETWORKS[task]
    architecture = ARCHITECTURES[name]
    model = architecture.network_class(task)(architecture.tiny_config(**fields)).eval()
    with torch.no_grad():
        for weights in (model.base_model if part == "body" else getattr(model, head)).parameters():
            weights.fill_(float("nan"))
    return model


@pytest.mark.parametrize("part", ["body", "head"])
@pytest.mark.parametrize("task", NETWORKS)
def test_broken_weights_are_refused(task, part, events, tmp_path):
    evaluator = import_object(TASKS[task].evaluator)
    processor = NuPointCloudFeatureExtractor.for_geometry(CUBE)
    with pytest.raises(NonFiniteOutputError, match=r"expected finite .*: the weights of .* are broken"):
        evaluator.evaluate(broken(task, part), processor, events, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_nothing_is_like_an_event_of_which_a_network_sees_no_numbers(events):
    processor = NuPointCloudFeatureExtractor.for_geometry(CUBE)
    with pytest.raises(NonFiniteOutputError, match=r"last_hidden_state of rows 0 to 1, got .nan"):
        embed(broken("hit-segmentation", "body"), processor, events.rows)
    nothing = Embeddings(np.arange(3), np.full(3, -1), np.full((3, 4), np.nan, np.float32))
    with pytest.raises(EvaluationError, match="3 directions that can be compared, got fewer"):
        nearest_to(nothing, 0, 3)
