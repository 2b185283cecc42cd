"""The configuration of `nu_perceiver_image`, the Perceiver for images of single particles."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from huggingface_hub.dataclasses import strict
from transformers import PreTrainedConfig

from nuzoo.configuration.event_classifier_config import EventClassifierConfig
from nuzoo.configuration.perceiver_config import PerceiverConfig, check_tiles
from nuzoo.files.events.point_cloud_events import PARTICLE_TYPES

ParticleTarget = Literal["label", "particle_pid"]


def target_of_particles(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the column that a network learns, by the fields of its configuration."""
    return (str(fields.get("target", NuPerceiverImageConfig.target)),)


@strict
class NuPerceiverImageConfig(PerceiverConfig, EventClassifierConfig):
    """The encoder of `nu_perceiver` over images of particles, as transferred in arXiv 2604.07037.

    Patches of voxels are tokens; windows of patches take the place of the modules of a calorimeter, where
    they have hits. The defaults are the published sizes for the scintillator of Zenodo 7347562.

    Args:
        grid_shape: voxels of an image along x, y and z.
        patch: voxels of a patch; they divide an image.
        window: patches of a window; they divide those of an image.
        num_window_layers: blocks of the tokens of a window.
        context_features: numbers beside an image; 0 has none.
        context_fusion: "token" has latents read the context as a token, "pooled" adds it to their mean.
        context_dropout: probability, in training, that a number of a context that is added is 0.
        num_event_layers: blocks in which the particles of an event attend to each other; with 0 each is
            told on its own.
        event_dropout: probability of the dropout in these blocks.
        target: column of the truth: "label", of events with one particle, or "particle_pid", of particles.
        hidden_size: see `PerceiverConfig`.
        num_attention_heads: see `PerceiverConfig`.
        mlp_ratio: see `PerceiverConfig`.
        num_latent_layers: see `PerceiverConfig`.
        class_tokens: see `PerceiverConfig`.
        drop_path_rate: see `PerceiverConfig`; it rises from 0 along the blocks of windows, and stays.
        layer_norm_eps: see `PerceiverConfig`.
        initializer_range: see `PerceiverConfig`.
        temperature: see `EventClassifierConfig`.
        evidential: see `EvidentialConfig`.
        evidence_epochs: see `EvidentialConfig`.
        id2label: class names; by default proton, pion, muon and electron, or, of "particle_pid", the types of
            particles.
    """

    model_type = "nu_perceiver_image"
    classes: ClassVar[tuple[str, ...]] = ("proton", "pion", "muon", "electron")

    grid_shape: list[int] | tuple[int, ...] = (120, 120, 120)
    patch: list[int] | tuple[int, ...] = (12, 12, 10)
    window: list[int] | tuple[int, ...] = (2, 2, 2)
    num_window_layers: int = 4
    context_features: int = 31
    context_fusion: Literal["token", "pooled"] = "token"
    context_dropout: float = 0.1
    num_event_layers: int = 0
    event_dropout: float = 0.1
    target: ParticleTarget = "label"

    def __post_init__(self, **kwargs: Any) -> None:
        for name in ("grid_shape", "patch", "window"):
            setattr(self, name, list(getattr(self, name)))
        if self.id2label is None and self.target == "particle_pid" and kwargs.get("num_labels") is None:
            self.id2label = dict(enumerate(PARTICLE_TYPES))
        super().__post_init__(**kwargs)

    @property
    def window_shape(self) -> list[int]:
        """Voxels of a window along x, y and z."""
        return [patches * voxels for patches, voxels in zip(self.window, self.patch, strict=True)]

    @property
    def window_drop_paths(self) -> list[float]:
        """The probability of each block of windows."""
        last = max(self.num_window_layers - 1, 1)
        return [self.drop_path_rate * block / last for block in range(self.num_window_layers)]

    @classmethod
    def fields_from(cls, other: PreTrainedConfig) -> dict[str, Any]:
        """Give the fields that follow from a network of another type whose weights it starts from.

        Args:
            other: the configuration of a `nu_perceiver`, whose modules are its windows.
        """
        return {name: getattr(other, theirs) for name, theirs in SAME_AS_IN_NU_PERCEIVER.items()}

    @classmethod
    def base(cls, **kwargs: Any) -> Self:
        """Make the default, as published for the scintillator: 23 million parameters."""
        return cls(**kwargs)

    @classmethod
    def pilarnet(cls, **kwargs: Any) -> Self:
        """Make the published size for single particles of PILArNet."""
        return cls(**(PILARNET | {"context_features": 16} | kwargs))

    @classmethod
    def pilarnet_event(cls, **kwargs: Any) -> Self:
        """Make the published size for the particles of an event of PILArNet, told together."""
        return cls(**(PILARNET | {"context_features": 31, "num_event_layers": 2} | kwargs))

    @classmethod
    def tiny(cls, **kwargs: Any) -> Self:
        """Make one of 0.3 million for the scintillator: minutes of training on two CPU cores."""
        return cls(**(TINY | kwargs))

    @classmethod
    def tiny_pilarnet(cls, **kwargs: Any) -> Self:
        """Make one of the size of `tiny` for single particles of PILArNet."""
        return cls.pilarnet(**(TINY | kwargs))

    @classmethod
    def tiny_pilarnet_event(cls, **kwargs: Any) -> Self:
        """Make one of about the size of `tiny` for the particles of an event of PILArNet."""
        return cls.pilarnet_event(**(TINY | kwargs))

    def validate_layers(self) -> None:
        """Raise `ValueError` for fewer blocks or numbers than there can be."""
        if self.num_window_layers < 1 or min(self.num_event_layers, self.context_features) < 0:
            raise ValueError(
                "num_window_layers must be at least 1, num_event_layers and context_features at least 0, got "
                f"{self.num_window_layers}, {self.num_event_layers} and {self.context_features}"
            )
        if self.num_event_layers and self.target != "particle_pid":
            raise ValueError(
                f"num_event_layers must be 0 with target {self.target!r}, of events with one particle, got "
                f"{self.num_event_layers}"
            )

    def validate_tiles(self) -> None:
        """Raise `ValueError` for patches that do not tile an image, or windows that do not tile patches."""
        check_tiles("patch", list(self.patch), list(self.grid_shape))
        if len(self.window) != 3 or min(self.window) < 1:
            raise ValueError(f"window must be 3 whole numbers above 0, got {self.window}")
        check_tiles("window, in voxels,", self.window_shape, list(self.grid_shape))

    def validate_dropout(self) -> None:
        """Raise `ValueError` for what is no probability below 1."""
        for name in ("context_dropout", "event_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be from 0 to below 1, got {getattr(self, name)}")


SAME_AS_IN_NU_PERCEIVER = {
    "patch": "cal_patch",
    "num_window_layers": "num_module_layers",
    **{name: name for name in ("hidden_size", "num_attention_heads", "mlp_ratio", "num_latent_layers")},
    **{name: name for name in ("class_tokens", "layer_norm_eps")},
}
"""Fields, and what they are called there."""

PILARNET: dict[str, Any] = {
    "grid_shape": (168, 168, 180),
    "window": (2, 2, 3),
    "context_fusion": "pooled",
    "target": "particle_pid",
}
TINY: dict[str, Any] = {
    "hidden_size": 64,
    "num_attention_heads": 4,
    "mlp_ratio": 2.0,
    "num_window_layers": 2,
    "num_latent_layers": 2,
}
