"""Points of the Bee event display as JSON, alone or in a zip archive.

Members of an archive are `data/<event>/<event>-<algorithm>.json`. `x`, `y` and `z` are in cm, `q` in
electrons (bnlif.github.io/wire-cell-docs/viz/uploads); `geom` names the detector. `<event>-mc.json`, the
particles of a simulation, is not read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.arrays import UNPACKED, open_archive
from nuzoo.datasets_scripts.readers.cloud_reading import AXES, CloudReading, blank_cloud
from nuzoo.datasets_scripts.readers.reading import event_name
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    NotThisFormatError,
    OtherDetectorError,
    SourceFileError,
    TooLargeError,
    UnknownScaleError,
    WrongEventError,
)
from nuzoo.datasets_scripts.readers.voxel_hits import Tally, voxels_of
from nuzoo.simulation.detectors import Detector, find_detector
from nuzoo.simulation.detectors.experiments import PROTODUNE_SP
from nuzoo.simulation.response.charge import MEV_PER_ELECTRON

NAME = "lartpc-cubes"
"""The dataset that such points become."""

DETECTORS_OF = {"protodune": PROTODUNE_SP.name}
"""The usual detector of a `geom`."""

_LARGEST = 256 << 20
_CM = 10.0
_PARTICLES = "-mc.json"


def read_bee_zip(file: Path, reading: CloudReading) -> Iterator[Row | SourceFileError]:
    """Read the events of an archive one by one."""
    reading.check_wanted(file, "an archive of Bee", NAME)
    tally, read, passed = _Points(file, reading), 0, 0
    with open_archive(file) as archive:
        for member in archive.infolist():
            if not member.filename.endswith(".json"):
                continue
            if member.filename.endswith(_PARTICLES):
                passed += 1
                continue
            where, read = f"{file}#{member.filename}", read + 1
            try:
                if member.compress_type not in UNPACKED:
                    got = f"compression {member.compress_type}"
                    raise NotThisFormatError(where, "a usual zip archive", got, "pack it again")
                _check_size(where, member.file_size)
                with archive.open(member) as stream:
                    held = stream.read(member.file_size)
                row = tally.row(where, held, Path(member.filename).stem)
            except SourceFileError as error:
                yield error
            else:
                yield row
    if not read:
        got = f"{len(archive.namelist())} other files"
        raise NotThisFormatError(
            file, "<event>-<algorithm>.json of Bee in the archive", got, "unpack it, and give the files"
        )
    if passed:
        reading.note(f"trees of particles ({_PARTICLES.lstrip('-')}) are not read: {passed:,}", file)
    tally.tell()


def read_bee_json(file: Path, reading: CloudReading) -> Iterator[Row | SourceFileError]:
    """Read the event of one file."""
    reading.check_wanted(file, "points of Bee", NAME)
    _check_size(file, file.stat().st_size)
    points = _Points(file, reading)
    row = points.row(file, file.read_bytes(), "")
    points.tell()
    yield row


class _Points:
    """The events of a file, and what became of their points."""

    def __init__(self, file: Path, reading: CloudReading) -> None:
        self.file, self.reading, self.tally = file, reading, Tally()
        self.detector: Detector | None = None
        self.scale = MEV_PER_ELECTRON if reading.mev_per_charge is None else reading.mev_per_charge

    def row(self, where: Path | str, held: bytes, member: str) -> Row:
        """Read an event from the bytes of its JSON."""
        content = _content(where, held)
        self.detector = detector = _detector(where, content, self.reading)
        name = f"{self.file.stem}#{member}" if member else self.file.stem
        source = self.reading.source(self.file)
        row = blank_cloud(event_name(self.file, name), detector, f"{source}#{member}" if member else source)
        arrays = {key: _numbers(where, content, key) for key in (*AXES, "q")}
        if len({len(of) for of in arrays.values()}) > 1:
            got = ", ".join(f"{len(of)} of {key}" for key, of in arrays.items())
            raise ArraySizeError(where, "as many x, y, z and q", got, "write the points again")
        mm = _CM * np.stack([arrays[axis] for axis in AXES], axis=1)
        return row | voxels_of(where, mm, arrays["q"] * self.scale, detector, self.reading, self.tally)

    def tell(self) -> None:
        """Say what was decided."""
        chosen = self.reading.mev_per_charge is not None
        said = "" if chosen else ": W_ion, and recombination at 2.1 MeV/cm (another: --mev-per-charge)"
        self.reading.note(f"q are electrons of {self.scale:.4g} MeV{said}", self.file)
        if self.detector is not None:
            self.tally.tell(self.file, self.detector, self.reading)


def _content(where: Path | str, held: bytes) -> dict[str, Any]:
    try:
        content = json.loads(held)
    except (ValueError, RecursionError) as error:
        raise NotThisFormatError(where, "JSON", str(error)[:120], "copy or write the file again") from error
    if not isinstance(content, dict) or not all(isinstance(content.get(axis), list) for axis in AXES):
        got = ", ".join(map(str, [*content][:8])) if isinstance(content, dict) else type(content).__name__
        raise NotThisFormatError(where, "lists x, y and z of points of Bee", got, "leave the file out")
    if "q" not in content:
        remedy = "write the charges too: points without them have no energy"
        raise UnknownScaleError(where, "a list q of charges in electrons", "none", remedy)
    return content


def _detector(where: Path | str, content: dict[str, Any], reading: CloudReading) -> Detector:
    if reading.detector is not None:
        return reading.detector
    named = content.get("geom")
    if named not in DETECTORS_OF:
        remedy = "name the detector whose coordinates these are, with --detector (`nuzoo detectors`)"
        raise OtherDetectorError(where, f"geom of {', '.join(DETECTORS_OF)}", repr(named)[:80], remedy)
    return find_detector(DETECTORS_OF[named])


def _numbers(where: Path | str, content: dict[str, Any], key: str) -> NDArray[np.float64]:
    try:
        found = np.asarray(content[key], dtype=np.float64)
        if found.ndim != 1:
            raise ValueError(f"lists in the list, shape {found.shape}")
    except (TypeError, ValueError) as error:
        problem = f"expected a list of numbers, got {str(error)[:100]}: write the points again"
        raise WrongEventError(where, key, problem) from error
    return found


def _check_size(where: Path | str, size: int) -> None:
    if size > _LARGEST:
        expected = f"an event of at most {_LARGEST} bytes"
        raise TooLargeError(where, expected, f"{size}", "write fewer points into a file")
