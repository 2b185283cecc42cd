"""Interactions in NuHepMC: HepMC3 files of text with the conventions of arXiv:2310.13211.

Units are those that each event states. A target has status 20 (11 in drafts of the standard); the ranges of
process numbers are those of its convention E.C.1.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from nuzoo.datasets_scripts.readers.source_errors import TruncatedFileError, naming_errors
from nuzoo.datasets_scripts.sources.errors import NoVertexError
from nuzoo.datasets_scripts.sources.given import (
    EXTRA,
    INTERACTIONS,
    GivenInteraction,
    Glance,
    MissingReaderError,
    SourceFile,
)
from nuzoo.datasets_scripts.sources.interaction_records import Record, transportable
from nuzoo.simulation.event_types import InteractionMode

FINAL, BEAM, TARGETS = 1, 4, (20, 11)
STRUCK_NUCLEON = 21
END = b"HepMC::Asciiv3-END_EVENT_LISTING\n"

_MODES = {
    2: InteractionMode.QE,
    3: InteractionMode.MEC,
    4: InteractionMode.RES,
    5: InteractionMode.DIS,
    6: InteractionMode.DIS,
}
"""By the hundreds of the process number; 500 to 599 is shallow inelastic scattering."""


class NuHepMC(SourceFile[GivenInteraction]):
    """A HepMC3 file of text; where each event begins is found once, and one is held at a time."""

    format, gives, holds = "NuHepMC", INTERACTIONS, "HepMC3 text (HepMC::Asciiv3)"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            import pyhepmc
        except ImportError as error:
            raise MissingReaderError(
                f"{path}: expected the package pyhepmc to read a NuHepMC file, got none: `{EXTRA}`"
            ) from error
        self._open = pyhepmc.open
        self._begins, self._is_whole = _begins(path)

    @classmethod
    def claims(cls, glance: Glance) -> bool:
        """Say whether a file is of this format."""
        return b"HepMC::Asciiv3" in glance.begin

    def __len__(self) -> int:
        return len(self._begins) - 1

    def __getitem__(self, entry: int) -> GivenInteraction:
        where = self.where(entry)
        if not self._is_whole and entry == len(self) - 1:
            remedy = "copy or make the file again, or leave the event out"
            raise TruncatedFileError(where, "an event that is whole", "the end of the file within it", remedy)
        with naming_errors(where, "an event of HepMC3"):
            return transportable(where, _record(where, self._event(entry)))

    def _event(self, entry: int) -> Any:
        with self.path.open("rb") as stream:
            head = stream.read(self._begins[0])
            stream.seek(self._begins[entry])
            body = stream.read(self._begins[entry + 1] - self._begins[entry])
        with self._open(io.BytesIO(head + body + END), "r", format="HepMC3") as reader:
            event = reader.read()
        if event is None:
            raise NoVertexError(self.where(entry), "an event", "nothing", "make the file again")
        return event


def _begins(path: Path) -> tuple[list[int], bool]:
    """Return where each event begins and where the last one ends, and whether the file says that it ends."""
    begins: list[int] = []
    place, is_whole = 0, False
    with path.open("rb") as stream:
        for line in stream:
            if line.startswith(b"E "):
                begins.append(place)
            elif line.startswith(b"HepMC::Asciiv3-END"):
                is_whole = True
                break
            place += len(line)
    return [*begins, place] if begins else [place], is_whole


def _record(where: str, event: Any) -> Record:
    import pyhepmc

    event.set_units(pyhepmc.Units.MEV, pyhepmc.Units.MM)
    particles = list(event.particles)
    beam = next((each for each in particles if each.status == BEAM), None)
    if beam is None or not event.vertices:
        got = f"{len(particles)} particles and {len(event.vertices)} vertices"
        raise NoVertexError(where, "a vertex and what comes in (status 4)", got, "leave the event out")
    target = next((each for each in particles if each.status in TARGETS), None)
    struck = next((each for each in particles if each.status == STRUCK_NUCLEON), None)
    final = [each for each in particles if each.status == FINAL]
    number = _process(event)
    return Record(
        neutrino_pdg=int(beam.pid),
        neutrino=_four(beam),
        pdg=np.array([each.pid for each in final], np.int64),
        four_momentum=np.array([_four(each) for each in final]).reshape(-1, 4),
        target_pdg=int(target.pid) if target else 0,
        generator="+".join(tool.name for tool in event.run_info.tools[:1]) if event.run_info else "",
        unit="the unit that the file states",
        is_cc=None if number is None else number % 100 < 50,
        mode=None if number is None else _MODES.get(number // 100),
        struck_pdg=int(struck.pid) if struck else 0,
        number=int(event.event_number),
        weight=float(event.weights[0]) if len(event.weights) else None,
    )


def _process(event: Any) -> int | None:
    """Return the process number where it follows the convention; others say nothing."""
    stated = next((each for each in ("signal_process_id", "ProcID") if each in event.attributes), None)
    if stated is None:
        return None
    number = int(str(event.attributes[stated]))
    return number if 100 <= number < 800 else None


def _four(particle: Any) -> np.ndarray:
    p = particle.momentum
    return np.array([p.px, p.py, p.pz, p.e])
