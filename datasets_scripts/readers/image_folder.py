"""Events as grey images: `<event>_<view>.png` for each view, and `<event>_pid.txt` with the label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.dense_maps import (
    CHOOSE,
    blank_row,
    energy_scale,
    map_detectors,
    view_columns,
)
from nuzoo.datasets_scripts.readers.labels import read_labels
from nuzoo.datasets_scripts.readers.reading import MapDetector, Reading, beside, plain
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    MissingViewError,
    NotThisFormatError,
    TooLargeError,
    UnknownLabelError,
)
from nuzoo.simulation.response.pixel_maps import View

_LARGEST_LABEL = 64
_AS_ARRAY = "save the numbers as an array: numpy.save('event.npy', images) of (views, rows, columns)"
_COLOURS = f"colours have no energy: {_AS_ARRAY}, in MeV or counts"
_REMEDIES = dict.fromkeys(("I;16", "I;16B", "I", "F"), f"8 bits would lose its energies: {_AS_ARRAY}")
_REMEDIES["1"] = "black and white has no energies: make the image anew from the counts"


def image_event(file: Path, detectors: Iterable[MapDetector] = ()) -> Path | None:
    """Return the event that a file is part of, as `<folder>/<event>`; None if its name is of no such file.

    Args:
        file: Its name decides.
        detectors: Whose views the names may have beside those of the known ones.
    """
    event, _, part = file.name.rpartition("_")
    names = {
        f"{view.name}.png".lower() for each in (*map_detectors(), *detectors) for view in each.readout.views
    }
    return file.with_name(event) if event and part.lower() in names | {"pid.txt"} else None


def read_image_folder(event: Path, reading: Reading) -> Iterator[Row]:
    """Read one event: its 8-bit grey images, without its label.

    The seed's files (`<root>/<group>/<event>/<event>_xz.png`) and events side by side in one folder both
    work. The event id is `<folder>/<event>`, the folder being the one above where it is named as the event.
    `event` is `<folder>/<event>` without the ending.
    """
    detector = _detector_of(event, reading)
    files = {view: _part(event, f"{view.name}.png") for view in detector.readout.views}
    missing = [f"{event.name}_{view.name}.png" for view, file in files.items() if file is None]
    if missing:
        expected = f"an image for each view of {detector.name!r}"
        raise MissingViewError(event, expected, f"no {' and no '.join(missing)}", "add the missing image")
    images = [_pixels(file, view) for view, file in files.items() if file]
    scale = energy_scale(event, images[0].dtype, reading)
    source = next(file for file in files.values() if file)
    row = blank_row(_event_id(event), detector, reading.source(source))
    yield row | view_columns(event, images, detector, scale, reading)


def read_image_label(event: Path, reading: Reading) -> Row:
    """Read the label of an event, from its `_pid.txt`; nothing if there is none.

    Raises:
        SourceFileError: The label is unknown, or a number that nobody says the meaning of.
    """
    file = _part(event, "pid.txt")
    if file is None:
        return {}
    with file.open("rb") as stream:
        text = stream.read(_LARGEST_LABEL).strip()
    if reading.labels is None and text.isdigit():
        raise UnknownLabelError(
            file,
            f"the name of a class ({', '.join(reading.classes)})",
            f"the number {int(text)}, which is one of several files",
            "say what the numbers of all are: --labels index or --labels pdg",
        )
    return {"label": read_labels(file, "pid", [text], reading)[0]}


def _part(event: Path, ending: str) -> Path | None:
    return beside(event, f"{event.name}_{ending}") or beside(event, f"{event.name}_{ending.upper()}")


def _detector_of(event: Path, reading: Reading) -> MapDetector:
    def present(detector: MapDetector) -> int:
        return sum(_part(event, f"{view.name}.png") is not None for view in detector.readout.views)

    return max(map_detectors(reading), key=present)


def _event_id(event: Path) -> str:
    folder = event.absolute().parent
    group = folder.parent if folder.name == event.name else folder
    return plain(f"{group.name}/{event.name}")


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
            raise ArraySizeError(file, expected, got, f"crop or pad the image, or {CHOOSE}")
        if image.mode != "L":
            got = f"an image of mode {image.mode!r}"
            raise NotThisFormatError(file, "an 8-bit grey PNG", got, _REMEDIES.get(image.mode, _COLOURS))
        return np.asarray(image)
