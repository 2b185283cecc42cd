"""Datasets that a file begins: the same bytes whenever they are made, the file's truth and no more."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from nuzoo.cli import main
from nuzoo.datasets_scripts import fasercal, lartpc_cubes, lartpc_pixelmaps
from nuzoo.datasets_scripts.common.dataset_folder import DatasetRequestError
from nuzoo.datasets_scripts.common.sharded_parquet import DatasetFolderError
from nuzoo.files.checksums import sha256
from nuzoo.files.events.detector_event_columns import FLAVOURS
from nuzoo.files.events.event_truth import TRUTH_COLUMNS
from nuzoo.hub.dataset.files import open_dataset

from .source_files import EVENT, LEPTON, PION, energy, segment, write_segments, write_table

SPARED = {**EVENT, "weight": 2.0, "event": 8, "interaction_mode": None}
BROKEN = {**EVENT, "target_pdg": 42}
NOT_TOLD = {column.name for column in TRUTH_COLUMNS} - {"deposited_energy"}


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def rows(folder: Path) -> list[dict]:
    shards = sorted(folder.glob("data/*.parquet"))
    found = [row for shard in shards for row in pq.read_table(shard).to_pylist()]
    return sorted(found, key=lambda row: row["event_id"])


@pytest.fixture
def table(tmp_path) -> Path:
    """Three interactions in a file, the second of them on no nucleus."""
    return write_table(tmp_path / "mine & yours.txt", [EVENT, BROKEN, SPARED])


@pytest.fixture
def deposits(tmp_path) -> Path:
    """Two events: a line of 4 MeV along z, and one far away of which a half is below zero."""
    line = [segment(4, (50, 50, z), (50, 50, z + 1), 2.0) for z in (60.0, 61.0)]
    far = [segment(9, (900, 0, 0), (900, 0, 1), 3.0, track=7, pdg=11)]
    return write_segments(tmp_path / "geant", [*line, *far])


def test_interactions_become_events_with_the_truth_of_the_file(table, tmp_path):
    made = lartpc_pixelmaps.simulate_given(tmp_path / "out", interactions=table, seed=3)
    first, last = rows(tmp_path / "out")
    digest = sha256(table)
    assert [first["event_id"], last["event_id"]] == [f"mine_yours-{digest[:8]}-3-{i}" for i in (0, 2)]
    assert first["source"].startswith("nuzoo-transport ")
    told = "generator=Mine_b_ number=7 weight=0.5 target=1000180400 interactions=mine_yours.txt"
    assert first["source"].endswith(f"{told} sha256={digest} seed=3 event=0 detector=modular-2x2x7")
    assert (first["label"], first["neutrino_pdg"], first["lepton_pdg"]) == (1, 14, 13)
    assert (first["interaction_mode"], last["interaction_mode"]) == (2, None)
    assert first["neutrino_energy"] == pytest.approx(2.0)
    assert first["lepton_energy"] == pytest.approx(np.sqrt(np.dot(LEPTON, LEPTON) + 0.1056584**2), rel=1e-5)
    assert (first["n_protons"], first["n_charged_pions"], first["n_neutrons"]) == (1, 1, 0)
    assert 0 < first["deposited_energy"] < 2000
    assert first["vertex"] != last["vertex"]  # the seed places them

    assert len(made.left_out) == 1
    [left_out] = csv.DictReader((tmp_path / "out" / "left-out.csv").open())
    assert (left_out["event"], "PDG code 42" in left_out["reason"]) == ("1", True)
    plan = json.loads((tmp_path / "out" / "plan.json").read_text())
    assert (plan["sha256"], plan["events"], plan["entries"], plan["given"]) == (digest, 2, 3, "interactions")


def test_a_run_that_was_cut_short_ends_with_the_same_bytes(table, tmp_path):
    out = tmp_path / "out"
    lartpc_pixelmaps.simulate_given(out, interactions=table, shard_size=1)
    before = contents(out)
    (out / "manifest.json").unlink()
    next(out.glob("data/*.parquet")).unlink()
    lartpc_pixelmaps.simulate_given(out, interactions=table, shard_size=1)
    assert contents(out) == before


def test_another_file_in_the_same_folder_is_refused(table, tmp_path):
    lartpc_pixelmaps.simulate_given(tmp_path / "out", interactions=table)
    before = contents(tmp_path / "out")
    write_table(table, [EVENT, BROKEN, EVENT])
    with pytest.raises(DatasetFolderError, match=r"another dataset: in its plan.json, sha256 is"):
        lartpc_pixelmaps.simulate_given(tmp_path / "out", interactions=table)
    assert contents(tmp_path / "out") == before


def test_so_many_events_at_most(table, tmp_path):
    made = lartpc_pixelmaps.simulate_given(tmp_path / "one", interactions=table, events=1)
    assert (sum(made.manifest["splits"].values()), len(made.left_out)) == (1, 0)
    made = lartpc_pixelmaps.simulate_given(tmp_path / "all", interactions=table, events=50)
    assert "2 events instead of 50: there are no more that can be used" in made.notes


def test_a_file_without_a_usable_event_is_refused_with_the_reasons(tmp_path):
    file = write_table(tmp_path / "f", [BROKEN])
    with pytest.raises(DatasetRequestError, match=r"(?s)got none\nleft out 1 .*PDG code 42"):
        lartpc_pixelmaps.simulate_given(tmp_path / "out", interactions=file)
    assert not (tmp_path / "out").exists()


def test_deposits_tell_their_energy_and_no_other_truth(deposits, tmp_path):
    made = lartpc_pixelmaps.simulate_given(tmp_path / "out", deposits=deposits)
    line, far = rows(tmp_path / "out")
    assert [line["deposited_energy"], far["deposited_energy"]] == [4.0, 3.0]
    assert {name for name in (*NOT_TOLD, "label") if line[name] is not None} == set()
    assert " number=4 place=centred outside=0 deposits=geant sha256=" in line["source"]
    assert line["source"].startswith("nuzoo-response ")
    assert 0 < sum(line["yz_energy"]) < 8 and len(made.left_out) == 0


def test_an_event_wholly_outside_is_left_out_where_deposits_are_kept(deposits, tmp_path):
    made = lartpc_cubes.simulate_given(tmp_path / "out", deposits=deposits, place="kept")
    [line] = rows(tmp_path / "out")
    assert set(line["z"]) == {200, 201, 202, 203, 204, 205, 206}  # 60 to 62 cm in voxels of 3 mm
    [told] = made.left_out.told()
    assert "#1)" in told and "deposits inside of lartpc-cube-768, got 1 deposit outside" in told


def test_deposits_outside_are_counted(tmp_path):
    rows_of_event = [segment(0, (x, 50, 50), (x + 1, 50, 50), 2.0) for x in (-9.0, -5.0, -0.5, 20.0)]
    file = write_segments(tmp_path / "s", rows_of_event)
    made = lartpc_cubes.simulate_given(tmp_path / "out", deposits=file, place="kept")
    assert (
        "left out 2 deposits of 4 outside of lartpc-cube-768, and cut those at its walls: 62.5% of the energy"
        in made.notes
    )
    [row] = rows(tmp_path / "out")
    assert " place=kept outside=2 " in row["source"]
    assert sum(row["energy"]) == pytest.approx(3.0)  # 1 of the 2 MeV that cross the wall


def test_cubes_of_deposits_know_particles_and_no_motifs(deposits, tmp_path):
    lartpc_cubes.simulate_given(tmp_path / "out", deposits=deposits)
    line, far = rows(tmp_path / "out")
    assert (line["particle_pdg"], far["particle_pdg"]) == ([13], [11])
    assert sum(line["energy"]) == pytest.approx(4.0) and set(line["particle"]) == {0}
    unknown = ("motif", "role", "interaction", "particle_parent", "interaction_kind", "keypoint_kind")
    assert all(line[name] is None for name in unknown)


def test_cubes_of_interactions_have_all_truth(table, tmp_path):
    lartpc_cubes.simulate_given(tmp_path / "out", interactions=table, events=1)
    [row] = rows(tmp_path / "out")
    assert (row["interaction_pdg"], row["interaction_is_cc"]) == ([14], [1])
    assert row["interaction_neutrino_energy"] == pytest.approx([2.0])
    primaries = [
        pdg for pdg, first in zip(row["particle_pdg"], row["particle_primary"], strict=True) if first
    ]
    assert sorted(primaries) == [13, 211, 2212]


TAU, D_PLUS = 1.77693, 1.86966
TAU_NEUTRINO = {
    "neutrino_pdg": 16,
    "neutrino_energy": 1000.0,
    "pdg": [211, 15, 411],
    "px": [0.5, 1.5, -2.0],
    "py": [0.0, 0.5, -0.5],
    "pz": [200.0, 600.0, 199.0],
    "energy": [
        energy((0.5, 0.0, 200.0), PION),
        energy((1.5, 0.5, 600.0), TAU),
        energy((-2.0, -0.5, 199.0), D_PLUS),
    ],
    "weight": 2.0,
}


def test_layers_have_the_truth_of_a_file_and_of_what_decays_here(tmp_path):
    file = write_table(tmp_path / "tev.parquet", [TAU_NEUTRINO, EVENT])
    fasercal.simulate_given(tmp_path / "out", interactions=file, seed=3)
    row, other = rows(tmp_path / "out")
    assert row["source"].startswith("nuzoo-transport ")
    assert " weight=2 interactions=tev.parquet sha256=" in row["source"]
    assert (row["neutrino_pdg"], row["lepton_pdg"], row["is_cc"], row["is_tau"]) == (16, 15, 1, 1)
    assert row["neutrino_energy"] == pytest.approx(1000.0)
    assert row["lepton_energy"] == pytest.approx(TAU_NEUTRINO["energy"][1])
    assert row["momentum"] == pytest.approx([0.0, 0.0, 999.0], abs=1e-3)
    assert FLAVOURS[row["flavour"]].startswith("nutau_cc") and row["tau_decay_length"] > 0
    assert (row["is_charmed"], row["weight"], row["event_number"]) == (1, 1.0, 0)
    parents = [row["particle_pdg"][track - 1] for track in row["particle_parent"] if track > 0]
    assert set(parents) >= {15, 411}
    assert row["particle_pdg"][:3] == [15, 211, 411] and len(row["cal_energy"]) > 20
    assert (other["is_charmed"], FLAVOURS[other["flavour"]]) == (0, "numu_cc")
    card = (tmp_path / "out" / "README.md").read_text()
    assert "Interactions of another generator, transported" in card
    plan = open_dataset(tmp_path / "out", also=["README.md"]).simulation
    assert plan.event_id(1) == other["event_id"]


def test_layers_begin_with_no_deposits(deposits, tmp_path):
    with pytest.raises(
        DatasetRequestError, match=r"faser.*: expected a file of interactions, got one of depo"
    ):
        fasercal.simulate_given(tmp_path / "out", deposits=deposits)
    assert not (tmp_path / "out").exists()


def test_what_is_published_of_it_is_checked_and_says_what_it_is(table, tmp_path):
    lartpc_pixelmaps.simulate_given(tmp_path / "out", interactions=table)
    plan = open_dataset(tmp_path / "out", also=["README.md"]).simulation
    [first, last] = rows(tmp_path / "out")
    assert plan.event_id(plan.last_index) == last["event_id"]
    assert first["source"].startswith(plan.prefix) and first["source"].endswith(plan.origin(0))
    card = (tmp_path / "out" / "README.md").read_text()
    assert "Interactions of another generator, transported" in card
    assert "--interactions mine_yours.txt" in card and sha256(table) in card
    assert "license: other" in card


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["lartpc-pixelmaps", "--interactions=T", "--spectrum=flat-0-10"], "--spectrum: .* of a file has no"),
        (["lartpc-pixelmaps", "--interactions=T", "--place=kept"], "expected it with deposits, got it with"),
        (["lartpc-pixelmaps"], "--events: expected a number of events, or --interactions or --deposits"),
        (
            ["scintillator-particles", "--deposits=T"],
            "-particles: expected a dataset that begins with a file",
        ),
        (["lartpc-pixelmaps", "--events=3", "--place=kept"], "--place: lartpc-pixelmaps has no such option"),
        (["lartpc-pixelmaps", "--deposits=T"], "a file of interactions; give --interactions instead"),
        (["lartpc-pixelmaps", "--interactions=absent.root"], "absent.root: expected files or folders"),
        (
            ["lartpc-cubes", "--interactions=T", "--detector=modular-2x2x7"],
            "detector: expected one of lartpc-cube",
        ),
    ],
)
def test_what_cannot_be_together_is_refused(options, words, table, tmp_path, capsys):
    given = [option.replace("=T", f"={table}") for option in options]
    assert main(["simulate", *given, f"--out={tmp_path / 'out'}"]) != 0
    error = " ".join(capsys.readouterr().err.split())
    assert re.search(words, error), error
    assert not (tmp_path / "out").exists()


def test_the_command_says_what_became_of_a_file(deposits, tmp_path, capsys):
    assert main(["simulate", "lartpc-cubes", f"--deposits={deposits}", f"--out={tmp_path / 'out'}"]) == 0
    said = capsys.readouterr().out
    assert "geant: edep-sim or larnd-sim HDF5, 2 events" in said
    assert "the middle of the box around them is moved to the middle of the detector" in said
