"""What the configuration of every event classifier holds: its views, its classes, its calibration."""

from typing import Any

from huggingface_hub.dataclasses import strict

from nuzoo.configuration.configuration_utils_nu import NuPreTrainedConfig

EVENT_LABELS = ("nue_cc", "numu_cc", "nc")


def class_names_of(config: Any) -> list[str]:
    """The classes of a model, in the order of its logits.

    Args:
        config: with `id2label`.

    Returns:
        Their names; none where it names none.
    """
    names = config.id2label or {}
    return [names[label] for label in sorted(names)]


@strict
class EventClassifierConfig(NuPreTrainedConfig):
    """A network that tells the class of an event from its pixel maps.

    Args:
        num_views: number of views of an event, one to three.
        temperature: logits are divided by it before the softmax to calibrate the probabilities. The
            pipeline uses it, `forward` does not.
        id2label: class names; by default `nue_cc`, `numu_cc`, `nc`.
    """

    num_views: int = 2
    temperature: float = 1.0

    def __post_init__(self, **kwargs: Any) -> None:
        if self.id2label is None and kwargs.get("num_labels") in (None, len(EVENT_LABELS)):
            self.id2label = dict(enumerate(EVENT_LABELS))
        super().__post_init__(**kwargs)

    def validate_events(self) -> None:
        """Check what is said of the events.

        Raises:
            ValueError: the number of views or the temperature is out of range.
        """
        if not 1 <= self.num_views <= 3:
            raise ValueError(f"num_views must be 1, 2 or 3, got {self.num_views}")
        if not self.temperature > 0:
            raise ValueError(f"temperature must be positive, got {self.temperature}")
