"""Which format a file is of, by its content."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from nuzoo.datasets_scripts.readers.known_files import known_kind
from nuzoo.datasets_scripts.readers.source_errors import naming_errors
from nuzoo.datasets_scripts.sources.edep_sim import EDepSimTree
from nuzoo.datasets_scripts.sources.errors import UnknownSourceError
from nuzoo.datasets_scripts.sources.genie import RooTracker, Summary
from nuzoo.datasets_scripts.sources.gibuu import RootTuple
from nuzoo.datasets_scripts.sources.given import DEPOSITS, Glance, SourceFile
from nuzoo.datasets_scripts.sources.interaction_table import InteractionTable
from nuzoo.datasets_scripts.sources.nuhepmc import NuHepMC
from nuzoo.datasets_scripts.sources.root_trees import open_root
from nuzoo.datasets_scripts.sources.segments import SegmentFile

FORMATS: tuple[type[SourceFile[Any]], ...] = (
    RooTracker,
    Summary,
    RootTuple,
    NuHepMC,
    InteractionTable,
    SegmentFile,
    EDepSimTree,
)

_BEGINNING = 1 << 10


def open_source(path: Path, gives: str, sensitive: Collection[str] = ()) -> SourceFile[Any]:
    """Open a file that a simulation begins with, and look at its first events.

    Args:
        path: Of the file, whatever its ending.
        gives: `INTERACTIONS` or `DEPOSITS`, which is asked for.
        sensitive: Sensitive detectors whose deposits are asked for; all of them by default.

    Raises:
        UnknownSourceError: Its format is not known, gives the other, or does not tell detectors apart.
        SourceFileError: It is broken.
        MissingReaderError: The library that reads it is not installed.
    """
    source = recognised(path, gives, sensitive)
    source.check()
    return source


def recognised(path: Path, gives: str, sensitive: Collection[str] = ()) -> SourceFile[Any]:
    """Open a file as `open_source` does, which has looked at its first events before."""
    seen = glance(path)
    expected = f"a file of {gives}: {'; '.join(each.holds for each in FORMATS if each.gives == gives)}"
    found = next((each for each in FORMATS if each.claims(seen)), None)
    if found is None:
        raise UnknownSourceError(path, expected, _described(path, seen), _WRITE_TABLE[gives == DEPOSITS])
    if found.gives != gives:
        remedy = f"give --{found.gives} instead"
        raise UnknownSourceError(path, expected, f"{found.format}, a file of {found.gives}", remedy)
    source = found(path)
    if sensitive:
        source.keep(sensitive)
    return source


_WRITE_TABLE = (
    "write it as one of these; docs/generators.md describes the Parquet table",
    "write it as HDF5 with larnd-sim's dumpTree.py, or give edep-sim's own ROOT file",
)


def glance(path: Path) -> Glance:
    """Look at what tells the format of a file.

    Raises:
        SourceFileError: It is not what its first bytes say.
        MissingReaderError: It is a ROOT file, and uproot is not installed.
    """
    with naming_errors(path, "a file"), path.open("rb") as stream:
        begin = stream.read(_BEGINNING)
    if begin.startswith(b"root"):
        return Glance(
            begin, frozenset(name.partition(";")[0] for name in open_root(path).keys(recursive=False))
        )
    if begin.startswith(b"\x89HDF"):
        import h5py

        with naming_errors(path, "an HDF5 file"), h5py.File(path, "r") as content:
            return Glance(begin, frozenset(content))
    if begin.startswith(b"PAR1"):
        import pyarrow.parquet as pq

        with naming_errors(path, "a Parquet file"):
            return Glance(begin, frozenset(pq.read_schema(path).names))
    return Glance(begin)


def _described(path: Path, seen: Glance) -> str:
    kind = known_kind(path)
    text = kind.text if kind else "another file"
    return f"{text} with {', '.join(sorted(seen.names)[:8])}" if seen.names else text
