"""The configuration of `nu_perceiver`, the Perceiver-IO encoder for events of several sub-detectors."""

from dataclasses import dataclass
from typing import Any, Self

from huggingface_hub.dataclasses import strict

from nuzoo.configuration.detector_event_config import DetectorEventConfig
from nuzoo.configuration.perceiver_config import PerceiverConfig, check_tiles


@dataclass(frozen=True)
class DropPaths:
    """Probabilities, in training, that what a block adds is skipped.

    Attributes:
        cal: of the blocks of a module.
        ahcal: of the blocks of the AHCAL.
        muon: of the block that reads muon tracks.
        reads: of the blocks in which latents read tokens.
        latents: of the blocks of latents alone.
    """

    cal: list[float]
    ahcal: list[float]
    muon: float
    reads: list[float]
    latents: list[float]


@strict
class NuPerceiverConfig(PerceiverConfig, DetectorEventConfig):
    """A sparse Perceiver-IO encoder in the form of arXiv 2604.07037.

    The defaults are the published sizes. Patches of voxels are tokens; those of a module of the 3DCal attend
    to each other, those of the AHCAL alike; latents, the class tokens of modules and of the AHCAL, then read
    all tokens.

    Args:
        cal_patch: voxels of a patch of the 3DCal along x, y and z; they divide a module.
        ahcal_patch: voxels of a patch of the AHCAL.
        least_hits: a part with fewer hits is not looked at.
        num_module_layers: blocks of the tokens of a module.
        num_ahcal_layers: blocks of the tokens of the AHCAL.
        drop_path_rate: see `PerceiverConfig`; it rises from 0, and the first block that reads has none.
        hidden_size: see `PerceiverConfig`.
        num_attention_heads: see `PerceiverConfig`.
        mlp_ratio: see `PerceiverConfig`.
        num_latent_layers: see `PerceiverConfig`.
        class_tokens: see `PerceiverConfig`; the windows are the modules and the AHCAL.
        layer_norm_eps: see `PerceiverConfig`.
        initializer_range: see `PerceiverConfig`.
        cal_shape: see `DetectorEventConfig`.
        layers_per_module: see `DetectorEventConfig`.
        ecal_shape: see `DetectorEventConfig`.
        ahcal_shape: see `DetectorEventConfig`.
        muon_features: see `DetectorEventConfig`.
        data_version: see `DetectorEventConfig`.
        input_statistics: see `DetectorEventConfig`.
        momentum_statistics: see `DetectorEventConfig`.
        vertex_mean_mm: see `DetectorEventConfig`.
        vertex_std_mm: see `DetectorEventConfig`.
    """

    model_type = "nu_perceiver"

    cal_patch: list[int] | tuple[int, ...] = (12, 12, 10)
    ahcal_patch: list[int] | tuple[int, ...] = (6, 6, 5)
    least_hits: int = 2
    num_module_layers: int = 4
    num_ahcal_layers: int = 4

    def __post_init__(self, **kwargs: Any) -> None:
        self.cal_patch, self.ahcal_patch = list(self.cal_patch), list(self.ahcal_patch)
        super().__post_init__(**kwargs)

    @property
    def module_shape(self) -> list[int]:
        """Voxels of a module of the 3DCal along x, y and z."""
        return [*self.cal_shape[:2], self.layers_per_module]

    @property
    def latents(self) -> int:
        """Latents of an event at most."""
        return (self.modules + 1) * self.class_tokens

    @property
    def drop_paths(self) -> DropPaths:
        """The probability of each block: it rises along the blocks of a part, then along those of latents."""
        apart = max(self.num_module_layers, self.num_ahcal_layers)
        last = apart + 2 * self.num_latent_layers - 1
        rates = [self.drop_path_rate * stage / last for stage in range(last + 1)]
        reads = [rate / 2 for rate in rates[apart::2]]
        return DropPaths(
            cal=[rates[block * apart // self.num_module_layers] for block in range(self.num_module_layers)],
            ahcal=[rates[block * apart // self.num_ahcal_layers] for block in range(self.num_ahcal_layers)],
            muon=rates[apart // 2] / 2,
            reads=[0.0, *reads[1:]],
            latents=rates[apart + 1 :: 2],
        )

    @classmethod
    def base(cls, **kwargs: Any) -> Self:
        """Make the default, as published: 32 million parameters."""
        return cls(**kwargs)

    @classmethod
    def published_tiny(cls, **kwargs: Any) -> Self:
        """Make what the paper calls tiny, which is as large: fewer blocks of modules, more of latents."""
        return cls(**({"num_module_layers": 2, "num_ahcal_layers": 2, "num_latent_layers": 6} | kwargs))

    @classmethod
    def tiny(cls, **kwargs: Any) -> Self:
        """Make one of 0.4 million: minutes of training on two CPU cores."""
        size: dict[str, Any] = {
            "hidden_size": 64,
            "num_attention_heads": 4,
            "mlp_ratio": 2.0,
            "num_module_layers": 2,
            "num_ahcal_layers": 2,
            "num_latent_layers": 2,
        }
        return cls(**(size | kwargs))

    def validate_architecture(self) -> None:
        """Raise `ValueError` for sizes that make no network."""
        sizes = (self.least_hits, self.num_module_layers, self.num_ahcal_layers)
        if min(sizes) < 1:
            raise ValueError(
                f"least_hits, num_module_layers and num_ahcal_layers must be at least 1, got {sizes}"
            )

    def validate_patches(self) -> None:
        """Raise `ValueError` for patches that do not tile a module or the AHCAL."""
        check_tiles("cal_patch", list(self.cal_patch), self.module_shape)
        check_tiles("ahcal_patch", list(self.ahcal_patch), list(self.ahcal_shape))
