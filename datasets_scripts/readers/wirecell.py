"""Frames of the Wire-Cell toolkit: archives of arrays as its `FrameFileSink` writes them.

Members are `<kind>_<tag>_<frame>.npy` in a tar archive, packed or not, or in a zip archive (`.npz`):
`frame` (channels, ticks), `channels` (their numbers), `tickinfo` (time and length of a tick in ns, and the
number of the first), and `chanmask` (n, 3) with a bad channel, its first bad tick and that after the last.
Of the tags that one is read which begins with `gauss`: deconvolved charge, in electrons a tick.
"""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.dense_maps import blank_row, check_hits
from nuzoo.datasets_scripts.readers.known_files import known_kind
from nuzoo.datasets_scripts.readers.placed_hits import detector_with_views, in_pixels, place_hits
from nuzoo.datasets_scripts.readers.reading import MapDetector, Reading, event_name
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    NotThisFormatError,
    ObjectArrayError,
    SourceFileError,
    TooLargeError,
    TruncatedFileError,
    UnknownScaleError,
    WrongEventError,
)
from nuzoo.simulation.detectors.experiments import PROTODUNE_HD_APA
from nuzoo.simulation.response.charge import MEV_PER_ELECTRON

MEMBER = re.compile(r"(?:.*/)?(frame|channels|tickinfo|summary|chanmask)_(.*)_(\d+)\.npy")
CHARGE = "gauss"
"""What the tag of deconvolved charge begins with."""

PLANES = {"u": (0, 800, 4.67), "v": (800, 1600, 4.67), "z": (1600, 2560, 4.79)}
"""First channel, that after the last, and pitch in mm of each plane of an anode of ProtoDUNE."""

CHANNELS = 2560
DRIFT_MM_PER_US = 1.6
"""As in Wire-Cell's configuration of the detector (cfg/pgrapher/common/params.jsonnet, `lar.drift_speed`)."""

_LARGEST = 1 << 30
_SEARCHED = 100
"""Members of other names, after which there are no frames."""


def is_frames(names: list[str]) -> bool:
    """Whether members of an archive are those of frames, by their names."""
    return any((found := MEMBER.fullmatch(name)) and found[1] == "frame" for name in names)


def read_frame_tar(file: Path, reading: Reading) -> Iterator[Row | SourceFileError]:
    """Read the frames of a tar archive, as it streams by, whatever it is packed with."""
    try:
        with tarfile.open(file, "r|*") as archive:
            yield from _rows(file, _tar_members(archive), reading)
    except (tarfile.ReadError, EOFError, OSError) as error:
        if getattr(error, "errno", None) is not None:
            raise
        got, remedy = str(error) or "its end too early", "copy or download the file again"
        raise TruncatedFileError(file, "a whole tar archive", got, remedy) from error


def read_frame_zip(file: Path, archive: zipfile.ZipFile, reading: Reading) -> Iterator[Row | SourceFileError]:
    """Read the frames of an `.npz` archive."""
    yield from _rows(file, _zip_members(archive), reading)


_Member = tuple[str, int, IO[bytes]]


def _tar_members(archive: tarfile.TarFile) -> Iterator[_Member]:
    for member in archive:
        if member.isfile() and (content := archive.extractfile(member)) is not None:
            yield member.name, member.size, content


def _zip_members(archive: zipfile.ZipFile) -> Iterator[_Member]:
    for member in archive.infolist():
        with archive.open(member) as content:
            yield member.filename, member.file_size, content


@dataclass
class _Frame:
    """What an archive holds of one frame, as far as it has been read."""

    number: str
    charges: dict[str, NDArray[Any]] = field(default_factory=dict)
    channels: dict[str, NDArray[Any]] = field(default_factory=dict)
    ticks: dict[str, NDArray[Any]] = field(default_factory=dict)
    bad: list[NDArray[Any]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def take(self, file: Path, kind: str, tag: str, member: _Member) -> None:
        """Take an array, if it is one that is read."""
        if kind == "chanmask":
            self.bad.append(_array(file, member))
        elif tag.startswith(CHARGE) and kind != "summary":
            arrays = {"frame": self.charges, "channels": self.channels, "tickinfo": self.ticks}[kind]
            arrays[tag] = _array(file, member)
        elif kind == "frame":
            self.others.append(f"frame_{tag}")


def _rows(file: Path, members: Iterator[_Member], reading: Reading) -> Iterator[Row | SourceFileError]:
    """Yield the anodes of each frame; its arrays stand one behind the other."""
    frame: _Frame | None = None
    others: list[str] = []
    for member in members:
        named = MEMBER.fullmatch(member[0])
        if named is None:
            others.append(member[0])
            if frame is None and len(others) > _SEARCHED:
                break
            continue
        if frame is not None and frame.number != named[3]:
            yield from _anodes(file, frame, reading)
            frame = None
        frame = frame or _Frame(named[3])
        frame.take(file, named[1], named[2], member)
    if frame is not None:
        yield from _anodes(file, frame, reading)
    elif others:
        kind = known_kind(file)
        got = f"{kind.text if kind else 'an archive'} with {', '.join(others[:4])}"
        expected = "frame_<tag>_<number>.npy of Wire-Cell in the archive"
        raise NotThisFormatError(file, expected, got, "unpack it, and give the files or the folder")


def _anodes(file: Path, frame: _Frame, reading: Reading) -> Iterator[Row | SourceFileError]:
    where = f"{file}#{frame.number}"
    if not frame.charges:
        yield UnknownScaleError(
            where,
            f"deconvolved charge in electrons, frame_{CHARGE}…",
            ", ".join(frame.others) or "no frame",
            "run Wire-Cell's signal processing, and write its gauss traces",
        )
    for tag in frame.charges:
        try:
            read, detector = (
                _Charge.of(where, frame, tag),
                detector_with_views(where, reading, PLANES, PROTODUNE_HD_APA),
            )
        except SourceFileError as error:
            yield error
        else:
            yield from _maps(file, where, frame.number, read, detector, reading)


def _maps(
    file: Path, where: str, number: str, read: _Charge, detector: MapDetector, reading: Reading
) -> Iterator[Row | SourceFileError]:
    """Yield the maps of each anode that channels of a frame are of."""
    scale = MEV_PER_ELECTRON if reading.mev_per_count is None else reading.mev_per_count
    usual = ": W_ion, and recombination at 2.1 MeV/cm (another: --mev-per-count)"
    said = usual if reading.mev_per_count is None else ""
    reading.note(f"one electron is {scale:.4g} MeV{said}; charge is that of frame_{read.tag}", file)
    for anode in np.unique(read.channels // CHANNELS).tolist():
        name = event_name(file, f"{file.name.partition('.')[0]}#{number}-apa{anode}")
        row = blank_row(name, detector, f"{reading.source(file)}#{number}")
        try:
            yield row | read.maps(f"{where}-apa{anode}", anode, detector, scale, reading)
        except SourceFileError as error:
            yield error


@dataclass(frozen=True)
class _Charge:
    """A frame's charge where there is some."""

    tag: str
    channels: NDArray[np.int64]
    row: NDArray[np.int64]
    tick: NDArray[np.int64]
    electrons: NDArray[np.float64]
    mm_per_tick: float
    bad: NDArray[np.int64]

    @classmethod
    def of(cls, where: str, frame: _Frame, tag: str) -> _Charge:
        charge = frame.charges[tag]
        _check_charge(where, tag, charge)
        channels, ticks = frame.channels.get(tag), frame.ticks.get(tag)
        if channels is None or channels.shape != (len(charge),) or channels.dtype.kind not in "iu":
            got = "none" if channels is None else f"shape {channels.shape} of {channels.dtype}"
            raise ArraySizeError(where, f"channels_{tag} of shape ({len(charge)},)", got, "write it too")
        if ticks is None or ticks.shape != (3,) or not (np.isfinite(ticks).all() and ticks[1] > 0):
            got = "none" if ticks is None else f"{ticks.tolist()}"
            expected = f"tickinfo_{tag} with time, length of a tick in ns (above 0) and number of the first"
            raise ArraySizeError(where, expected, got, "write it too")
        for mask in frame.bad:
            if mask.ndim != 2 or mask.shape[1] != 3:
                expected = "chanmask_… of shape (n, 3): channel, first bad tick and that after the last"
                raise ArraySizeError(where, expected, f"shape {mask.shape}", "write it so, or leave it out")
        row, column = np.nonzero(charge)
        return cls(
            tag,
            channels.astype(np.int64),
            row,
            column + int(ticks[2]),
            charge[row, column].astype(np.float64),
            float(ticks[1]) / 1000 * DRIFT_MM_PER_US,
            np.concatenate([*frame.bad, np.zeros((0, 3))]).astype(np.int64),
        )

    def maps(self, where: str, anode: int, detector: MapDetector, scale: float, reading: Reading) -> Row:
        """Return the maps of an anode plane assembly."""
        channel = self.channels[self.row] - anode * CHANNELS
        bad = self._masked(anode)
        negative = self.electrons < 0
        good = (channel >= 0) & (channel < CHANNELS) & ~bad & ~negative
        dead = {each for each in self.bad[:, 0].tolist() if each // CHANNELS == anode}
        reading.note(
            f"bad channels of the mask: {len(dead)} of anode {anode}, whose {self.electrons[bad].sum():,.0f} "
            "electrons are left out",
            where,
        )
        if negative.any():
            told = f"{np.count_nonzero(negative):,} ticks, {self.electrons[negative].sum():,.0f} electrons"
            reading.note(f"charge below zero is left out: {told}", where)
        columns: Row = {}
        for view in detector.readout.views:
            first, end, pitch = PLANES[view.name]
            own = good & (channel >= first) & (channel < end)
            wire = (channel[own] - first + 0.5) * pitch
            drift = (self.tick[own] + 0.5) * self.mm_per_tick
            pixels = in_pixels(drift, view.row_pitch_mm), in_pixels(wire, view.column_pitch_mm)
            found = place_hits(where, view, pixels, self.electrons[own] * scale)
            columns[f"{view.name}_index"], columns[f"{view.name}_energy"] = found.index, found.energy
            if found.outside:
                reading.note(f"charge outside of the window of {view.name} is left out", where)
        check_hits(where, columns, detector, reading)
        return columns

    def _masked(self, anode: int) -> NDArray[np.bool_]:
        """Say which charge lies in a bad channel while it is bad."""
        found = np.zeros(len(self.row), np.bool_)
        channel = self.channels[self.row]
        for number, first, end in self.bad[self.bad[:, 0] // CHANNELS == anode]:
            found |= (channel == number) & (self.tick >= first) & (self.tick < end)
        return found


def _check_charge(where: str, tag: str, charge: NDArray[Any]) -> None:
    if charge.ndim != 2:
        raise ArraySizeError(
            where, f"frame_{tag} of shape (channels, ticks)", f"shape {charge.shape}", "write it so"
        )
    if charge.dtype.kind in "iu":
        raise UnknownScaleError(
            where,
            f"deconvolved charge in electrons, as frame_{CHARGE}… holds",
            f"whole numbers in frame_{tag}: raw ADC counts with a pedestal",
            "run Wire-Cell's signal processing, and write its gauss traces",
        )
    if charge.dtype.kind != "f":
        raise NotThisFormatError(where, "floating-point charge", f"{charge.dtype}", "write it so")
    if not np.isfinite(charge).all():
        channel, tick = map(int, np.argwhere(~np.isfinite(charge))[0])
        problem = f"expected finite numbers, got {charge[channel, tick]} in row {channel}, tick {tick}"
        raise WrongEventError(where, f"frame_{tag}", f"{problem}: make the frame again")


def _array(file: Path, member: _Member) -> NDArray[Any]:
    name, size, content = member
    if size > _LARGEST:
        raise TooLargeError(
            file, f"{name} of at most {_LARGEST} bytes", f"{size}", "write fewer ticks a frame"
        )
    held = content.read(size)
    if len(held) < size:
        raise TruncatedFileError(file, f"{size} bytes of {name}", f"{len(held)}", "copy the file again")
    try:
        return np.asarray(np.load(io.BytesIO(held), allow_pickle=False))
    except ValueError as error:
        if "allow_pickle" in str(error) or "Object arrays" in str(error):
            raise ObjectArrayError(file, f"numbers in {name}", "Python objects", "write numbers") from error
        raise TruncatedFileError(
            file, f"a whole array in {name}", str(error), "copy the file again"
        ) from error
