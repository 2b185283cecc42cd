"""What the configuration of every network that tells classes of hits holds, whatever its layers are."""

from typing import Any, ClassVar, Literal

from huggingface_hub.dataclasses import strict

from nuzoo.configuration.config_errors import ConfigError
from nuzoo.configuration.configuration_utils_nu import WITHOUT_EFFECT
from nuzoo.configuration.evidential_config import EvidentialConfig
from nuzoo.files.events.event_classes import check_class_names
from nuzoo.files.events.point_cloud_events import MOTIFS, PARTICLE_TYPES, ROLES

HitTarget = Literal["motif", "pid", "role"]

HIT_CLASSES: dict[str, tuple[str, ...]] = {
    "motif": MOTIFS,
    "pid": PARTICLE_TYPES,
    "role": ROLES,
}
"""Classes of hits, by the column of truth that counts them."""


@strict
class HitClassifierConfig(EvidentialConfig):
    """A network that tells the class of each hit.

    Args:
        target: column of the truth of a hit that is learnt; `id2label` names its classes by default.
        lovasz_weight: of the Lovász-softmax loss beside the cross-entropy, where classes are learnt.
        focal_gamma: what a hit adds to the cross-entropy is multiplied by its (1 - probability) to this power
            (focal loss, arXiv 1708.02002); 0 is the plain one.
        class_weights: what hits of each class are multiplied by in the cross-entropy; None has all alike.
        evidential: see `EvidentialConfig`.
        evidence_epochs: see `EvidentialConfig`.
        id2label: class names; by default those of `target`.
    """

    without_effect: ClassVar[dict[str, tuple[Any, ...]]] = WITHOUT_EFFECT | {
        "problem_type": (None, "single_label_classification")  # the probabilities are a softmax
    }

    target: HitTarget = "motif"
    lovasz_weight: float = 0.0
    focal_gamma: float = 0.0
    class_weights: list[float] | None = None
    id2label: dict[int, str] | dict[str, str] | None = None

    def __post_init__(self, **kwargs: Any) -> None:
        classes = HIT_CLASSES.get(self.target, ())
        if self.id2label is None and kwargs.get("num_labels") in (None, len(classes)):
            self.id2label = dict(enumerate(classes))
        super().__post_init__(**kwargs)

    @property
    def loss_settings(self) -> dict[str, Any]:
        """What the loss of a labelling of hits is told."""
        names = ("lovasz_weight", "focal_gamma", "class_weights", "evidential")
        return {name: getattr(self, name) for name in names}

    def validate_classes(self) -> None:
        """Raise `ValueError` for class names that no table can hold."""
        check_class_names((self.id2label or {}).values())

    def check_target(self) -> None:
        """Refuse classes of hits that are those of another target.

        Raises:
            ConfigError: With both.
        """
        names = {*(self.id2label or {}).values()}
        others = [target for target, classes in HIT_CLASSES.items() if names == {*classes}]
        if others and self.target not in others:
            raise ConfigError(
                f"expected target {others[0]!r}, whose classes id2label names, got {self.target!r}: a "
                "network that has learnt one cannot tell the other"
            )

    def validate_class_weights(self) -> None:
        """Raise `ValueError` for weights that are not one for each class, or a loss that they turn round."""
        weights, classes = self.class_weights, len(self.id2label or {})
        if weights is not None and (
            len(weights) != classes or not all(0 < w < float("inf") for w in weights)
        ):
            raise ValueError(f"class_weights must be {classes} numbers above 0, one a class, got {weights}")
        if not 0 <= self.focal_gamma < float("inf"):
            raise ValueError(f"focal_gamma must be 0 or more, got {self.focal_gamma}")

    def validate_lovasz_weight(self) -> None:
        """Raise `ValueError` for a weight that rewards a loss."""
        if not 0 <= self.lovasz_weight < float("inf"):
            raise ValueError(f"lovasz_weight must be 0 or more, got {self.lovasz_weight}")
