import numpy as np
import pytest
from particle import Particle

from nuzoo.simulation.particles import (
    BARYON,
    CHARGE,
    CTAU,
    DECAY_CUMULATIVE,
    DECAY_DAUGHTERS,
    DECAY_FIRST,
    MASS,
    PDG,
    REST_CONTENT,
    SPECIES_OF,
)

KNOWN = [int(code) for code in PDG if abs(int(code)) < 1_000_000_000]
NUCLEI = [int(code) for code in PDG if int(code) > 1_000_000_000]
UNSTABLE = [
    int(code) for code in PDG if DECAY_FIRST[SPECIES_OF[int(code)] + 1] > DECAY_FIRST[SPECIES_OF[int(code)]]
]


def channels(code: int) -> list[np.ndarray]:
    species = SPECIES_OF[code]
    rows = DECAY_DAUGHTERS[DECAY_FIRST[species] : DECAY_FIRST[species + 1]]
    return [row[row >= 0] for row in rows]


@pytest.mark.parametrize("code", KNOWN)
def test_masses_and_charges_are_those_of_the_particle_package(code: int) -> None:
    reference, species = Particle.from_pdgid(code), SPECIES_OF[code]
    assert MASS[species] == pytest.approx(reference.mass or 0.0, rel=2e-4, abs=1e-4)
    assert CHARGE[species] == reference.charge


@pytest.mark.parametrize("code", [c for c in KNOWN if abs(c) not in (311, 2112)])
def test_lifetimes_are_those_of_the_particle_package(code: int) -> None:
    reference, ctau = Particle.from_pdgid(code).ctau, CTAU[SPECIES_OF[code]]
    if np.isinf(ctau):
        assert reference is None or np.isinf(reference)
    else:
        assert ctau * 10 == pytest.approx(reference, rel=0.06)


@pytest.mark.parametrize("code", NUCLEI)
def test_nuclei_weigh_what_their_nucleons_do_less_the_binding(code: int) -> None:
    charge, nucleons = code // 10_000 % 1000, code // 10 % 1000
    species = SPECIES_OF[code]
    assert CHARGE[species] == charge
    assert BARYON[species] == nucleons
    free = charge * 938.272 + (nucleons - charge) * 939.565
    assert 0 < free - MASS[species] < 8 * nucleons


@pytest.mark.parametrize("code", UNSTABLE)
def test_decay_channels_conserve_charge_and_baryon_number_and_are_open(code: int) -> None:
    species = SPECIES_OF[code]
    for daughters in channels(code):
        assert CHARGE[daughters].sum() == CHARGE[species]
        assert BARYON[daughters].sum() == BARYON[species]
        assert MASS[daughters].sum() < MASS[species]
    assert DECAY_CUMULATIVE[DECAY_FIRST[species + 1] - 1] == pytest.approx(1.0)


def test_everything_that_decays_has_a_channel() -> None:
    special = {13, -13, 311, -311}
    missing = [c for c in KNOWN if np.isfinite(CTAU[SPECIES_OF[c]]) and c not in UNSTABLE]
    assert set(missing) == special


def test_nucleons_and_nuclei_count_by_kinetic_energy_alone() -> None:
    assert REST_CONTENT[SPECIES_OF[2212]] == 0
    assert REST_CONTENT[SPECIES_OF[1000020040]] == 0
    assert REST_CONTENT[SPECIES_OF[211]] == MASS[SPECIES_OF[211]]
    assert REST_CONTENT[SPECIES_OF[-2212]] == MASS[SPECIES_OF[-2212]]
