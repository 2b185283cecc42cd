"""Rows of detector events for tests: one that can be checked by hand, and ones without hits or truth."""

import numpy as np

TRUTH = ("cal_status", "cal_link_count", "link_", "true_", "flavour", "charm", "neutrino_", "lepton_")


def small_row(**changes):
    """Three hits: of an electron and a hadron together, a ghost, and one of light alone; one muon track."""
    row = {
        "event_id": "sim-3-1",
        "source": "nuzoo-simulation test",
        "detector": "fasercal",
        "cal_x": [0, 0, 47],
        "cal_y": [10, 10, 47],
        "cal_z": [0, 20, 199],
        "cal_module": [0, 1, 9],
        "cal_energy": [4.0, 1.0, 0.5],
        "cal_status": [0, 1, 2],
        "cal_link_count": [2, 0, 0],
        "link_true": [1, 0],
        "link_weight": [0.25, 0.75],
        "true_pdg": [11, 2212],
        "true_is_primary": [1, 0],
        "true_is_secondary": [0, 1],
        "ecal_energy": [0.0] * 7 + [1500.0] + [0.0] * 17,
        "ahcal_x": [0, 17],
        "ahcal_y": [17, 0],
        "ahcal_z": [0, 39],
        "ahcal_energy": [2.0, 3.0],
        "muon_count": 1,
        "muon_charge": [-1.0],
        "muon_px": [3.0],
        "muon_py": [0.0],
        "muon_pz": [300.0],
        "muon_chi2": [4.5],
        "muon_n_points": [9],
        "flavour": "numu_cc",
        "charm": "charm_mu",
        "neutrino_pdg": 14,
        "neutrino_energy": 1234.0,
        "primary_vertex": [174.0, 109.0, -1000.0],
        "tau_decay_mode": 0,
        "vis_momentum": [1.0, 2.0, 900.0],
        "jet_momentum": [-1.0, 1.0, 400.0],
    }
    return row | changes


def without_truth(row):
    """The same hits, of which nothing is known."""
    known = ("event_id", "source", "detector", "ecal_energy")
    recorded = ("cal_x", "cal_y", "cal_z", "cal_module", "cal_energy", "ahcal_", "muon_")
    return {
        name: value if name in known or name.startswith(recorded) else None for name, value in row.items()
    }


def empty_row(**changes):
    """An event in which nothing was recorded."""
    row = small_row(ecal_energy=[0.0] * 25, muon_count=0)
    ragged = ("cal_", "link_", "true_", "ahcal_", "muon_")
    return {
        name: [] if name.startswith(ragged) and name != "muon_count" else value for name, value in row.items()
    } | changes


def large_row(hits=40_000, seed=1):
    """More hits than a page shows, each in a cube of its own."""
    rng = np.random.default_rng(seed)
    cells = np.unravel_index(rng.choice(48 * 48 * 200, hits, replace=False), (48, 48, 200))
    row = without_truth(small_row())
    return row | {
        **{f"cal_{axis}": number.astype(np.int16) for axis, number in zip("xyz", cells, strict=True)},
        "cal_module": (cells[2] // 20).astype(np.int8),
        "cal_energy": rng.exponential(2.0, hits).astype(np.float32),
    }
