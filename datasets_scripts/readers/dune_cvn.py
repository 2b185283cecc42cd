"""DUNE CVN pixel maps: `<event>.gz` and, where truth is known, `<event>.info`."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.dense_maps import MapDetector, blank_row, matching_detector, view_columns
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    NotThisFormatError,
    TooLargeError,
    TruncatedFileError,
    UnknownLabelError,
)
from nuzoo.files.events.event_classes import EVENT_CLASSES
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
_CC_EVENT_CLASSES = {12: EVENT_CLASSES.index("nue_cc"), 14: EVENT_CLASSES.index("numu_cc"), 16: None}


def read_dune_cvn(file: Path, detector: MapDetector | None, mev_per_count: float | None) -> Iterator[Row]:
    """Read the event of one `.gz` file, without its truth.

    The file is a zlib (or gzip) stream of uint8 (views, wires, ticks); ticks become the rows of the map. One
    count is `MEV_PER_COUNT` unless another scale is given.
    """
    detector = matching_detector(file, (SHAPE[0], SHAPE[2], SHAPE[1]), detector)
    maps = _unpack(file).transpose(0, 2, 1)
    row = blank_row(f"{file.absolute().parent.name}/{file.stem}", detector, file.name)
    yield row | view_columns(file, maps, detector, MEV_PER_COUNT if mev_per_count is None else mev_per_count)


def read_dune_truth(file: Path) -> Row:
    """Label and truth of an event, from the `.info` file beside its `.gz`; nothing if there is none.

    It has one number a line: 0 interaction code (13 is NC, else QE, RES, DIS, other modulo 4), 1 neutrino
    energy and 2 lepton energy in GeV, 7 PDG code of the neutrino (1 for NC), 8 protons, 9 charged pions,
    10 neutral pions, 11 neutrons. Tau neutrinos have no label here.

    Raises:
        SourceFileError: The file is broken.
    """
    info = file.with_suffix(".info")
    return _truth(info) if info.exists() else {}


def _unpack(file: Path) -> NDArray[np.uint8]:
    size = int(np.prod(SHAPE))
    expected = f"{size} bytes of uint8 {SHAPE}, compressed with zlib"
    packed_size = file.stat().st_size
    if packed_size > _LARGEST_FILE:
        raise TooLargeError(file, expected, f"a file of {packed_size} bytes", "is it a DUNE CVN pixel map?")
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        unpacked = unpacker.decompress(file.read_bytes(), size + 1)
    except zlib.error as error:
        if "header" in str(error) or "compression method" in str(error):
            raise NotThisFormatError(file, expected, str(error), "is it a DUNE CVN pixel map?") from error
        raise TruncatedFileError(file, expected, str(error), "copy or download the file again") from error
    if len(unpacked) > size:
        raise TooLargeError(file, expected, f"more than {size} bytes", "is it a DUNE CVN pixel map?")
    if not unpacker.eof:
        got = f"{len(unpacked)} bytes and then the end of the file"
        raise TruncatedFileError(file, expected, got, "copy or download the file again")
    if len(unpacked) < size:
        raise ArraySizeError(file, expected, f"{len(unpacked)} bytes", "is it a DUNE CVN pixel map?")
    return np.frombuffer(unpacked, np.uint8).reshape(SHAPE)


def _truth(info: Path) -> Row:
    values = _info_values(info)
    code, pdg = int(values[0]), int(values[7])
    is_nc = code == _NC_CODE
    if not is_nc and (not 0 <= code <= _LAST_CC_CODE or abs(pdg) not in _CC_EVENT_CLASSES):
        expected = "interaction code 13 (NC), or 0 to 11 and a neutrino of PDG code ±12, ±14 or ±16"
        raise UnknownLabelError(info, expected, f"code {code}, PDG {pdg}", "correct or remove the .info file")
    energy, lepton_energy = values[1:3]
    return {
        "label": EVENT_CLASSES.index("nc") if is_nc else _CC_EVENT_CLASSES[abs(pdg)],
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
    expected = f"at least {_INFO_VALUES} numbers, one a line"
    remedy = "copy or download the file again, or remove it to go without truth"
    with info.open("rb") as stream:
        words = stream.read(_LARGEST_INFO).split()
    try:
        values = [float(word) for word in words[:_INFO_VALUES]]
    except ValueError as error:
        raise NotThisFormatError(info, expected, str(error)[:80], remedy) from error
    if len(values) < _INFO_VALUES:
        raise TruncatedFileError(info, expected, f"{len(values)} numbers", remedy)
    if not np.isfinite(values).all():
        raise NotThisFormatError(info, "finite numbers", "NaN or infinity", remedy)
    return values
