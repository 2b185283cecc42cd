"""One point cloud as an `.npz`: `voxel` (hits, 3) and `energy` (hits,), and what is known of the hits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.arrays import array_in, described_archive, open_archive
from nuzoo.datasets_scripts.readers.cloud_reading import (
    CloudReading,
    above_threshold,
    blank_cloud,
    whole_positions,
)
from nuzoo.datasets_scripts.readers.known_files import without_points
from nuzoo.datasets_scripts.readers.reading import event_name
from nuzoo.datasets_scripts.readers.source_errors import ArraySizeError, SourceFileError
from nuzoo.simulation.detectors import LARTPC_CUBE

_TRUTH = ("motif", "pid", "role", "particle", "interaction")


def read_cloud_npz(file: Path, reading: CloudReading) -> Iterator[Row | SourceFileError]:
    """Read the event of one `.npz`; nothing is unpickled.

    `motif`, `pid`, `role`, `particle` and `interaction`, each (hits,), are optional.
    """
    with open_archive(file) as archive:
        arrays = {
            name: array
            for name in ("voxel", "energy", *_TRUTH)
            if (array := array_in(file, archive, (name,))) is not None
        }
        if not {"voxel", "energy"} <= arrays.keys():
            contents = described_archive(file, archive)
            raise without_points(file, contents, "arrays 'voxel' (hits, 3) and 'energy' (hits,)")
    reading.check_wanted(file, "a point cloud of one event")
    reading.check_charge(file)
    voxel = arrays.pop("voxel")
    if voxel.ndim != 2 or voxel.shape[1] != 3:
        remedy = "save the voxel numbers as three columns x, y, z"
        raise ArraySizeError(file, "'voxel' of shape (hits, 3)", f"{voxel.shape}", remedy)
    detector = reading.whose(LARTPC_CUBE.name)
    if reading.detector is None:
        reading.note(f"voxels are those of {detector.name}; --detector names another", file)
    row = blank_cloud(event_name(file, file.stem), detector, reading.source(file))
    yield above_threshold(file, row | whole_positions(file, voxel) | arrays, detector, reading)
