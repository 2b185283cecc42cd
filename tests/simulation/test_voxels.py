"""Voxels: geometry and energy against hand-computed lines, labels by their rules, and what a row holds."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from nuzoo.files.events.point_cloud_events import MOTIFS, NOWHERE, PARTICLE_TYPES, ROLES
from nuzoo.simulation.detectors import LARTPC_CUBE
from nuzoo.simulation.event_types import Deposits, EnergyBudget, ParticleTable, SemanticClass, Transported
from nuzoo.simulation.images import Origin, SimulatedImage, simulate_image
from nuzoo.simulation.mixtures import ImageMixture, cosmic_muon, particle_bomb
from nuzoo.simulation.response.voxels import VoxelReadout

READOUT = VoxelReadout(shape=(10, 20, 30), pitch_mm=(10.0, 10.0, 10.0), threshold_mev=0.1)


def event(lines, semantic, particle, pdg, parent, start=None) -> Transported:
    """Deposits from lines of (start, end, energy), with the particles that made them."""
    n, p = len(lines), len(pdg)
    deposits = Deposits(
        start=np.array([line[0] for line in lines], np.float32).reshape(n, 3),
        end=np.array([line[1] for line in lines], np.float32).reshape(n, 3),
        energy=np.array([line[2] for line in lines], np.float32),
        particle=np.array(particle, np.int32),
        pdg=np.array(pdg, np.int32)[particle],
        semantic=np.array(semantic, np.uint8),
        interaction=np.zeros(n, np.int32),
    )
    table = ParticleTable(
        pdg=np.array(pdg, np.int32),
        parent=np.array(parent, np.int32),
        start=np.zeros((p, 3), np.float32) if start is None else np.array(start, np.float32),
        momentum=np.zeros((p, 3), np.float32),
        interaction=np.zeros(p, np.int32),
    )
    return Transported(deposits, table, EnergyBudget(0, 0, 0, 0, 0))


def row_of(transported: Transported, readout: VoxelReadout = READOUT) -> dict:
    origin = Origin("particles", np.array([1.0, 2.0, 3.0]), np.array([13]), np.zeros((1, 3)))
    detector = SimpleNamespace(readout=readout)
    return readout.respond(SimulatedImage(detector, [origin], transported, np.random.default_rng(0)))


def track(length_cm: float, at=(0.5, 0.5)) -> list:
    return [((*at, 0.0), (*at, length_cm), 2.0 * length_cm)]


def test_a_line_gives_each_voxel_the_share_of_its_length():
    row = row_of(event([((0.5, 2.5, 1.5), (0.5, 2.5, 4.0), 5.0)], [SemanticClass.TRACK], [0], [13], [-1]))
    assert (row["x"].tolist(), row["y"].tolist(), row["z"].tolist()) == ([0, 0, 0], [2, 2, 2], [1, 2, 3])
    np.testing.assert_allclose(row["energy"], [1.0, 2.0, 2.0], rtol=1e-6)


def test_lines_at_an_angle_agree_with_a_fine_subdivision():
    rng = np.random.default_rng(0)
    start, end = rng.uniform(0.0, 9.9, (2, 50, 3))
    energy = rng.uniform(0.5, 2.0, 50)
    whole = event(
        list(zip(start, end, energy, strict=True)), [SemanticClass.TRACK] * 50, [0] * 50, [13], [-1]
    )
    parts = np.linspace(0, 1, 5001)[:, None, None]
    cells = np.floor(start + (parts[:-1] + parts[1:]) / 2 * (end - start)).astype(int).reshape(-1, 3)
    expected = np.zeros(READOUT.shape)
    np.add.at(expected, tuple(cells.T), np.tile(energy / 5000, 5000))
    found = READOUT.contributions(whole.deposits)
    made = np.bincount(found.voxel, weights=found.energy, minlength=expected.size).reshape(expected.shape)
    np.testing.assert_allclose(made, expected, atol=2e-3)


def test_what_lies_outside_or_below_threshold_is_not_there():
    lines = [((9.5, 0.5, 0.5), (10.5, 0.5, 0.5), 4.0), ((3.5, 3.5, 3.5), (3.5, 3.5, 3.5), 0.09)]
    row = row_of(event(lines, [SemanticClass.TRACK] * 2, [0, 0], [13], [-1]))
    assert row["x"].tolist() == [9]
    assert row["energy"][0] == pytest.approx(2.0, rel=1e-6)


def test_a_voxel_belongs_to_whom_left_most_of_its_energy():
    lines = [((0.5, 0.5, 0.5), (0.5, 0.5, 0.5), energy) for energy in (1.0, 0.6, 0.6)]
    row = row_of(event(lines, [SemanticClass.TRACK] * 3, [0, 1, 1], [13, 2212], [-1, -1]))
    assert row["pid"].tolist() == [PARTICLE_TYPES.index("proton")]
    assert row["particle_hits"].tolist() == [0, 1]
    np.testing.assert_allclose(row["particle_energy"], [0.0, 2.2])


@pytest.mark.parametrize(("length", "motif"), [(12.0, "delta"), (5.0, "track")])
def test_an_electron_knocked_out_is_a_delta_from_eight_voxels_on(length, motif):
    lines = [*track(20.0), ((2.5, 0.5, 10.0), (2.5, 0.5, 10.0 + length), 9.0)]
    row = row_of(event(lines, [SemanticClass.TRACK, SemanticClass.DELTA], [0, 1], [13, 11], [-1, 0]))
    off_axis = row["x"] == 2
    assert {MOTIFS[number] for number in row["motif"][off_axis]} == {motif}
    assert (row["particle"][off_axis] == (1 if motif == "delta" else 0)).all()


def test_hits_have_the_role_of_their_particle_in_the_interaction():
    """A muon with a delta and a Michel electron, a proton of a neutron, and the neutron's own recoil."""
    lines = [
        *track(20.0),
        ((2.5, 0.5, 2.0), (2.5, 0.5, 14.0), 9.0),
        ((4.5, 0.5, 2.0), (4.5, 0.5, 14.0), 9.0),
        ((6.5, 0.5, 2.0), (6.5, 0.5, 14.0), 9.0),
        ((9.5, 9.5, 2.5), (9.5, 9.5, 2.5), 1.0),
    ]
    kinds = SemanticClass
    semantic = [kinds.TRACK, kinds.DELTA, kinds.MICHEL, kinds.TRACK, kinds.LOW_ENERGY]
    row = row_of(event(lines, semantic, [0, 1, 2, 4, 3], [13, 11, 11, 2112, 2212], [-1, 0, 0, -1, 3]))
    roles = dict(zip(row["x"].tolist(), [ROLES[number] for number in row["role"]], strict=True))
    assert roles == {0: "primary", 2: "delta", 4: "michel", 6: "other", 9: "other"}
    ends = {tuple(row[f"keypoint_{axis}"][i] for axis in "xyz") for i in range(len(row["keypoint_kind"]))}
    vertex, muon, proton = (1.0, 2.0, 3.0), (0.5, 0.5, 19.5), [(6.5, 0.5, 2.5), (6.5, 0.5, 13.5)]
    assert ends == {vertex, muon, *proton}  # the muon begins at the vertex


@pytest.mark.parametrize(("length", "motif"), [(12.0, "shower"), (5.0, "led")])
def test_what_a_photon_sets_free_is_shower_from_eight_voxels_on(length, motif):
    lines = [*track(20.0), ((5.5, 9.5, 10.0), (5.5, 9.5, 10.0 + length), 9.0)]
    semantic = [SemanticClass.SHOWER, SemanticClass.SHOWER]
    row = row_of(event(lines, semantic, [0, 2], [11, 22, 11], [-1, 0, 1]))
    far = row["x"] == 5
    assert {MOTIFS[number] for number in row["motif"][far]} == {motif}
    assert (row["particle"][far] == (NOWHERE if motif == "led" else 0)).all()
    assert {MOTIFS[number] for number in row["motif"][~far]} == {"shower"}


def test_both_of_a_pair_count_together():
    lines = [((1.5, 1.5, 5.0), (1.5, 1.5, 10.0), 9.0), ((1.5, 1.5, 5.0), (6.5, 1.5, 5.0), 9.0)]
    start = [[0, 0, 0], [1.5, 1.5, 5.0], [1.5, 1.5, 5.0]]
    pair = event(lines, [SemanticClass.SHOWER] * 2, [1, 2], [22, 11, -11], [-1, 0, 0], start)
    assert {MOTIFS[number] for number in row_of(pair)["motif"]} == {"shower"}
    apart = dataclasses.replace(pair.particles, start=np.array([[0, 0, 0], [1, 1, 5], [2, 1, 5]], np.float32))
    assert {MOTIFS[n] for n in row_of(dataclasses.replace(pair, particles=apart))["motif"]} == {"led"}


def test_a_low_energy_deposit_that_touches_a_particle_belongs_to_it():
    lines = track(5.0) + [((x, 0.5, 2.5), (x, 0.5, 2.5), 0.3) for x in (1.5, 4.5)]
    semantic = [SemanticClass.TRACK, SemanticClass.LOW_ENERGY, SemanticClass.LOW_ENERGY]
    row = row_of(event(lines, semantic, [0, 1, 1], [13, 2112], [-1, 0]))
    labels = dict(zip(row["x"].tolist(), row["motif"].tolist(), strict=True))
    assert (labels[1], labels[4]) == (MOTIFS.index("track"), MOTIFS.index("led"))


def test_parents_are_the_nearest_listed_ancestors():
    lines = track(5.0) + track(5.0, at=(5.5, 5.5))
    row = row_of(event(lines, [SemanticClass.TRACK] * 2, [0, 2], [2212, 2112, 211], [-1, 0, 1]))
    assert row["particle_pdg"].tolist() == [2212, 211]
    assert row["particle_parent"].tolist() == [NOWHERE, 0]
    assert row["particle_primary"].tolist() == [1, 0]


def test_an_event_without_a_voxel_is_an_event():
    row = row_of(event([], [], np.array([], int), [2112], [-1]))
    assert len(row["x"]) == len(row["energy"]) == 0
    assert row["particle_pdg"].tolist() == [2112]


def test_an_image_keeps_its_energy_and_numbers_its_interactions():
    image = simulate_image(3, 1, LARTPC_CUBE, ImageMixture(vertices=(2, 2), cosmics=(1, 1)))
    row = LARTPC_CUBE.readout.respond(image)
    lost = 1 - row["energy"].sum() / image.transported.budget.deposited
    assert 0 <= lost < 0.02
    assert len(row["interaction_kind"]) == 3
    assert set(row["interaction"].tolist()) <= {NOWHERE, 0, 1, 2}
    of_particle = row["particle_interaction"][row["particle"]]
    assert (of_particle == row["interaction"])[row["particle"] != NOWHERE].all()
    again = LARTPC_CUBE.readout.respond(
        simulate_image(3, 1, LARTPC_CUBE, ImageMixture((2, 2), 1 / 3, (1, 1)))
    )
    assert all(np.array_equal(row[name], again[name]) for name in row)


def test_cosmic_muons_begin_on_a_wall_and_go_down():
    rng = np.random.default_rng(0)
    for muon in (cosmic_muon(rng, LARTPC_CUBE) for _ in range(200)):
        walls = np.minimum(muon.vertex, np.array(LARTPC_CUBE.high) - muon.vertex)
        assert walls.min() < 1e-3
        assert muon.momentum[0, 1] < 0


def test_zenith_angles_of_muons_follow_cosine_squared():
    rng = np.random.default_rng(1)
    momenta = np.concatenate([cosmic_muon(rng, LARTPC_CUBE).momentum for _ in range(4000)])
    cosine = -momenta[:, 1] / np.linalg.norm(momenta, axis=1)
    assert cosine.mean() == pytest.approx(3 / 4, abs=0.01)


def test_bombs_have_one_to_six_particles_of_five_kinds():
    rng = np.random.default_rng(2)
    bombs = [particle_bomb(rng, LARTPC_CUBE) for _ in range(1000)]
    assert {len(bomb.pdg) for bomb in bombs} == set(range(1, 7))
    codes = np.concatenate([bomb.pdg for bomb in bombs])
    assert set(np.abs(codes)) == {11, 13, 22, 211, 2212}
    assert not set(codes) & {-22, -2212}
