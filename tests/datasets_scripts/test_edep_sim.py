"""edep-sim's own ROOT files: what its headers and ROOT's format say is read, the rest is named."""

from dataclasses import replace

import numpy as np
import pytest
import uproot

from nuzoo.cli import main
from nuzoo.datasets_scripts import lartpc_cubes, lartpc_pixelmaps
from nuzoo.datasets_scripts.readers.source_errors import SourceFileError
from nuzoo.datasets_scripts.sources import errors, geant4_activity
from nuzoo.datasets_scripts.sources.formats import open_source
from nuzoo.datasets_scripts.sources.given import DEPOSITS, INTERACTIONS
from nuzoo.simulation.event_types import InteractionMode, SemanticClass
from nuzoo.simulation.images import SimulatedImage
from nuzoo.simulation.transport import electrons

from .edep_sim_files import CLASSES, IONISATION, Event, Hit, Particle, Trajectory, Vertex, write_edep_sim
from .source_files import EVENT, segment, write_segments, write_table
from .test_given_events import rows

MUON = tuple(Hit((x, 500.0, 600.0), (x + 10, 500.0, 600.0), 2.0) for x in (500.0, 510.0, 520.0))
DELTA = Hit((510.0, 500.0, 600.0), (510.0, 505.0, 600.0), 1.5, contributors=(1, 2))
NOBODY = Hit((530.0, 500.0, 600.0), (530.0, 504.0, 600.0), 1.0, contributors=(), primary=2)
LOST = Hit((530.0, 500.0, 600.0), (530.0, 500.0, 604.0), 1.0, contributors=(-1,), primary=40)
PARTLY = Hit((530.0, 500.0, 600.0), (530.0, 502.0, 604.0), 0.5, contributors=(-1, 2, 5), primary=40)

CODE = "nu:14;tgt:1000180400;N:2112;proc:Weak[CC],RES;res:0;"
NEUTRINO, ARGON = Particle(14, (0.0, 0.0, 2000.0), 2000.0), Particle(1000180400, (0.0, 0.0, 0.0), 37215.5)


def particle(row: int) -> Particle:
    pdg, *momentum, energy = (EVENT[name][row] for name in ("pdg", "px", "py", "pz", "energy"))
    return Particle(pdg, tuple(1000 * p for p in momentum), 1000 * energy)


def vertex(
    *, incoming=(ARGON, NEUTRINO), name="initial-state", reaction=CODE, at=(505.0, 500.0, 600.0)
) -> Vertex:
    """The interaction of `EVENT`, in MeV and mm."""
    initial = Vertex(at, tuple(incoming), name, reaction)
    return Vertex(at, tuple(map(particle, range(3))), "rooTracker", reaction, informational=(initial,))


EVENTS = [
    Event(7, {"volCryostat": (DELTA,), "volTPC": (*MUON, NOBODY, LOST, PARTLY)}, vertices=(vertex(),)),
    Event(8, {}),
    Event(9, {"volEmpty": (), "volTPC": MUON}, vertices=(vertex(), vertex())),
]


@pytest.mark.parametrize("is_split", [True, False])
def test_hits_are_read_in_cm_with_their_particles(is_split, tmp_path):
    source = open_source(write_edep_sim(tmp_path / "f", EVENTS, is_split=is_split), DEPOSITS)
    first, last = source[0].segments, source[2].segments
    np.testing.assert_allclose(first.start[:3], [[51, 50, 60], [50, 50, 60], [51, 50, 60]])
    np.testing.assert_allclose(first.end[:3], [[51, 50.5, 60], [51, 50, 60], [52, 50, 60]])
    assert first.energy.tolist() == [1.5, 2, 2, 2, 1, 1, 0.5]
    assert first.track.tolist() == [1, 0, 0, 0, 2, 40, 2]
    assert first.pdg.tolist() == [11, 13, 13, 13, 2212, 0, 2212]  # trajectories 0, 1, 2 are 13, 11, 2212
    assert (len(source), last.energy.tolist()) == (3, [2, 2, 2])
    told = "generator=Geant4 run=5 number=7 interaction=0 weight=1 target=1000180400"
    assert source[0].words == f"{told} sensitive=volCryostat+volTPC"
    with pytest.raises(errors.NoParticlesError, match=r"#1: expected deposits of energy, got none"):
        source[1]


@pytest.mark.parametrize("is_split", [True, False])
def test_hits_of_some_sensitive_detectors_alone(is_split, tmp_path):
    file = write_edep_sim(tmp_path / "f", EVENTS, is_split=is_split)
    source = open_source(file, DEPOSITS, ("volCryostat", "volElsewhere"))
    assert (source[0].segments.energy.tolist(), source[0].segments.track.tolist()) == ([1.5], [1])
    words = "#2: expected hits in volCryostat or volElsewhere, got those in volTPC; name one of these"
    with pytest.raises(errors.NoParticlesError, match=words):
        source[2]
    hdf5 = write_segments(tmp_path / "s", [segment(0, (0, 0, 0), (1, 0, 0), 2)])
    with pytest.raises(errors.UnknownSourceError, match=r"names sensitive detectors.* got edep-sim or larnd"):
        open_source(hdf5, DEPOSITS, ("volTPC",))


def test_the_same_deposits_in_hdf5_are_the_same(tmp_path):
    tree = open_source(write_edep_sim(tmp_path / "f", EVENTS), DEPOSITS)[0].segments
    each = zip(tree.start, tree.end, tree.energy, tree.track, tree.pdg, strict=True)
    twin = open_source(write_segments(tmp_path / "s", [segment(7, *row) for row in each]), DEPOSITS)[
        0
    ].segments
    for name, values in vars(tree).items():
        np.testing.assert_allclose(getattr(twin, name), values, rtol=1e-6)


@pytest.mark.parametrize("is_split", [False, True])
def test_many_hits_are_read_whatever_their_contributors(is_split, tmp_path):
    """More of them than a text or an array has room for in its first length."""
    rng = np.random.default_rng(1)
    lists = [tuple(range(n)) for n in rng.integers(0, 4, 300)]
    hits = tuple(Hit((i, 0, 0), (i + 1, 0, 0), 0.25, each, 9) for i, each in enumerate(lists))
    event = Event(1, {"v" * 300: hits, "w": hits[:1]}, trajectories=tuple(map(Trajectory, range(10))))
    file = write_edep_sim(tmp_path / "f", [event], is_split=is_split)
    segments = open_source(file, DEPOSITS)[0].segments
    assert segments.track.tolist() == [0 if each else 9 for each in (*lists, lists[0])]
    assert segments.pdg.tolist() == segments.track.tolist()


def test_a_neutrino_that_came_alone_is_told(tmp_path):
    source = open_source(write_edep_sim(tmp_path / "f", EVENTS), DEPOSITS)
    [told] = source[0].truth.vertices
    np.testing.assert_allclose(told.position, [50.5, 50, 60])
    same = open_source(write_table(tmp_path / "t"), INTERACTIONS)[0]
    for name in ("neutrino_pdg", "is_cc", "mode"):
        assert getattr(told.interaction, name) == getattr(same.interaction, name)
    for name in ("neutrino_energy", "pdg", "momentum", "inelasticity", "invisible_energy"):
        np.testing.assert_allclose(
            getattr(told.interaction, name), getattr(same.interaction, name), rtol=1e-6
        )
    assert (told.interaction.mode, told.interaction.target_pdg) == (InteractionMode.RES, 2112)
    assert len(source[2].truth.vertices) == 2


def gun(at: tuple[float, float, float], track: int = 0) -> Vertex:
    return Vertex(at, (Particle(13, (0.0, 0.0, 1000.0), 1005.6, track),), "gps:fixed@free-fixed")


def cubes_of(tmp_path, vertices: tuple[Vertex, ...], **changes) -> dict:
    """The row of an event whose muons begin at vertices, and leave a centimetre each there."""
    starts = [each.position for each in vertices]
    hits = tuple(Hit(at, (at[0] + 10, *at[1:]), 2.0, (row,)) for row, at in enumerate(starts))
    trajectories = tuple(Trajectory(13, start=at) for at in starts)
    event = Event(1, {"v": hits}, **{"trajectories": trajectories, "vertices": vertices, **changes})
    lartpc_cubes.simulate_given(
        tmp_path / "out", deposits=write_edep_sim(tmp_path / "f", [event]), place="kept"
    )
    [row] = rows(tmp_path / "out")
    return row


KINDS = ("neutrino", "particles", "cosmic")


def test_interactions_of_cubes_are_those_that_the_file_tells(tmp_path):
    row = cubes_of(tmp_path, (gun((300.0, 300.0, 300.0)), vertex(at=(900.0, 900.0, 900.0))))
    assert [KINDS[number] for number in row["interaction_kind"]] == ["particles", "neutrino"]
    assert (row["interaction_pdg"], row["interaction_is_cc"]) == ([0, 14], [-1, 1])
    assert row["interaction_x"] == [100.0, 300.0]  # in voxels of 3 mm
    assert row["particle_interaction"] == [0, 1] and set(row["interaction"]) == {0, 1}


def test_particles_of_two_vertices_at_one_place_are_of_their_own(tmp_path):
    at = (300.0, 300.0, 300.0)
    row = cubes_of(tmp_path, (gun(at), gun(at, 1)))
    assert (row["particle_interaction"], row["interaction_x"]) == ([0, 1], [100.0, 100.0])


def test_a_vertex_that_nothing_left_is_one_more(tmp_path):
    absorbed = replace(vertex(), particles=())
    events = [Event(1, {"v": MUON}, vertices=(vertex(), absorbed))]
    made = lartpc_pixelmaps.simulate_given(tmp_path / "out", deposits=write_edep_sim(tmp_path / "f", events))
    assert rows(tmp_path / "out")[0]["label"] is None and "1 event of 1 without label" in made.notes[-1]


def test_interactions_elsewhere_are_left_out(tmp_path):
    far = gun((-9000.0, 0.0, 0.0))
    row = cubes_of(tmp_path, (far, gun((300.0, 300.0, 300.0)), far))
    assert row["interaction_x"] == [100.0]
    assert (row["particle_interaction"], set(row["interaction"])) == ([0], {0})


def test_of_an_event_without_trajectories_the_vertices_are_known(tmp_path):
    row = cubes_of(tmp_path, (vertex(at=(300.0, 300.0, 300.0)),), trajectories=())
    assert (row["interaction_pdg"], row["motif"], row["particle_parent"]) == ([14], None, None)


def test_what_came_is_null_where_it_is_not_known(tmp_path):
    row = cubes_of(tmp_path, (vertex(at=(300.0, 300.0, 300.0), name="else"),))
    assert (row["interaction_x"], row["interaction_kind"], row["interaction_pdg"]) == ([100.0], None, None)


@pytest.mark.parametrize("is_split", [True, False])
def test_positions_of_vertices_are_read_whether_or_not_they_are_split(is_split, tmp_path):
    source = open_source(write_edep_sim(tmp_path / "f", EVENTS, is_split=is_split), DEPOSITS)
    assert [each.position.tolist() for each in source[2].truth.vertices] == [[50.5, 50.0, 60.0]] * 2


@pytest.mark.parametrize(
    "changes",
    [
        {"incoming": (ARGON,)},
        {"incoming": ()},
        {"name": "beam-particle:Decay"},
        {"reaction": "proc:Weak[NC],QES"},
    ],
)
def test_what_is_no_neutrino_interaction_has_no_truth(changes, tmp_path):
    file = write_edep_sim(tmp_path / "f", [Event(1, {"v": MUON}, vertices=(vertex(**changes),))])
    [told] = open_source(file, DEPOSITS)[0].truth.vertices
    assert told.interaction is None and told.pdg.tolist() == [2212, 13, 211]


def test_events_have_the_truth_of_the_file_and_are_placed_by_its_vertex(tmp_path):
    outside = Event(10, {"volTPC": MUON}, vertices=(vertex(at=(-9000.0, 0.0, 0.0)),))
    file = write_edep_sim(tmp_path / "f.root", [*EVENTS, outside])
    made = lartpc_pixelmaps.simulate_given(tmp_path / "out", deposits=file)
    neutrino, several, outside = rows(tmp_path / "out")
    assert (neutrino["label"], neutrino["neutrino_pdg"], neutrino["interaction_mode"]) == (1, 14, 2)
    assert neutrino["neutrino_energy"] == pytest.approx(2.0)
    assert (neutrino["n_protons"], neutrino["n_charged_pions"]) == (1, 1)
    # (50.5, 50, 60), moved with the middle (51.5, 50.25, 60.2) of the hits to that of the detector
    np.testing.assert_allclose(neutrino["vertex"], [-1, -0.25, 349.8], atol=1e-4)
    assert [each["label"] for each in (several, outside)] == [None, None]
    assert several["deposited_energy"] == outside["deposited_energy"] == 6.0
    assert len(made.left_out) == 1
    assert "2 events of 3 without label: the file tells of no neutrino that interacted in" in made.notes[-1]


DECAY, COMPTON, CONVERSION, BREMSSTRAHLUNG, ANNIHILATION = (6, 201), (2, 13), (2, 14), (2, 3), (2, 5)
INELASTIC, CAPTURE, RADIOACTIVE = (4, 121), (4, 151), (6, 210)
SHOWER, TRACK, MICHEL, DELTA, LOW_ENERGY = SemanticClass

FAMILY = (
    (Trajectory(13), TRACK),
    (Trajectory(11, 0, IONISATION), DELTA),
    (Trajectory(11, 1, IONISATION), DELTA),
    (Trajectory(22, 1, BREMSSTRAHLUNG, momentum=(0, 0, 20)), LOW_ENERGY),  # only showers breed showers
    (Trajectory(11, 3, CONVERSION), LOW_ENERGY),
    (Trajectory(11, 0, DECAY), MICHEL),
    (Trajectory(11, 0, CAPTURE), MICHEL),  # of a muon in its orbit
    (Trajectory(11, 0, CAPTURE, momentum=(0, 0, 4.9)), LOW_ENERGY),  # of the atom's cascade
    (Trajectory(22, 0, CAPTURE), LOW_ENERGY),
    (Trajectory(22, 0, BREMSSTRAHLUNG, momentum=(0, 0, 50)), SHOWER),
    (Trajectory(22), SHOWER),
    (Trajectory(-11, 10, CONVERSION), SHOWER),
    (Trajectory(22, 11, BREMSSTRAHLUNG, momentum=(3, 0, 4)), SHOWER),  # 5 MeV
    (Trajectory(11, 12, COMPTON), SHOWER),
    (Trajectory(22, 11, BREMSSTRAHLUNG, momentum=(0, 0, 4.9)), LOW_ENERGY),
    (Trajectory(11, 11, COMPTON), LOW_ENERGY),  # of a photon that edep-sim left out
    (Trajectory(22, 11, ANNIHILATION, momentum=(0, 0, 0.511)), LOW_ENERGY),
    (Trajectory(211), TRACK),
    (Trajectory(22, 17, DECAY), SHOWER),  # of a neutral pion that edep-sim left out
    (Trajectory(2112, 17, INELASTIC, momentum=(0, 0, 900)), LOW_ENERGY),
    (Trajectory(2212, 17, INELASTIC, momentum=(0, 0, 137.4)), TRACK),  # 10.01 MeV
    (Trajectory(2212, 17, INELASTIC, momentum=(0, 0, 137.2)), LOW_ENERGY),  # 9.98 MeV
    (Trajectory(2212, momentum=(0, 0, 50)), TRACK),
    (Trajectory(1000180390, 17, INELASTIC), LOW_ENERGY),
    (Trajectory(11, 23, RADIOACTIVE), LOW_ENERGY),
)


def test_activity_is_told_by_how_a_particle_came_to_be(tmp_path):
    hits = tuple(Hit((i, 0, 0), (i + 1, 0, 0), 0.25, (i,)) for i in range(len(FAMILY)))
    event = Event(1, {"v": hits}, trajectories=tuple(each for each, _ in FAMILY))
    known = open_source(write_edep_sim(tmp_path / "f", [event]), DEPOSITS)[0].truth.particles
    assert [SemanticClass(number) for number in known.semantic] == [activity for _, activity in FAMILY]
    assert known.table.parent.tolist() == [each.parent for each, _ in FAMILY]
    assert geant4_activity.LOW_ENERGY == electrons.LOW_ENERGY_PHOTON


@pytest.mark.parametrize(
    "trajectories",
    [
        (Trajectory(13, 1, IONISATION), Trajectory(11, 0, IONISATION)),  # each the other's parent
        (Trajectory(13, 7, IONISATION), Trajectory(11, 0, IONISATION)),
        (Trajectory(13), Trajectory(11, 0, IONISATION, points=0)),
        (Trajectory(13),),  # without number 1, which left a deposit
        (Trajectory(13), Trajectory(11, 0, IONISATION, start=(np.nan, 0, 0))),
        (Trajectory(13), Trajectory(11, 0, IONISATION, momentum=(0, 0, 1e300))),
        (Trajectory(13), Trajectory(11, 0)),  # made by nothing
        (),
    ],
)
def test_particles_that_contradict_themselves_are_not_told(trajectories, tmp_path):
    event = Event(1, {"v": (Hit((0, 0, 0), (10, 0, 0), 2.0, (1,)),)}, trajectories=trajectories)
    given = open_source(write_edep_sim(tmp_path / "f", [event]), DEPOSITS)[0]
    assert given.truth.particles is None and given.segments.energy.tolist() == [2.0]


def process(pdg: int, above: int, activity: SemanticClass) -> tuple[int, int]:
    """How Geant4 would say what ours did; of what heavy particles set free, its activity tells it."""
    if not above:
        return (0, 0)
    if abs(pdg) not in (11, 22):
        return INELASTIC
    known = {22: CONVERSION, 11: BREMSSTRAHLUNG if pdg == 22 else IONISATION, 111: DECAY}
    told = {MICHEL: DECAY, SHOWER: DECAY, DELTA: IONISATION}
    return known.get(above) or told.get(activity, INELASTIC)


def as_edep_sim(event: SimulatedImage) -> Event:
    """An event of ours as edep-sim would write it."""
    deposits, table = event.transported.deposits, event.transported.particles
    activity = np.full(len(table.pdg), LOW_ENERGY)
    activity[deposits.particle] = deposits.semantic
    above = np.append(np.abs(table.pdg), 0)[table.parent]
    numbers = (each.tolist() for each in (table.pdg, table.parent, above, activity))
    places = ((10 * table.start.astype(float)).tolist(), table.momentum.astype(float).tolist())
    trajectories = tuple(
        Trajectory(pdg, parent, process(pdg, up, SemanticClass(kind)), start, momentum)
        for pdg, parent, up, kind, start, momentum in zip(*numbers, *places, strict=True)
    )
    ends = ((10 * each.astype(float)).tolist() for each in (deposits.start, deposits.end))
    each = zip(*ends, deposits.energy.tolist(), deposits.particle.tolist(), strict=True)
    hits = tuple(Hit(start, end, mev, (row,), row) for start, end, mev, row in each)
    vertices = tuple(
        Vertex(tuple(10 * origin.vertex), tuple(Particle(int(pdg), (0, 0, 1), 1) for pdg in origin.pdg))
        for origin in event.origins
    )
    return Event(1, {"volTPC": hits}, trajectories, vertices)


def test_events_of_ours_come_back_with_the_truth_that_they_had(tmp_path):
    plan = lartpc_cubes.CubesPlan(2, 3, "lartpc-cube-768")
    simulated = [plan.simulate(index) for index in (1, 6)]
    file = write_edep_sim(tmp_path / "f", [as_edep_sim(event) for event in simulated])
    lartpc_cubes.simulate_given(tmp_path / "out", deposits=file, place="kept")
    for event, row in zip(simulated, rows(tmp_path / "out"), strict=True):
        truth = event.detector.readout.respond(event)
        told = ("motif", "pid", "role", "particle", "interaction", "x", "y", "z", "energy")
        told = (*told, *(name for name in truth if name.startswith("particle_")))
        assert row["interaction_kind"] is None and row["interaction_is_cc"] is None  # nor invented
        for name in (*told, "interaction_x", "interaction_y", "interaction_z"):
            np.testing.assert_allclose(row[name], truth[name], rtol=1e-5, atol=1e-3, err_msg=name)
        assert {SHOWER, TRACK, DELTA, LOW_ENERGY} <= set(row["motif"])


def broken(tmp_path, **changes):
    return write_edep_sim(tmp_path / "f", EVENTS, **changes)


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        ([each for each in CLASSES if each.name != "TG4HitSegment"], "TG4HitSegment"),
        ([each for each in CLASSES if each.name != "TLorentzVector"], "TLorentzVector"),
    ],
)
def test_a_file_that_does_not_describe_its_classes_is_named(classes, words, tmp_path):
    with pytest.raises(
        SourceFileError, match=f"hits and trajectories of edep-sim, got .*no description of {words}"
    ):
        open_source(broken(tmp_path, classes=classes), DEPOSITS)[0]


def test_positions_in_cm_are_refused(tmp_path):
    with pytest.raises(errors.OtherUnitsError, match="energies in MeV and positions in mm"):
        open_source(broken(tmp_path, scale=0.01), DEPOSITS)


def test_units_are_told_by_what_is_kept_and_not_by_one_event(tmp_path):
    gas = tuple(Hit((0, 0, 0), (10_000, 0, 0), 5.0) for _ in range(3))
    wild = Event(0, {"v": (Hit((0, 0, 0), (2e9, 0, 0), 2.0),)})
    events = [wild, *(Event(number, {"v": MUON, "gas": gas}) for number in range(1, 4))]
    file = write_edep_sim(tmp_path / "f", events)
    with pytest.raises(errors.OtherUnitsError, match="positions in mm, got 0"):
        open_source(file, DEPOSITS)
    assert len(open_source(file, DEPOSITS, ("v",))[1].segments.energy) == 3


@pytest.mark.parametrize(
    ("hit", "error", "words"),
    [
        (Hit((0, 0, 0), (10, 0, 0), -1.0), errors.ImpossibleEnergyError, "got -1 MeV"),
        (Hit((0, np.nan, 0), (10, 0, 0), 1.0), errors.ImpossibleEnergyError, "NaN"),
        (Hit((0, 0, 0), (10, 0, 0), 0.0), errors.NoParticlesError, "deposits of energy, got none"),
    ],
)
def test_hits_that_cannot_be_are_refused_and_the_next_event_is_read(hit, error, words, tmp_path):
    events = [Event(0, {"v": (hit,)}), Event(1, {"v": tuple(100 * MUON)})]
    source = open_source(write_edep_sim(tmp_path / "f", events), DEPOSITS)
    with pytest.raises(error, match=words):
        source[0]
    assert len(source[1].segments.energy) == 300


def test_another_tree_of_that_name_is_refused(tmp_path):
    with uproot.recreate(tmp_path / "f") as out:
        out["EDepSimEvents"] = {"Event": np.zeros(1)}
    with pytest.raises(SourceFileError, match="a tree EDepSimEvents with RunId"):
        open_source(tmp_path / "f", DEPOSITS)


def test_damage_anywhere_in_a_file_is_named(tmp_path):
    content = write_edep_sim(tmp_path / "whole", EVENTS).read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for place in rng.integers(100, len(content), 60):
        (tmp_path / "f").write_bytes(
            content[:place] + bytes(rng.integers(0, 256, 4, np.uint8)) + content[place + 4 :]
        )
        try:
            source = open_source(tmp_path / "f", DEPOSITS)
            for entry in range(len(source)):
                source[entry]
        except SourceFileError as error:
            refused += "#1: expected deposits of energy" not in str(error)
    assert refused > 10


def test_the_command_takes_such_a_file(tmp_path, capsys):
    file = write_edep_sim(tmp_path / "f.root", EVENTS)
    assert main(["simulate", "lartpc-cubes", f"--deposits={file}", f"--out={tmp_path / 'out'}"]) == 0
    told = capsys.readouterr()
    assert "f.root: edep-sim ROOT, 3 events" in told.out and "left out 1 (" in told.err
    some = ["simulate", "lartpc-cubes", f"--deposits={file}", f"--out={tmp_path / 'a'}", "--sensitive"]
    assert main([*some, "volCryostat"]) == 0
    [row] = rows(tmp_path / "a")
    assert " sensitive=volCryostat " in row["source"] and sum(row["energy"]) == pytest.approx(1.5)
    assert "volCryostat" in (tmp_path / "a" / "plan.json").read_text()
    assert main(["simulate", "lartpc-cubes", f"--interactions={file}", f"--out={tmp_path / 'b'}"]) == 1
    assert "edep-sim ROOT, a file of deposits; give --deposits instead" in capsys.readouterr().err
