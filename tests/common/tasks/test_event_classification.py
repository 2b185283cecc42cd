"""What every network for event classification must do."""

from .classification import (
    test_labels_change_no_result,
    test_logits_are_one_for_each_class,
    test_loss_is_the_cross_entropy,
)

TASK = "event-classification"
__all__ = [
    "test_labels_change_no_result",
    "test_logits_are_one_for_each_class",
    "test_loss_is_the_cross_entropy",
]
