"""From hits with places and energies to the voxels of a detector; what is left out is counted and said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.cloud_reading import AXES, CloudReading, checked_energy
from nuzoo.datasets_scripts.readers.source_errors import OtherDetectorError
from nuzoo.files.events.point_cloud_events import VOXEL
from nuzoo.simulation.detectors import Detector


@dataclass
class Tally:
    """What became of the hits of a file.

    Attributes:
        hits: All of them.
        events: Their events.
        empty: Events without a hit that is kept.
        unplaced: Hits whose position or energy is no number.
        negative: Hits with less than no energy.
        negative_mev: Their energy.
        outside: Hits outside of the detector's voxels.
        outside_mev: Their energy.
        shared: Hits in a voxel that holds another one of their event already.
    """

    hits: int = 0
    events: int = 0
    empty: int = 0
    unplaced: int = 0
    negative: int = 0
    negative_mev: float = 0.0
    outside: int = 0
    outside_mev: float = 0.0
    shared: int = 0

    def tell(self, file: Path, detector: Detector, reading: CloudReading) -> None:
        """Note all that is not as it should be."""
        mev = {"negative": self.negative_mev, "outside": self.outside_mev}
        told = {
            "unplaced": "with NaN or infinite numbers are left out",
            "negative": "of negative energy, which is noise below the pedestal, are left out",
            "outside": f"outside of {detector.name} are left out",
            "shared": "in a voxel with others are added up",
        }
        for name, words in told.items():
            if number := getattr(self, name):
                energy = f", {mev[name]:.4g} MeV in all" if name in mev else ""
                reading.note(f"hits {words}: {number:,} of {self.hits:,}{energy}", file)
        if self.empty:
            reading.note(f"events without hits stay, as empty ones: {self.empty:,} of {self.events:,}", file)


def voxels_of(
    where: Path | str,
    mm: NDArray[np.float64],
    energy: NDArray[np.float64],
    detector: Detector,
    reading: CloudReading,
    tally: Tally,
) -> Row:
    """Return the columns `x`, `y`, `z` and `energy` of an event: its hits added up in the detector's voxels.

    Args:
        where: The event.
        mm: Places (n, 3) in the detector's coordinates.
        energy: MeV (n,).
        detector: One whose positions are numbers of voxels.
        reading: Gives the threshold, on the energy of a voxel.
        tally: What became of the hits is added.

    Raises:
        OtherDetectorError: The detector has no voxels.
        TooFewHitsError: There are fewer hits than are asked for.
        WrongEventError: The energies are not in MeV.
    """
    geometry = detector.geometry()
    if geometry["positions"] != VOXEL:
        raise OtherDetectorError(
            where, "a detector of voxels", f"{detector.name}, seen in mm", "give another --detector"
        )
    finite = np.isfinite(mm).all(axis=1) & np.isfinite(energy)
    negative = finite & (energy < 0)
    with np.errstate(invalid="ignore"):
        voxel = np.floor((mm - geometry["origin_mm"]) / geometry["pitch_mm"])
    inside = ((voxel >= 0) & (voxel < geometry["shape"])).all(axis=1)
    outside, kept = finite & ~negative & ~inside, finite & ~negative & inside
    cells, of_hit = np.unique(voxel[kept].astype(np.int64), axis=0, return_inverse=True)
    total = np.bincount(of_hit.reshape(-1), weights=energy[kept], minlength=len(cells))
    tally.hits += len(energy)
    tally.events += 1
    tally.unplaced += int(np.count_nonzero(~finite))
    tally.negative += int(np.count_nonzero(negative))
    tally.negative_mev += float(energy[negative].sum())
    tally.outside += int(np.count_nonzero(outside))
    tally.outside_mev += float(energy[outside].sum())
    tally.shared += int(np.count_nonzero(kept)) - len(cells)
    reading.check_enough(where, len(total))
    above = reading.above(where, checked_energy(where, total))
    tally.empty += not above.any()
    return dict(zip(AXES, cells[above].T, strict=True)) | {"energy": total[above]}
