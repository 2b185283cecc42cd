"""Small files of generators and of Geant4: one interaction in every format, and segments."""

from pathlib import Path

import awkward as ak
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyhepmc
import uproot

MUON, PROTON, PION = 0.1056583755, 0.93827208816, 0.13957039
"""GeV."""


def energy(momentum, mass: float) -> float:
    return float(np.sqrt(np.dot(momentum, momentum) + mass**2))


LEPTON, HADRONS = (0.3, -0.2, 1.1), ((-0.2, 0.1, 0.4), (-0.1, 0.1, 0.3))
EVENT = {
    "neutrino_pdg": 14,
    "neutrino_energy": 2.0,
    "pdg": [2212, 13, 211],
    "px": [HADRONS[0][0], LEPTON[0], HADRONS[1][0]],
    "py": [HADRONS[0][1], LEPTON[1], HADRONS[1][1]],
    "pz": [HADRONS[0][2], LEPTON[2], HADRONS[1][2]],
    "energy": [energy(HADRONS[0], PROTON), energy(LEPTON, MUON), energy(HADRONS[1], PION)],
    "interaction_mode": "res",
    "target_pdg": 1000180400,
    "weight": 0.5,
    "event": 7,
    "generator": "Mine <b>",
}
"""A muon neutrino of 2 GeV on argon: muon, proton and pi+, the lepton not the first."""


def write_table(file: Path, events=(EVENT,)) -> Path:
    pq.write_table(pa.Table.from_pylist(list(events)), file)
    return file


def write_summary(file: Path, scale: float = 1.0, **changes) -> Path:
    """A gst tree with the hadrons of `EVENT`; `scale` makes other units of its GeV."""
    columns = {"iev": 7, "neu": 14, "fspl": 13, "tgt": 1000180400, "hitnuc": 2212, "wght": 0.5}
    columns |= {"cc": True, "nc": False, "qel": False, "mec": False, "res": True, "dis": False, "coh": False}
    columns |= {"Ev": 2.0 * scale, "pxv": 0.0, "pyv": 0.0, "pzv": 2.0 * scale}
    columns |= {f"p{axis}l": p * scale for axis, p in zip("xyz", LEPTON, strict=True)}
    columns |= {"El": energy(LEPTON, MUON) * scale} | changes
    arrays = {name: np.array([value]) for name, value in columns.items()}
    lists = {"pdgf": [2212, 211], "Ef": [EVENT["energy"][0] * scale, EVENT["energy"][2] * scale]}
    lists |= {f"p{axis}f": [h[i] * scale for h in HADRONS] for i, axis in enumerate("xyz")}
    arrays |= {name: ak.Array([values]) for name, values in lists.items()}
    with uproot.recreate(file) as out:
        out["gst"] = arrays
    return file


def write_gibuu(file: Path) -> Path:
    arrays = {"weight": -0.25, "flavor_ID": 2, "process_ID": 2, "evType": 2, "nucleus_A": 40, "nucleus_Z": 18}
    arrays |= {"nuc_charge": 1, "lepIn_E": 2.0, "lepIn_Px": 0.0, "lepIn_Py": 0.0, "lepIn_Pz": 2.0}
    arrays |= {f"lepOut_P{axis}": p for axis, p in zip("xyz", LEPTON, strict=True)}
    arrays = {name: np.array([v]) for name, v in (arrays | {"lepOut_E": energy(LEPTON, MUON)}).items()}
    arrays |= {f"P{axis}": ak.Array([[h[i] for h in HADRONS]]) for i, axis in enumerate("xyz")}
    arrays |= {"barcode": ak.Array([[2212, 211]]), "E": ak.Array([[EVENT["energy"][0], EVENT["energy"][2]]])}
    with uproot.recreate(file) as out:
        out["RootTuple"] = arrays
    return file


def write_nuhepmc(file: Path, events: int = 3, *, with_beam: bool = True) -> Path:
    """HepMC3 in MeV; event number i has i + 10."""
    with pyhepmc.open(str(file), "w", format="HepMC3") as out:
        for number in range(10, 10 + events):
            event = pyhepmc.GenEvent(pyhepmc.Units.MEV, pyhepmc.Units.CM)
            event.event_number = number
            vertex = pyhepmc.GenVertex((0, 0, 0, 0))
            vertex.status = 1
            if with_beam:
                vertex.add_particle_in(pyhepmc.GenParticle((0, 0, 2000, 2000), 14, 4))
            vertex.add_particle_in(pyhepmc.GenParticle((0, 0, 0, 37215.5), 1000180400, 20))
            for i, pdg in enumerate(EVENT["pdg"]):
                four = [1000 * EVENT[name][i] for name in ("px", "py", "pz", "energy")]
                vertex.add_particle_out(pyhepmc.GenParticle(four, pdg, 1))
            vertex.add_particle_out(pyhepmc.GenParticle((0, 0, 0, 0), 2009900000, 1))
            event.add_vertex(vertex)
            event.attributes["signal_process_id"] = 400
            event.weights = [0.5]
            out.write(event)
    return file


SEGMENT = np.dtype(
    [
        *((name, "u4") for name in ("eventID", "trackID")),
        ("pdgId", "i4"),
        *((f"{axis}_{end}", "f4") for axis in "xyz" for end in ("start", "end")),
        ("dE", "f4"),
    ]
)


def segment(event: int, start, end, mev: float, track: int = 1, pdg: int = 13) -> tuple:
    ends = (value for pair in zip(start, end, strict=True) for value in pair)
    return (event, track, pdg, *ends, mev)


def write_segments(file: Path, rows) -> Path:
    with h5py.File(file, "w") as out:
        out["segments"] = np.array(list(rows), SEGMENT)
    return file
