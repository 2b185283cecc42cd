import numpy as np
import pytest

from nuzoo.simulation.errors import InvalidMomentumError, UnknownParticleError, VertexOutsideVolumeError
from nuzoo.simulation.event_types import SemanticClass, Transported
from nuzoo.simulation.materials import LAR, POLYSTYRENE, TUNGSTEN, Material
from nuzoo.simulation.particles import SPECIES_OF
from nuzoo.simulation.transport import Volume, transport
from nuzoo.simulation.transport.settings import TransportSettings

from .closed_formulas import csda_range, highland_angle, landau_most_probable_loss, stopping_power

MUON, PION, PROTON = 105.6583755, 139.57039, 938.27208816
HUGE = Volume((-2000.0,) * 3, (2000.0,) * 3)
ORIGIN = (0.0, 0.0, 0.0)
ELECTROMAGNETIC_ONLY = TransportSettings(hadronic=False, decays=False)


def slab(depth: float) -> Volume:
    return Volume((-100.0, -100.0, -1.0), (100.0, 100.0, depth))


def send(
    rng: np.random.Generator,
    pdg: int,
    momentum: float,
    volume: Volume = HUGE,
    settings: TransportSettings | None = None,
    material: Material = LAR,
) -> Transported:
    return transport(rng, [pdg], [[0, 0, momentum]], ORIGIN, material, volume, settings=settings)


def own(result: Transported) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start, end and energy of the deposits of the first particle itself."""
    mine = result.deposits.particle == 0
    return result.deposits.start[mine], result.deposits.end[mine], result.deposits.energy[mine]


def path(result: Transported) -> float:
    start, end, _ = own(result)
    return float(np.linalg.norm(end - start, axis=1).sum())


def momentum_of(mass: float, kinetic: float) -> float:
    return float(np.sqrt(kinetic * (kinetic + 2 * mass)))


@pytest.mark.parametrize("kinetic", [100.0, 300.0, 1000.0])
@pytest.mark.parametrize(("pdg", "mass"), [(13, MUON), (211, PION), (2212, PROTON)])
def test_track_length_is_the_csda_range(pdg: int, mass: float, kinetic: float) -> None:
    rng = np.random.default_rng(1)
    lengths = [
        path(send(rng, pdg, momentum_of(mass, kinetic), settings=ELECTROMAGNETIC_ONLY)) for _ in range(60)
    ]
    assert np.mean(lengths) == pytest.approx(csda_range(LAR, mass, kinetic), rel=0.02)


def test_muon_loss_without_delta_rays_is_that_of_edep_sim() -> None:
    """Geant4 (edep-sim) gives sum dE / sum dx = 1.92 to 1.94 MeV/cm with delta rays split off."""
    rng = np.random.default_rng(2)
    energy = length = 0.0
    for momentum in rng.uniform(500, 5000, 150):
        result = send(rng, 13, momentum, slab(60.0), ELECTROMAGNETIC_ONLY)
        energy += own(result)[2].sum()
        length += path(result)
    assert 1.90 < energy / length < 1.96


@pytest.mark.parametrize(("thickness", "published"), [(0.3, 1.61), (0.5, 1.66), (1.0, 1.73)])
def test_most_probable_loss_of_a_minimum_ionising_muon(thickness: float, published: float) -> None:
    rng = np.random.default_rng(3)
    whole = ELECTROMAGNETIC_ONLY._replace(delta_cut=np.inf)
    losses = [send(rng, 13, 362.0, slab(thickness), whole).deposits.energy.sum() for _ in range(6000)]
    expected = landau_most_probable_loss(LAR, MUON, 271.5, thickness)
    assert most_probable(np.array(losses)) / thickness == pytest.approx(published, rel=0.03)
    assert most_probable(np.array(losses)) == pytest.approx(expected, rel=0.03)
    mean = stopping_power(LAR, MUON, 271.5) * thickness
    assert np.mean(losses) == pytest.approx(mean, rel=0.03)


def most_probable(values: np.ndarray) -> float:
    """Peak of a cubic through the logarithm of a histogram about its highest bin."""
    counts, edges = np.histogram(values, bins=np.linspace(0.5, 2, 46) * np.median(values))
    middle = (edges[1:] + edges[:-1]) / 2
    near = counts > 0.4 * counts.max()
    fit = np.polyfit(middle[near], np.log(counts[near]), 3)
    fine = np.linspace(middle[near][0], middle[near][-1], 2000)
    return float(fine[np.polyval(fit, fine).argmax()])


@pytest.mark.parametrize(("momentum", "thickness"), [(300.0, 1.0), (1000.0, 1.0), (1000.0, 14.0)])
def test_scattering_angle_is_highlands(momentum: float, thickness: float) -> None:
    rng = np.random.default_rng(4)
    slopes = []
    for _ in range(1500):
        start, end, _ = own(send(rng, 13, momentum, slab(thickness + 0.3), ELECTROMAGNETIC_ONLY))
        # the segment that crosses the plane has the direction after `thickness`
        last = np.argmax(end[:, 2] >= thickness + 1e-3)
        direction = end[last] - start[last]
        slopes += [direction[0] / direction[2], direction[1] / direction[2]]
    kinetic = np.sqrt(momentum**2 + MUON**2) - MUON
    assert np.sqrt(np.mean(np.square(slopes))) == pytest.approx(
        highland_angle(LAR, MUON, kinetic, thickness), rel=0.06
    )


def test_michel_spectrum_has_the_right_end_and_mean() -> None:
    rng = np.random.default_rng(5)
    energies = []
    for _ in range(2500):
        result = send(rng, -13, 0.0, slab(0.5))
        momentum = result.particles.momentum[result.particles.pdg == -11][0]
        energies.append(np.sqrt((momentum**2).sum() + 0.511**2))
    assert max(energies) == pytest.approx(52.83, rel=0.01)
    assert max(energies) <= 52.84
    assert np.mean(energies) == pytest.approx(0.7 * 52.83, rel=0.01)
    assert np.mean(np.square(energies)) == pytest.approx(8 / 15 * 52.83**2, rel=0.02)


@pytest.mark.parametrize(("material", "captured"), [(LAR, 0.75), (POLYSTYRENE, 0.08)])
def test_stopped_negative_muons_are_captured(material: Material, captured: float) -> None:
    rng = np.random.default_rng(6)
    results = [send(rng, 13, 30.0, material=material) for _ in range(600)]
    michel = np.mean([(r.deposits.semantic == SemanticClass.MICHEL).any() for r in results])
    assert michel == pytest.approx(1 - captured, abs=0.06)


def test_stopped_positive_pion_makes_a_muon_of_4_mev_and_a_michel_electron() -> None:
    rng = np.random.default_rng(7)
    result = send(rng, 211, 100.0)
    pdg, parent = result.particles.pdg, result.particles.parent
    muon = int(np.flatnonzero(pdg == -13)[0])
    assert parent[muon] == 0
    kinetic = np.sqrt((result.particles.momentum[muon] ** 2).sum() + MUON**2) - MUON
    assert kinetic == pytest.approx(4.12, abs=0.01)
    assert parent[np.flatnonzero(pdg == -11)[0]] == muon


# Mean free paths in liquid argon, cm, from PythiaCascade 8.317 (pi+) and the PDG (p, n at a few GeV)
FREE_PATHS = [
    (211, PION, 240.0, 51.0),
    (211, PION, 480.0, 87.0),
    (-211, PION, 2900.0, 97.0),
    (2212, PROTON, 4150.0, 88.0),
]


@pytest.mark.parametrize(("pdg", "mass", "kinetic", "expected"), FREE_PATHS)
def test_hadronic_mean_free_path(pdg: int, mass: float, kinetic: float, expected: float) -> None:
    rng = np.random.default_rng(8)
    settings, depth, n = TransportSettings(decays=False), 4.0, 3000
    through = 0
    for _ in range(n):
        _, end, _ = own(send(rng, pdg, momentum_of(mass, kinetic), slab(depth), settings))
        through += len(end) > 0 and end[-1, 2] > depth - 1e-3
    assert -depth / np.log(through / n) == pytest.approx(expected, rel=4 / np.sqrt(n - through))


def test_neutral_pion_shows_its_mass_in_two_photons() -> None:
    rng = np.random.default_rng(9)
    seen = 0
    for _ in range(60):
        particles = send(rng, 111, 800.0).particles
        photons = particles.momentum[(particles.parent == 0) & (particles.pdg == 22)].astype(float)
        if len(photons) == 2:
            energy = np.linalg.norm(photons, axis=1).sum()
            mass = np.sqrt(energy**2 - (photons.sum(axis=0) ** 2).sum())
            assert mass == pytest.approx(134.977, abs=0.01)
            seen += 1
    assert seen >= 55


@pytest.mark.parametrize("material", [LAR, TUNGSTEN], ids=lambda m: m.name)
@pytest.mark.parametrize("pdg", sorted(SPECIES_OF))
def test_every_mev_is_accounted_for(pdg: int, material: Material) -> None:
    rng = np.random.default_rng(10)
    box = Volume((-60.0,) * 3, (60.0,) * 3)
    for momentum in (0.0, 60.0, 900.0, 3000.0):
        result = send(rng, pdg, momentum, box, material=material)
        budget = result.budget
        spent = budget.deposited + budget.escaped + budget.invisible + budget.rest_mass
        assert spent == pytest.approx(budget.available, rel=1e-6, abs=1e-4)
        assert budget.invisible >= -1e-3 * max(budget.available, 1.0)
        assert result.deposits.energy.sum(dtype=float) == pytest.approx(budget.deposited, rel=1e-5, abs=1e-6)
        assert (result.deposits.energy > 0).all()
        assert np.isfinite(result.deposits.end).all()
        assert (np.abs(result.deposits.end) <= 60.001).all()


def test_tables_fit_together() -> None:
    result = send(np.random.default_rng(11), 211, 3000.0)
    deposits, particles = result.deposits, result.particles
    assert (particles.parent < np.arange(len(particles.pdg))).all()
    assert particles.parent[0] == -1
    np.testing.assert_array_equal(deposits.pdg, particles.pdg[deposits.particle])
    assert set(np.unique(deposits.semantic)) <= {int(c) for c in SemanticClass}
    np.testing.assert_allclose(np.linalg.norm(particles.momentum[0]), 3000, rtol=1e-6)


def test_same_generator_state_gives_the_same_event() -> None:
    def event(seed: int) -> np.ndarray:
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, 4])))
        return send(rng, -211, 1500.0).deposits.energy

    np.testing.assert_array_equal(event(12), event(12))
    assert not np.array_equal(event(12)[:50], event(13)[:50])


def test_interaction_number_is_written_into_the_deposits() -> None:
    result = transport(np.random.default_rng(1), [2212], [[0, 0, 500.0]], ORIGIN, LAR, HUGE, interaction=7)
    assert (result.deposits.interaction == 7).all()


def test_no_particles_is_an_empty_event() -> None:
    result = transport(np.random.default_rng(1), [], [], ORIGIN, LAR, HUGE)
    assert len(result.deposits.energy) == len(result.particles.pdg) == 0
    assert result.budget.available == 0


def test_neutrinos_are_invisible() -> None:
    result = send(np.random.default_rng(1), 14, 1000.0)
    assert result.budget.invisible == result.budget.available == 1000.0
    assert len(result.deposits.energy) == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_momentum_that_is_not_finite(bad: float) -> None:
    with pytest.raises(InvalidMomentumError, match="particle 1"):
        transport(np.random.default_rng(1), [13, 13], [[0, 0, 1.0], [0, bad, 0]], ORIGIN, LAR, HUGE)


def test_momenta_of_the_wrong_shape() -> None:
    with pytest.raises(InvalidMomentumError, match=r"\(2, 3\)"):
        transport(np.random.default_rng(1), [13, 13], [[0, 0, 1.0]], ORIGIN, LAR, HUGE)


@pytest.mark.parametrize("vertex", [(0.0, 0.0, 3000.0), (np.nan, 0.0, 0.0), (0.0, 0.0)])
def test_vertex_outside_the_volume(vertex: tuple[float, ...]) -> None:
    with pytest.raises(VertexOutsideVolumeError, match="enlarge the volume"):
        transport(np.random.default_rng(1), [13], [[0, 0, 1.0]], vertex, LAR, HUGE)


def test_particle_that_is_not_known() -> None:
    with pytest.raises(UnknownParticleError, match="9999"):
        send(np.random.default_rng(1), 9999, 10.0)
