"""Files of generators and of Geant4: one interaction is the same in every format, nonsense is named."""

import builtins
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from nuzoo.datasets_scripts.readers.source_errors import SourceFileError, TooLargeError, TruncatedFileError
from nuzoo.datasets_scripts.sources import errors, interaction_table
from nuzoo.datasets_scripts.sources.formats import open_source
from nuzoo.datasets_scripts.sources.given import DEPOSITS, INTERACTIONS, MissingReaderError
from nuzoo.datasets_scripts.sources.interaction_records import along_beam
from nuzoo.simulation.event_types import InteractionMode

from .source_files import (
    EVENT,
    segment,
    write_gibuu,
    write_nuhepmc,
    write_segments,
    write_summary,
    write_table,
)

DATA = Path(os.environ.get("NUZOO_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
WRITERS = (write_table, write_summary, write_gibuu, write_nuhepmc)


def genuine(name: str) -> Path:
    if not (DATA / name).exists():
        pytest.skip(f"{name} is not in {DATA.name}; set NUZOO_DATA")
    return DATA / name


def first(file: Path, gives: str = INTERACTIONS):
    return open_source(file, gives)[0]


@pytest.mark.parametrize("write", WRITERS)
def test_one_interaction_is_the_same_in_every_format(write, tmp_path):
    interaction = first(write(tmp_path / "named-after-nothing")).interaction
    assert (interaction.neutrino_pdg, interaction.is_cc, interaction.mode) == (14, True, InteractionMode.RES)
    assert interaction.neutrino_energy == pytest.approx(2000)
    assert interaction.pdg.tolist() == [13, 2212, 211]  # the lepton first
    np.testing.assert_allclose(interaction.momentum[0], [300, -200, 1100], rtol=1e-6)
    np.testing.assert_allclose(interaction.momentum[1], [-200, 100, 400], rtol=1e-6)
    muon, proton, pion = (
        np.sqrt(p + m**2) for p, m in ((1.34, 0.1056584), (0.21, 0.9382721), (0.11, 0.1395704))
    )
    assert interaction.inelasticity == pytest.approx(1 - muon / 2, rel=1e-5)
    left = 2 - muon - (proton - 0.9382721) - pion
    assert interaction.invisible_energy == pytest.approx(1000 * left, rel=1e-4)


@pytest.mark.parametrize(
    ("write", "told"),
    [
        (write_table, "generator=Mine_b_ number=7 weight=0.5 target=1000180400"),
        (write_summary, "generator=GENIE number=7 weight=0.5 target=1000180400"),
        (write_gibuu, "generator=GiBUU weight=-0.25 target=1000180400"),
        (write_nuhepmc, "number=10 weight=0.5 target=1000180400"),
    ],
)
def test_what_a_file_tells_of_an_event_is_kept_and_nothing_else(write, told, tmp_path):
    assert first(write(tmp_path / "file")).words == told


def changed(**changes):
    return {**EVENT, **changes}


@pytest.mark.parametrize(
    ("event", "error", "words"),
    [
        (changed(neutrino_pdg=11), errors.NotANeutrinoError, "a neutrino.*got PDG code 11"),
        (changed(target_pdg=42), errors.UnknownTargetError, "10LZZZAAAI.*got PDG code 42"),
        (changed(pdg=[], px=[], py=[], pz=[], energy=[]), errors.NoParticlesError, "particles that leave"),
        (changed(pdg=[2212, -13, 211]), errors.NoLeptonError, "an outgoing lepton, PDG code 13"),
        (changed(pz=[np.nan, 1.1, 0.3]), errors.ImpossibleEnergyError, "numbers, got NaN"),
        (changed(energy=[1.0, -1.0, 0.5]), errors.ImpossibleEnergyError, "0 and more, got -1000 MeV"),
        (changed(neutrino_energy=-2.0), errors.ImpossibleEnergyError, "0 and more"),
        (changed(neutrino_energy=None), errors.ImpossibleEnergyError, "neutrino_energy, got null"),
        (changed(neutrino_energy=0.5), errors.ImpossibleEnergyError, "no more energy than the neutrino"),
        (changed(interaction_mode="RES"), SourceFileError, "of qe, mec, res, dis, coh, or null, got 'RES'"),
        (changed(pdg=[2212, 13, 4222]), errors.UntransportedParticleError, "PDG codes 4222"),
    ],
)
def test_an_event_that_cannot_be_used_is_refused_and_the_next_is_read(event, error, words, tmp_path):
    source = open_source(write_table(tmp_path / "t", [event, EVENT]), INTERACTIONS)
    with pytest.raises(error, match=words) as refusal:
        source[0]
    assert f"{tmp_path / 't'}#0: expected" in str(refusal.value)
    assert source[1].interaction.neutrino_pdg == 14


def test_lists_of_different_lengths_are_refused(tmp_path):
    with pytest.raises(SourceFileError, match="lists of one length"):
        first(write_table(tmp_path / "t", [changed(pz=[1.0])]))


def test_mev_where_the_format_has_gev_are_refused(tmp_path):
    with pytest.raises(
        errors.OtherUnitsError, match=r"in GeV, got PDG code 2212 .* seem to be in MeV: scale"
    ):
        first(write_summary(tmp_path / "gst", scale=1000.0))


def test_what_is_not_told_is_not_invented(tmp_path):
    bare = {name: EVENT[name] for name in interaction_table.NEEDED}
    given = first(write_table(tmp_path / "t", [bare]))
    assert (given.words, given.interaction.mode, given.interaction.target_pdg) == ("", None, 0)
    exotic = first(write_summary(tmp_path / "gst", res=False)).interaction
    assert exotic.mode is None


def test_neutral_currents_are_known_by_their_neutrino(tmp_path):
    energies = [EVENT["energy"][0], float(np.sqrt(0.09 + 0.04 + 1.21)), EVENT["energy"][2]]
    event = first(write_table(tmp_path / "t", [changed(pdg=[2212, 14, 211], energy=energies)])).interaction
    assert (event.is_cc, event.pdg[0]) == (False, 14)


def test_electrons_in_a_summary_are_no_neutrinos(tmp_path):
    with pytest.raises(errors.NotANeutrinoError):
        first(write_summary(tmp_path / "gst", neu=11, fspl=11, cc=False))


def test_an_event_without_what_came_in_has_no_vertex(tmp_path):
    with pytest.raises(errors.NoVertexError, match="what comes in"):
        first(write_nuhepmc(tmp_path / "f", with_beam=False))


def test_events_of_text_are_found_in_any_order(tmp_path):
    source = open_source(write_nuhepmc(tmp_path / "f", 5), INTERACTIONS)
    assert [source[entry].provenance["number"] for entry in (4, 0, 2)] == ["14", "10", "12"]
    assert len(source) == 5


@pytest.mark.parametrize("direction", [(0, 0, 1), (0, 0, -1), (1, 0, 0), (0.1, -0.7, 0.3)])
def test_a_beam_is_turned_to_z_and_angles_stay(direction):
    beam = np.array(direction, float)
    others = np.random.default_rng(1).normal(size=(5, 3))
    turned = along_beam(np.concatenate([beam[None], others]), beam)
    np.testing.assert_allclose(turned[0], [0, 0, np.linalg.norm(beam)], atol=1e-12)
    np.testing.assert_allclose(turned @ turned.T, np.vstack([beam, others]) @ np.vstack([beam, others]).T)
    triple = np.linalg.det(np.concatenate([beam[None], others[:2]]))
    assert np.linalg.det(turned[:3]) == pytest.approx(triple)  # no mirror image


def written(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file


@pytest.mark.parametrize(
    ("write", "gives", "words"),
    [
        (write_table, DEPOSITS, "a file of interactions; give --interactions instead"),
        (
            lambda file: write_segments(file, [segment(0, (0, 0, 0), (1, 0, 0), 2)]),
            INTERACTIONS,
            "--deposits",
        ),
        (lambda file: written(file, b"1 2\n3 4\n"), INTERACTIONS, "a table of numbers"),
        (lambda file: written(file, b""), DEPOSITS, "another file"),
    ],
)
def test_other_files_are_refused_by_what_they_are(write, gives, words, tmp_path):
    with pytest.raises(errors.UnknownSourceError, match=f"expected a file of {gives}: .*{words}"):
        open_source(write(tmp_path / "file.root"), gives)


@pytest.mark.parametrize("write", WRITERS[:-1])
def test_files_that_end_early_are_named(write, tmp_path):
    file = write(tmp_path / "f")
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 5])
    with pytest.raises((SourceFileError, errors.NoVertexError)) as refusal:
        first(file)
    assert str(file) in str(refusal.value)


def test_text_that_ends_early_loses_its_last_event_alone(tmp_path):
    file = write_nuhepmc(tmp_path / "f", 3)
    file.write_bytes(file.read_bytes()[:-60])
    source = open_source(file, INTERACTIONS)
    assert [source[entry].provenance["number"] for entry in (0, 1)] == ["10", "11"]
    with pytest.raises(TruncatedFileError, match=r"#2: expected an event that is whole"):
        source[2]


@pytest.mark.parametrize(("write", "package"), [(write_summary, "uproot"), (write_nuhepmc, "pyhepmc")])
def test_a_reader_that_is_not_installed_is_named_with_its_extra(write, package, tmp_path, monkeypatch):
    file, usual = write(tmp_path / "f"), builtins.__import__

    def lacking(name, *args, **options):
        if name == package:
            raise ImportError(name)
        return usual(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", lacking)
    with pytest.raises(MissingReaderError, match=rf"package {package}.*pip install nuzoo\[generators\]"):
        open_source(file, INTERACTIONS)


def test_groups_of_rows_that_do_not_fit_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(interaction_table, "LARGEST_GROUP", 100)
    with pytest.raises(TooLargeError, match="row_group_size"):
        open_source(write_table(tmp_path / "t"), INTERACTIONS)


def test_an_event_of_deposits_is_all_rows_of_its_number(tmp_path):
    rows = [
        segment(event, (0, 0, 0), (1, 0, 0), mev) for event, mev in ((5, 2.0), (5, 3.0), (2, 1.0), (5, 0.5))
    ]
    source = open_source(write_segments(tmp_path / "s", rows), DEPOSITS)
    assert [source[entry].segments.energy.tolist() for entry in range(len(source))] == [[2, 3, 0.5], [1]]
    assert [source[entry].words for entry in (0, 1)] == [
        "generator=Geant4 number=5",
        "generator=Geant4 number=2",
    ]


@pytest.mark.parametrize(
    ("row", "error", "words"),
    [
        (segment(0, (0, 0, 0), (1, 0, 0), -1.0), errors.ImpossibleEnergyError, "got -1 MeV"),
        (segment(0, (0, np.nan, 0), (1, 0, 0), 1.0), errors.ImpossibleEnergyError, "NaN"),
        (segment(0, (0, 0, 0), (1, 0, 0), 0.0), errors.NoParticlesError, "deposits of energy, got none"),
    ],
)
def test_deposits_that_cannot_be_are_refused(row, error, words, tmp_path):
    rows = [row, segment(1, (0, 0, 0), (100, 0, 0), 210.0)]
    source = open_source(write_segments(tmp_path / "s", rows), DEPOSITS)
    with pytest.raises(error, match=words):
        source[0]
    assert source[1].segments.energy.tolist() == [210.0]


@pytest.mark.parametrize("factor", [0.1, 1000.0])
def test_deposits_in_other_units_are_refused(factor, tmp_path):
    """Of a muon in argon: positions in mm for cm, energies in keV for MeV."""
    rows = [segment(0, (0, 0, 0), (10, 0, 0), 21.0 * factor)]
    with pytest.raises(errors.OtherUnitsError, match="energies in MeV and positions in cm"):
        open_source(write_segments(tmp_path / "s", rows), DEPOSITS)


def test_segments_without_a_field_are_refused(tmp_path):
    import h5py

    with h5py.File(tmp_path / "s", "w") as out:
        out["segments"] = np.zeros(3, [("eventID", "u4"), ("dE", "f4")])
    with pytest.raises(SourceFileError, match="a field trackID or traj_id"):
        open_source(tmp_path / "s", DEPOSITS)


def test_the_genuine_file_of_genie_is_read_whole():
    """Counted apart from us with uproot: by `EvtCode`, and by status 1 of `StdHepPdg`."""
    source = open_source(genuine("generators/gtrac_1_nue.root"), INTERACTIONS)
    made = [source[entry].interaction for entry in range(len(source))]
    channels = Counter((each.is_cc, each.mode.name) for each in made)
    assert channels[True, "QE"] == 271 and channels[False, "RES"] == 118 and channels[True, "COH"] == 2
    pdg = np.concatenate([each.pdg for each in made])
    assert [np.count_nonzero(pdg == code) for code in (2212, 211, 13, 14)] == [1524, 343, 727, 273]


def test_the_genuine_file_of_gibuu_is_read_but_for_what_cannot_be_transported():
    source = open_source(genuine("generators/gibuu_EventOutput.root"), INTERACTIONS)
    refused = Counter()
    for entry in range(400):
        try:
            event = source[entry].interaction
        except errors.UntransportedParticleError:
            refused["untransported"] += 1
        else:
            assert (event.neutrino_pdg, event.pdg[0], event.is_cc) == (12, 11, True)
    assert set(refused) <= {"untransported"} and refused["untransported"] < 8


def test_muons_of_the_genuine_deposits_lose_what_liquid_argon_takes():
    """1.92 to 1.94 MeV/cm beside the knocked-out electrons, as the notes on these files measured."""
    source = open_source(genuine("larndsim/edepsim-output.h5"), DEPOSITS)
    events = [source[entry].segments for entry in range(len(source))]
    assert sum(len(each.energy) for each in events) == 73_789
    muons = [each[np.abs(each.pdg) == 13] for each in events]
    length = sum(np.linalg.norm(each.end - each.start, axis=1).sum() for each in muons)
    assert sum(each.energy.sum() for each in muons) / length == pytest.approx(1.93, abs=0.1)
