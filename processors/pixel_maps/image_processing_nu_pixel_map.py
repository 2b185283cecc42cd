"""Pixel maps for image models: energies in MeV become a batch of normalised images."""

import math
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, Self, TypeVar, get_args

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from transformers import PreTrainedConfig
from transformers.image_processing_base import BatchFeature
from transformers.image_processing_utils import BaseImageProcessor

from nuzoo.files.events.event_schema import EventSchema
from nuzoo.files.events.pixel_map_events import PixelMapGeometry, pixel_map_schema
from nuzoo.files.migration import Migration
from nuzoo.processors.event_tables import EVENTS_PER_FIT_STEP, as_table, in_steps, read_target
from nuzoo.processors.input_errors import (
    MissingStatisticsError,
    PixelSizeError,
    ProcessorModelMismatchError,
    ProcessorSettingError,
)
from nuzoo.processors.pixel_maps.active_window import busiest_start
from nuzoo.processors.pixel_maps.example_pixel_maps import example_pixel_maps
from nuzoo.processors.pixel_maps.map_hits import MapHits
from nuzoo.processors.pixel_maps.read_pixel_maps import is_single_event, read_pixel_maps, split_events
from nuzoo.processors.saved_processor import SavedProcessor

Scale = Literal["log", "linear"]
HalfResolution = Literal["energy", "image"]
PixelPitch = float | Sequence[float] | Sequence[Sequence[float]]

PIXEL_PITCH_TOLERANCE = 0.01
WINDOW_STEP = (
    "cut from the maps of all views the same `window`, rows and columns from `window_start` on, both counted "
    "in pixels before energies were added up; energies beyond it are added to its edge: along each axis a "
    "place before the window becomes its first, and one after it its last"
)
Places = TypeVar("Places", NDArray[np.int64], torch.Tensor)
TINY_VIEWS = ("xz", "yz", "uv")
TINY_PIXELS = 64


def _pitch_from_size(keys: dict[str, Any]) -> dict[str, Any]:
    """Format 1 to 2: one number, for square pixels only, becomes the pitch along rows and columns."""
    return {"pixel_pitch_mm": keys.pop("pixel_size_mm", None), **keys}


class NuPixelMapImageProcessor(SavedProcessor, BaseImageProcessor):  # type: ignore[misc]
    """Turn the pixel maps of neutrino events into `pixel_values` (events, views, rows, columns).

    The energies of `rebin` × `rebin` pixels are summed while they are scattered into the image, so
    the cost follows the occupancy. They are then scaled, log(1 + E/E0) or linearly, and divided by
    the root mean square of the scaled active pixels of that view. Nothing is subtracted: a pixel
    without energy is exactly 0.

    Args:
        views: names of the views, in the order of the channels.
        height: rows of the raw map.
        width: columns of the raw map.
        detector: identifier of the detector; rows of another one are refused. None takes any.
        pixel_pitch_mm: edges of a raw pixel in mm, along the rows' axis and along the columns': such a
            pair for each view, one for all, or a number for square pixels. Events whose pitch is stated
            and is another are refused. None takes any.
        mev_per_count: energy in MeV of one count of an 8-bit image. None refuses images.
        scale: "log" for log(1 + E/reference_energy), "linear" for E/reference_energy.
        reference_energy: E0 in MeV.
        rebin: edge, in raw pixels, of the square whose energy one pixel of the image holds.
        window: rows and columns, in raw pixels and multiples of `rebin`, of the part of the maps that the
            network sees, the same of all views and events. What lies beyond it is added to its edge. None is
            the whole map.
        window_start: its first row and column, in raw pixels and multiples of `rebin`. Unless it is given,
            `fit` puts it where the window holds most active pixels of the training events, see
            `busiest_start`.
        pad_to_multiple: pixels without energy are added behind the last rows and columns of the image
            until their numbers are multiples of it, such as the patch of a vision transformer.
        active_rms: for each view, the root mean square of its scaled active pixels. `fit` sets it;
            without it the processor refuses to run and to be saved.
        **kwargs: see `SavedProcessor`.

    Raises:
        ProcessorSettingError: a setting is unknown or out of range.
        FormatVersionError: the settings are of another format.
    """

    modality: ClassVar[str] = "pixel-maps"
    latest_format: ClassVar[int] = 2
    migrations: ClassVar[Mapping[int, Migration]] = {1: _pitch_from_size}
    statistics: ClassVar[tuple[str, ...]] = ("active_rms",)

    def __init__(
        self,
        views: Sequence[str] = ("xz", "yz"),
        height: int = 512,
        width: int = 512,
        detector: str | None = None,
        pixel_pitch_mm: PixelPitch | None = None,
        mev_per_count: float | None = None,
        scale: Scale = "log",
        reference_energy: float = 1.0,
        rebin: int = 1,
        window: Sequence[int] | None = None,
        window_start: Sequence[int] | None = None,
        pad_to_multiple: int = 1,
        active_rms: Sequence[float] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.views = [views] if isinstance(views, str) else list(views)
        self.height = self._whole("height", height)
        self.width = self._whole("width", width)
        self.detector = detector
        self.pixel_pitch_mm = None if pixel_pitch_mm is None else self._pitch_of_views(pixel_pitch_mm)
        self.mev_per_count = None if mev_per_count is None else self._positive("mev_per_count", mev_per_count)
        self.scale = scale
        self.reference_energy = self._positive("reference_energy", reference_energy)
        self.rebin = self._whole("rebin", rebin)
        self.window = None if window is None else self._edges_of(window)
        self.window_start = None if window_start is None else self._start_of(window_start)
        self.pad_to_multiple = self._whole("pad_to_multiple", pad_to_multiple)
        self.active_rms = None if active_rms is None else [float(rms) for rms in active_rms]
        self._check_settings()

    @classmethod
    def tiny(cls, config: Any) -> Self:
        """Build a small one for tests, with as many views as a configuration."""
        return cls(views=TINY_VIEWS[: config.num_views], height=TINY_PIXELS, width=TINY_PIXELS)

    @staticmethod
    def _whole(setting: str, value: Any) -> int:
        """Give a whole number of 1 or more, of any library's type."""
        if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
            raise ProcessorSettingError(
                f"expected {setting} to be a whole number of 1 or more, got {value!r}"
            )
        return int(value)

    @staticmethod
    def _positive(setting: str, value: Any) -> float:
        """Give a positive number, of any library's type."""
        if not isinstance(value, Real) or isinstance(value, bool) or not 0 < float(value) < math.inf:
            raise ProcessorSettingError(f"{setting}: expected a positive number, got {value!r}")
        return value if isinstance(value, int | float) else float(value)

    def _pitch_of_views(self, pitch: PixelPitch) -> list[list[float]]:
        """Row and column pitch of each view in mm."""
        try:
            pitches = np.broadcast_to(np.asarray(pitch, dtype=float), (len(self.views), 2))
        except (TypeError, ValueError):
            pitches = np.full(1, np.nan)
        if not ((pitches > 0) & np.isfinite(pitches)).all():
            raise ProcessorSettingError(
                "expected pixel_pitch_mm to be a positive number, a pair (row pitch, column pitch) or such "
                f"a pair for each of the views {', '.join(self.views)}, got {pitch!r}"
            )
        return pitches.tolist()

    def _check_settings(self) -> None:
        problems = {
            "views must be distinct names": not self.views or len(set(self.views)) < len(self.views),
            f"scale must be one of {get_args(Scale)}": self.scale not in get_args(Scale),
            "rebin must divide height and width": self.height % self.rebin + self.width % self.rebin > 0,
            "active_rms must hold one positive number for each view": self.active_rms is not None
            and [0 < rms < math.inf for rms in self.active_rms] != [True] * len(self.views),
        }
        if wrong := [problem for problem, found in problems.items() if found]:
            raise ProcessorSettingError(
                f"{'; '.join(wrong)}. Got views={self.views}, scale={self.scale!r}, "
                f"reference_energy={self.reference_energy}, rebin={self.rebin} for "
                f"{self.height} × {self.width} pixels, pad_to_multiple={self.pad_to_multiple}, "
                f"active_rms={self.active_rms}."
            )

    def _edges_of(self, window: Any) -> list[int]:
        """Rows and columns of the window in raw pixels."""
        edges = list(window) if isinstance(window, Sequence) else [window]
        edges = [self._whole("window", edge) for edge in edges]
        whole = (self.height, self.width)
        if len(edges) != 2 or any(
            edge > most or edge % self.rebin for edge, most in zip(edges, whole, strict=True)
        ):
            raise ProcessorSettingError(
                f"expected window to be rows and columns, multiples of rebin={self.rebin}, of a map of "
                f"{self.height} × {self.width} pixels, got {window!r}"
            )
        return edges

    def _start_of(self, start: Any) -> list[int]:
        """First row and column of the window in raw pixels."""
        if self.window is None:
            raise ProcessorSettingError(
                f"window_start: expected window beside it, got {start!r} alone: give both, or leave it out"
            )
        whole = (self.height, self.width)
        edges = list(start) if isinstance(start, Sequence) else [start]
        fits = len(edges) == 2 and all(
            type(edge) is int and edge % self.rebin == 0 and 0 <= edge <= most - size
            for edge, most, size in zip(edges, whole, self.window, strict=True)
        )
        if not fits:
            raise ProcessorSettingError(
                f"expected window_start to be first row and column, multiples of rebin={self.rebin}, of a "
                f"window of {self.window} in a map of {self.height} × {self.width} pixels, got {start!r}"
            )
        return edges

    @property
    def needed_statistics(self) -> tuple[str, ...]:
        """The normalisation, and where a window lies."""
        return self.statistics if self.window is None else (*self.statistics, "window_start")

    @property
    def _geometry(self) -> PixelMapGeometry:
        return PixelMapGeometry(self.detector, tuple(self.views), self.height, self.width)

    @property
    def schema(self) -> EventSchema:
        """The columns that it reads."""
        return pixel_map_schema(vars(self._geometry))

    @property
    def image_size(self) -> tuple[int, int]:
        """Rows and columns of the image after re-binning and padding."""
        rows, columns = (_rounded_up(edge, self.pad_to_multiple) for edge in self._unpadded_size)
        return rows, columns

    @property
    def _unpadded_size(self) -> tuple[int, int]:
        rows, columns = self.window or (self.height, self.width)
        return rows // self.rebin, columns // self.rebin

    def is_single_event(self, inputs: Any) -> bool:
        """Whether `inputs` is one event rather than several."""
        return is_single_event(inputs, self.schema)

    def split_events(self, inputs: Any) -> list[Any]:
        """Take several events apart."""
        return split_events(inputs, self.schema)

    def example_events(self, events: int = 4) -> list[dict[str, Any]]:
        """Make up events of this processor's views and size; see `example_pixel_maps`."""
        return example_pixel_maps(self.views, self.height, self.width, events)

    def check_agrees(self, config: PreTrainedConfig) -> None:
        """Refuse a network for other views, or one that reads a question as well."""
        super().check_agrees(config)
        self.check_views(config)

    def check_views(self, config: PreTrainedConfig) -> None:
        """Refuse the configuration of a network for another number of views; see `check_agrees`."""
        if len(self.views) != config.num_views:
            raise ProcessorModelMismatchError(
                f"expected a processor for the model's {config.num_views} views, got one for "
                f"{len(self.views)} ({', '.join(self.views)}): use the processor that is saved with the model"
            )

    def network_fields(self) -> dict[str, Any]:
        """Give the number of views and the size of the image."""
        return {"num_views": len(self.views), "image_size": list(self.image_size)}

    def facts(self) -> dict[str, str]:
        """Say what it expects, with units, for people: meaning and value."""
        rows, columns = self.image_size
        shape = f"(events, {len(self.views)}, {rows}, {columns})"
        takes = f"`pixel_values`, float32 {shape}, dimensionless"
        return self.facts_of_maps() | {"what the network takes": takes}

    def facts_of_maps(self) -> dict[str, str]:
        """Say what it expects of the maps, with units: meaning and value."""
        pitches = dict.fromkeys(f"{rows:g} × {columns:g}" for rows, columns in self.pixel_pitch_mm or [])
        facts = {
            "unit of energy": "MeV per pixel",
            "detector": self.detector,
            "views": ", ".join(self.views),
            "rows of the raw map": f"{self.height} pixels",
            "columns of the raw map": f"{self.width} pixels",
            "pixel pitch, rows × columns": f"{', '.join(pitches)} mm" if pitches else None,
            "raw pixels summed into one, per side": f"{self.rebin}",
            "part of the map that the network sees": (
                f"{self.window[0]} × {self.window[1]} pixels from row {self.window_start[0]} and column "
                f"{self.window_start[1]} on, what lies beyond is added to its edge"
                if self.window and self.window_start
                else None
            ),
            "images padded with zeros to a multiple of": f"{self.pad_to_multiple} pixels",
            "energy scale": self.scale,
            "reference energy": f"{self.reference_energy} MeV",
        }
        return {meaning: value for meaning, value in facts.items() if value is not None}

    def instructions(self) -> dict[str, Any]:
        """Say how `pixel_values` are made, for those who make them without it; see `EventProcessor`."""
        rows, columns = self.image_size
        constants = {
            "energy_unit": "MeV",
            "detector": self.detector,
            "views": self.views,
            "height": self.height,
            "width": self.width,
            "pixel_pitch_mm": self.pixel_pitch_mm,
            "mev_per_count": self.mev_per_count,
            "rebin": self.rebin,
            "window": self.window,
            "window_start": self.window_start,
            "image_rows": rows,
            "image_columns": columns,
            "scale": self.scale,
            "reference_energy_mev": self.reference_energy,
            "active_rms": self.active_rms,
        }
        scaled = {
            "log": "log(1 + energy / reference_energy_mev), natural logarithm",
            "linear": "energy / reference_energy_mev",
        }
        steps = [
            "take for each of `views`, in this order, the map of the energies of an event: `height` rows of "
            "`width` columns, in MeV, none negative, zero where there is none; counts times mev_per_count "
            "where that is stated; rows and columns are `pixel_pitch_mm` apart, a pair for each view",
            "add up the energies of each square of `rebin` × `rebin` pixels, from row 0 and column 0",
            *([] if self.window is None else [WINDOW_STEP]),
            f"replace each energy by {scaled[self.scale]}",
            "divide the map of each view by its entry in `active_rms`",
            "add zeros behind the last rows and columns, up to `image_rows` and `image_columns`",
            "pixel_values[event, view, row, column] is the result, dimensionless float32",
        ]
        return {"constants": constants, "steps": steps}

    def reading_options(self) -> dict[str, Any]:
        """Say how files are read: with the energy of one count, and what its detector looks like."""
        geometry = vars(self._geometry) | {"pixel_pitch_mm": self.pixel_pitch_mm}
        known = self.detector is not None and self.pixel_pitch_mm is not None
        return {
            "usual_mev_per_count": self.mev_per_count,
            "usual_detector": geometry if known else None,
        }

    def __call__(  # type: ignore[override]
        self,
        rows: Any,
        *,
        targets: Sequence[str] = (),
        detector: str | None = None,
        pixel_pitch_mm: PixelPitch | None = None,
        mev_per_count: float | None = None,
        half_resolution: HalfResolution | None = None,
        return_tensors: str | None = "pt",
        **unknown: Any,
    ) -> BatchFeature:
        """Make the images of one event or of a batch of events.

        Args:
            rows: a dataset row or a list of them, a batch as a dataset's slice gives it, an Arrow
                table or a `datasets.Dataset`, columns in compressed sparse rows (with
                `<view>_offsets`), an array (views, rows, columns) or (events, views, rows, columns)
                in MeV, or per event one map for each view: a PIL image, a 2-D array, a SciPy sparse
                array or an (index, energy) pair.
            targets: column with the class of each event; it becomes `labels`.
            detector: accept rows of this detector although the processor is made for another one.
            pixel_pitch_mm: edges of the pixels of these events in mm, checked against the processor's: a
                number for square pixels, (row pitch, column pitch), or such a pair for each view.
            mev_per_count: energy in MeV of one count, for images; in place of the processor's.
            half_resolution: what half the resolution does to the model. "energy" sums the energy
                of 2 × 2 pixels and spreads it over the same four: coarser pixels, objects of the
                same size. "image" averages 2 × 2 pixels into one, and pads the smaller image to
                multiples of `pad_to_multiple`: objects half as large, as in arXiv 2509.08461.
            return_tensors: "pt" for torch, "np" for NumPy.
            **unknown: refused by name.

        Returns:
            `pixel_values`, float32 (events, views, rows, columns), dimensionless. They are those
            of `image_size`, or half of them with half_resolution="image". With targets `labels`, int64
            (events,).

        Raises:
            MissingStatisticsError: the processor has not been fitted.
            DetectorMismatchError: rows are of another detector.
            PixelSizeError: pixels are of another size.
            ProcessorSettingError: an option is unknown or out of range.
            UnitError: `mev_per_count` is given of energies that are no counts.
            EventError: see `nuzoo.files.events.event_errors` and `nuzoo.processors.input_errors`.
        """
        self.refuse_options(unknown)
        self.refuse_unfitted()
        self.check_pixel_pitch(pixel_pitch_mm)
        rows = as_table(rows)
        energy, active = self._scatter(rows, detector, mev_per_count)
        if half_resolution is None:
            pixel_values = self._normalise(energy, active)
        else:
            rows_seen, columns_seen = self._unpadded_size
            unpadded = energy[:, :, :rows_seen, :columns_seen]
            energy = _padded(_halve_resolution(unpadded, half_resolution), self.pad_to_multiple)
            pixel_values = self.pixel_values_of(energy)
        labels = read_target(rows, targets, len(pixel_values))
        return BatchFeature({"pixel_values": pixel_values} | labels, tensor_type=return_tensors)

    preprocess = __call__

    def fit(
        self, rows: Any, *, detector: str | None = None, mev_per_count: float | None = None, **unknown: Any
    ) -> Self:
        """Place the window, and measure the normalisation, on the training events, any number.

        What it finds is kept in `window_start`, unless that was given, and `active_rms`.

        Args:
            rows: see `__call__`; read in steps.
            detector: see `__call__`.
            mev_per_count: see `__call__`.
            **unknown: refused by name.

        Raises:
            ProcessorSettingError: an option is unknown or out of range.
            MissingStatisticsError: a view has no energy in any event.
        """
        self.refuse_options(unknown, ("detector", "mev_per_count"))
        if self.window is not None and self.window_start is None:
            self._place_window(rows, detector, mev_per_count)
        squares = torch.zeros(len(self.views), dtype=torch.float64)
        counts = torch.zeros(len(self.views), dtype=torch.int64)
        for step in in_steps(rows, EVENTS_PER_FIT_STEP, self.split_events):
            energy, _ = self._scatter(step, detector, mev_per_count)
            scaled = self._scale(energy).transpose(0, 1).flatten(1)
            squares += scaled.double().square().sum(dim=1)
            counts += (scaled > 0).sum(dim=1)
        if not bool((counts > 0).all()):
            raise MissingStatisticsError(
                f"expected energy in every view of {self.views}, got {counts.tolist()} active pixels: "
                "fit on the training events of this detector"
            )
        self.active_rms = (squares / counts).sqrt().tolist()
        return self

    def _place_window(self, rows: Any, detector: str | None, mev_per_count: float | None) -> None:
        """Put the window where it holds most of the active pixels of events."""
        counts = [np.zeros(edge // self.rebin, dtype=np.int64) for edge in (self.height, self.width)]
        for step in in_steps(rows, EVENTS_PER_FIT_STEP, self.split_events):
            hits = self._read(step, detector, mev_per_count)
            for count, place in zip(counts, (hits.row, hits.column), strict=True):
                count += np.bincount(place[hits.energy > 0] // self.rebin, minlength=len(count))
        starts = map(busiest_start, counts, self._unpadded_size)
        self.window_start = [start * self.rebin for start in starts]

    def places(self, row: Places, column: Places) -> tuple[Places, Places]:
        """Give rows and columns of the raw map (n,), of NumPy or torch, as those of the image.

        What lies beyond a window has its place on the window's edge.
        """
        row, column = row // self.rebin, column // self.rebin
        if self.window_start is None:
            return row, column
        rows, columns = self._unpadded_size
        first_row, first_column = (start // self.rebin for start in self.window_start)
        return (row - first_row).clip(0, rows - 1), (column - first_column).clip(0, columns - 1)

    def energy_of(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """Give the energies of images (events, views, rows, columns), MeV."""
        scaled = pixel_values * self._rms_of_views(pixel_values)
        return (torch.expm1(scaled) if self.scale == "log" else scaled) * self.reference_energy

    def pixel_values_of(self, energy: torch.Tensor) -> torch.Tensor:
        """Make images of energies (events, views, rows, columns), MeV in each pixel of the image."""
        return self._scale(energy) / self._rms_of_views(energy)

    def _rms_of_views(self, like: torch.Tensor) -> torch.Tensor:
        self.refuse_unfitted()
        return like.new_tensor(self.active_rms)[:, None, None]

    def check_pixel_pitch(self, pixel_pitch_mm: PixelPitch | None) -> None:
        """Refuse pixels of another size, unless this one takes any; see `__call__`."""
        if pixel_pitch_mm is None:
            return
        stated = self._pitch_of_views(pixel_pitch_mm)
        if self.pixel_pitch_mm is None:
            return
        for view, own, other in zip(self.views, self.pixel_pitch_mm, stated, strict=True):
            if np.abs(np.divide(other, own) - 1).max() > PIXEL_PITCH_TOLERANCE:
                raise PixelSizeError(
                    f"view {view!r}: expected pixels of {own[0]} × {own[1]} mm (row pitch × column pitch), "
                    f"got {other[0]} × {other[1]} mm: re-bin the maps to the same pitch, or fit a processor "
                    "(and train a model) for this detector"
                )

    def _read(self, rows: Any, detector: str | None, mev_per_count: float | None) -> MapHits:
        self.check_detector(rows, detector)
        is_stated = mev_per_count is not None
        count = self._positive("mev_per_count", mev_per_count) if is_stated else self.mev_per_count
        hits = read_pixel_maps(rows, self._geometry, self.schema, count, counts_only=is_stated)
        indices = [hits[f"{view}_index"] for view in self.views]
        maps = np.concatenate([index.event * len(indices) + view for view, index in enumerate(indices)])
        positions = np.concatenate([index.values.astype(np.int64) for index in indices])
        row, column = np.divmod(positions, self.width)
        energy = np.concatenate([hits[f"{view}_energy"].values.astype(np.float32) for view in self.views])
        return MapHits(len(indices[0].counts), maps, row, column, energy)

    def _scatter(
        self, rows: Any, detector: str | None, mev_per_count: float | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Energy (events, views, rows, columns) in MeV, and the flat positions that hold some."""
        hits = self._read(rows, detector, mev_per_count)
        height, width = self.image_size
        row, column = self.places(hits.row, hits.column)
        active = torch.from_numpy(hits.map * (height * width) + row * width + column)
        shape = (hits.events, len(self.views), height, width)
        energy = torch.from_numpy(np.zeros(shape, dtype=np.float32))  # four times faster than torch's zeros
        energy.view(-1).index_add_(0, active, torch.from_numpy(hits.energy))
        return energy, active

    def _normalise(self, energy: torch.Tensor, active: torch.Tensor) -> torch.Tensor:
        """Scale and normalise the active pixels, in place."""
        rows, columns = self.image_size
        channel = active.div(rows * columns, rounding_mode="floor") % len(self.views)
        flat = energy.view(-1)
        flat[active] = self._scale(flat[active]) / torch.tensor(self.active_rms)[channel]
        return energy

    def _scale(self, energy: torch.Tensor) -> torch.Tensor:
        relative = energy / self.reference_energy
        return torch.log1p(relative) if self.scale == "log" else relative


def _rounded_up(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple


def _padded(image: torch.Tensor, multiple: int) -> torch.Tensor:
    """Add zeros behind the last rows and columns of an image, to multiples of a number."""
    rows, columns = image.shape[2:]
    return F.pad(image, (0, _rounded_up(columns, multiple) - columns, 0, _rounded_up(rows, multiple) - rows))


def _halve_resolution(energy: torch.Tensor, how: HalfResolution) -> torch.Tensor:
    if how not in get_args(HalfResolution):
        raise ProcessorSettingError(
            f"expected half_resolution to be one of {get_args(HalfResolution)} or None, got {how!r}"
        )
    rows, columns = energy.shape[2:]
    mean = F.avg_pool2d(_padded(energy, 2), 2)
    if how == "image":
        return mean
    return mean.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)[:, :, :rows, :columns]
