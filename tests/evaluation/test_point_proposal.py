"""Points of interest: numbers against hand-computed cases, and from a network to its report."""

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from datasets import Dataset, Features

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError
from nuzoo.datasets_scripts.common.rows import row_features
from nuzoo.evaluation.core.errors import ResultsFileError
from nuzoo.evaluation.core.events import Events
from nuzoo.evaluation.display.point_clouds.event_scene import event_scene
from nuzoo.evaluation.tasks.point_proposal.evaluator import EVALUATOR
from nuzoo.evaluation.tasks.point_proposal.numbers import count_points, pairs_of, proposal_metrics
from nuzoo.evaluation.tasks.point_proposal.predictions import PointPredictions
from nuzoo.files.events.point_cloud_events import KEYPOINT_KINDS
from nuzoo.modeling.modeling_nu_point_keypoints import NuPointForPointProposal, PointProposalOutput
from nuzoo.pipelines.point_proposal import PointProposalPipeline
from nuzoo.pipelines.written_tables import list_types, write_table
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor
from nuzoo.simulation.detectors import find_detector

from .point_cloud_rows import empty_row, small_row

CUBE = find_detector("lartpc-cube-768").geometry()
KINDS = dict(enumerate(KEYPOINT_KINDS))


def on_a_line(*places):
    return np.array([[place, 0, 0] for place in places], dtype=np.float64).reshape(-1, 3)


def predictions(*events):
    """Of each event true kinds and places, and found ones, along x in mm."""
    ints = [[np.array(event[i], dtype=np.int64) for event in events] for i in (0, 2)]
    places = [[on_a_line(*event[i]) for event in events] for i in (1, 3)]
    scores = [np.ones(len(event[2]), np.float32) for event in events]
    names = [f"e{number}" for number in range(len(events))]
    return PointPredictions(names, ints[0], places[0], ints[1], places[1], scores)


def test_the_nearest_are_pairs_one_to_one():
    """5 is nearest to 6, so that 7 takes 9: no greedy pairing by rows gives this."""
    pairs = pairs_of(on_a_line(9, 5, 100), on_a_line(7, 6), 3)
    assert pairs.tolist() == [[1, 1], [0, 0]]
    assert pairs_of(on_a_line(), on_a_line(1), 3).tolist() == []
    assert pairs_of(on_a_line(0), on_a_line(3.01), 3).tolist() == []


def test_numbers_of_hand_made_events():
    """Voxels of 1 mm. One right, one of the wrong kind, one 8 mm off, one nowhere; one event is empty."""
    events = ([0, 1, 1], [0, 50, 100], [0, 0, 1, 1], [1, 52, 108, 300]), ([], [], [], [])
    counts = count_points(predictions(*events), 2, 1.0)
    metrics, _ = proposal_metrics(counts, KEYPOINT_KINDS, 1.0, 50)
    assert (metrics.precision.value, metrics.recall.value) == (2 / 4, 2 / 3)
    assert metrics.f1.value == pytest.approx(4 / 7)
    assert (metrics.precision_far.value, metrics.recall_far.value) == (3 / 4, 1)
    assert metrics.kind_accuracy.value == 0.5
    assert (metrics.distance_median_mm.value, metrics.distance_68_mm.value) == (2, 8)
    assert metrics.precision_kind["vertex"].value == 0.5 and metrics.recall_kind["vertex"].value == 1
    assert metrics.precision_kind["track_end"].value == metrics.recall_kind["track_end"].value == 0
    assert metrics.distances == [0, 1, 1, 0, 0, 0, 0, 0, 1, 0]


def test_counts_are_pooled_and_what_is_found_in_an_empty_event_is_wrong():
    events = [([0], [0], [0], [0])] * 30 + [([], [], [0], [0])] * 10
    metrics, _ = proposal_metrics(count_points(predictions(*events), 2, 3.0), KEYPOINT_KINDS, 3.0)
    assert (metrics.precision.value, metrics.recall.value) == (0.75, 1)
    assert metrics.precision.error == pytest.approx(np.sqrt(0.75 * 0.25 / 40), rel=0.1)


def test_distances_are_those_of_drawn_events():
    """Half of the events have pairs 0 mm apart, half 6 mm: the median is of either, its error is large."""
    events = [([0], [0], [0], [0])] * 51 + [([0], [0], [0], [6])] * 50
    metrics, _ = proposal_metrics(count_points(predictions(*events), 2, 1.0), KEYPOINT_KINDS, 1.0)
    assert metrics.distance_median_mm.value == 0 and metrics.distance_median_mm.error > 2
    assert metrics.distance_68_mm.value == 6


def test_without_any_point_nothing_is_defined():
    metrics, _ = proposal_metrics(count_points(predictions(([], [], [], [])), 2, 1.0), KEYPOINT_KINDS, 1.0, 5)
    assert metrics.f1.value is metrics.distance_median_mm.value is None


class Oracle(NuPointForPointProposal):
    """Proposes of each event the first point, 1.5 voxels along x from it, as a vertex."""

    def forward(self, coordinates, energy, grid_coordinates, offset, **_):
        counts = offset.diff(prepend=offset.new_zeros(1))
        scores = torch.full((len(coordinates),), -9.0)
        scores[(offset - counts)[counts > 0]] = 9.0
        shift = torch.tensor([1.5 * 3 / (768 * 3 * 3**0.5 / 2), 0, 0])
        logits = torch.tensor([[1.0, 0.0]]).repeat(len(coordinates), 1)
        return PointProposalOutput(score_logits=scores, keypoint_places=coordinates + shift, logits=logits)


@pytest.fixture(scope="module")
def rows():
    from nuzoo.files.events.point_cloud_events import point_cloud_schema

    known = small_row(
        event_id="a",
        keypoint_kind=[0, 1],
        keypoint_x=[100.5, 103.5],
        keypoint_y=[200.5] * 2,
        keypoint_z=[300.5] * 2,
    )
    nothing = {f"keypoint_{name}": [] for name in ("kind", "x", "y", "z")}
    features = row_features(point_cloud_schema(CUBE))
    features = Features({name: kind for name, kind in features.items() if name in known})
    return Dataset.from_list([known, empty_row(event_id="b") | nothing], features=features, split="test")


@pytest.fixture(scope="module")
def oracle():
    return Oracle(NuPointConfig.tiny(id2label=KINDS)).eval()


def test_from_a_network_to_its_report(rows, oracle, tmp_path):
    processor = NuPointCloudFeatureExtractor.for_geometry(CUBE)
    results = EVALUATOR.evaluate(oracle, processor, Events(rows), out=tmp_path, bootstrap=20)
    assert (results.found, results.voxel_mm, results.dataset.events_without) == (1, 3, 1)
    assert results.dataset.keypoints_per_kind == {"vertex": 1, "track_end": 1}
    metrics = results.metrics
    assert (metrics.precision.value, metrics.recall.value, metrics.kind_accuracy.value) == (1, 0.5, 1)
    assert metrics.distance_median_mm.value == pytest.approx(3 * np.sqrt(1 + 0.25 + 0.25), rel=1e-3)
    assert EVALUATOR.read_results(tmp_path / "results.json") == results
    assert EVALUATOR.check_predictions(results, tmp_path / "predictions.parquet") == ["a", "b"]
    assert EVALUATOR.headline(results)[0].key == "f1"
    text = EVALUATOR.write_report(tmp_path).read_text()
    assert "Points of interest" in text and "| vertex | 1 |" in text
    assert (tmp_path / "distances.png").stat().st_size > 0
    other = EVALUATOR.evaluate(oracle, processor, Events(rows.select([0])), out=tmp_path / "b", bootstrap=5)
    with pytest.raises(ResultsFileError):
        EVALUATOR.check_predictions(other, tmp_path / "predictions.parquet")


def test_events_without_points_of_interest_are_refused_by_name(rows, oracle):
    with pytest.raises(UnusableDatasetError, match="none named keypoint_kind"):
        EVALUATOR.check_events(rows.remove_columns("keypoint_kind"), "test", oracle.config)
    with pytest.raises(UnusableDatasetError, match="keypoint_x"):
        EVALUATOR.check_events(rows.remove_columns("keypoint_x"), "test", oracle.config)
    with pytest.raises(UnusableDatasetError, match="count the classes"):
        EVALUATOR.check_events(rows, "test", NuPointConfig.tiny(id2label={0: "track_end", 1: "vertex"}))


def test_the_pipeline_gives_positions_and_the_display_marks_them(rows, oracle, tmp_path):
    propose = PointProposalPipeline(oracle, processor=NuPointCloudFeatureExtractor.for_geometry(CUBE))
    found, nothing = propose(rows)
    (one,) = found["keypoints"]
    assert one["label"] == "vertex" and one["score"] > 0.99 and nothing == {"keypoints": []}
    assert one["position"] == pytest.approx([101.5, 200, 300], abs=1e-3)
    assert propose.as_row(found)["x"] == [one["position"][0]] and propose.as_row(nothing)["labels"] == []
    table = tmp_path / "points.parquet"
    write_table(map(propose.as_row, (nothing, found)), table, list_types(propose))
    assert [len(event) for event in pq.read_table(table)["scores"]] == [0, 1]
    marks = event_scene(rows[0], found, None).marks
    assert [mark.kind for mark in marks] == ["true vertex", "true vertex", "track end", "found vertex"]
    np.testing.assert_allclose(marks[-1].position, np.array([101.5, 200, 300]) * 0.3, rtol=1e-5)
