"""Events as grey images: `<event>_<view>.png` for each view, and `<event>_pid.txt` with the label."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.dense_maps import (
    MapDetector,
    blank_row,
    energy_scale,
    label_number,
    map_detectors,
    view_columns,
)
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    MissingViewError,
    NotThisFormatError,
    TooLargeError,
)
from nuzoo.simulation.response.pixel_maps import View

_LARGEST_LABEL = 64


def image_event(file: Path) -> Path | None:
    """Return the event that a file is part of, as `<folder>/<event>`; None if its name is of no such file."""
    event, _, part = file.name.rpartition("_")
    names = {f"{view.name}.png" for detector in map_detectors() for view in detector.readout.views}
    return file.with_name(event) if event and part in names | {"pid.txt"} else None


def read_image_folder(
    event: Path, detector: MapDetector | None, mev_per_count: float | None
) -> Iterator[Row]:
    """Read one event: its 8-bit grey images, without its label.

    The seed's files (`<root>/<group>/<event>/<event>_xz.png`) and events side by side in one folder both
    work. The event id is `<folder>/<event>`, the folder being the one above where it is named as the event.
    `event` is `<folder>/<event>` without the ending.
    """
    detector = detector or _detector_of(event)
    files = [_part(event, f"{view.name}.png") for view in detector.readout.views]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        expected = f"an image for each view of {detector.name!r}"
        raise MissingViewError(event, expected, f"no {' and no '.join(missing)}", "add the missing image")
    row = blank_row(_event_id(event), detector, files[0].name)
    images = [_pixels(file, view) for file, view in zip(files, detector.readout.views, strict=True)]
    scale = energy_scale(event, images[0].dtype, mev_per_count)
    yield row | view_columns(event, images, detector, scale)


def read_image_label(event: Path) -> Row:
    """Read the label of an event, from its `_pid.txt`; nothing if there is none.

    Raises:
        SourceFileError: The label is unknown.
    """
    file = _part(event, "pid.txt")
    if not file.is_file():
        return {}
    with file.open("rb") as stream:
        return {"label": label_number(file, stream.read(_LARGEST_LABEL).strip())}


def _part(event: Path, ending: str) -> Path:
    return event.with_name(f"{event.name}_{ending}")


def _detector_of(event: Path) -> MapDetector:
    def present(detector: MapDetector) -> int:
        return sum(_part(event, f"{view.name}.png").is_file() for view in detector.readout.views)

    return max(map_detectors(), key=present)


def _event_id(event: Path) -> str:
    folder = event.absolute().parent
    group = folder.parent if folder.name == event.name else folder
    return f"{group.name}/{event.name}"


def _pixels(file: Path, view: View) -> NDArray[np.uint8]:
    from PIL import Image

    try:
        image = Image.open(file, formats=["PNG"])
    except Image.DecompressionBombError as error:
        raise TooLargeError(
            file, f"{view.columns} × {view.rows} pixels", str(error), "crop the image"
        ) from error
    with image:
        if image.size != (view.columns, view.rows):
            expected = f"{view.columns} × {view.rows} pixels (width × height) for view {view.name!r}"
            got = f"{image.width} × {image.height}"
            raise ArraySizeError(file, expected, got, "crop or pad the image, or choose its detector")
        if image.mode != "L":
            got = f"an image of mode {image.mode!r}"
            raise NotThisFormatError(file, "an 8-bit grey PNG", got, "convert the image to 8-bit grey")
        return np.asarray(image)
