"""Pixel maps for image models: energies in MeV become a batch of normalised images."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import Any, Literal, Self, get_args

import numpy as np
import torch
import torch.nn.functional as F
from transformers.image_processing_base import BatchFeature
from transformers.image_processing_utils import BaseImageProcessor
from transformers.image_utils import ImageInput
from transformers.processing_utils import ImagesKwargs
from transformers.utils import IMAGE_PROCESSOR_NAME, PROCESSOR_NAME

from nuzoo.configuration.repository_code import PushedWithCode
from nuzoo.files.checksums import discard_checksums
from nuzoo.files.errors import FormatVersionError
from nuzoo.files.migration import migrate
from nuzoo.files.origin import verify_files, whereabouts
from nuzoo.processors.input_errors import (
    DetectorMismatchError,
    MissingStatisticsError,
    PixelSizeError,
    ProcessorSettingError,
)
from nuzoo.processors.pixel_maps.example_pixel_maps import example_pixel_maps
from nuzoo.processors.pixel_maps.read_pixel_maps import (
    MapLayout,
    as_table,
    read_pixel_maps,
    split_events,
    stated_detectors,
)

Scale = Literal["log", "linear"]
HalfResolution = Literal["energy", "image"]
PixelPitch = float | Sequence[float] | Sequence[Sequence[float]]

EVENTS_PER_FIT_STEP = 256
PIXEL_PITCH_TOLERANCE = 0.01
FORMAT = 2
"""Format of the processor's file that this class writes. Format 1 had one `pixel_size_mm`."""


class NuPixelMapKwargs(ImagesKwargs, total=False):
    """Settings that `from_pretrained` may override."""

    views: list[str]
    height: int
    width: int
    detector: str | None
    pixel_pitch_mm: PixelPitch | None
    mev_per_count: float | None
    scale: Scale
    reference_energy: float
    rebin: int
    pad_to_multiple: int
    active_rms: list[float] | None


class NuPixelMapImageProcessor(PushedWithCode, BaseImageProcessor):
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
        pad_to_multiple: pixels without energy are added behind the last rows and columns of the image
            until their numbers are multiples of it, such as the patch of a vision transformer.
        active_rms: for each view, the root mean square of its scaled active pixels. `fit` sets it;
            without it the processor refuses to run and to be saved.
        format_version: of the file that the settings come from; `from_dict` migrates earlier ones.
        **kwargs: what transformers writes into a processor's file.

    Raises:
        ProcessorSettingError: a setting is unknown or out of range.
        FormatVersionError: the settings are of another format.
    """

    valid_kwargs = NuPixelMapKwargs

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
        pad_to_multiple: int = 1,
        active_rms: Sequence[float] | None = None,
        format_version: int = FORMAT,
        **kwargs: Any,
    ):
        _refuse_unknown(kwargs)
        super().__init__(**kwargs)
        self.format_version = format_version
        self.views = list(views)
        self.height = height
        self.width = width
        self.detector = detector
        self.pixel_pitch_mm = None if pixel_pitch_mm is None else self._pitch_of_views(pixel_pitch_mm)
        self.mev_per_count = mev_per_count
        self.scale = scale
        self.reference_energy = reference_energy
        self.rebin = rebin
        self.pad_to_multiple = pad_to_multiple
        self.active_rms = None if active_rms is None else [float(rms) for rms in active_rms]
        self._check_settings()

    @classmethod
    def from_pretrained(  # type: ignore[override]
        cls, pretrained_model_name_or_path: Any, revision: str = "main", **kwargs: Any
    ) -> Any:
        """Load the processor of a model; its file is compared with its checksum where it has one.

        Args:
            pretrained_model_name_or_path: Hub repository, local folder or file.
            revision: of the repository.
            **kwargs: settings to override, and what `BaseImageProcessor.from_pretrained` takes.

        Returns:
            The processor.

        Raises:
            MissingStatisticsError: the file holds no `active_rms`.
            FormatVersionError: the file is of a later format.
            ProcessorSettingError: a setting is unknown or out of range.
            CorruptedFileError: the file differs from the one that was published.
        """
        origin = pretrained_model_name_or_path
        if not Path(origin).is_file():
            where = whereabouts(origin, {**kwargs, "revision": revision})
            verify_files(origin, [PROCESSOR_NAME, IMAGE_PROCESSOR_NAME], **where)
            revision = where["revision"]
        try:
            return super().from_pretrained(origin, revision=revision, **kwargs)
        except MissingStatisticsError as error:
            raise MissingStatisticsError(f"{origin}: {error}") from error

    @classmethod
    def from_dict(cls, image_processor_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Make a processor of the content of a file of this format or an earlier one.

        Args:
            image_processor_dict: the content.
            **kwargs: settings to override.

        Returns:
            The processor.

        Raises:
            MissingStatisticsError: neither the content nor the arguments hold `active_rms`.
            FormatVersionError: the content is of a later format.
            ProcessorSettingError: a setting is unknown, or an argument is a misspelt setting.
        """
        _refuse_misspelt(kwargs)
        keys = migrate(image_processor_dict, FORMAT, MIGRATIONS, cls.__name__)
        if keys.get("active_rms") is None and kwargs.get("active_rms") is None:
            raise MissingStatisticsError(
                "expected active_rms, the statistics of the training events, in the processor's file, got "
                "none: use the file that was saved with the model, or give active_rms=[...]"
            )
        return super().from_dict(keys, **kwargs)

    def save_pretrained(self, save_directory: Any, *args: Any, **kwargs: Any) -> Any:
        """Write the processor's file; checksums of what was in the folder before are removed.

        Args:
            save_directory: the folder.
            *args: passed to `BaseImageProcessor.save_pretrained`.
            **kwargs: passed to `BaseImageProcessor.save_pretrained`.

        Returns:
            The names of the files.

        Raises:
            MissingStatisticsError: the processor has not been fitted: nobody could load it.
        """
        self._refuse_unfitted()
        files = super().save_pretrained(save_directory, *args, **kwargs)
        discard_checksums(save_directory)
        return files

    def _refuse_unfitted(self) -> None:
        if self.active_rms is None:
            raise MissingStatisticsError(
                "expected a fitted processor, got active_rms=None: load the processor that is saved "
                "with the model, or call processor.fit(rows) on the training events"
            )

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
        if self.format_version != FORMAT:
            raise FormatVersionError(
                f"expected format_version {FORMAT} of {type(self).__name__}, got {self.format_version}: "
                "read files with from_pretrained or from_dict, which migrate those of earlier formats"
            )
        problems = {
            "views must be distinct names": not self.views or len(set(self.views)) < len(self.views),
            f"scale must be one of {get_args(Scale)}": self.scale not in get_args(Scale),
            "reference_energy must be positive": not self.reference_energy > 0,
            "rebin must be at least 1 and divide height and width": self.rebin < 1
            or bool(self.height % self.rebin or self.width % self.rebin),
            "pad_to_multiple must be at least 1": self.pad_to_multiple < 1,
            "active_rms must hold one positive number for each view": self.active_rms is not None
            and (
                len(self.active_rms) != len(self.views)
                or not all(0 < rms < math.inf for rms in self.active_rms)
            ),
        }
        wrong = [problem for problem, found in problems.items() if found]
        if wrong:
            raise ProcessorSettingError(
                f"{'; '.join(wrong)}. Got views={self.views}, scale={self.scale!r}, "
                f"reference_energy={self.reference_energy}, rebin={self.rebin} for "
                f"{self.height} × {self.width} pixels, pad_to_multiple={self.pad_to_multiple}, "
                f"active_rms={self.active_rms}."
            )

    @property
    def image_size(self) -> tuple[int, int]:
        """Rows and columns of the image after re-binning and padding."""
        rows, columns = self._size_before_padding
        return _rounded_up(rows, self.pad_to_multiple), _rounded_up(columns, self.pad_to_multiple)

    @property
    def _size_before_padding(self) -> tuple[int, int]:
        return self.height // self.rebin, self.width // self.rebin

    def example_events(self, events: int = 4) -> list[dict[str, Any]]:
        """Made-up events of this processor's views and size, to try a network on.

        Args:
            events: how many; the first is empty, the second has one hit.

        Returns:
            Rows as `preprocess` takes them, see `example_pixel_maps`.
        """
        return example_pixel_maps(self.views, self.height, self.width, events)

    def __call__(self, images: ImageInput, *args: Any, **kwargs: Any) -> BatchFeature:
        """See `preprocess`."""
        return self.preprocess(images, *args, **kwargs)

    def preprocess(
        self,
        images: Any,
        *,
        detector: str | None = None,
        pixel_pitch_mm: PixelPitch | None = None,
        mev_per_count: float | None = None,
        half_resolution: HalfResolution | None = None,
        return_tensors: str | None = "pt",
    ) -> BatchFeature:
        """Make the images of one event or of a batch of events.

        Args:
            images: a dataset row or a list of them, a batch as a dataset's slice gives it, an Arrow
                table or a `datasets.Dataset`, columns in compressed sparse rows (with
                `<view>_offsets`), an array (views, rows, columns) or (events, views, rows, columns)
                in MeV, or per event one map for each view: a PIL image, a 2-D array, a SciPy sparse
                array or an (index, energy) pair.
            detector: accept rows of this detector although the processor is made for another one.
            pixel_pitch_mm: edges of the pixels of these events in mm, checked against the processor's: a
                number for square pixels, (row pitch, column pitch), or such a pair for each view.
            mev_per_count: energy in MeV of one count, for images; in place of the processor's.
            half_resolution: what half the resolution does to the model. "energy" sums the energy
                of 2 × 2 pixels and spreads it over the same four: coarser pixels, objects of the
                same size. "image" averages 2 × 2 pixels into one, and pads the smaller image to
                multiples of `pad_to_multiple`: objects half as large, as in arXiv 2509.08461.
            return_tensors: "pt" for torch, "np" for NumPy.

        Returns:
            `pixel_values`, float32 (events, views, rows, columns), dimensionless. They are those
            of `image_size`, or half of them with half_resolution="image".

        Raises:
            MissingStatisticsError: the processor has not been fitted.
            DetectorMismatchError: rows are of another detector.
            PixelSizeError: pixels are of another size.
            PixelMapError: see `nuzoo.processors.input_errors`.
        """
        self._refuse_unfitted()
        self._check_pixel_pitch(pixel_pitch_mm)
        energy, active = self._scatter(images, detector, mev_per_count)
        if half_resolution is None:
            pixel_values = self._normalise(energy, active)
        else:
            rows, columns = self._size_before_padding
            energy = _halve_resolution(energy[:, :, :rows, :columns], half_resolution)
            energy = _padded(energy, self.pad_to_multiple)
            pixel_values = self._scale(energy) / self._rms[:, None, None]
        return BatchFeature({"pixel_values": pixel_values}, tensor_type=return_tensors)

    def fit(self, images: Any, **kwargs: Any) -> Self:
        """Measure the normalisation on the training events and keep it.

        Args:
            images: see `preprocess`; any length, read in steps.
            **kwargs: `detector` and `mev_per_count`, see `preprocess`.

        Returns:
            The processor itself, with `active_rms` set.

        Raises:
            MissingStatisticsError: a view has no energy in any event.
        """
        squares = torch.zeros(len(self.views), dtype=torch.float64)
        counts = torch.zeros(len(self.views), dtype=torch.int64)
        for chunk in _chunks(images, EVENTS_PER_FIT_STEP):
            energy, _ = self._scatter(chunk, kwargs.get("detector"), kwargs.get("mev_per_count"))
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

    def _check_pixel_pitch(self, pixel_pitch_mm: PixelPitch | None) -> None:
        if pixel_pitch_mm is None or self.pixel_pitch_mm is None:
            return
        stated = self._pitch_of_views(pixel_pitch_mm)
        for view, own, other in zip(self.views, self.pixel_pitch_mm, stated, strict=True):
            if np.abs(np.divide(other, own) - 1).max() > PIXEL_PITCH_TOLERANCE:
                raise PixelSizeError(
                    f"view {view!r}: expected pixels of {own[0]} × {own[1]} mm (row pitch × column pitch), "
                    f"got {other[0]} × {other[1]} mm: re-bin the maps to the same pitch, or fit a processor "
                    "(and train a model) for this detector"
                )

    def _scatter(
        self, images: Any, detector: str | None, mev_per_count: float | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Energy (events, views, rows, columns) in MeV, and the flat positions that hold some."""
        images = as_table(images)
        self._check_detector(images, detector)
        layout = MapLayout(tuple(self.views), self.height, self.width, mev_per_count or self.mev_per_count)
        views = read_pixel_maps(images, layout)
        rows, columns = self.image_size
        channels = [view.event * len(views) + channel for channel, view in enumerate(views)]
        index = np.concatenate([view.index for view in views])
        row, column = np.divmod(index, self.width)
        pixel = (row // self.rebin) * columns + column // self.rebin
        active = torch.from_numpy(np.concatenate(channels) * (rows * columns) + pixel)
        energy = _zeros(len(views[0].counts), len(views), rows, columns)
        energy.view(-1).index_add_(
            0, active, torch.from_numpy(np.concatenate([view.energy for view in views]))
        )
        return energy, active

    def _check_detector(self, images: Any, accepted: str | None) -> None:
        if self.detector is None:
            return
        others = stated_detectors(images) - {self.detector, accepted}
        if others:
            raise DetectorMismatchError(
                f"expected events of detector {self.detector!r}, got {', '.join(sorted(others))}: use "
                "the model of that detector, or pass detector=... to accept its events knowingly"
            )

    @property
    def _rms(self) -> torch.Tensor:
        return torch.tensor(self.active_rms)

    def _normalise(self, energy: torch.Tensor, active: torch.Tensor) -> torch.Tensor:
        """Scale and normalise the active pixels, in place."""
        rows, columns = self.image_size
        channel = active.div(rows * columns, rounding_mode="floor") % len(self.views)
        flat = energy.view(-1)
        flat[active] = self._scale(flat[active]) / self._rms[channel]
        return energy

    def _scale(self, energy: torch.Tensor) -> torch.Tensor:
        relative = energy / self.reference_energy
        return torch.log1p(relative) if self.scale == "log" else relative


def _zeros(*shape: int) -> torch.Tensor:
    """Zeros, four times faster than torch's for large batches: NumPy asks for huge memory pages."""
    return torch.from_numpy(np.zeros(shape, dtype=np.float32))


def _rounded_up(size: int, multiple: int) -> int:
    return -(-size // multiple) * multiple


def _padded(image: torch.Tensor, multiple: int) -> torch.Tensor:
    """The image with zeros behind its last rows and columns, to multiples of a number."""
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


def _pitch_from_size(keys: dict[str, Any]) -> dict[str, Any]:
    """Format 1 to 2: one number, for square pixels only, becomes the pitch along rows and columns."""
    return {"pixel_pitch_mm": keys.pop("pixel_size_mm", None), **keys}


MIGRATIONS = {1: _pitch_from_size}


def _refuse_unknown(kwargs: Mapping[str, Any]) -> None:
    known = {"image_processor_type", "processor_class", "feature_extractor_type", "auto_map"}
    unknown = sorted(set(kwargs) - known)
    if unknown:
        raise ProcessorSettingError(
            f"NuPixelMapImageProcessor has no setting {', '.join(map(repr, unknown))}; it has "
            f"{', '.join(NuPixelMapKwargs.__annotations__.keys() - ImagesKwargs.__annotations__)}. "
            "Correct or remove the key."
        )


def _refuse_misspelt(overrides: Mapping[str, Any]) -> None:
    """Raise for what looks like a setting and is none; transformers passes other arguments of its own."""
    settings = NuPixelMapKwargs.__annotations__.keys() - ImagesKwargs.__annotations__
    for key in overrides.keys() - settings:
        if meant := get_close_matches(key, settings, n=1, cutoff=0.7):
            raise ProcessorSettingError(
                f"NuPixelMapImageProcessor has no setting {key!r}: did you mean {meant[0]!r}?"
            )


def _chunks(images: Any, size: int) -> Iterator[Any]:
    """The events in steps of bounded memory."""
    if hasattr(images, "with_format") and hasattr(images, "__len__"):
        for start in range(0, len(images), size):
            yield images.with_format("arrow")[start : start + size]
        return
    events: Iterable[Any] = images if isinstance(images, Iterator) else split_events(images)
    iterator = iter(events)
    while chunk := list(islice(iterator, size)):
        yield chunk
