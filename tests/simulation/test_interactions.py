"""Whole events: bookkeeping, thresholds, spectra, errors, and the generators' files where present."""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest

from nuzoo.simulation.event_types import InteractionMode
from nuzoo.simulation.interactions import (
    InteractionError,
    Spectrum,
    generate_interaction,
    minimum_energy,
    sample_interaction,
)
from nuzoo.simulation.interactions.masses import MASSES
from nuzoo.simulation.interactions.nucleus import ARGON, CARBON, OXYGEN

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("NUZOO_DATA", ROOT.parent / "shared" / "data"))
CHARGE = {11: -1, 13: -1, 15: -1, 2212: 1, 211: 1, 321: 1}


@pytest.fixture(scope="module")
def events():
    rng = np.random.default_rng(1)
    return [sample_interaction(rng, Spectrum()) for _ in range(4000)]


def visible_energy(event):
    masses = np.array([MASSES[abs(int(code))] for code in event.pdg])
    energy = np.sqrt((event.momentum**2).sum(1) + masses**2)
    energy[np.isin(event.pdg, (2212, 2112))] -= masses[np.isin(event.pdg, (2212, 2112))]
    return energy.sum()


def test_energy_is_conserved(events):
    for event in events:
        total = visible_energy(event) + event.invisible_energy
        assert total == pytest.approx(event.neutrino_energy, abs=1e-6)
    invisible = np.array([event.invisible_energy for event in events])
    assert invisible.min() > -2.0  # the neutron-proton mass difference, twice for a pair
    assert np.median(invisible) < 60.0


def test_the_nucleus_takes_a_fermi_sized_recoil(events):
    for event in events:
        recoil = np.linalg.norm(event.momentum.sum(0) - [0.0, 0.0, event.neutrino_energy])
        assert recoil < 270.0 * np.sqrt(2 * len(event.pdg)) + 100.0


def test_the_residual_nucleus_exists(events):
    """Charge and baryon number: 0 ≤ Z ≤ A of what is left of argon."""
    for event in events:
        nucleons = np.isin(event.pdg, (2212, 2112)).sum()
        charge = sum(np.sign(c) * CHARGE.get(abs(int(c)), 0) for c in event.pdg)
        assert 0 <= 18 - charge <= 40 - nucleons


def test_what_comes_first_is_the_lepton(events):
    for event in events:
        sign = np.sign(event.neutrino_pdg)
        assert event.pdg[0] == event.neutrino_pdg - (sign if event.is_cc else 0)
        mass = MASSES[abs(int(event.pdg[0]))]
        lepton_energy = np.sqrt((event.momentum[0] ** 2).sum() + mass**2)
        assert event.inelasticity == pytest.approx(1 - lepton_energy / event.neutrino_energy)
        assert event.target_pdg in ((0,) if event.mode is InteractionMode.COH else (2212, 2112))
        assert event.pdg.dtype == np.int32
        assert event.momentum.shape == (len(event.pdg), 3)


def test_default_spectrum_is_the_seeds(events):
    neutrinos = np.array([event.neutrino_pdg for event in events])
    assert set(neutrinos) == {12, 14}
    assert np.mean(neutrinos == 12) == pytest.approx(0.5, abs=0.03)
    assert np.mean([event.is_cc for event in events]) == pytest.approx(0.74, abs=0.03)
    energy = np.array([event.neutrino_energy for event in events])
    assert energy.mean() == pytest.approx(5000.0, abs=200.0)
    assert energy.max() <= 10_000.0


@pytest.mark.parametrize("neutrino", [12, 14, -12, -14])
@pytest.mark.parametrize("is_cc", [True, False])
def test_the_minimum_energy_is_enough_and_above_the_free_threshold(neutrino, is_cc):
    rng = np.random.default_rng(2)
    for nucleus in (ARGON, CARBON, OXYGEN):
        least = minimum_energy(neutrino, is_cc, nucleus)
        for _ in range(100):
            generate_interaction(rng, neutrino, least, is_cc, nucleus)
    if is_cc and abs(neutrino) == 14:
        assert least > 110.2  # PDG: νμ n → μ p on a free neutron


def test_tau_threshold():
    rng = np.random.default_rng(3)
    with pytest.raises(InteractionError, match="at least 35"):
        generate_interaction(rng, 16, 3400.0, True)
    event = generate_interaction(rng, 16, 8000.0, True)
    assert event.pdg[0] == 15


def test_low_energies_keep_the_mixture_of_labels():
    """Most of 0 to 250 MeV is closed to νμ CC; the share of νμ CC must not drop."""
    rng = np.random.default_rng(4)
    spectrum = Spectrum((12, 14), (0.3, 0.7), energy_range=(0.0, 250.0), cc_fraction=0.5)
    drawn = [sample_interaction(rng, spectrum) for _ in range(1500)]
    numu_cc = np.mean([event.is_cc and event.neutrino_pdg == 14 for event in drawn])
    assert numu_cc == pytest.approx(0.35, abs=0.04)
    assert min(e.neutrino_energy for e in drawn if e.is_cc and e.neutrino_pdg == 14) > 185.0


def test_energy_table_is_sampled_piecewise_linearly():
    """A triangle from 1 to 3 GeV with its peak at 2: mean 2, variance 1/6."""
    spectrum = Spectrum(energy_table=((1000.0, 2000.0, 3000.0), (0.0, 5.0, 0.0)))
    rng = np.random.default_rng(5)
    energy = np.array([spectrum.draw_energy(rng) for _ in range(20000)]) * 1e-3
    assert energy.mean() == pytest.approx(2.0, abs=0.01)
    assert energy.var() == pytest.approx(1 / 6, rel=0.03)
    cut = np.array([spectrum.draw_energy(rng, 2000.0) for _ in range(20000)]) * 1e-3
    assert cut.min() >= 2.0
    assert cut.mean() == pytest.approx(2 + 1 / 3, abs=0.01)


def test_same_seed_same_event():
    first, second = (
        sample_interaction(np.random.Generator(np.random.Philox(7)), Spectrum()) for _ in range(2)
    )
    np.testing.assert_array_equal(first.pdg, second.pdg)
    np.testing.assert_array_equal(first.momentum, second.momentum)


def test_coherent_pions_go_forward_and_leave_the_nucleus_alone():
    rng = np.random.default_rng(6)
    for _ in range(200):
        event = generate_interaction(rng, 14, 2000.0, True, ARGON, InteractionMode.COH)
        assert list(event.pdg) == [13, 211]
        recoil = event.momentum.sum(0) - [0.0, 0.0, 2000.0]
        assert np.linalg.norm(recoil) < 500.0  # |t| falls as exp(-111 |t| / GeV²) in argon
        assert event.invisible_energy == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("neutrino", "energy"),
    [(13, 1000.0), (2212, 1000.0), (14, -5.0), (14, 0.0), (14, np.nan), (14, np.inf), (14, 100.0)],
)
def test_bad_input_is_named(neutrino, energy):
    with pytest.raises(InteractionError, match="expected"):
        generate_interaction(np.random.default_rng(0), neutrino, energy, True)


def test_closed_channel_is_named():
    with pytest.raises(InteractionError, match="RES"):
        rng = np.random.default_rng(0)
        generate_interaction(rng, 14, 220.0, True, ARGON, InteractionMode.RES)


@pytest.mark.parametrize(
    "fields",
    [
        {"flavours": (11,), "fractions": (1.0,)},
        {"fractions": (0.5, 0.6)},
        {"fractions": (1.0,)},
        {"fractions": (-0.5, 1.5)},
        {"cc_fraction": 1.5},
        {"energy_range": (5000.0, 1000.0)},
        {"energy_range": (-1.0, 1000.0)},
        {"energy_range": (0.0, np.nan)},
        {"energy_table": ((1.0, 2.0), (0.0, 0.0))},
        {"energy_table": ((1.0, 2.0), (1.0, 1.0, 1.0))},
    ],
)
def test_bad_spectra_are_named(fields):
    with pytest.raises(InteractionError, match="expected"):
        Spectrum(**fields)


def test_spectrum_below_threshold_is_named():
    spectrum = Spectrum((14,), (1.0,), energy_range=(0.0, 150.0), cc_fraction=1.0)
    with pytest.raises(InteractionError, match="raise its upper end"):
        sample_interaction(np.random.default_rng(0), spectrum)


def comparison():
    path = ROOT / "benchmarks" / "compare_generators.py"
    spec = importlib.util.spec_from_file_location("compare_generators", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_charged_currents_look_like_genies():
    """KS distances and means; docs/interactions.md has the whole table."""
    path = DATA / "generators" / "gtrac_1_nue.root"
    if not path.exists():
        pytest.skip("the GENIE file is not there; set NUZOO_DATA")
    compare = comparison()
    genie = compare.read_genie(path)
    genie = genie[genie.is_cc]
    ours = compare.generate_like(genie, 14, CARBON, 4)
    for name, limit in (("y", 0.10), ("cos", 0.10), ("p50", 0.10), ("pi", 0.12), ("sum T_p", 0.10)):
        assert compare.weighted_ks(genie, ours, name) < limit, name
    for name, tolerance in (("y", 0.05), ("cos", 0.07), ("p", 0.25), ("pi+", 0.10), ("pi0", 0.12)):
        assert compare.mean(ours, name) == pytest.approx(compare.mean(genie, name), abs=tolerance), name
    elastic = [s[s["mode"] == InteractionMode.QE] for s in (genie, ours)]
    assert compare.mean(elastic[1], "y") == pytest.approx(compare.mean(elastic[0], "y"), abs=0.05)


def test_high_energies_look_like_gibuus():
    path = DATA / "generators" / "gibuu_EventOutput.root"
    if not path.exists():
        pytest.skip("the GiBUU file is not there; set NUZOO_DATA")
    compare = comparison()
    gibuu = compare.read_gibuu(path)
    gibuu = gibuu[gibuu.energy > 8.0]
    ours = compare.generate_like(gibuu, 12, OXYGEN, 1)
    for name in ("y", "cos"):
        assert compare.weighted_ks(gibuu, ours, name) < 0.08
    for name in ("pi+", "pi-", "pi0"):
        assert compare.mean(ours, name) == pytest.approx(compare.mean(gibuu, name), rel=0.25)
