"""What files are that nuzoo does not read: said by name, with what to do instead."""

from __future__ import annotations

import bz2
import lzma
import re
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from nuzoo.datasets_scripts.readers.source_errors import MissingViewError, NotThisFormatError, SourceFileError

_BEGINNING = 1 << 16
_SEARCHED = 8 << 20
_TAR_MAGIC = slice(257, 262)
_SHOWN = 8

MAPS = "'images' of (events, views, rows, columns) in an .h5 or .npz file, energies in MeV"


@dataclass(frozen=True)
class FileKind:
    """What a file is.

    Attributes:
        text: What, for people.
        remedy: What to do with it; empty where its ending decides.
        has_events: Whether there may be events in it.
        ending: Of the name of such a file.
    """

    text: str
    remedy: str = ""
    has_events: bool = True
    ending: str = ""

    def remedy_for(self, endings: Collection[str]) -> str:
        """Say what to do with it where files of these endings are read."""
        return self.remedy or (f"name it {self.ending}" if self.ending in endings else _OTHER_FORMAT)


@dataclass(frozen=True)
class Described:
    """An array of a file.

    Attributes:
        shape: Of the array.
        dtype: Its type, or the names of its fields.
    """

    shape: tuple[int, ...]
    dtype: str


Contents = dict[str, Described]
"""What a file holds, by name."""

_BEE = "give --format lartpc-cubes (nuzoo convert), or --modality point-clouds (nuzoo display)"
_OTHER_FORMAT = (
    "give --format (nuzoo convert) or --modality (nuzoo display) of what it holds, or leave it out"
)
_UNPACK = "unpack it, and give the files or the folder"
_TABLE = "it holds no events that nuzoo reads: leave it out"
_PROJECT = f"project the hits of each event on the views of your detector, and save the maps as {MAPS}"
_FROM_INTERACTIONS, _FROM_DEPOSITS = (
    f"make events of it: nuzoo simulate DATASET --{given} FILE --out FOLDER"
    for given in ("interactions", "deposits")
)

_HISTOGRAMS = FileKind("a ROOT file of histograms", _TABLE, has_events=False)
_ROOT_CLASSES = {
    b"gRooTracker": FileKind("a ROOT file of GENIE interactions (gRooTracker)", _FROM_INTERACTIONS),
    b"RootTuple": FileKind(
        "a ROOT file of interactions of a generator (RootTuple, as of GiBUU)", _FROM_INTERACTIONS
    ),
    b"EDepSimEvents": FileKind("a ROOT file of edep-sim (Geant4) energy deposits", _FROM_DEPOSITS),
    b"TH2": _HISTOGRAMS,
    b"TH1": _HISTOGRAMS,
}
_ROOT = FileKind("a ROOT file", f"read its tree with uproot, and save the maps as {MAPS}")

_ZIP, _TORCH, _FIRST_NAME = b"PK\x03\x04", b"data.pkl", 256
_MAGIC = {
    _ZIP: FileKind("a zip archive", f"{_UNPACK}; if it is one of Bee, {_BEE}"),
    b"7z\xbc\xaf": FileKind("a 7z archive", _UNPACK),
    b"\x89HDF": FileKind("an HDF5 file", ending=".h5"),
    b"\x93NUMPY": FileKind("an array of NumPy", ending=".npy"),
    b"PAR1": FileKind("a Parquet file", ending=".parquet"),
    b"\x89PNG": FileKind(
        "a PNG picture that is not named after a view", "name it <event>_<view>.png, such as event1_xz.png"
    ),
    b"\xff\xd8\xff": FileKind("a JPEG picture, which has lost its energies", f"save the maps as {MAPS}"),
    b"II*\0": FileKind("a TIFF picture", f"save the maps as {MAPS}"),
    b"MM\0*": FileKind("a TIFF picture", f"save the maps as {MAPS}"),
    b"ARROW1": FileKind("an Arrow file", "write it as .parquet"),
}


def known_kind(file: Path) -> FileKind | None:
    """Say what a file is, by its first bytes; None if that is not known, or it cannot be read."""
    try:
        with file.open("rb") as stream:
            begin = stream.read(_BEGINNING)
            if begin.startswith(b"root"):
                return _root_kind(begin + stream.read(_SEARCHED))
    except OSError:
        return None
    if begin.startswith(_ZIP) and _TORCH in begin[:_FIRST_NAME]:
        return FileKind("a file of torch.save", ending=".pt")
    for magic, kind in _MAGIC.items():
        if begin.startswith(magic):
            return kind
    return packed_kind(begin) or _text_kind(begin)


def packed_kind(begin: bytes) -> FileKind | None:
    """Say which archive, or compressed file, begins with these bytes; None if it is neither."""
    if begin[_TAR_MAGIC] == b"ustar":
        return FileKind("a tar archive", _UNPACK)
    unpackers: Mapping[bytes, tuple[str, Callable[[bytes], bytes]]] = {
        b"\x1f\x8b": ("gzip", lambda data: zlib.decompressobj(wbits=31).decompress(data, _BEGINNING)),
        b"BZh": ("bzip2", lambda data: bz2.BZ2Decompressor().decompress(data, _BEGINNING)),
        b"\xfd7zXZ": ("xz", lambda data: lzma.LZMADecompressor().decompress(data, _BEGINNING)),
    }
    for magic, (name, unpack) in unpackers.items():
        if begin.startswith(magic):
            try:
                inside = unpack(begin)
            except (OSError, ValueError, zlib.error, lzma.LZMAError):
                inside = b""
            what = "a tar archive" if inside[_TAR_MAGIC] == b"ustar" else "a file"
            return FileKind(f"{what}, packed with {name}", _UNPACK)
    return None


def _root_kind(content: bytes) -> FileKind:
    return next((kind for name, kind in _ROOT_CLASSES.items() if name in content), _ROOT)


def _text_kind(begin: bytes) -> FileKind | None:
    lines = begin.decode("utf-8", "replace").splitlines()[:-1] or [begin.decode("utf-8", "replace")]
    rows = [re.split(r"[\s,;]+", line.strip()) for line in lines[1:50] or lines]
    if rows and all(len(row) == len(rows[0]) and all(map(_is_number, row)) for row in rows):
        return FileKind(f"a table of numbers with {len(rows[0])} columns", _TABLE, has_events=False)
    if begin.lstrip()[:1] in (b"{", b"["):
        remedy = f"if it holds points of Bee, {_BEE}; if other events, save their maps as {MAPS}"
        return FileKind("a JSON file", remedy, has_events=False)
    return None


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


_GIVE = "give --format {{name}} (nuzoo convert), or --modality {modality} (nuzoo display)"
_CLOUD = _GIVE.format(modality="point-clouds")
_LAYERS = _GIVE.format(modality="detector-events")
_CLOUDS = {
    "cluster": FileKind("point clouds of PILArNet-M", _CLOUD.format(name="pilarnet-m")),
    "particle_mcst_group": FileKind("point clouds of larcv3", _CLOUD.format(name="pilarnet-2020")),
    "voxel": FileKind(
        "a point cloud of one event, as of PILArNet",
        "give --modality point-clouds (nuzoo display), or a model of these",
    ),
    "reco_hits": FileKind(
        "an event of several sub-detectors, as of FASERCal", _LAYERS.format(name="fasercal")
    ),
}
_DEPOSITS = {
    "segments": FileKind("energy deposits of edep-sim (Geant4), before any detector", _FROM_DEPOSITS),
    "packets": FileKind("packets of pixels, as of larnd-sim", _PROJECT),
    "pix_x": FileKind("charges of single pixels, as of larnd-sim", _PROJECT),
}
_GIVE_MAPS = "give --format lartpc-pixelmaps, or --modality pixel-maps"
_MAPS = {
    "images": FileKind("pixel maps", _GIVE_MAPS),
    "tt": FileKind("hits of the target tracker of OPERA", _GIVE_MAPS),
}
_FLOW = dict.fromkeys(
    ("calib_final_hits", "calib_prompt_hits"),
    FileKind("hits of LArPix, as of ndlar_flow", _CLOUD.format(name="lartpc-cubes")),
)
"""What files of arrays hold, by the name of one of them."""

_STORED = {
    "positions": FileKind(
        "point clouds", "give --modality point-clouds (nuzoo display), or a model of these"
    ),
    "cal_energy": FileKind(
        "events of several sub-detectors",
        "give --modality detector-events (nuzoo display), or a model of these",
    ),
}
"""What rows that nuzoo stores hold beside pixel maps, by the name of a column."""

_FLOW_FIRST = "make hits of it with ndlar_flow, and give its file"

_POINTS = "'point' and 'cluster' of PILArNet-M, or groups of larcv3 in 'Data'"


def without_points(file: Path, contents: Contents, expected: str = _POINTS) -> SourceFileError:
    """Return the error of a file of arrays that holds no point clouds: what it holds, and what to do."""
    kind = _kind_of(contents, _MAPS | _DEPOSITS | _CLOUDS)
    remedy = "check that the file is what its name says"
    if kind is _CLOUDS["voxel"]:
        remedy = "save all of these arrays"
    elif kind is not None:
        remedy = _FLOW_FIRST if kind.remedy == _PROJECT else kind.remedy
    text = kind.text if kind else "other arrays"
    return NotThisFormatError(file, expected, f"{text}: {_listed(contents)}", remedy)


def stored_kind(columns: Collection[str]) -> FileKind | None:
    """Say what rows of nuzoo's own hold that are no pixel maps; None if that is not known."""
    return next((kind for name, kind in _STORED.items() if name in columns), None)


def _kind_of(contents: Contents, kinds: Mapping[str, FileKind]) -> FileKind | None:
    names = {part for path in contents for part in path.split("/")}
    return next((kind for name, kind in kinds.items() if name in names), None)


def _listed(contents: Contents) -> str:
    listed = ", ".join(f"{name} {each.shape}" for name, each in list(contents.items())[:_SHOWN]) or "nothing"
    return f"{listed}{', …' if len(contents) > _SHOWN else ''}"


def without_images(file: Path, contents: Contents) -> SourceFileError:
    """Return the error of a file of arrays that has none called 'images': what it holds, and what to do."""
    kind = _kind_of(contents, _FLOW | _DEPOSITS | _CLOUDS)
    maps = [name for name, each in contents.items() if len(each.shape) == 4]
    if kind is None and maps:
        kind = FileKind(
            "arrays of another name", f"name the array of the maps 'images' (it may be {maps[0]!r})"
        )
    kind = kind or FileKind("arrays that are no maps", f"save the maps as {MAPS}")
    return MissingViewError(file, "maps called 'images'", f"{kind.text}: {_listed(contents)}", kind.remedy)
