"""The zoo's datasets by the name in their `plan.json`, and what their events hold."""

from __future__ import annotations

from nuzoo.files.events.event_schema import EventSchema
from nuzoo.registry import DATASETS, MODALITIES, Sample, import_object
from nuzoo.simulation.detectors import Detector


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
