"""What the configuration of every event classifier holds, whatever it reads: its classes, its calibration."""

from typing import Any, ClassVar

from huggingface_hub.dataclasses import strict
from transformers import PreTrainedConfig

from nuzoo.configuration.configuration_utils_nu import WITHOUT_EFFECT
from nuzoo.configuration.evidential_config import EvidentialConfig
from nuzoo.files.events.event_classes import EVENT_CLASSES, check_class_names

TEMPERATURES = (1e-3, 1e3)
"""Beyond them probabilities are 0 and 1, or all equal, whatever the logits."""


def class_names_of(config: PreTrainedConfig, target: str | None = None) -> list[str]:
    """Give the classes of a model, in the order of its logits; none where it names none.

    Args:
        config: of the model.
        target: column that counts them, of a model that tells the classes of several.
    """
    others: dict[str, list[str]] = getattr(config, "other_classes", {})
    if target in others:
        return others[target]
    names: dict[Any, str] = dict(config.id2label or {})
    return [names[label] for label in sorted(names)]


def check_temperature(name: str, temperature: float) -> None:
    """Raise `ValueError` for a temperature, of a field of that name, that is out of range."""
    low, high = TEMPERATURES
    if not low <= temperature <= high:
        raise ValueError(f"{name} must be from {low:g} to {high:g}, got {temperature}")


@strict
class EventClassifierConfig(EvidentialConfig):
    """A network that tells classes, and how sure it is.

    Args:
        temperature: logits are divided by it before the softmax to calibrate the probabilities. The
            pipeline uses it, `forward` does not.
        evidential: see `EvidentialConfig`.
        evidence_epochs: see `EvidentialConfig`.
        id2label: class names; by default `classes`.

    Attributes:
        classes: those that a network has unless it is told others.
        temperatures: names of all fields that calibrate.
    """

    is_calibrated: ClassVar[bool] = True
    without_effect: ClassVar[dict[str, tuple[Any, ...]]] = WITHOUT_EFFECT | {
        "problem_type": (None, "single_label_classification")  # the probabilities are a softmax
    }
    classes: ClassVar[tuple[str, ...]] = EVENT_CLASSES
    temperatures: ClassVar[tuple[str, ...]] = ("temperature",)

    temperature: float = 1.0
    id2label: dict[int, str] | dict[str, str] | None = None

    def __post_init__(self, **kwargs: Any) -> None:
        if self.id2label is None and kwargs.get("num_labels") in (None, len(self.classes)):
            self.id2label = dict(enumerate(self.classes))
        super().__post_init__(**kwargs)

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Make a configuration, see `NuPreTrainedConfig`; other names of classes number them anew."""
        if kwargs.get("id2label") is not None:
            kwargs = {"label2id": {name: int(label) for label, name in kwargs["id2label"].items()}} | kwargs
        return super().from_dict(config_dict, **kwargs)

    def validate_classes(self) -> None:
        """Raise `ValueError` for class names that no table can hold, or that are not numbered from 0."""
        names: dict[Any, str] = dict(self.id2label or {})
        if set(names) != set(range(len(names))):
            raise ValueError(
                f"id2label: expected the numbers 0 to {len(names) - 1}, each with the name of a class, got "
                f"{', '.join(map(repr, names))}"
            )
        check_class_names(names.values())
        stated = {int(label): name for name, label in (self.label2id or {}).items()}
        if stated and stated != names:
            raise ValueError(
                f"label2id: expected the numbers of id2label, {names}, got {stated}: correct it, or leave it "
                "out"
            )

    def validate_temperature(self) -> None:
        """Raise `ValueError` for a temperature that is out of range."""
        check_temperature("temperature", self.temperature)
