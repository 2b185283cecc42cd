"""Noise of real frames: small pieces of charge that lie apart from all tracks.

In the ProtoDUNE-HD frame of docs/real-data.md, pieces of up to 3 pixels are nowhere denser beside tracks than
far from them: noise of the electronics. Larger ones are, within 8 pixels (knocked-out electrons, photons).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from nuzoo.datasets_scripts.common.labelled_rows import check_modality
from nuzoo.datasets_scripts.common.loading import load_events
from nuzoo.processors.input_errors import PixelSizeError
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor
from nuzoo.simulation.detectors import find_detector
from nuzoo.training.fields import RecipeError

LARGEST_PIECE = 10
"""Pixels of a piece; they touch each other at a side or a corner."""

APART = 8
"""Between a piece and larger ones lie at least so many pixels."""

MARGIN = 1.0
"""Per cent of the pixels with charge beyond either end of the part of a frame that is read out."""

Range = tuple[int, int]
"""First, and last but one."""


@dataclass(frozen=True)
class ViewNoise:
    """Pixels of the noise in one view of a frame.

    Attributes:
        row: int64 (n,).
        column: int64 (n,).
        energy: float32 (n,), MeV.
        columns: That are read out.
    """

    row: Tensor
    column: Tensor
    energy: Tensor
    columns: Range


@dataclass(frozen=True)
class FrameNoise:
    """Noise of a frame.

    Attributes:
        rows: That are read out, in all views.
        views: In the order of the processor.
    """

    rows: Range
    views: tuple[ViewNoise, ...]


def noise_pixels(energy: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Mark the pixels of noise in a map.

    Args:
        energy: (rows, columns), MeV; 0 where there is none.

    Returns:
        (rows, columns): pixels of pieces of `LARGEST_PIECE` and fewer with no larger one nearer than `APART`.
    """
    touching = np.ones((3, 3), dtype=bool)
    piece, _ = ndimage.label(energy > 0, structure=touching)
    size = np.bincount(piece.ravel())
    size[0] = 0
    near = ndimage.binary_dilation((size > LARGEST_PIECE)[piece], touching, iterations=APART)
    is_noise = (size > 0) & (size <= LARGEST_PIECE)
    is_noise[np.unique(piece[near])] = False
    return is_noise[piece]


def read_frames(path: str, processor: NuPixelMapImageProcessor) -> list[FrameNoise]:
    """Read the noise of all frames of a dataset of pixel maps.

    Args:
        path: Folder, or repository on the Hub.
        processor: Whose views and pixels the frames must have; any size will do.

    Raises:
        RecipeError: Other views, pixels of another size, or nothing in a dataset that is noise.
        UnusableDatasetError: No pixel maps.
        UnreachableDatasetError: See `load_events`.
    """
    splits: Mapping[str, Dataset] = load_events(path)
    check_modality(splits, processor.modality)
    frames = [frame for rows in splits.values() for frame in _frames(path, rows, processor)]
    if not any(len(view.row) for frame in frames for view in frame.views):
        raise RecipeError(
            f"augmentation.noise: expected frames with pieces of {LARGEST_PIECE} pixels and fewer, "
            f"{APART} and more from larger ones, got none in {path}: take frames of a detector that has noise"
        )
    return frames


def _frames(path: str, rows: Dataset, processor: NuPixelMapImageProcessor) -> Iterator[FrameNoise]:
    names = [f"{view}_{what}" for view in processor.views for what in ("index", "energy")]
    if missing := [name for name in names if name not in rows.column_names]:
        raise RecipeError(
            f"augmentation.noise: expected frames of the views {', '.join(processor.views)}, got none with "
            f"{', '.join(missing)} in {path}: convert frames of such views"
        )
    for row in rows.select_columns(["detector", *names]).with_format("numpy"):
        _check_pixels(path, row["detector"], processor)
        yield _noise_of(row, processor.views)


def _check_pixels(path: str, detector: str, processor: NuPixelMapImageProcessor) -> None:
    geometry = find_detector(str(detector)).geometry()
    pitch = dict(zip(geometry["views"], geometry["pixel_pitch_mm"], strict=True))
    try:
        processor.check_pixel_pitch([pitch[view] for view in processor.views])
    except PixelSizeError as error:
        raise RecipeError(f"augmentation.noise: {detector} in {path}, {error}") from error


def _noise_of(row: Mapping[str, Any], views: list[str]) -> FrameNoise:
    geometry = find_detector(str(row["detector"])).geometry()
    maps = []
    for view in views:
        energy = np.zeros((geometry["height"], geometry["width"]), dtype=np.float32)
        energy.reshape(-1)[row[f"{view}_index"].astype(np.int64)] = row[f"{view}_energy"]
        maps.append(energy)
    rows = np.concatenate([np.nonzero(energy)[0] for energy in maps])
    return FrameNoise(_read_out(rows), tuple(map(_of_view, maps)))


def _of_view(energy: NDArray[np.float32]) -> ViewNoise:
    row, column = np.nonzero(noise_pixels(energy))
    found = torch.from_numpy(row), torch.from_numpy(column), torch.from_numpy(energy[row, column])
    return ViewNoise(*found, columns=_read_out(np.nonzero(energy)[1]))


def _read_out(places: NDArray[np.int64]) -> Range:
    """Tell where charge lies, but for a margin; nowhere without any."""
    if not len(places):
        return 0, 0
    first, last = np.percentile(places, (MARGIN, 100 - MARGIN))
    return int(first), int(last) + 1
