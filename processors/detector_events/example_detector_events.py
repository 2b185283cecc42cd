"""Made-up detector events, in the form of dataset rows, to try a network and its processor on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.files.events.detector_event_columns import DetectorEventGeometry

HITS, CELLS, TRACKS = 60, 25, 3
CUBE_MEV, CELL_MEV, TOWER_MEV = 2.0, 0.6, 800.0
"""A minimum-ionising particle in 1 cm and in 3 mm of plastic, and a tower beside a shower."""


def example_detector_events(layout: DetectorEventGeometry, events: int) -> list[dict[str, Any]]:
    """Make events of random cells, the same for the same arguments; one is empty, the next has one hit.

    Returns:
        For each event the columns of hits of the 3DCal and the AHCAL, of muon tracks, and the energies of the
        ECAL as a list; no two hits are in one cell.
    """
    rng = np.random.default_rng(0)
    return [_event(rng, layout, event) for event in range(events)]


def _event(rng: np.random.Generator, layout: DetectorEventGeometry, event: int) -> dict[str, Any]:
    cal = _cells(rng, layout.cal_shape, HITS)[: event if event < 2 else None]
    ahcal = _cells(rng, layout.ahcal_shape, CELLS)[: 0 if event < 2 else None]
    tracks = min(TRACKS, layout.muon_tracks) if event > 1 else 0
    towers = rng.exponential(TOWER_MEV, layout.ecal_shape[0] * layout.ecal_shape[1])
    momentum = rng.normal((0, 0, 300), (3, 3, 80), (tracks, 3)).astype(np.float32)
    return {
        **_columns("cal", cal),
        "cal_energy": rng.gamma(2.0, CUBE_MEV / 2, len(cal)).astype(np.float32),
        "ecal_energy": (towers * (event > 1)).tolist(),
        **_columns("ahcal", ahcal),
        "ahcal_energy": rng.gamma(2.0, CELL_MEV / 2, len(ahcal)).astype(np.float32),
        "muon_charge": rng.choice((-1.0, 1.0), tracks).astype(np.float32),
        **{f"muon_p{axis}": momentum[:, i].copy() for i, axis in enumerate("xyz")},
        "muon_chi2": rng.chisquare(10, tracks).astype(np.float32),
    }


def _cells(rng: np.random.Generator, shape: tuple[int, ...], number: int) -> NDArray[np.int64]:
    flat = rng.choice(int(np.prod(shape)), number, replace=False)
    return np.stack(np.unravel_index(flat, shape), axis=1)


def _columns(word: str, cells: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    return {f"{word}_{axis}": cells[:, i].copy() for i, axis in enumerate("xyz")}
