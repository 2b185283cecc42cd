"""FASERCal: sizes by hand, energies that add up, and distributions beside published and generated ones."""

import os
from pathlib import Path

import numpy as np
import pytest

from nuzoo.simulation.detectors import FASERCAL, FASERCAL_1MM, FASERCAL_5MM, SCINTILLATOR_CUBE
from nuzoo.simulation.errors import DetectorError
from nuzoo.simulation.event_types import InteractionMode, SemanticClass
from nuzoo.simulation.interactions.forward_beam import INTERACTIONS, ForwardBeam, charged_current_rate
from nuzoo.simulation.interactions.generator import InteractionError
from nuzoo.simulation.interactions.high_energy import (
    TUNGSTEN_NUCLEUS,
    DecayedInteraction,
    generate_high_energy,
)
from nuzoo.simulation.interactions.high_energy_hadrons import CHARMED
from nuzoo.simulation.interactions.nucleus import Nucleus
from nuzoo.simulation.interactions.parton_densities import densities
from nuzoo.simulation.interactions.short_lived import decay_charmed, decay_tau
from nuzoo.simulation.layer_stack import AHCAL, CAL, ECAL
from nuzoo.simulation.particles import CTAU, MASS, SPECIES_OF
from nuzoo.simulation.response.cubes import CubeElectronics, TrueHits, light_of, links, reconstruct, true_hits
from nuzoo.simulation.response.muon_spectrometer import MuonSpectrometer
from nuzoo.simulation.simulate_layers import simulate_layered_event
from nuzoo.simulation.transport.sandwich_cascade import transport_layers
from nuzoo.simulation.transport.sandwich_showers import showers
from nuzoo.simulation.transport.sandwich_tracks import Moving, ionise, range_of

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("NUZOO_DATA", ROOT.parent / "shared" / "data")) / "faser"

PROTON, NEUTRON = Nucleus(1, 1, 0, 0, 0, 0), Nucleus(0, 1, 0, 0, 0, 0)
SANDWICH = FASERCAL.readout.sandwich


@pytest.fixture(scope="module")
def events():
    return [simulate_layered_event(7, index, FASERCAL, ForwardBeam(0.3)) for index in range(40)]


@pytest.mark.parametrize(
    ("detector", "length", "radiation", "collision"),
    [(FASERCAL_1MM, 2410, 6.9, 4.4), (FASERCAL_5MM, 2450, 18.3, 4.8), (FASERCAL, 2500, 32.5, 5.3)],
)
def test_length_and_depth_as_quoted(detector, length, radiation, collision):
    """Depths within 1 X0, and 15 % of collision lengths (polystyrene 54.2 cm, tungsten 5.72 cm)."""
    sandwich = detector.readout.sandwich
    assert sandwich.cal_mm == length
    end = sandwich.origin_mm[2] / 10 + length / 10
    assert float(sandwich.stack.at(sandwich.stack.radiation, np.array([end]))[0]) == pytest.approx(
        radiation, abs=1
    )
    assert 200 / 54.2 + sandwich.tungsten_mm / 5.72 == pytest.approx(collision, rel=0.15)


def test_cells_by_hand():
    x, y, z = (side / 10 for side in SANDWICH.origin_mm)
    low, high = np.array([x, y]) + 0.5, np.array([x, y]) + 47.5
    # first cube of module 0, last of module 0 (1 cm of tungsten before, 20 layers), first of module 1
    deep = np.array([z + 1.5, z + 20.5, z + 25 + 1.5])
    cells = SANDWICH.cells(
        CAL, np.array([low[0], high[0], low[0]]), np.array([low[1], low[1], high[1]]), deep
    )
    assert cells.tolist() == [[0, 0, 0], [47, 0, 19], [0, 47, 20]]
    middle = np.array(SANDWICH.centre_cm)
    ecal = np.array([SANDWICH.ecal_z_mm / 10 + 1])
    assert SANDWICH.cells(ECAL, middle[:1], middle[1:], ecal).tolist() == [[2, 2, 0]]
    ahcal = np.array([SANDWICH.ahcal_z_mm / 10 + 2.3 * 5 + 2.1])
    assert SANDWICH.cells(AHCAL, middle[:1] - 35.9, middle[1:] + 35.9, ahcal).tolist() == [[0, 17, 5]]


def test_neutrinos_strike_by_mass():
    """10 mm of tungsten weigh 19.3 g/cm², 20 cubes of plastic 21.2."""
    slabs, mass = SANDWICH.targets()
    assert len(slabs) == 20
    assert mass[:2] == pytest.approx([19.3, 21.2])


def test_energy_adds_up(events):
    """All that came is deposited, absorbed, gone or hidden; deposits are those in the books."""
    for event in events:
        budget = event.transported.budget
        total = budget.deposited + budget.absorbed + budget.escaped + budget.invisible + budget.rest_mass
        assert total == pytest.approx(budget.available, rel=1e-9)
        assert event.transported.deposits.energy.sum(dtype=float) == pytest.approx(budget.deposited, rel=1e-4)


def test_interaction_adds_up(events):
    """Decays conserve four-momentum; that of the vertex is the neutrino's up to 3 GeV of the nucleus."""
    for event in events:
        found = event.interaction
        mass = MASS[[SPECIES_OF[int(code)] for code in found.pdg]]
        energy = np.sqrt((found.momentum**2).sum(axis=1) + mass**2)
        for row in np.unique(found.parent[found.parent >= 0]):
            daughters = found.parent == row
            assert energy[daughters].sum() == pytest.approx(energy[row], rel=1e-6)
            np.testing.assert_allclose(
                found.momentum[daughters].sum(axis=0), found.momentum[row], atol=1e-6 * energy[row] + 1e-3
            )
        vertex = found.momentum[found.parent < 0].sum(axis=0)
        np.testing.assert_allclose(vertex, [0, 0, found.neutrino_energy], atol=3000)


@pytest.mark.parametrize("codes", [[14], [14, 2112], [14, 22], [14, 111], [14, -13], [14, 310, 2212]])
def test_events_of_few_slow_particles(codes):
    """100 MeV/c each, into the middle of the detector."""
    n = len(codes)
    few = DecayedInteraction(
        neutrino_pdg=14,
        neutrino_energy=1e4,
        is_cc=False,
        mode=InteractionMode.DIS,
        target_pdg=2212,
        inelasticity=0.5,
        pdg=np.array(codes, np.int32),
        momentum=np.tile([0.0, 60.0, 80.0], (n, 1)),
        invisible_energy=0.0,
        parent=np.full(n, -1, np.int32),
        offset=np.zeros((n, 3)),
        origin=np.zeros(n, np.int8),
        is_final=np.ones(n, bool),
        tau_decay_mode=0,
    )
    vertex = np.array([*SANDWICH.centre_cm, SANDWICH.origin_mm[2] / 10 + 5])
    found = transport_layers(np.random.default_rng(1), few, vertex, SANDWICH).budget
    total = found.deposited + found.absorbed + found.escaped + found.invisible + found.rest_mass
    assert total == pytest.approx(found.available, rel=1e-9)


def test_same_event_whatever_came_before(events):
    again = simulate_layered_event(7, 3, FASERCAL, ForwardBeam(0.3))
    first, second = (FASERCAL.readout.respond(event) for event in (events[3], again))
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_detector_without_layers_is_refused():
    with pytest.raises(DetectorError, match="layers"):
        simulate_layered_event(0, 0, SCINTILLATOR_CUBE, ForwardBeam())


@pytest.mark.parametrize("neutrino", [*INTERACTIONS])
def test_spectrum_beside_its_table(neutrino):
    """Shape within 0.3 % (tau: 1.2 %) in the cumulative distribution, and the total within 1 %."""
    if not DATA.is_dir():
        pytest.skip(f"{DATA} is not there; set NUZOO_DATA")
    energy, told = np.loadtxt(DATA / f"FASER_CCint_{neutrino}.txt", unpack=True)
    ours = charged_current_rate(neutrino, energy)
    distance = np.abs(np.cumsum(ours) / ours.sum() - np.cumsum(told) / told.sum()).max()
    assert distance < (0.012 if abs(neutrino) == 16 else 0.003)
    assert ours.sum() == pytest.approx(told.sum(), rel=0.01)
    assert INTERACTIONS[neutrino] == pytest.approx(told.sum(), rel=0.002)


def test_weights_undo_the_enrichment():
    rng = np.random.default_rng(1)
    drawn = [ForwardBeam(0.3).draw(rng) for _ in range(4000)]
    charged = [(abs(pdg) == 16, weight) for pdg, _, is_cc, weight in drawn if is_cc]
    share = np.mean([is_tau for is_tau, _ in charged])
    assert share == pytest.approx(0.3, abs=0.03)
    nominal = sum(weight for is_tau, weight in charged if is_tau) / sum(weight for _, weight in charged)
    assert nominal == pytest.approx(40.6 / 7533.5, rel=0.1)


def test_quark_densities_count_quarks():
    """Two up and one down valence quark, and about half of the momentum, at every scale."""
    x = np.geomspace(1e-7, 0.9999, 20_000)
    for scale in (4.0, 100.0, 2000.0):
        found = densities(x, np.full_like(x, scale))
        assert np.trapezoid((found.up - found.antiquark) / x, x) == pytest.approx(2, abs=0.01)
        assert np.trapezoid((found.down - found.antiquark) / x, x) == pytest.approx(1, abs=0.01)
        momentum = found.up + found.down + 2 * found.antiquark + 2 * found.strange + 2 * found.charm
        assert 0.42 < np.trapezoid(momentum, x) < 0.54


# Pythia 8, leading order, Q² > 1 GeV²: <y>, charged hadrons, charm (statistical errors of a few percent)
PYTHIA = [
    (100, PROTON, 14, 0.50, 4.9, 0.10),
    (100, PROTON, -14, 0.34, 3.6, 0.06),
    (1000, PROTON, 14, 0.48, 8.1, 0.13),
    (1000, PROTON, -14, 0.33, 6.6, 0.09),
    (1000, NEUTRON, 14, 0.46, 7.5, 0.09),
    (1000, NEUTRON, -14, 0.36, 6.8, 0.15),
    (3000, PROTON, 14, 0.46, 9.9, 0.14),
]


@pytest.mark.parametrize(("energy", "target", "neutrino", "y", "charged", "charm"), PYTHIA)
def test_interactions_beside_pythia(energy, target, neutrino, y, charged, charm):
    """<y> within 0.05, charged multiplicity within 15 %, charm within 0.06 (400 events)."""
    rng = np.random.default_rng(3)
    made = [generate_high_energy(rng, neutrino, energy * 1e3, True, target) for _ in range(400)]
    codes = [np.abs(one.pdg[1:][one.parent[1:] < 0]) for one in made]
    assert np.mean([one.inelasticity for one in made]) == pytest.approx(y, abs=0.05)
    number = np.mean([np.isin(each, (211, 321, 2212, 411, 431, 4122)).sum() for each in codes])
    assert number == pytest.approx(charged, rel=0.15)
    assert np.mean([np.isin(each, [*CHARMED]).any() for each in codes]) == pytest.approx(charm, abs=0.06)


def test_energies_below_are_refused():
    with pytest.raises(InteractionError, match="10000"):
        generate_high_energy(np.random.default_rng(0), 14, 5e3, True)


def test_taus_decay_as_measured():
    """Shares of the modes (PDG), and the mean energy of the pion of a left-handed tau: 1/3."""
    rng = np.random.default_rng(5)
    tau = np.array([0.0, 0.0, np.sqrt(1e12 - MASS[SPECIES_OF[15]] ** 2), 1e6])
    modes, pions = [], []
    for _ in range(4000):
        mode, codes, p = decay_tau(rng, 15, tau)
        np.testing.assert_allclose(p.sum(axis=0), tau, rtol=1e-6, atol=1)
        modes.append(mode)
        if codes == [16, -211]:
            pions.append(p[1, 3] / 1e6)
    share = np.bincount(modes, minlength=7) / len(modes)
    assert share[1] == pytest.approx(0.178, abs=0.02)
    assert share[2] == pytest.approx(0.174, abs=0.02)
    assert share[5] == pytest.approx(0.152, abs=0.02)
    assert np.mean(pions) == pytest.approx(1 / 3, abs=0.04)


@pytest.mark.parametrize(("hadron", "muon"), [(421, 0.068), (411, 0.176)])
def test_charm_decays_into_muons_as_measured(hadron, muon):
    rng = np.random.default_rng(6)
    mass = MASS[SPECIES_OF[hadron]]
    p = np.array([0, 0, 1e5, np.hypot(1e5, mass)])
    found = [13 in np.abs(decay_charmed(rng, hadron, p)[0]) for _ in range(3000)]
    assert np.mean(found) == pytest.approx(muon, abs=0.02)


def test_taus_fly_gamma_c_tau():
    """The mean of path over gamma beta c tau is 1: 600 taus, error 4 %."""
    rng = np.random.default_rng(8)
    ratio = []
    for _ in range(600):
        made = generate_high_energy(rng, 16, 1e6, True, TUNGSTEN_NUCLEUS)
        daughter = np.flatnonzero(made.parent == 0)[0]
        path = np.linalg.norm(made.offset[daughter])
        ratio.append(path / (np.linalg.norm(made.momentum[0]) / MASS[SPECIES_OF[15]] * CTAU[SPECIES_OF[15]]))
    assert np.mean(ratio) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize(
    ("pdg", "kinetic", "centimetres"), [(13, 500, 222), (2212, 200, 25.0), (2212, 500, 113)]
)
def test_ranges_in_plastic(pdg, kinetic, centimetres):
    """PDG and PSTAR, within 13 %."""
    mass = np.array([MASS[SPECIES_OF[pdg]]])
    assert range_of(np.array([float(kinetic)]), mass)[0] / 2.05 == pytest.approx(centimetres, rel=0.13)


def start(pdg, t, z):
    return Moving(
        np.zeros(1, int),
        np.array([SPECIES_OF[pdg]]),
        np.array([[*SANDWICH.centre_cm, z]]),
        np.array([[0.0, 0.0, 1.0]]),
        np.array([t]),
    )


def test_muon_leaves_two_mev_in_a_cube():
    rng = np.random.default_rng(1)
    z = SANDWICH.origin_mm[2] / 10
    points, passive, left = ionise(rng, SANDWICH, start(13, 1e5, z), np.array([250.0]))
    cells = np.unique(SANDWICH.cells(CAL, *points.x.T), axis=0)
    assert len(cells) == 200
    assert points.energy.sum() == pytest.approx(200 * 2.05, rel=0.01)
    assert passive == pytest.approx(10 * 22.1, rel=0.05)
    assert 1e5 - left[0] == pytest.approx(points.energy.sum() + passive, rel=1e-6)


def test_shower_of_an_electron_is_contained_and_peaks_where_it_should():
    """30 GeV: 2 % leave at most; the maximum at ln(E/Ec) - 0.5 X0, within the width of a module of cubes."""
    rng = np.random.default_rng(2)
    stack = SANDWICH.stack
    deep = []
    for _ in range(60):
        points, leak, _ = showers(rng, SANDWICH, start(11, 3e4, stack.edges[0]), np.array([3e4]))
        assert points.energy.sum() + leak[0] == pytest.approx(3e4)
        assert leak[0] < 600
        deep.append(stack.at(stack.radiation, points.x[:, 2]))
    depth = np.concatenate(deep)
    counts, edges = np.histogram(depth, np.arange(0, 33, stack.radiation[24]))
    peak = 0.5 * (edges[1:] + edges[:-1])[np.argmax(counts)]
    assert peak == pytest.approx(np.log(3e4 / stack.critical_energy) - 0.5, abs=stack.radiation[24] + 0.5)


def hits(cells, energies):
    cell = np.array(cells)
    energy = np.array(energies, float)
    return TrueHits(cell, np.arange(len(cell)), energy, energy)


def test_light_goes_to_six_neighbours_and_not_into_the_next_module():
    light = light_of(hits([[5, 5, 19]], [10.0]), (48, 48, 200), 20, 0.03)
    assert light.sum() == pytest.approx(10.0)
    assert light[4, 5, 19] == pytest.approx(0.3)
    assert light[5, 5, 18] == pytest.approx(0.3)
    assert light[5, 5, 20] == 0
    assert light[5, 5, 19] == pytest.approx(10 - 5 * 0.3)


def test_two_cubes_of_one_layer_make_two_ghosts():
    """Fibres along z tell two cubes of a layer apart, unless
    the other two combinations are lit in another layer of the module."""
    quiet = CubeElectronics(crosstalk=0.0, photons_per_mev=1e6)
    rng = np.random.default_rng(0)
    true = hits([[3, 7, 4], [9, 20, 4]], [5.0, 5.0])
    found = reconstruct(rng, light_of(true, (48, 48, 200), 20, 0.0), true, 20, quiet)
    assert sorted(map(tuple, found.cell)) == [(3, 7, 4), (9, 20, 4)]
    true = hits([[3, 7, 4], [9, 20, 4], [3, 20, 11], [9, 7, 11]], [5.0, 5.0, 5.0, 5.0])
    found = reconstruct(rng, light_of(true, (48, 48, 200), 20, 0.0), true, 20, quiet)
    assert len(found.cell) == 8
    assert np.bincount(found.status, minlength=3).tolist() == [4, 4, 0]
    assert found.energy.sum() == pytest.approx(20, rel=1e-3)
    count, row, weight = links(found, true, (48, 48, 200))
    assert count.sum() == len(row) == 4
    assert (true.cell[row] == found.cell[np.repeat(np.arange(8), count)]).all()
    assert weight.tolist() == [1, 1, 1, 1]


def test_particles_share_a_cube_by_their_energy():
    cell = np.array([[1, 2, 3], [1, 2, 3], [1, 2, 3]])
    track = np.full(3, SemanticClass.TRACK, np.uint8)
    true = true_hits(cell, np.array([4, 9, 4]), np.array([1.0, 6.0, 1.0]), track, (48, 48, 200))
    found = reconstruct(
        np.random.default_rng(0),
        light_of(true, (48, 48, 200), 20, 0.0),
        true,
        20,
        CubeElectronics(crosstalk=0),
    )
    count, row, weight = links(found, true, (48, 48, 200))
    assert count.tolist() == [2]
    assert dict(zip(true.row[row].tolist(), weight.tolist(), strict=True)) == {4: 0.25, 9: 0.75}


def test_shares_of_ghosts(events):
    """Reconstruction finds most of what is lit; a part of what it finds are ghosts."""
    status = np.concatenate([FASERCAL.readout.respond(event)["cal_status"] for event in events])
    share = np.bincount(status, minlength=3) / len(status)
    assert 0.3 < share[0] < 0.8
    assert 0.05 < share[1] < 0.45


def test_ecal_shows_the_energy_of_a_shower():
    """50 GeV electrons right before the ECAL, within 10 % on average and 5 % of spread."""
    rng = np.random.default_rng(4)
    readout = FASERCAL.readout
    z = SANDWICH.ecal_z_mm / 10 - 1
    seen = []
    for _ in range(40):
        points, _, _ = showers(rng, SANDWICH, start(11, 5e4, z), np.array([5e4]))
        lit = SANDWICH.stack.part[SANDWICH.stack.layer_of(points.x[:, 2])] == ECAL
        cells = SANDWICH.cells(ECAL, *points.x[lit].T)
        inside = SANDWICH.inside(ECAL, cells)
        seen.append(points.energy[lit][inside].sum() / readout.sampling_fraction)
    assert np.mean(seen) == pytest.approx(5e4, rel=0.1)
    assert np.std(seen) / np.mean(seen) < 0.07


def test_muon_spectrometer_resolution():
    """20 % at 20 GeV, 47 % at 1 TeV: of the curvature, 4000 muons."""
    rng = np.random.default_rng(9)
    n = 4000
    for energy, error in ((20.0, 0.20), (1000.0, 0.47)):
        momentum = np.tile([0.0, 0.0, energy * 1000], (n, 1))
        spectrometer = MuonSpectrometer(tracks=n)
        found = spectrometer.fit(rng, np.zeros((n, 3)), momentum, -np.ones(n), (0.0, 0.0))
        curvature = found["muon_charge"] / found["muon_p"] * energy
        assert np.std(curvature) == pytest.approx(error, rel=0.06)
        assert np.mean(curvature) == pytest.approx(-1, abs=0.03)
