"""The zoo's datasets by the name in their `plan.json`, and what their events hold."""

from __future__ import annotations

from collections.abc import Collection

from datasets import Features

from nuzoo.files.events.event_schema import EventSchema
from nuzoo.registry import DATASETS, MODALITIES, TASKS, Sample, import_object
from nuzoo.simulation.detectors import DETECTORS, Detector


class UnknownDatasetError(ValueError):
    """A dataset that is not in `nuzoo.registry.DATASETS`."""


def find_sample(name: object) -> Sample:
    """Look a dataset up by name.

    Raises:
        UnknownDatasetError: There is none of this name.
    """
    if not isinstance(name, str) or name not in DATASETS:
        raise UnknownDatasetError(
            f"dataset: expected one of {', '.join(DATASETS)}, got {name!r}: import the package that "
            "enters it (`nuzoo.registry.add`), or update nuzoo"
        )
    return DATASETS[name]


def schema_of(modality: str, detector: Detector) -> EventSchema:
    """Say what the events of a detector hold.

    Args:
        modality: A name in `nuzoo.registry.MODALITIES`.
        detector: Whose events they are.
    """
    schema: EventSchema = import_object(MODALITIES[modality].schema)(detector.geometry())
    return schema


def modality_of(detector: object, columns: Collection[str]) -> str | None:
    """Find out what events look like.

    Args:
        detector: Name of the one that recorded them.
        columns: What is known of them.

    Returns:
        A name in `nuzoo.registry.MODALITIES`; None for a detector or columns that are not known.
    """
    if detector not in DETECTORS:
        return None
    for modality in MODALITIES:
        try:
            schema = schema_of(modality, DETECTORS[str(detector)])
        except KeyError:  # its geometry is one of other events
            continue
        if {column.name for column in schema.hits} <= set(columns):
            return modality
    return None


def targets_of(sample: Sample) -> list[str]:
    """Return the columns with the truth that the tasks of a dataset ask for."""
    return list(dict.fromkeys(target for task in sample.tasks for target in TASKS[task].targets))


def schema_as_stored(sample: Sample, detector: Detector, features: Features) -> EventSchema:
    """Say what the events of a detector hold where the columns of truth count classes of their own.

    Args:
        sample: Which dataset it is.
        detector: Whose events they are.
        features: Of the stored dataset, with the names of its classes.
    """
    schema = schema_of(sample.modality, detector)
    for name in targets_of(sample):
        feature = features.get(name)
        names = getattr(getattr(feature, "feature", feature), "names", None)
        if names and name in schema.by_name:
            schema = schema.with_classes(name, tuple(names))
    return schema
