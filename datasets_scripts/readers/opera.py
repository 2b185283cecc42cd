"""Open data of OPERA: hits of the target tracker, two planes of plastic scintillator a wall.

As the records HJC7.3DCC, NS3I.LL21, 6YX1.BRUK and ELJ3.0GOU of opendata.cern.ch tell, gathered into one
`.npz` of flat arrays: `tt` (hits, 5) with the row of the event, the view (0 xz, 1 yz), the coordinate across
the strips and z in cm, and the amplitude in photoelectrons; `event_id`, `label`, `label_names`; `vtx`
(vertices, 7 or more) with the row of the event and, in columns 4 to 6, x, y and z in cm, the primary vertex
first.

The spectrometers (`rpc`, `dt`) are not read: whether there are hits in them is what events were selected by.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.arrays import array_in
from nuzoo.datasets_scripts.readers.dense_maps import blank_row, check_hits
from nuzoo.datasets_scripts.readers.labels import class_number, texts_of, unlabelled
from nuzoo.datasets_scripts.readers.placed_hits import detector_with_views, in_pixels, place_hits
from nuzoo.datasets_scripts.readers.reading import MapDetector, Reading, event_name
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    MissingViewError,
    SourceFileError,
    UnknownLabelError,
    WrongEventError,
)
from nuzoo.simulation.detectors.experiments import OPERA_TARGET_TRACKER

HITS = "tt"
"""The array by which a file is known."""

VIEWS = {"xz": 0, "yz": 1}

MUON_PHOTOELECTRONS = 15.8
"""Median of a muon through one strip at right angles, both ends together: 19,971 lone hits 1.5 m and more
behind the vertex of muon-neutrino events, on straight lines (`docs/real-data.md` tells how)."""

MUON_MEV = 1.936 * 1.060 * 1.06
"""Of a minimum-ionising particle in 10.6 mm of polystyrene: 1.936 MeV cm²/g and 1.060 g/cm³ (PDG)."""

MEV_PER_PHOTOELECTRON = MUON_MEV / MUON_PHOTOELECTRONS

TO_WALLS_CM = 4.0
"""Added to z, so that both planes of a wall lie in one column of 134 mm: they are 14.6 mm apart."""

SAMPLES: Mapping[str, tuple[str, int]] = {
    "nuMu": ("numu_cc", 14),
    "nuE": ("nue_cc", 12),
    "nuTau": ("nutau_cc", 16),
    "charm": ("numu_cc", 14),
}
"""Class and PDG code of the neutrino of each sample. Charm was looked for in charged currents of muon
neutrinos (arXiv:1404.4357)."""

_COLUMNS = 5
_VERTEX = slice(4, 7)


def read_opera(file: Path, archive: zipfile.ZipFile, reading: Reading) -> Iterator[Row | SourceFileError]:
    """Read the events of an archive that holds `tt`.

    Energies are photoelectrons times `MEV_PER_PHOTOELECTRON` unless another scale is given: what is seen in
    the strips, not what the bricks between them took.
    """
    events = _Events.of(file, archive, reading)
    scale = MEV_PER_PHOTOELECTRON if reading.mev_per_count is None else reading.mev_per_count
    usual = ", by the median of muons (another: --mev-per-count)" if reading.mev_per_count is None else ""
    reading.note(f"one photoelectron is {scale:.4g} MeV{usual}; spectrometers are not read", file)
    outside = lost = 0.0
    for number in range(len(events.names)):
        try:
            row, out = events.row(number, scale)
        except SourceFileError as error:
            yield error
        else:
            outside, lost = outside + out[0], lost + out[1]
            yield row
    if outside:
        reading.note(
            f"hits outside of the maps of {events.detector.name} are left out: {outside:,.0f} of "
            f"{len(events.hits):,}, {lost / 1000:.3g} GeV",
            file,
        )


def classes_of(samples: Sequence[str]) -> tuple[str, ...]:
    """Return the classes of samples by name, each once."""
    return tuple(dict.fromkeys(SAMPLES[sample][0] if sample in SAMPLES else sample for sample in samples))


@dataclass(frozen=True)
class _Events:
    """The arrays of a file."""

    file: Path
    reading: Reading
    detector: MapDetector
    hits: NDArray[np.float64]
    ends: NDArray[np.int64]
    names: list[str]
    samples: list[str]
    truth: dict[str, Row]
    vertices: dict[int, NDArray[np.float64]]

    @classmethod
    def of(cls, file: Path, archive: zipfile.ZipFile, reading: Reading) -> _Events:
        detector = detector_with_views(file, reading, VIEWS, OPERA_TARGET_TRACKER)
        hits = _numbers(file, archive, HITS, _COLUMNS, True)
        names = [str(name) for name in _column(file, archive, "event_id")]
        samples = _samples(file, archive, len(names))
        rows = hits[:, 0]
        if len(rows) and not ((rows >= 0) & (rows < len(names))).all():
            got = f"{rows.min():g} to {rows.max():g}"
            raise ArraySizeError(
                file, f"rows of {len(names)} events in column 0 of {HITS!r}", got, "correct the column"
            )
        hits = hits[np.argsort(rows, kind="stable")]
        ends = np.searchsorted(hits[:, 0], np.arange(len(names) + 1))
        vertices: dict[int, NDArray[np.float64]] = {}
        for vertex in _numbers(file, archive, "vtx", _VERTEX.stop, False):
            vertices.setdefault(int(vertex[0]), vertex[_VERTEX])
        truth = _truth(file, Counter(samples), reading)
        return cls(file, reading, detector, hits, ends, names, samples, truth, vertices)

    def row(self, number: int, scale: float) -> tuple[Row, tuple[int, float]]:
        """Read an event; also the number and energy (MeV) of its hits outside of the maps."""
        where, sample = f"{self.file}#{number}", self.samples[number]
        name = event_name(self.file, f"{sample}-{self.names[number]}" if sample else self.names[number])
        row = blank_row(name, self.detector, f"{self.reading.source(self.file)}#{number}")
        hits, vertex = self.hits[self.ends[number] : self.ends[number + 1]], self.vertices.get(number)
        _check_event(where, hits)
        outside, lost = 0, 0.0
        for view in self.detector.readout.views:
            own = hits[hits[:, 1] == VIEWS[view.name]]
            pitches = view.row_pitch_mm, view.column_pitch_mm
            pixels = _pixels(own[:, 2], own[:, 3], pitches)
            at = None if vertex is None else _pixels(vertex[[VIEWS[view.name]]], vertex[[2]], pitches)
            found = place_hits(
                where, view, pixels, own[:, 4] * scale, None if at is None else (int(at[0][0]), int(at[1][0]))
            )
            row[f"{view.name}_index"], row[f"{view.name}_energy"] = found.index, found.energy
            outside, lost = outside + found.outside, lost + found.lost
        check_hits(where, row, self.detector, self.reading)
        if vertex is not None:
            row["vertex"] = vertex.tolist()
        return row | self.truth[sample], (outside, lost)


def _truth(file: Path, samples: Counter[str], reading: Reading) -> dict[str, Row]:
    """Return what is known of the events of each sample, by its name."""
    truth: dict[str, Row] = {"": {}}
    for sample, events in samples.items():
        if not sample:
            continue
        name, pdg = SAMPLES.get(sample, (sample, None))
        own = class_number(sample, reading.classes)
        label = class_number(name, reading.classes) if own is None else own
        if label is None and pdg is None:
            expected, remedy = f"names among {', '.join(SAMPLES)} or of classes", "give --classes with it"
            reading.go_without(UnknownLabelError(file, expected, repr(sample), remedy))
        elif label is None:
            reading.note(unlabelled(name, reading.classes), file)
        elif own is None:
            reading.note(f"{events:,} events of {sample} are {name}", file)
        truth[sample] = {"label": label, "neutrino_pdg": pdg}
    return truth


def _pixels(
    across_cm: NDArray[np.float64], z_cm: NDArray[np.float64], pitches: tuple[float, float]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return in_pixels(across_cm * 10, pitches[0]), in_pixels((z_cm + TO_WALLS_CM) * 10, pitches[1])


def _check_event(where: str, hits: NDArray[np.float64]) -> None:
    for column, name in enumerate(("view", "coordinate", "z", "amplitude"), 1):
        values = hits[:, column]
        good = np.isfinite(values)
        expected = "finite numbers"
        if name == "view":
            good, expected = np.isin(values, list(VIEWS.values())), "0 (xz) or 1 (yz)"
        elif name == "amplitude":
            good, expected = good & (values >= 0), "photoelectrons, finite and 0 or more"
        if not good.all():
            wrong = int(np.argmin(good))
            problem = f"expected {expected}, got {values[wrong]} at hit {wrong}: correct the file"
            raise WrongEventError(where, f"{HITS} ({name})", problem)


def _numbers(
    file: Path, archive: zipfile.ZipFile, name: str, columns: int, needed: bool
) -> NDArray[np.float64]:
    found = array_in(file, archive, (name,))
    if found is None:
        if needed:
            raise MissingViewError(file, f"an array {name!r}", "none", "save the hits")
        return np.zeros((0, columns))
    if found.ndim != 2 or found.shape[1] < columns or found.dtype.kind not in "iuf":
        got = f"shape {found.shape} of {found.dtype}"
        remedy = "save the arrays as docs/real-data.md tells"
        raise ArraySizeError(file, f"numbers {name!r} of shape (n, {columns})", got, remedy)
    return found.astype(np.float64)


def _column(file: Path, archive: zipfile.ZipFile, name: str, events: int | None = None) -> NDArray[Any]:
    found = array_in(file, archive, (name,))
    if found is None or found.ndim != 1 or (events is not None and len(found) != events):
        got = "none" if found is None else f"shape {found.shape}"
        shape = "(events,)" if events is None else f"({events},)"
        raise ArraySizeError(file, f"{name!r} of shape {shape}", got, "save one value for each event")
    return found


def _samples(file: Path, archive: zipfile.ZipFile, events: int) -> list[str]:
    """Return the name of the sample of each event, empty where the file does not tell."""
    names = texts_of(array_in(file, archive, ("label_names",)))
    if not names:
        return [""] * events
    numbers = _column(file, archive, "label", events)
    if len(numbers) and not (numbers.dtype.kind in "iu" and 0 <= numbers.min() <= numbers.max() < len(names)):
        expected = f"'label' with numbers of the {len(names)} names in 'label_names'"
        raise UnknownLabelError(file, expected, f"{numbers.min()} to {numbers.max()}", "correct the column")
    return [names[number] for number in numbers.tolist()]
