"""DUNE CVN pixel maps: `<event>.gz` and, where truth is known, `<event>.info`."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.dense_maps import blank_row, matching_detector, view_columns
from nuzoo.datasets_scripts.readers.known_files import packed_kind
from nuzoo.datasets_scripts.readers.labels import NEUTRINOS, class_number, unlabelled
from nuzoo.datasets_scripts.readers.reading import Reading, beside, event_name
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    NotThisFormatError,
    SourceFileError,
    TooLargeError,
    TruncatedFileError,
    UnknownLabelError,
)
from nuzoo.simulation.detectors.lartpcs import MEV_PER_COUNT
from nuzoo.simulation.event_types import InteractionMode

SHAPE = (3, 500, 500)
"""Views u, v, z; wires; ticks (Phys. Rev. D 102, 092003)."""

_LARGEST_FILE = 1 << 20
_LARGEST_INFO = 1 << 16
_INFO_VALUES = 12
_NC_CODE = 13
_LAST_CC_CODE = 11
_MODES = (InteractionMode.QE.value, InteractionMode.RES.value, InteractionMode.DIS.value, None)
_INFO_LINES = (0, 1, 2, 7, 8, 9, 10, 11)


def read_dune_cvn(file: Path, reading: Reading) -> Iterator[Row]:
    """Read the event of one `.gz` file, without its truth.

    The file is a zlib (or gzip) stream of uint8 (views, wires, ticks); ticks become the rows of the map. One
    count is `MEV_PER_COUNT` unless another scale is given.
    """
    detector = matching_detector(file, (SHAPE[0], SHAPE[2], SHAPE[1]), reading)
    maps = _unpack(file).transpose(0, 2, 1)
    scale = reading.count_energy(MEV_PER_COUNT) or MEV_PER_COUNT
    reading.note(f"one count is {scale:g} MeV", file)
    row = blank_row(event_name(file, file.stem), detector, reading.source(file))
    yield row | view_columns(file, maps, detector, scale, reading)


def read_dune_truth(file: Path, reading: Reading) -> Row:
    """Label and truth of an event, from the `.info` file beside its `.gz`; nothing if there is none.

    It has one number a line: 0 interaction code (13 is NC, else QE, RES, DIS, other modulo 4), 1 neutrino
    energy and 2 lepton energy in GeV, 7 PDG code of the neutrino (1 for NC), 8 protons, 9 charged pions,
    10 neutral pions, 11 neutrons. An event of a class that is not asked for has no label.

    Raises:
        SourceFileError: The file is broken.
    """
    info = beside(file, f"{file.stem}.info")
    return _truth(info, reading) if info else {}


def _unpack(file: Path) -> NDArray[np.uint8]:
    size = int(np.prod(SHAPE))
    expected = f"{size} bytes of uint8 {SHAPE}, compressed with zlib or gzip"
    packed_size = file.stat().st_size
    if packed_size > _LARGEST_FILE:
        raise _other_file(TooLargeError, file, expected, f"a file of {packed_size} bytes")
    unpacked = bytearray()
    for part in _members(file, expected, size):
        unpacked += part
        if len(unpacked) > size:
            raise _other_file(
                TooLargeError, file, expected, f"more than {size} bytes: several events in one?"
            )
    if len(unpacked) < size:
        raise _other_file(ArraySizeError, file, expected, f"{len(unpacked)} bytes")
    return np.frombuffer(unpacked, np.uint8).reshape(SHAPE)


def _members(file: Path, expected: str, size: int) -> Iterator[bytes]:
    """Yield what each compressed part of a file holds, at most one byte more than `size`."""
    packed, damaged = file.read_bytes(), "copy or download the file again"
    while True:
        unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        try:
            unpacked = unpacker.decompress(packed, size + 1)
        except zlib.error as error:
            if "header" in str(error) or "compression method" in str(error):
                raise _other_file(NotThisFormatError, file, expected, str(error)) from error
            raise TruncatedFileError(file, expected, str(error), damaged) from error
        yield unpacked
        if not unpacker.eof:
            got = f"{len(unpacked)} bytes and then the end of the file"
            raise TruncatedFileError(file, expected, got, damaged)
        if not unpacker.unused_data:
            return
        packed = unpacker.unused_data


def _other_file(kind: type[SourceFileError], file: Path, expected: str, got: str) -> SourceFileError:
    """Return the error of a `.gz` that is no map, with what else it is if that can be seen."""
    with file.open("rb") as stream:
        begin = stream.read(_LARGEST_INFO)
    packed = packed_kind(begin)
    if packed and "tar" in packed.text:
        return NotThisFormatError(file, expected, packed.text, packed.remedy)
    remedy = "give one event a file; if it is no DUNE CVN pixel map, unpack it first"
    return kind(file, expected, got, remedy)


def _truth(info: Path, reading: Reading) -> Row:
    values = _info_values(info)
    code, pdg = int(values[0]), int(values[7])
    is_nc = code == _NC_CODE
    if not is_nc and (not 0 <= code <= _LAST_CC_CODE or abs(pdg) not in NEUTRINOS):
        expected = "interaction code 13 (NC), or 0 to 11 and a neutrino of PDG code ±12, ±14 or ±16"
        raise UnknownLabelError(info, expected, f"code {code}, PDG {pdg}", "correct or remove the .info file")
    energy, lepton_energy = values[1:3]
    name = "nc" if is_nc else NEUTRINOS[abs(pdg)]
    label = class_number(name, reading.classes)
    if label is None:
        reading.note(unlabelled(name, reading.classes), info)
    return {
        "label": label,
        "neutrino_energy": energy,
        "neutrino_pdg": None if is_nc else pdg,
        "interaction_mode": None if is_nc else _MODES[code % 4],
        "lepton_pdg": None if is_nc else pdg - int(np.sign(pdg)),
        "lepton_energy": lepton_energy,
        "inelasticity": 1 - lepton_energy / energy if energy > 0 else None,
        "n_protons": int(values[8]),
        "n_charged_pions": int(values[9]),
        "n_neutral_pions": int(values[10]),
        "n_neutrons": int(values[11]),
    }


def _info_values(info: Path) -> list[float]:
    """Return the numbers of a file; those that nobody asks for may be anything."""
    expected = f"at least {_INFO_VALUES} numbers, one a line"
    remedy = "copy or download the file again, or remove it to go without truth"
    with info.open("rb") as stream:
        words = stream.read(_LARGEST_INFO).split()
    if len(words) < _INFO_VALUES:
        raise TruncatedFileError(info, expected, f"{len(words)} numbers", remedy)
    values = [math.nan] * _INFO_VALUES
    for line in _INFO_LINES:
        try:
            values[line] = float(words[line])
        except ValueError as error:
            raise NotThisFormatError(info, expected, str(error)[:80], remedy) from error
        if not math.isfinite(values[line]):
            got = f"{values[line]} in line {line + 1}"
            raise NotThisFormatError(info, "finite numbers", got, remedy)
    return values
