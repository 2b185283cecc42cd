"""What the configuration of every network over detector events holds: the detector's parts, and constants."""

from typing import Any

from huggingface_hub.dataclasses import strict

from nuzoo.configuration.configuration_utils_nu import NuPreTrainedConfig
from nuzoo.files.events.detector_event_columns import DATA_VERSION

SHAPES = {"cal_shape": 3, "ecal_shape": 2, "ahcal_shape": 3}


@strict
class DetectorEventConfig(NuPreTrainedConfig):
    """A network over what the parts of a detector recorded of an event.

    Args:
        cal_shape: cubes of the 3DCal along x, y and z, without gaps.
        layers_per_module: layers of cubes of one module.
        ecal_shape: towers along x and y.
        ahcal_shape: cells along x, y and z.
        muon_features: numbers of a muon track.
        data_version: of the files of FASERCal that the events have the layout of.
        energy_transform: of the standardisation of energies, from the processor.
        input_statistics: k, mu and sigma of each quantity that is read, from the processor.
        momentum_statistics: constants of the momenta of training events, from the processor.
        vertex_mean_mm: mean of the vertices along x, y and z, from the processor.
        vertex_std_mm: their standard deviation, from the processor.
    """

    cal_shape: list[int] | tuple[int, ...] = (48, 48, 200)
    layers_per_module: int = 20
    ecal_shape: list[int] | tuple[int, ...] = (5, 5)
    ahcal_shape: list[int] | tuple[int, ...] = (18, 18, 40)
    muon_features: int = 5
    data_version: int = DATA_VERSION
    energy_transform: str = "log1p"
    input_statistics: dict[str, dict[str, float]] | None = None
    momentum_statistics: dict[str, dict[str, Any]] | None = None
    vertex_mean_mm: list[float] | tuple[float, ...] | None = None
    vertex_std_mm: list[float] | tuple[float, ...] | None = None

    def __post_init__(self, **kwargs: Any) -> None:
        for name in SHAPES:
            setattr(self, name, list(getattr(self, name)))
        for name in ("vertex_mean_mm", "vertex_std_mm"):
            if getattr(self, name) is not None:
                setattr(self, name, list(getattr(self, name)))
        super().__post_init__(**kwargs)

    @property
    def modules(self) -> int:
        """Modules of the 3DCal."""
        return self.cal_shape[2] // self.layers_per_module

    def validate_detector(self) -> None:
        """Raise `ValueError` for parts of no size, or a module that does not divide the 3DCal."""
        for name, axes in SHAPES.items():
            shape = getattr(self, name)
            if len(shape) != axes or min(shape) < 1:
                raise ValueError(f"{name} must be {axes} whole numbers above 0, got {shape}")
        if self.layers_per_module < 1 or self.cal_shape[2] % self.layers_per_module:
            raise ValueError(
                "layers_per_module must divide the layers of cal_shape, got "
                f"{self.layers_per_module} and {self.cal_shape}"
            )
        if self.muon_features < 1:
            raise ValueError(f"muon_features must be at least 1, got {self.muon_features}")
