"""Hits of LArPix in the HDF5 files of ndlar_flow, as of the DUNE 2 × 2 prototype.

The layout is h5flow's (lbl-neutrino/h5flow, README): tables `<path>/data`, and references of one to
another: `charge/events/ref/<hits>/ref` (n, 2) with the rows of an event and of a hit, and `ref_region` with
`start` and `stop` of each event in it. Hits are those of `charge/calib_final_hits`, else of
`charge/calib_prompt_hits`: `x`, `y`, `z` in cm, `Q` in thousands of electrons and `E` in MeV.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.cloud_reading import AXES, CloudReading, blank_cloud, rows_of
from nuzoo.datasets_scripts.readers.source_errors import (
    MissingViewError,
    NotThisFormatError,
    SourceFileError,
    UnknownScaleError,
    WrongEventError,
)
from nuzoo.datasets_scripts.readers.voxel_hits import Tally, voxels_of
from nuzoo.simulation.detectors import Detector
from nuzoo.simulation.detectors.experiments import DUNE_2X2
from nuzoo.simulation.response.charge import MEV_PER_ELECTRON

EVENTS = "charge/events"
HITS = ("charge/calib_final_hits", "charge/calib_prompt_hits")
"""Tables of hits, the ones that are read if both are there first."""

MEV_PER_CHARGE = 1000 * MEV_PER_ELECTRON
"""What `E` is expected to be of `Q`: ndlar_flow takes recombination at 2 MeV/cm."""

WITHIN = 2.0
"""How far `E` may be from that; early versions wrote a thousandth of it."""

_BOUNDS = "lar_detector_bounds"
_FEWEST = 10
_CM = 10.0


def is_flow(content: Any) -> bool:
    """Whether an HDF5 file holds events of ndlar_flow with calibrated hits."""
    return f"{EVENTS}/data" in content and any(f"{hits}/data" in content for hits in HITS)


def read_flow(file: Path, content: Any, reading: CloudReading) -> Iterator[Row | SourceFileError]:
    """Read the events of a file one by one."""
    hits = next(name for name in HITS if f"{name}/data" in content)
    table, references = content[f"{hits}/data"], f"{EVENTS}/ref/{hits}"
    _check_tables(file, content, hits)
    detector = reading.whose(DUNE_2X2.name)
    energies = _Energies(table.dtype.names, reading.mev_per_charge)
    energies.check(file)
    reading.note(f"hits are those of {hits}; {energies.told()}", file)
    moved = _moved(content, detector)
    if moved.any():
        reading.note(
            f"places are moved by {', '.join(f'{each:g}' for each in moved)} cm, as {_BOUNDS} say", file
        )
    reference, regions = content[f"{references}/ref"], content[f"{references}/ref_region"]
    tally = Tally()

    def row(event: int, where: str) -> Row:
        chosen = _own(where, event, regions[event], reference, len(table))
        own = table[chosen[0] : chosen[-1] + 1][chosen - chosen[0]] if chosen.size else table[:0]
        made = blank_cloud(reading.numbered_id(file, event), detector, f"{reading.source(file)}#{event}")
        places = np.stack([own[axis].astype(np.float64) for axis in AXES], axis=1)
        return made | voxels_of(
            where, _CM * (places + moved), energies.of(where, own), detector, reading, tally
        )

    yield from rows_of(file, range(len(regions)), "an event of ndlar_flow", row)
    tally.tell(file, detector, reading)


class _Energies:
    """How the energies of hits are found.

    Args:
        columns: Of the hits.
        mev_per_charge: MeV of a thousand electrons, if the user says so.
    """

    def __init__(self, columns: tuple[str, ...], mev_per_charge: float | None) -> None:
        self.columns, self.mev_per_charge = columns, mev_per_charge

    def check(self, file: Path) -> None:
        """Refuse a file without them."""
        needed = "E" if self.mev_per_charge is None else "Q"
        if needed not in self.columns:
            remedy = "give the MeV of a thousand electrons, --mev-per-charge, to take Q"
            if needed == "Q":
                remedy = "leave --mev-per-charge out, to take E"
            raise UnknownScaleError(file, f"a column {needed!r} of hits", ", ".join(self.columns), remedy)

    def told(self) -> str:
        """Say what they are."""
        if self.mev_per_charge is None:
            return "energies are E of the file, MeV"
        return f"energies are Q, {self.mev_per_charge:g} MeV for a thousand electrons"

    def of(self, where: str, hits: NDArray[Any]) -> NDArray[np.float64]:
        """Return them, MeV.

        Raises:
            UnknownScaleError: `E` is not of the size that `Q` makes expect.
        """
        if self.mev_per_charge is not None:
            return hits["Q"].astype(np.float64) * self.mev_per_charge
        energy: NDArray[np.float64] = hits["E"].astype(np.float64)
        if "Q" in self.columns:
            some = hits["Q"] > 0
            ratio = (
                float(np.median(energy[some] / hits["Q"][some])) if some.sum() >= _FEWEST else MEV_PER_CHARGE
            )
            if not MEV_PER_CHARGE / WITHIN <= ratio <= MEV_PER_CHARGE * WITHIN:
                raise UnknownScaleError(
                    where,
                    f"E of about {MEV_PER_CHARGE:.3g} MeV for each thousand electrons of Q",
                    f"{ratio:.3g}",
                    f"give --mev-per-charge {MEV_PER_CHARGE:.3g} to take Q, or calibrate the file again",
                )
        return energy


def _check_tables(file: Path, content: Any, hits: str) -> None:
    for path in (f"{EVENTS}/ref/{hits}/ref", f"{EVENTS}/ref/{hits}/ref_region"):
        if path not in content:
            remedy = "write the file with references of events to hits"
            raise MissingViewError(file, f"a dataset {path!r}", "none", remedy)
    regions, events = content[f"{EVENTS}/ref/{hits}/ref_region"], content[f"{EVENTS}/data"]
    columns = content[f"{hits}/data"].dtype.names or ()
    if missing := [axis for axis in AXES if axis not in columns]:
        raise NotThisFormatError(
            file, f"columns x, y and z of {hits}", ", ".join(columns) or "none", f"add {', '.join(missing)}"
        )
    if len(regions) != len(events) or not {"start", "stop"} <= set(regions.dtype.names or ()):
        expected = f"'ref_region' with start and stop of {len(events)} events"
        got = f"{len(regions)} of {regions.dtype.names}"
        raise NotThisFormatError(file, expected, got, "write the file again")


def _own(where: str, event: int, region: Any, reference: Any, hits: int) -> NDArray[np.int64]:
    """Return the rows of an event's hits, in rising order."""
    start, stop = int(region["start"]), int(region["stop"])
    if not 0 <= start <= stop <= len(reference):
        problem = (
            f"expected a part of {len(reference)} references, got {start} to {stop}: write the file again"
        )
        raise WrongEventError(where, "ref_region", problem)
    pairs = reference[start:stop]
    own = (
        np.unique(pairs[pairs[:, 0] == event, 1]).astype(np.int64) if stop > start else np.zeros(0, np.int64)
    )
    if own.size and not 0 <= own[0] <= own[-1] < hits:
        problem = f"expected rows of {hits} hits, got {own[0]} to {own[-1]}: write the file again"
        raise WrongEventError(where, "ref", problem)
    return own


def _moved(content: Any, detector: Detector) -> NDArray[np.float64]:
    """Return what takes places in the file (cm) to those of the detector, zeros if that is not told."""
    group = content.get("geometry_info")
    if group is None or np.shape(group.attrs.get(_BOUNDS)) != (2, 3):
        return np.zeros(3)
    middle = np.asarray(group.attrs[_BOUNDS], np.float64).mean(axis=0)
    own = (np.array(detector.low) + np.array(detector.high)) / 2
    moved = own - middle
    return np.where(np.abs(moved) > 1.0, np.round(moved, 3), 0.0) if np.isfinite(moved).all() else np.zeros(3)
