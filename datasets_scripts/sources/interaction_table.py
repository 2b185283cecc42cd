"""Interactions in a plain Parquet table, for generators whose own files nuzoo does not read.

A row is an interaction: `neutrino_pdg`, `neutrino_energy` (GeV, along +z), and lists of what leaves the
nucleus, the lepton among them: `pdg`, `px`, `py`, `pz`, `energy` (total, GeV). As far as they are known:
`interaction_mode` (a name in `INTERACTION_MODES`), `target_pdg`, `weight`, `event`, `generator`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nuzoo.datasets_scripts.readers.source_errors import NotThisFormatError, TooLargeError, naming_errors
from nuzoo.datasets_scripts.sources.errors import ImpossibleEnergyError
from nuzoo.datasets_scripts.sources.given import INTERACTIONS, GivenInteraction, Glance, SourceFile
from nuzoo.datasets_scripts.sources.interaction_records import (
    MEV_PER_GEV,
    Record,
    four_momenta,
    transportable,
)
from nuzoo.files.events.event_classes import INTERACTION_MODES
from nuzoo.simulation.event_types import InteractionMode

NEEDED = ("neutrino_pdg", "neutrino_energy", "pdg", "px", "py", "pz", "energy")
KNOWN = ("interaction_mode", "target_pdg", "weight", "event", "generator")
LARGEST_GROUP = 256 << 20
"""Bytes of a group of rows, which is held as a whole."""


class InteractionTable(SourceFile[GivenInteraction]):
    """A Parquet file of interactions."""

    format, gives, holds = "Parquet", INTERACTIONS, f"Parquet with {', '.join(NEEDED)}"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        import pyarrow.parquet as pq

        with naming_errors(path, "a Parquet file"):
            self._file = pq.ParquetFile(path)
        groups = [self._file.metadata.row_group(i) for i in range(self._file.num_row_groups)]
        if largest := max((group.total_byte_size for group in groups), default=0) // LARGEST_GROUP:
            got = f"one of {largest * LARGEST_GROUP >> 20} MiB"
            remedy = "write it with smaller groups (row_group_size=10_000)"
            raise TooLargeError(path, f"groups of rows of {LARGEST_GROUP >> 20} MiB", got, remedy)
        self._first = np.cumsum([0, *(group.num_rows for group in groups)])
        self._columns = [name for name in (*NEEDED, *KNOWN) if name in self._file.schema_arrow.names]
        self._held: tuple[int, Any] = (-1, None)

    @classmethod
    def claims(cls, glance: Glance) -> bool:
        """Say whether a file is of this format."""
        return glance.begin.startswith(b"PAR1") and glance.names.issuperset(NEEDED)

    def __len__(self) -> int:
        return int(self._first[-1])

    def __getitem__(self, entry: int) -> GivenInteraction:
        row, where = self._row(entry), self.where(entry)
        if absent := [name for name in NEEDED if row[name] is None]:
            raise ImpossibleEnergyError(where, f"a value of {absent[0]}", "null", "leave the event out")
        with naming_errors(where, "lists of one length of pdg, px, py, pz and energy"):
            four = four_momenta(row, ("px", "py", "pz", "energy"))
            pdg = np.asarray(row["pdg"], np.int64)
            if len(pdg) != len(four):
                raise ValueError(f"{len(pdg)} codes of {len(four)} particles")
        energy = float(row["neutrino_energy"]) * MEV_PER_GEV
        mode = row.get("interaction_mode")
        if mode is not None and mode not in INTERACTION_MODES:
            expected = f"an interaction_mode of {', '.join(INTERACTION_MODES)}, or null"
            raise NotThisFormatError(where, expected, repr(mode), "name it so, or write null")
        number, weight = row.get("event"), row.get("weight")
        record = Record(
            neutrino_pdg=int(row["neutrino_pdg"]),
            neutrino=np.array([0.0, 0.0, energy, energy]),
            pdg=pdg,
            four_momentum=four,
            target_pdg=int(row.get("target_pdg") or 0),
            generator=str(row.get("generator") or ""),
            mode=None if mode is None else InteractionMode(INTERACTION_MODES.index(mode)),
            number=None if number is None else int(number),
            weight=None if weight is None else float(weight),
        )
        return transportable(where, record)

    def _row(self, entry: int) -> dict[str, Any]:
        group = int(np.searchsorted(self._first, entry, side="right")) - 1
        if group != self._held[0]:
            with naming_errors(self.where(entry), "a group of rows"):
                table = self._file.read_row_group(group, columns=self._columns)
            self._held = group, table
        row: dict[str, Any] = self._held[1].slice(entry - int(self._first[group]), 1).to_pylist()[0]
        return row
