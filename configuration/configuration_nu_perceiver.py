"""The configuration of `nu_perceiver`, the Perceiver-IO encoder for events of several sub-detectors."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from huggingface_hub.dataclasses import strict

from nuzoo.configuration.detector_event_config import DetectorEventConfig
from nuzoo.configuration.event_classifier_config import EventClassifierConfig, check_temperature
from nuzoo.configuration.perceiver_config import PerceiverConfig, check_tiles
from nuzoo.files.events.detector_event_columns import CHARM_CLASSES, FLAVOURS, VOXEL_TRUTH
from nuzoo.files.events.event_classes import check_class_names

TYPICAL_TARGETS: dict[str, Any] = {
    "momentum_statistics": {
        "vis": {
            **{"k_T": 0.3, "mu_uT": 0.7, "sigma_uT": 0.56, "k_Z": 579.0, "mu_uZ": 0.63, "sigma_uZ": 0.57},
            **{"s_xyz": [0.28, 0.3, 579.0], "tau_pt": 0.066, "tau_mag": 39.0},
        },
        "jet": {
            **{"k_T": 4.2, "mu_uT": 0.84, "sigma_uT": 0.45, "k_Z": 319.0, "mu_uZ": 0.63, "sigma_uZ": 0.56},
            **{"s_xyz": [4.7, 4.0, 319.0], "tau_pt": 1.4, "tau_mag": 16.0},
        },
        "lep": {"s_xyz": [4.3, 3.6, 343.0], "tau_pt": 1.1, "tau_mag": 21.0},
    },
    "vertex_mean_mm": [174.26, 109.02, -66.38],
    "vertex_std_mm": [135.14, 125.34, 652.16],
}
"""Constants of the targets of `tiny`: those of the momenta of 268 simulated events, and the published ones of
vertices. A recipe takes those of its training events.
"""


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
class NuPerceiverConfig(PerceiverConfig, DetectorEventConfig, EventClassifierConfig):
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
        decoder_hidden_size: numbers of a query about what was hidden, in pre-training.
        decoder_heads: of each block of the decoder.
        decoder_layers: blocks of the decoder.
        voxel_fields: numbers of a voxel that the decoder makes, of the 3DCal and of the AHCAL.
        wave_shares: waves along x, y and z of which these are made, for each voxel of a patch.
        wave_ranks: sets of waves.
        mask_ratio: patches that are hidden in pre-training. The ECAL and the muons are with half of it as
            probability.
        decoded_share: part of the patches, those that are hidden and those that are seen, that the decoder is
            asked about in a training step, by a draw; fewer are faster.
        relation_mask_ratio: patches that are hidden where what made the others' hits is asked.
        relation_probability: of a training step that asks that; 0 never does.
        ghosts_are_empty: voxels with ghosts are to be reconstructed as empty, which takes their truth.
        head_dropout: probability, in training, that a number that a head for a quantity of events reads is 0.
        head_initializer_range: standard deviation of the initial weights of these heads.
        label_smoothing: of the classes of events in training, and of the truth of voxels and hits.
        charm_classes: names of the classes of charm, in the order of their logits.
        charm_temperature: what `temperature` is for flavours, for classes of charm.
        temperature: see `EventClassifierConfig`.
        evidential: see `EvidentialConfig`; of flavours and classes of charm.
        evidence_epochs: see `EvidentialConfig`.
        id2label: names of flavours; by default those of FASERCal.
        cal_shape: see `DetectorEventConfig`.
        layers_per_module: see `DetectorEventConfig`.
        ecal_shape: see `DetectorEventConfig`.
        ahcal_shape: see `DetectorEventConfig`.
        muon_features: see `DetectorEventConfig`.
        data_version: see `DetectorEventConfig`.
        energy_transform: see `DetectorEventConfig`.
        input_statistics: see `DetectorEventConfig`.
        momentum_statistics: see `DetectorEventConfig`.
        vertex_mean_mm: see `DetectorEventConfig`.
        vertex_std_mm: see `DetectorEventConfig`.
    """

    model_type = "nu_perceiver"
    classes: ClassVar[tuple[str, ...]] = FLAVOURS
    temperatures: ClassVar[tuple[str, ...]] = ("temperature", "charm_temperature")
    keys_to_ignore_at_inference: ClassVar[list[str]] = [
        *(f"{part}_loss" for part in ("flavour", "charm", "vis", "jet", "lepton", "vertex")),
        *("hidden_states", "attentions"),
    ]
    fields_of_modules: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "charm_head": (
            *("head_dropout", "head_initializer_range", "label_smoothing"),
            *("charm_classes", "charm_temperature", "temperature", "evidential", "evidence_epochs"),
        )
    }

    cal_patch: list[int] | tuple[int, ...] = (12, 12, 10)
    ahcal_patch: list[int] | tuple[int, ...] = (6, 6, 5)
    least_hits: int = 2
    num_module_layers: int = 4
    num_ahcal_layers: int = 4
    decoder_hidden_size: int = 256
    decoder_heads: int = 8
    decoder_layers: int = 2
    voxel_fields: list[int] | tuple[int, ...] = (8, 4)
    wave_shares: list[float] | tuple[float, ...] = (0.4, 0.4, 0.6)
    wave_ranks: int = 2
    mask_ratio: float = 0.75
    decoded_share: float = 1.0
    relation_mask_ratio: float = 0.25
    relation_probability: float = 0.5
    ghosts_are_empty: bool = True
    head_dropout: float = 0.0
    head_initializer_range: float = 2e-5
    label_smoothing: float = 0.02
    charm_classes: list[str] | tuple[str, ...] = CHARM_CLASSES
    charm_temperature: float = 1.0

    def __post_init__(self, **kwargs: Any) -> None:
        for name in ("cal_patch", "ahcal_patch", "voxel_fields", "wave_shares", "charm_classes"):
            setattr(self, name, list(getattr(self, name)))
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
    def other_classes(self) -> dict[str, list[str]]:
        """Names of the classes of targets beside flavour, by the column of the target."""
        return {"charm": list(self.charm_classes)}

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
            "decoder_hidden_size": 48,
            "decoder_heads": 4,
            "decoder_layers": 2,
            "decoded_share": 0.25,
        }
        return cls(**(size | deepcopy(TYPICAL_TARGETS) | kwargs))

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

    def validate_decoder(self) -> None:
        """Raise `ValueError` for sizes that make no decoder."""
        sizes = (self.decoder_hidden_size, self.decoder_heads, self.decoder_layers, self.wave_ranks)
        if min(sizes) < 1 or self.decoder_hidden_size % self.decoder_heads or self.decoder_hidden_size % 2:
            raise ValueError(
                "decoder_hidden_size, decoder_heads, decoder_layers and wave_ranks must be at least 1, "
                f"decoder_hidden_size a multiple of decoder_heads and of 2, got {sizes}"
            )
        if len(self.voxel_fields) != 2 or min(self.voxel_fields) < 1:
            raise ValueError(f"voxel_fields must be 2 whole numbers above 0, got {self.voxel_fields}")
        if len(self.wave_shares) != 3 or not all(0 < share <= 1 for share in self.wave_shares):
            raise ValueError(f"wave_shares must be 3 numbers above 0, 1 at most, got {self.wave_shares}")

    def validate_probabilities(self) -> None:
        """Raise `ValueError` for what is no probability, or none below 1 where 1 leaves nothing."""
        for name in (
            "drop_path_rate",
            "mask_ratio",
            "relation_mask_ratio",
            "head_dropout",
            "label_smoothing",
        ):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be from 0 to below 1, got {getattr(self, name)}")
        if not 0 < self.decoded_share <= 1:
            raise ValueError(f"decoded_share must be above 0, 1 at most, got {self.decoded_share}")
        if not 0 <= self.relation_probability <= 1:
            raise ValueError(f"relation_probability must be from 0 to 1, got {self.relation_probability}")

    def validate_smoothing(self) -> None:
        """Raise `ValueError` for smoothed labels beside evidence, whose loss has none."""
        if self.evidential is not None and self.label_smoothing:
            raise ValueError(
                "label_smoothing must be 0 beside evidential, whose loss is no cross-entropy, got "
                f"{self.label_smoothing:g}: set it to 0, or leave evidential out"
            )

    def validate_charm(self) -> None:
        """Raise `ValueError` for classes of charm that no table can hold, or a temperature out of range."""
        if len(self.charm_classes) < 2:
            raise ValueError(f"charm_classes must be at least 2 names, got {self.charm_classes}")
        check_class_names(self.charm_classes)
        check_temperature("charm_temperature", self.charm_temperature)


def truth_of_hits(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the columns of truth that pre-training takes, by the fields of a configuration."""
    empty, asked = fields.get("ghosts_are_empty", True), fields.get("relation_probability", 1)
    return VOXEL_TRUTH if empty or asked else ()
