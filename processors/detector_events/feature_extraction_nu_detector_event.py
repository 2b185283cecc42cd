"""Detector events for networks: what each part recorded becomes standardised numbers in ragged batches."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import torch
from transformers import PreTrainedConfig
from transformers.feature_extraction_utils import BatchFeature, FeatureExtractionMixin

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.files.events.detector_event_columns import DetectorEventGeometry
from nuzoo.files.events.detector_events import detector_event_schema
from nuzoo.files.events.event_schema import EventSchema
from nuzoo.processors.detector_events.detector_event_parts import (
    AHCAL,
    CAL,
    ECAL_ENERGY,
    MUON_MOMENTUM,
    RecordedParts,
    as_rows,
    read_parts,
)
from nuzoo.processors.detector_events.detector_event_settings import (
    PUBLISHED_VERTEX,
    GhostRule,
    VertexConstants,
    check_detector_event_settings,
)
from nuzoo.processors.detector_events.detector_event_targets import (
    asks_voxels,
    read_event_targets,
    read_voxel_labels,
    refuse_unknown_targets,
)
from nuzoo.processors.detector_events.detector_event_words import (
    detector_event_facts,
    detector_event_instructions,
)
from nuzoo.processors.detector_events.event_quantities import (
    ENERGIES,
    MUON_CHI2,
    QUANTITIES,
    WITH_FACTOR,
    QuantityScale,
    refuse_other_units,
    scaled,
)
from nuzoo.processors.detector_events.example_detector_events import example_detector_events
from nuzoo.processors.detector_events.reconstructed_events import reconstructed_events
from nuzoo.processors.detector_events.training_constants import TrainingConstants
from nuzoo.processors.event_tables import EVENTS_PER_FIT_STEP, as_table, in_steps
from nuzoo.processors.input_errors import ProcessorModelMismatchError
from nuzoo.processors.saved_processor import SavedProcessor
from nuzoo.processors.standardisation import RobustStandardisation, Transform

MUON_FEATURES = 5
SHAPES = ("cal_shape", "layers_per_module", "ecal_shape", "ahcal_shape")
TINY: dict[str, Any] = {
    "cal_shape": (24, 24, 40),
    "layers_per_module": 20,
    "ecal_shape": (5, 5),
    "ahcal_shape": (12, 12, 10),
}


class NuDetectorEventFeatureExtractor(SavedProcessor, FeatureExtractionMixin):  # type: ignore[misc]
    """Turn what the parts of a detector recorded into standardised numbers, one part after the other.

    Hits of the 3DCal and the AHCAL, and muon tracks, lie in a row, those of event after event in their order;
    an offset of each part says where each event's end. The ECAL is dense. What an event becomes depends on
    nothing else in the batch. Constants are those of the events that `fit` is given, training ones.

    Args:
        detector: identifier of the detector; rows of another one are refused. None takes any.
        cal_shape: cubes of the 3DCal along x, y and z, without gaps.
        layers_per_module: layers of cubes of one module.
        ecal_shape: towers along x and y.
        ahcal_shape: cells along x, y and z.
        muon_tracks: the most tracks of an event.
        energy_transform: of the robust standardisation of all energies.
        charge_factor: that energies of the 3DCal and the AHCAL are multiplied by first, 1/MeV. It changes the
            constants and nothing else.
        muon_transforms: of the momenta of muon tracks along x, y and z. The public code has identity in one
            version, and asinh, asinh and log1p in a later one; which made the paper is not known.
        vertex: networks standardise vertices, "published" by the constants of the public code, "fitted" by
            the mean and standard deviation of the training events.
        ghosts: what a ghost is, a name in `nuzoo.files.events.detector_event_labels.GHOST_RULES`.
        input_statistics: k, mu and sigma of each quantity in `QUANTITIES`.
        momentum_statistics: see the function of this name; None where `fit` was given no truth.
        vertex_mean_mm: along x, y and z.
        vertex_std_mm: along x, y and z.
        **kwargs: see `SavedProcessor`.

    Raises:
        ProcessorSettingError: a setting is unknown or out of range.
        FormatVersionError: the settings are of another format.
    """

    modality: ClassVar[str] = "detector-events"
    statistics: ClassVar[tuple[str, ...]] = ("input_statistics",)
    model_input_names: ClassVar[list[str]] = [
        ECAL_ENERGY,
        *(f"{part}_{name}" for part in (CAL, AHCAL) for name in ("coordinates", "energy", "offset")),
        "muon_tracks",
        "muon_offset",
        "muon_count",
    ]

    def __init__(
        self,
        detector: str | None = None,
        cal_shape: Sequence[int] = (48, 48, 200),
        layers_per_module: int = 20,
        ecal_shape: Sequence[int] = (5, 5),
        ahcal_shape: Sequence[int] = (18, 18, 40),
        muon_tracks: int = 10,
        energy_transform: Transform = "log1p",
        charge_factor: float = 10.0,
        muon_transforms: Sequence[Transform] = ("identity", "identity", "identity"),
        vertex: VertexConstants = "published",
        ghosts: GhostRule = "status",
        input_statistics: dict[str, dict[str, float]] | None = None,
        momentum_statistics: dict[str, dict[str, Any]] | None = None,
        vertex_mean_mm: Sequence[float] | None = None,
        vertex_std_mm: Sequence[float] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.detector = detector
        self.cal_shape, self.ecal_shape = list(cal_shape), list(ecal_shape)
        self.ahcal_shape = list(ahcal_shape)
        self.layers_per_module, self.muon_tracks = layers_per_module, muon_tracks
        self.energy_transform, self.charge_factor = energy_transform, charge_factor
        self.muon_transforms = list(muon_transforms)
        self.vertex, self.ghosts = vertex, ghosts
        self.input_statistics, self.momentum_statistics = input_statistics, momentum_statistics
        known = PUBLISHED_VERTEX if vertex == "published" else (None, None)
        mean, deviation = (vertex_mean_mm or known[0], vertex_std_mm or known[1])
        self.vertex_mean_mm, self.vertex_std_mm = (one and list(one) for one in (mean, deviation))
        check_detector_event_settings(vars(self), self.transforms)

    @classmethod
    def tiny(cls, config: Any) -> Self:
        """Build a small one for tests, of the detector of a network where that says so."""
        return cls(**{name: getattr(config, name, size) for name, size in TINY.items()})

    @property
    def needed_statistics(self) -> tuple[str, ...]:
        """Names of the settings that `fit` measures."""
        of_vertex = ("vertex_mean_mm", "vertex_std_mm") if self.vertex == "fitted" else ()
        return (*self.statistics, *of_vertex)

    @property
    def _layout(self) -> DetectorEventGeometry:
        return DetectorEventGeometry.of(vars(self))

    @property
    def schema(self) -> EventSchema:
        """The columns that it reads."""
        return detector_event_schema(vars(self))

    @property
    def transforms(self) -> dict[str, Transform]:
        """The transform of each quantity."""
        of_energies = dict.fromkeys(ENERGIES, self.energy_transform)
        return {
            **of_energies,
            **dict(zip(MUON_MOMENTUM, self.muon_transforms, strict=False)),
            MUON_CHI2: "log1p",
        }

    @property
    def factors(self) -> dict[str, float]:
        """What each quantity is multiplied by first."""
        return {name: float(self.charge_factor) if name in WITH_FACTOR else 1.0 for name in QUANTITIES}

    @property
    def scales(self) -> dict[str, QuantityScale]:
        """From each quantity, energies in MeV and momenta in GeV/c, to that of the network, and back."""
        self.refuse_unfitted()
        return {
            name: QuantityScale(self.factors[name], RobustStandardisation(self.transforms[name], **constants))
            for name, constants in (self.input_statistics or {}).items()
        }

    def example_events(self, events: int = 4) -> list[dict[str, Any]]:
        """Make up events of this processor's detector; see `example_detector_events`."""
        return example_detector_events(self._layout, events)

    def check_agrees(self, config: PreTrainedConfig) -> None:
        """Refuse a network for a detector of other parts, or one that reads a question as well."""
        super().check_agrees(config)
        for name in SHAPES:
            own, other = getattr(self, name), getattr(config, name, None)
            if other is not None and (list(other) if isinstance(own, list) else other) != own:
                raise ProcessorModelMismatchError(
                    f"expected a processor for the model's {name}={other}, got one for {own}: use the "
                    "processor that is saved with the model"
                )

    def network_fields(self) -> dict[str, Any]:
        """Give the shapes of the parts, the features of a track, and the constants."""
        names = [*SHAPES, "energy_transform", "input_statistics"]
        names += ["momentum_statistics", "vertex_mean_mm", "vertex_std_mm"]
        return {name: getattr(self, name) for name in names} | {"muon_features": MUON_FEATURES}

    def facts(self) -> dict[str, str]:
        """Say what it expects, with units, for people: meaning and value."""
        return detector_event_facts(vars(self))

    def instructions(self) -> dict[str, Any]:
        """Say how its tensors are made, for those who make them without it; see `EventProcessor`."""
        return detector_event_instructions(vars(self), self.transforms)

    def fit(self, rows: Any, *, detector: str | None = None, **unknown: Any) -> Self:
        """Measure the constants on the training events, those of momenta where all of these know the truth.

        Args:
            rows: see `__call__`; read in steps.
            detector: see `__call__`.
            **unknown: refused by name.

        Raises:
            MissingStatisticsError: values of a quantity are too few, or all alike; or vertices shall be
                fitted, and are not known.
            EventError: see `__call__`.
        """
        self.refuse_options(unknown, ("detector",))
        found = TrainingConstants(self.schema)
        for step in in_steps(rows, EVENTS_PER_FIT_STEP, self.split_events):
            found.add(*self._read(step, detector))
        statistics, momenta = found.of_inputs(self.transforms, self.factors), found.of_momenta()
        if self.vertex == "fitted":
            self.vertex_mean_mm, self.vertex_std_mm = found.of_vertices()
        self.input_statistics, self.momentum_statistics = statistics, momenta
        return self

    def __call__(
        self,
        rows: Any,
        *,
        targets: Sequence[str] = (),
        detector: str | None = None,
        return_tensors: str | None = "pt",
        **unknown: Any,
    ) -> BatchFeature:
        """Make the tensors of one event or of a batch of events.

        Args:
            rows: a dataset row or a list of them, a batch as a dataset's slice gives it, an Arrow table or a
                `datasets.Dataset`.
            targets: columns with the truth of events, see `read_event_targets` for what they become; and
                `VOXEL_TRUTH`, for what made each hit of the 3DCal, see `read_voxel_labels`.
            detector: accept rows of this detector although the processor is made for another one.
            return_tensors: "pt" for torch, "np" for NumPy.
            **unknown: refused by name.

        Returns:
            Of the 3DCal `cal_coordinates`, int64 (hits, 3), numbers of cubes; `cal_energy`, float32
            (hits, 1); `cal_offset`, int64 (events,), where each event's hits end. Of the AHCAL the same as
            `ahcal_…`. `ecal_energy`, float32 (events, towers). `muon_tracks`, float32 (tracks, 5): charge,
            px, py, pz and chi2, with `muon_offset`; `muon_count`, float32 (events, 1), the tracks that were
            found. All are dimensionless. With targets the truth.

        Raises:
            MissingStatisticsError: the processor has not been fitted.
            DetectorMismatchError: rows are of another detector.
            ProcessorSettingError: an option is unknown or out of range.
            EventError: see `nuzoo.files.events.event_errors` and `nuzoo.processors.input_errors`.
        """
        rows = self.opened(rows, unknown)
        refuse_unknown_targets(targets)
        rows, parts = self._read(rows, detector)
        batch = self._recorded(parts)
        if asks_voxels(targets):
            batch |= read_voxel_labels(rows, self.schema, self.ghosts)
        batch |= read_event_targets(rows, self.schema, targets, len(parts.muon_count))
        return BatchFeature(batch, tensor_type=return_tensors)

    def post_process_event_reconstruction(
        self, outputs: Any, config: PreTrainedConfig
    ) -> list[dict[str, Any]]:
        """Give the physics of each event that a network reconstructed.

        Args:
            outputs: of the network; see `reconstructed_events`.
            config: of the network, with its classes and temperatures.

        Returns:
            See `reconstructed_events`: probabilities of flavours and classes of charm by name, momenta in
            GeV/c, visible energy in GeV, missing transverse momentum in GeV/c, the vertex in mm.
        """
        of_network: Any = config
        classes = {name: class_names_of(config, name) for name in ("flavour", "charm")}
        temperatures = {"flavour": of_network.temperature, "charm": of_network.charm_temperature}
        return reconstructed_events(outputs, classes, temperatures)

    def _read(self, rows: Any, detector: str | None) -> tuple[Any, RecordedParts]:
        """Read rows: apart, and what was recorded."""
        rows = as_rows(as_table(rows), self.schema)
        self.check_detector(rows, detector)
        return rows, read_parts(rows, self.schema)

    def _recorded(self, parts: RecordedParts) -> dict[str, torch.Tensor]:
        scales = self.scales
        for name in WITH_FACTOR:
            refuse_other_units(parts, name, scales[name])
        of = {name: scaled(parts, name, scale) for name, scale in scales.items()}
        batch = {ECAL_ENERGY: of[ECAL_ENERGY].reshape(parts.ecal.shape)}
        for part in (CAL, AHCAL):
            batch[f"{part}_coordinates"] = torch.from_numpy(parts.cells(part))
            batch[f"{part}_energy"] = of[f"{part}_energy"][:, None]
            batch[f"{part}_offset"] = torch.from_numpy(parts.offset(f"{part}_energy"))
        charge = torch.from_numpy(parts.values("muon_charge")).float()
        tracks = [charge, *(of[name] for name in (*MUON_MOMENTUM, MUON_CHI2))]
        return batch | {
            "muon_tracks": torch.stack(tracks, dim=1),
            "muon_offset": torch.from_numpy(parts.offset("muon_charge")),
            "muon_count": torch.from_numpy(parts.muon_count).float()[:, None],
        }
