"""Augmentations in physical units, told what the numbers of a batch mean."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from nuzoo.processors.contract import EventProcessor
from nuzoo.training.fields import RecipeError

BatchTransform = Callable[[Mapping[str, Any]], dict[str, Any]]


@runtime_checkable
class PhysicalAugmentation(Protocol):
    """An augmentation whose settings are in mm and MeV."""

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Refuse a batch of no known processor; see `bound_to`."""
        raise RecipeError(
            "augmentation: expected to know the processor of the batch, whose numbers have no units, got "
            "none: call augmentation.bound_to(processor)(batch)"
        )

    def bound_to(self, processor: EventProcessor, targets: Sequence[str] = ()) -> BatchTransform:
        """Make what transforms the batches of a processor, asked for with these targets."""


def bound(
    augmentation: BatchTransform | PhysicalAugmentation, processor: EventProcessor, targets: Sequence[str]
) -> BatchTransform:
    """Bind an augmentation to a processor if it needs one; others stay as they are.

    Args:
        augmentation: Of a recipe.
        processor: What makes the batches.
        targets: Columns with the truth, as the processor is asked for them.
    """
    if isinstance(augmentation, PhysicalAugmentation):
        return augmentation.bound_to(processor, targets)
    return augmentation
