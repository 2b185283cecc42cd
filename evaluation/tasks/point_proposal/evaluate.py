"""Measure a network that proposes points of interest: one JSON of results and one file of predictions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.datasets_scripts.common.labelled_rows import check_classes_of, check_columns, check_labelled
from nuzoo.evaluation.core.class_names import labels_by_name
from nuzoo.evaluation.core.events import Events, read_lists
from nuzoo.evaluation.core.inference import cost_of, run_network
from nuzoo.evaluation.core.machine import describe_machine, start_memory_measurement
from nuzoo.evaluation.core.provenance import describe_dataset
from nuzoo.evaluation.core.results import Subject
from nuzoo.evaluation.core.results_file import write_results
from nuzoo.evaluation.core.subject import describe_subject
from nuzoo.evaluation.tasks.point_proposal.numbers import count_points, proposal_metrics
from nuzoo.evaluation.tasks.point_proposal.predictions import PointPredictions, write_predictions
from nuzoo.evaluation.tasks.point_proposal.results import ProposalDataset, ProposalResults
from nuzoo.files.events.point_cloud_events import VOXEL, PointCloudGeometry
from nuzoo.files.names import PREDICTIONS_FILE, RESULTS_FILE

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

KIND = "keypoint_kind"
PLACE = ("keypoint_x", "keypoint_y", "keypoint_z")

THRESHOLD = 0.5
"""Least score of a proposal that is measured."""


def evaluate_proposals(
    model: PreTrainedModel,
    processor: EventProcessor,
    events: Events,
    *,
    out: Path,
    batch_size: int = 16,
    sample: str | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
) -> ProposalResults:
    """Run a network over events with true points of interest and write what was measured.

    See `TaskEvaluator.evaluate`.

    Args:
        model: Proposes points.
        processor: Its processor.
        events: Only `rows` are used.
        out: Folder.
        batch_size: Events per batch.
        sample: What the events are called.
        bootstrap: Replicas for the errors.
        seed: Seed of the bootstrap.
    """
    names, post = class_names_of(model.config), processor
    subject = describe_proposals(model, processor, events, sample)
    rows = labels_by_name(events.rows, names, KIND)
    start_memory_measurement(model.device)

    def found_in(outputs: Any, inputs: Mapping[str, Any]) -> list[dict[str, NDArray[Any]]]:
        found = post.post_process_keypoint_detection(  # type: ignore[attr-defined]
            outputs, inputs, model.config.keypoint_radius, THRESHOLD
        )
        return [{name: value.cpu().numpy() for name, value in event.items()} for event in found]

    answers, times = run_network(
        model, processor, rows, found_in, batch_size=batch_size, description="propose points"
    )
    layout = PointCloudGeometry.of(vars(processor))
    predictions = _predictions(rows, [event for batch in answers for event in batch], layout)
    voxel_mm = float(max(layout.pitch_mm))
    metrics, errors = proposal_metrics(
        count_points(predictions, len(names), voxel_mm), names, voxel_mm, bootstrap, seed
    )
    results = ProposalResults(
        **vars(subject),
        class_names=subject.model.classes,
        found=predictions.found,
        voxel_mm=voxel_mm,
        threshold=THRESHOLD,
        metrics=metrics,
        bootstrap=errors,
        cost=cost_of(model, times, batch_size),
        machine=describe_machine(model.device),
    )
    out.mkdir(parents=True, exist_ok=True)
    write_predictions(out / PREDICTIONS_FILE, predictions)
    write_results(out / RESULTS_FILE, results)
    return results


def _predictions(
    rows: Dataset, found: list[dict[str, NDArray[Any]]], layout: PointCloudGeometry
) -> PointPredictions:
    scale = np.array(layout.pitch_mm) if layout.positions == VOXEL else np.ones(3)
    places = [read_lists(rows, name, np.float64) for name in PLACE]
    return PointPredictions(
        event_id=list(rows["event_id"]),
        true_kind=read_lists(rows, KIND, np.int64),
        true_place_mm=[np.stack(event, axis=-1) * scale for event in zip(*places, strict=True)],
        found_kind=[event["labels"] for event in found],
        found_place_mm=[event["keypoints"].astype(np.float64) * scale for event in found],
        found_score=[event["scores"] for event in found],
    )


def describe_proposals(
    model: PreTrainedModel, processor: EventProcessor, events: Events, sample: str | None = None
) -> Subject:
    """Say what is measured on what, see `TaskEvaluator.describe`."""
    names = class_names_of(model.config)

    def describe(rows: Dataset) -> ProposalDataset:
        kinds = read_lists(rows, KIND, np.int64)
        counts = np.bincount(np.concatenate([np.zeros(0, np.int64), *kinds]), minlength=len(names)).tolist()
        return ProposalDataset(
            **vars(describe_dataset(rows, sample)),
            keypoints_per_kind=dict(zip(names, counts, strict=True)),
            events_without=sum(not len(kind) for kind in kinds),
        )

    renumbered = labels_by_name(events.rows, names, KIND)
    measured = Events(renumbered, training=events.training, seen=events.seen)
    return describe_subject(
        model, processor, measured, check=check_events, describe=describe, truth=(KIND, *PLACE)
    )


def check_events(rows: Dataset | None, split: str, config: PreTrainedConfig) -> None:
    """Refuse events without true points of interest of the network's kinds, see `TaskEvaluator`."""
    check_labelled(rows, split, (KIND,))
    assert rows is not None
    check_columns(rows, split, PLACE)
    check_classes_of(rows, split, class_names_of(config), KIND)
