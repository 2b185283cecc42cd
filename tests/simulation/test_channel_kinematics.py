"""Each channel against closed forms, symmetries and published numbers, before final-state effects."""

import numpy as np
import pytest

from nuzoo.simulation.event_types import InteractionMode
from nuzoo.simulation.interactions import generate_interaction
from nuzoo.simulation.interactions.channels import fractions
from nuzoo.simulation.interactions.deep_inelastic import quark_weight
from nuzoo.simulation.interactions.final_state import cascade
from nuzoo.simulation.interactions.four_vectors import invariant_mass_squared
from nuzoo.simulation.interactions.hadronisation import draw_multiplicity, hadronise, mean_charged
from nuzoo.simulation.interactions.masses import CHARGED_PION, MASSES, MUON, NUCLEON, PROTON
from nuzoo.simulation.interactions.nucleus import ARGON, CARBON
from nuzoo.simulation.interactions.quasi_elastic import AXIAL_COUPLING, MU_NEUTRON, MU_PROTON, llewellyn_smith
from nuzoo.simulation.interactions.resonance import charges, draw_cos_delta, isospin_strengths

FERMI_CONSTANT = 1.1663788e-11  # MeV⁻²
COS_CABIBBO = 0.9737
MEV2_CM2 = 3.8938e-22  # (ħc)², MeV² cm²
CHARGE = {11: -1, 13: -1, 15: -1, 2212: 1, 211: 1, 321: 1}


def charge_of(pdg):
    return sum(np.sign(code) * CHARGE.get(abs(int(code)), 0) for code in pdg)


def quasi_elastic_cross_section(energy, antineutrino):
    limit = 4.0 * NUCLEON * energy**2 / (NUCLEON + 2.0 * energy)
    q_squared = np.linspace(0.0, limit, 4001)
    shape = [llewellyn_smith(energy, q, 0.0, antineutrino, True, 2112) for q in q_squared]
    unit = FERMI_CONSTANT**2 * COS_CABIBBO**2 * NUCLEON**2 / (8.0 * np.pi) * MEV2_CM2
    return unit * np.trapezoid(shape, q_squared)


def test_llewellyn_smith_at_zero_q_squared():
    """dσ/dQ²(0) = G_F² cos²θ_C (1 + g_A²) / 2π whatever the energy."""
    for energy in (500.0, 5000.0):
        value = llewellyn_smith(energy, 0.0, 0.0, False, True, 2112) * NUCLEON**2 / 4.0
        assert value == pytest.approx(1.0 + AXIAL_COUPLING**2, rel=1e-9)


@pytest.mark.parametrize("antineutrino", [False, True])
def test_llewellyn_smith_equals_the_form_in_sachs_form_factors(antineutrino):
    """Alberico, Bilenky & Maieron, Phys. Rep. 358 (2002) 227: the same without F1, F2, A, B, C."""
    for energy in (600.0, 3000.0, 20000.0):
        for q_squared in (1e4, 2e5, 5e5):
            y = q_squared / (2.0 * NUCLEON * energy)
            tau = y * energy / (2.0 * NUCLEON)
            electric = (1.0 + q_squared / 0.71e6) ** -2
            magnetic = (MU_PROTON - MU_NEUTRON) * electric
            axial = AXIAL_COUPLING * (1.0 + q_squared / 990.0**2) ** -2
            slope = NUCLEON * y / (2.0 * energy)
            interference = 2.0 * y * (1.0 - 0.5 * y) * magnetic * axial
            expected = 0.5 * y**2 * magnetic**2
            expected += (1 - y - slope) * (electric**2 + tau * magnetic**2) / (1 + tau)
            expected += (0.5 * y**2 + 1.0 - y + slope) * axial**2
            expected += -interference if antineutrino else interference
            value = llewellyn_smith(energy, q_squared, 0.0, antineutrino, True, 2112)
            assert value * NUCLEON**2 / 4.0 == pytest.approx(expected, rel=1e-9)


def test_quasi_elastic_cross_section_is_that_of_the_review():
    """Formaggio & Zeller, RMP 84 (2012) 1307, fig. 11: plateau of 0.9 to 1.0e-38 cm²."""
    assert 0.88e-38 < quasi_elastic_cross_section(20000.0, False) < 1.02e-38
    assert quasi_elastic_cross_section(20000.0, True) == pytest.approx(
        quasi_elastic_cross_section(20000.0, False), rel=0.15
    )
    ratio = quasi_elastic_cross_section(1000.0, True) / quasi_elastic_cross_section(1000.0, False)
    assert 0.25 < ratio < 0.45


@pytest.mark.parametrize("mode", [InteractionMode.QE, InteractionMode.RES, InteractionMode.DIS])
@pytest.mark.parametrize(("neutrino", "is_cc"), [(14, True), (-12, True), (14, False)])
def test_primary_interactions_conserve_charge_and_four_momentum(mode, neutrino, is_cc):
    """Outgoing less incoming must be a nucleon of the Fermi sphere at its removal energy."""
    rng = np.random.default_rng(3)
    for _ in range(60):
        event = generate_interaction(rng, neutrino, 4000.0, is_cc, ARGON, mode, False)
        assert charge_of(event.pdg) == (1 if event.target_pdg == 2212 else 0)
        masses = np.array([MASSES[abs(int(code))] for code in event.pdg])
        energy = np.sqrt((event.momentum**2).sum(1) + masses**2).sum() - 4000.0
        target = event.momentum.sum(0) - [0.0, 0.0, 4000.0]
        size = np.linalg.norm(target)
        assert size <= (242.0 if event.target_pdg == 2212 else 259.0)
        recoil = size**2 / (2.0 * NUCLEON * 39.0)
        expected = MASSES[event.target_pdg] - ARGON.removal_energy - recoil
        assert energy == pytest.approx(expected, abs=1e-4)


def test_resonances_give_nine_to_one_to_two():
    """ν p → p π+ : ν n → n π+ : ν n → p π0 = 9 : 1 : 2 for a pure Δ."""
    rng = np.random.default_rng(4)
    proton, _ = isospin_strengths(1232.0, False, True, 2212)
    neutron, _ = isospin_strengths(1232.0, False, True, 2112)
    drawn = [charges(rng, 1, True) for _ in range(20000)]
    with_neutral = np.mean([pion == 111 for _, pion in drawn])
    ratio = np.array([proton, neutron * (1 - with_neutral), neutron * with_neutral])
    np.testing.assert_allclose(ratio * 12.0 / ratio.sum(), [9.0, 1.0, 2.0], rtol=0.03)
    assert isospin_strengths(1232.0, True, True, 2112)[0] == proton  # charge symmetry
    assert set(drawn) == {(2212, 111), (2112, 211)}


def test_delta_decay_angle():
    """1 - P2(cos θ)/2 has <cos² θ> = 1/3 - 1/15."""
    rng = np.random.default_rng(5)
    cosine = np.array([draw_cos_delta(rng) for _ in range(40000)])
    assert np.mean(cosine) == pytest.approx(0.0, abs=0.01)
    assert np.mean(cosine**2) == pytest.approx(1 / 3 - 1 / 15, abs=0.005)


def test_resonance_mass_peaks_at_the_delta():
    rng = np.random.default_rng(6)
    w = []
    for _ in range(600):
        event = generate_interaction(rng, 14, 2000.0, True, ARGON, InteractionMode.RES, False)
        masses = np.array([MASSES[abs(int(code))] for code in event.pdg[1:]])
        energy = np.sqrt((event.momentum[1:] ** 2).sum(1) + masses**2).sum()
        w.append(np.sqrt(energy**2 - (event.momentum[1:].sum(0) ** 2).sum()))
    counts, edges = np.histogram(w, bins=np.arange(1070.0, 1811.0, 40.0))
    assert abs(edges[counts.argmax()] + 20.0 - 1232.0) < 45.0
    assert min(w) > PROTON + CHARGED_PION - 6.0


def test_quark_weights():
    """Isoscalar target: y is flat for quarks alone, falls as (1-y)² for antiquarks' sake."""
    x = 0.6  # where there is no sea
    for anti, expected in ((False, 1.0), (True, 0.25)):
        values = [sum(quark_weight(x, y, anti, True, hit) for hit in (2212, 2112)) for y in (0.0, 0.5)]
        assert values[1] / values[0] == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(("neutrino", "expected"), [(14, 0.50), (-14, 0.35)])
def test_deep_inelastic_mean_y(neutrino, expected):
    """<y> at 50 GeV: .50 and .33 on p, .49 and .36 on n in Pythia 8 with NNPDF2.3 and Q² > 1."""
    rng = np.random.default_rng(7)
    y = [
        generate_interaction(rng, neutrino, 5e4, True, ARGON, InteractionMode.DIS).inelasticity
        for _ in range(3000)
    ]
    assert np.mean(y) == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize("charge", [2, 1, 0, -1])
@pytest.mark.parametrize("w", [2500.0, 4000.0, 7000.0])
def test_hadronisation_conserves_and_has_the_bubble_chamber_multiplicity(charge, w):
    """Within 18 % of a + b ln W²: the sharing between charged and neutral pairs is a simple one."""
    rng = np.random.default_rng(8)
    system = np.array([100.0, -300.0, 4000.0, np.sqrt(w**2 + 4000.0**2 + 1e5)])
    boson = np.array([0.0, -200.0, 4100.0, 3900.0])
    charged = []
    for _ in range(1500):
        pdg, p = np.zeros(40, np.int32), np.zeros((40, 4))
        rows = hadronise(rng, system, boson, charge, draw_multiplicity(rng, w, charge), pdg, p)
        assert rows >= 2
        assert charge_of(pdg[:rows]) == charge
        np.testing.assert_allclose(p[:rows].sum(0), system, rtol=1e-6, atol=1e-2)
        mass = [np.sqrt(max(invariant_mass_squared(row), 0.0)) for row in p[:rows]]
        np.testing.assert_allclose(mass, [MASSES[abs(int(c))] for c in pdg[:rows]], atol=0.1)
        charged.append(np.isin(np.abs(pdg[:rows]), list(CHARGE)).sum())
    assert np.mean(charged) == pytest.approx(mean_charged(w, charge)[0], rel=0.18, abs=0.25)


def test_pion_transparency_of_carbon():
    """Of the 372 primary π+ in GENIE's file 59 % leave carbon without interacting."""
    rng = np.random.default_rng(9)
    untouched = []
    for kinetic in rng.uniform(100.0, 600.0, 2000):
        pdg, p = np.zeros(64, np.int32), np.zeros((64, 4))
        pdg[:2] = 13, 211
        p[1, 2:] = np.sqrt(kinetic * (kinetic + 2 * CHARGED_PION)), kinetic + CHARGED_PION
        before = p[1].copy()
        cascade(rng, CARBON, False, 2, pdg, p)
        untouched.append(pdg[1] == 211 and np.array_equal(p[1], before))
    assert np.mean(untouched) == pytest.approx(0.59, abs=0.07)


def test_channel_fractions_are_the_table_of_the_generator():
    """The measured fractions of 1,000 GENIE events (statistical errors .03 to .05)."""
    energy = np.array([250.0, 750.0, 1250.0, 1750.0, 2500.0, 4000.0])
    table = np.array(
        [
            [0.89, 0.05, 0.03, 0.00, 0.03],
            [0.63, 0.12, 0.24, 0.02, 0.00],
            [0.45, 0.07, 0.39, 0.08, 0.01],
            [0.23, 0.16, 0.46, 0.14, 0.00],
            [0.23, 0.04, 0.45, 0.29, 0.00],
            [0.15, 0.03, 0.37, 0.46, 0.00],
        ]
    )
    ours = np.stack([fractions(each, False, 0.0) for each in energy])
    np.testing.assert_allclose(ours, table, atol=0.065)
    np.testing.assert_allclose(ours.sum(-1), 1.0)


def test_channels_close_below_their_thresholds():
    closed = fractions(200.0, False, MUON)
    assert closed[InteractionMode.RES] == closed[InteractionMode.DIS] == 0.0
    tau = fractions(3700.0, False, MASSES[15])
    assert tau[InteractionMode.QE] > 0.0
    assert tau[InteractionMode.DIS] == tau[InteractionMode.RES] == 0.0
    anti = fractions(5000.0, True, 0.0)
    assert anti[InteractionMode.QE] > fractions(5000.0, False, 0.0)[InteractionMode.QE]
