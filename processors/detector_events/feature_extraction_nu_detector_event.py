"""Detector events for sparse networks: what each sub-detector recorded becomes numbers around 0."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedConfig
from transformers.feature_extraction_utils import BatchFeature, FeatureExtractionMixin

from nuzoo.files.events.detector_event_columns import DetectorEventGeometry
from nuzoo.files.events.detector_events import detector_event_schema
from nuzoo.files.events.event_errors import MissingColumnError, NonFiniteError, ShapeError
from nuzoo.files.events.event_schema import EventSchema, Ragged
from nuzoo.processors.detector_events.example_detector_events import example_detector_events
from nuzoo.processors.event_tables import as_table, in_steps, is_table, read_target, values_of
from nuzoo.processors.input_errors import ProcessorModelMismatchError, ProcessorSettingError
from nuzoo.processors.saved_processor import SavedProcessor
from nuzoo.processors.standardisation import RobustStandardisation, Transform

TRANSFORMS: dict[str, Transform] = {
    "cal_energy": "log1p",
    "ahcal_energy": "log1p",
    "ecal_energy": "log1p",
    "muon_px": "identity",
    "muon_py": "identity",
    "muon_pz": "identity",
    "muon_chi2": "log1p",
}
"""Of each quantity, as in version 7 of the public code; a later one has asinh for px and py, log1p for pz."""

EVENTS_PER_FIT_STEP = 256
MUON_FEATURES = ("muon_charge", "muon_px", "muon_py", "muon_pz", "muon_chi2")
VECTORS = ("primary_vertex", "vis_momentum", "jet_momentum", "lepton_momentum")
CLASSES = ("flavour", "charm")


class NuDetectorEventFeatureExtractor(SavedProcessor, FeatureExtractionMixin):  # type: ignore[misc]
    """Turn events into hits of the cubes and of the AHCAL, towers of the ECAL, and muon tracks.

    Hits of event after event lie in a row; the offsets say where each event's end. Energies and track
    quantities are standardised by `RobustStandardisation`, whose constants `fit` measures.

    Args:
        detector: identifier of the detector; rows of another one are refused. None takes any.
        cal_shape: cubes of the 3DCal along x, y and z.
        layers_per_module: layers of cubes of one module.
        ecal_shape: towers along x and y.
        ahcal_shape: cells along x, y and z.
        muon_tracks: the most tracks that are stored.
        transforms: of each quantity, those that differ from `TRANSFORMS`.
        least_points: tracks with fewer points are left out, as are those without chi2.
        constants: k, mu and sigma of each quantity.
        **kwargs: see `SavedProcessor`.

    Raises:
        ProcessorSettingError: a setting is unknown or out of range.
        FormatVersionError: the settings are of another format.
    """

    modality: ClassVar[str] = "detector-events"
    statistics: ClassVar[tuple[str, ...]] = ("constants",)
    model_input_names: ClassVar[list[str]] = [
        "cal_coordinates",
        "cal_energy",
        "cal_offset",
        "ahcal_coordinates",
        "ahcal_energy",
        "ahcal_offset",
        "ecal",
        "muon_count",
        "muon_tracks",
        "muon_offset",
    ]

    def __init__(
        self,
        detector: str | None = None,
        cal_shape: Sequence[int] = (48, 48, 200),
        layers_per_module: int = 20,
        ecal_shape: Sequence[int] = (5, 5),
        ahcal_shape: Sequence[int] = (18, 18, 40),
        muon_tracks: int = 10,
        transforms: Mapping[str, Transform] | None = None,
        least_points: int = 3,
        constants: Mapping[str, Mapping[str, float]] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.detector = detector
        self.cal_shape, self.ecal_shape = list(cal_shape), list(ecal_shape)
        self.ahcal_shape = list(ahcal_shape)
        self.layers_per_module, self.muon_tracks = layers_per_module, muon_tracks
        self.transforms = dict(transforms or {})
        self.least_points = least_points
        self.constants = None if constants is None else {name: dict(one) for name, one in constants.items()}
        if unknown := sorted({*self.transforms, *(self.constants or {})} - TRANSFORMS.keys()):
            raise ProcessorSettingError(
                f"transforms and constants: expected those of {', '.join(TRANSFORMS)}, got "
                f"{', '.join(unknown)}: correct the names"
            )
        if self.constants is not None:
            self._check_constants()

    def _check_constants(self) -> None:
        constants = self.constants or {}
        if missing := [name for name in TRANSFORMS if name not in constants]:
            raise ProcessorSettingError(
                f"constants: expected those of {', '.join(TRANSFORMS)}, got none of {', '.join(missing)}: "
                "fit the processor again"
            )
        if wrong := [name for name, one in constants.items() if one.keys() != {"k", "mu", "sigma"}]:
            raise ProcessorSettingError(f"constants of {wrong[0]}: expected k, mu and sigma, got others")
        for name in TRANSFORMS:
            self.scale_of(name)

    @classmethod
    def tiny(cls, config: Any) -> Self:
        """Build a small one for tests."""
        return cls(cal_shape=(12, 12, 20), layers_per_module=10, ahcal_shape=(6, 6, 10))

    @property
    def _layout(self) -> DetectorEventGeometry:
        return DetectorEventGeometry.of(vars(self))

    @property
    def schema(self) -> EventSchema:
        """The columns that it reads."""
        return detector_event_schema(vars(self))

    def scale_of(self, quantity: str) -> RobustStandardisation:
        """Return the standardisation of a quantity, a name in `TRANSFORMS`."""
        self.refuse_unfitted()
        transform = self.transforms.get(quantity, TRANSFORMS[quantity])
        return RobustStandardisation(transform, **(self.constants or {})[quantity])

    def example_events(self, events: int = 4) -> list[dict[str, Any]]:
        """Make up events of this processor's detector; see `example_detector_events`."""
        return example_detector_events(self._layout, events)

    def check_agrees(self, config: PreTrainedConfig) -> None:
        """Refuse a network for another detector's shapes, or one that reads a question as well."""
        super().check_agrees(config)
        for name, value in self.network_fields().items():
            if (wanted := getattr(config, name, None)) is not None and list(wanted) != value:
                raise ProcessorModelMismatchError(
                    f"expected a processor for the model's {name} {list(wanted)}, got one for {value}: "
                    "use the processor that is saved with the model"
                )

    def network_fields(self) -> dict[str, Any]:
        """Give the shapes of the sub-detectors."""
        return {name: getattr(self, name) for name in ("cal_shape", "ecal_shape", "ahcal_shape")}

    def facts(self) -> dict[str, str]:
        """Say what it expects, with units, for people: meaning and value."""
        shapes = {name: " × ".join(map(str, value)) for name, value in self.network_fields().items()}
        return {
            "detector": self.detector or "any of these shapes",
            **{name.replace("_", " "): shape for name, shape in shapes.items()},
            "energies": "MeV; standardised robustly after log(1 + E / k)",
            "muon tracks": f"charge, momentum in GeV/c, chi2; at least {self.least_points} points",
        }

    def fit(self, rows: Any, *, detector: str | None = None, **unknown: Any) -> Self:
        """Measure the constants of each quantity on the training events.

        Args:
            rows: see `__call__`; read in steps.
            detector: see `__call__`.
            **unknown: refused by name.

        Raises:
            MissingStatisticsError: values of a quantity are too few, or all alike.
            EventError: see `__call__`.
        """
        self.refuse_options(unknown, ("detector",))
        found: dict[str, list[NDArray[np.float32]]] = {name: [] for name in TRANSFORMS}
        for step in in_steps(rows, EVENTS_PER_FIT_STEP, self.split_events):
            hits, ecal, _ = self._read(as_table(step), detector)
            kept = self._tracks(hits)
            for name in TRANSFORMS:
                if name == "ecal_energy":
                    found[name].append(ecal.ravel())
                else:
                    values = hits[name].values.astype(np.float32)
                    found[name].append(values[kept] if name in MUON_FEATURES else values)
        fitted = {}
        for name, parts in found.items():
            transform = self.transforms.get(name, TRANSFORMS[name])
            values = np.concatenate([np.empty(0, np.float32), *parts])
            fitted[name] = RobustStandardisation.fit(values, transform, name).constants
        self.constants = fitted
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
        """Make a batch of one event or of several.

        Args:
            rows: a dataset row or a list of them, a batch as a dataset's slice gives it, an Arrow table or a
                `datasets.Dataset`.
            targets: columns with the truth: one of `CLASSES` becomes `labels`, of several `<column>_labels`
                each; those of `VECTORS` keep their names and units.
            detector: accept rows of this detector although the processor is made for another one.
            return_tensors: "pt" for torch, "np" for NumPy.
            **unknown: refused by name.

        Returns:
            `cal_coordinates` int64 (hits, 3), `cal_energy` float32 (hits, 1), `cal_offset` int64 (events,),
            the same of the AHCAL; `ecal` float32 (events, towers); `muon_count` float32 (events, 1),
            `muon_tracks` float32 (tracks, 5) of charge, momentum and chi2, `muon_offset`. All are
            dimensionless.

        Raises:
            MissingStatisticsError: the processor has not been fitted.
            DetectorMismatchError: rows are of another detector.
            ProcessorSettingError: an option or a target is unknown.
            EventError: see `nuzoo.files.events.event_errors` and `nuzoo.processors.input_errors`.
        """
        self.refuse_options(unknown)
        self.refuse_unfitted()
        rows = self._listed(as_table(rows))
        hits, ecal, count = self._read(rows, detector)
        kept = self._tracks(hits)
        tracks = [self._scaled(name, hits[name].values[kept]) for name in MUON_FEATURES]
        event = hits["muon_chi2"].event[kept]
        batch = {
            **self._hits(hits, "cal"),
            **self._hits(hits, "ahcal"),
            "ecal": self._scaled("ecal_energy", ecal),
            "muon_count": torch.from_numpy(count[:, None].astype(np.float32)),
            "muon_tracks": torch.stack(tracks, dim=1),
            "muon_offset": torch.from_numpy(np.bincount(event, minlength=len(count)).cumsum()),
        }
        return BatchFeature(batch | _truth(rows, targets, len(count)), tensor_type=return_tensors)

    def _listed(self, rows: Any) -> Any:
        return rows if is_table(rows) else self.split_events(rows)

    def _read(
        self, rows: Any, detector: str | None
    ) -> tuple[dict[str, Ragged], NDArray[np.float32], NDArray[Any]]:
        """Read lists of hits, (events, towers) of the ECAL, and (events,) numbers of tracks."""
        rows = self._listed(rows)
        self.check_detector(rows, detector)
        hits = self.read_hits(rows) if detector is None else self._of_other(rows)
        events = len(hits["cal_energy"].counts)
        towers = int(np.prod(self.ecal_shape))
        ecal = _vectors(rows, "ecal_energy", events, towers)
        count = _vectors(rows, "muon_count", events, 1)[:, 0]
        return hits, ecal, count

    def _of_other(self, rows: Any) -> dict[str, Ragged]:
        own, self.detector = self.detector, None
        try:
            return self.read_hits(rows)
        finally:
            self.detector = own

    def _tracks(self, hits: Mapping[str, Ragged]) -> NDArray[np.bool_]:
        points, chi2 = hits["muon_n_points"].values, hits["muon_chi2"].values
        return np.asarray((points >= self.least_points) & (chi2 > 0))

    def _hits(self, hits: Mapping[str, Ragged], name: str) -> dict[str, Tensor]:
        cells = np.stack([hits[f"{name}_{axis}"].values.astype(np.int64) for axis in "xyz"], axis=1)
        energy = hits[f"{name}_energy"]
        return {
            f"{name}_coordinates": torch.from_numpy(cells),
            f"{name}_energy": self._scaled(f"{name}_energy", energy.values)[:, None],
            f"{name}_offset": torch.from_numpy(np.cumsum(energy.counts)),
        }

    def _scaled(self, name: str, values: NDArray[Any]) -> Tensor:
        tensor = torch.from_numpy(values.astype(np.float32))
        return self.scale_of(name).forward(tensor).float() if name in TRANSFORMS else tensor


def _truth(rows: Any, targets: Sequence[str], events: int) -> dict[str, Tensor]:
    """Read classes and vectors of events."""
    if unknown := [name for name in targets if name not in (*CLASSES, *VECTORS)]:
        raise ProcessorSettingError(
            f"targets: expected some of {', '.join((*CLASSES, *VECTORS))}, got {', '.join(unknown)}: "
            "correct them"
        )
    classes = [name for name in targets if name in CLASSES]
    names = {name: "labels" if len(classes) == 1 else f"{name}_labels" for name in classes}
    truth = {names[name]: read_target(rows, [name], events)["labels"] for name in classes}
    vectors = {name: torch.from_numpy(_vectors(rows, name, events, 3)) for name in targets if name in VECTORS}
    return truth | vectors


def _vectors(rows: Any, name: str, events: int, length: int) -> NDArray[np.float32]:
    """Read a column of one vector, or number, for each event: float32 (events, length)."""
    values = values_of(rows, name)
    if len(values) != events or any(value is None for value in values):
        raise MissingColumnError(
            f"column {name!r}: expected {length} numbers of each of {events} events, got none for some: "
            "leave such events out",
            column=name,
        )
    if any(np.size(value) != length for value in values):
        raise ShapeError(f"column {name!r}: expected {length} numbers of each event, got others", column=name)
    found = np.array([np.ravel(value) for value in values], np.float32).reshape(events, length)
    if not np.isfinite(found).all():
        raise NonFiniteError(
            f"column {name!r}: expected finite numbers, got others: correct them", column=name
        )
    return found
