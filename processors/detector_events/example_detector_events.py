"""Made-up events of a detector with several sub-detectors, to try a network and its processor on."""

from typing import Any

import numpy as np

from nuzoo.files.events.detector_event_columns import DetectorEventGeometry

HITS_PER_EVENT = 60


def example_detector_events(layout: DetectorEventGeometry, events: int) -> list[dict[str, Any]]:
    """Make events of hits at random, the same for the same arguments; one is empty, the next has one hit.

    Returns:
        Rows with the columns that every event has.
    """
    rng = np.random.default_rng(0)
    rows = []
    for event in range(events):
        hits = HITS_PER_EVENT if event > 1 else event
        tracks = min(event, layout.muon_tracks) if event > 1 else 0
        momentum = rng.normal(scale=[3.0, 3.0, 200.0], size=(tracks, 3))
        muon = {
            "charge": rng.choice([-1.0, 1.0], tracks),
            **{f"p{axis}": momentum[:, i] for i, axis in enumerate("xyz")},
            "chi2": rng.chisquare(15, tracks),
        }
        rows.append(
            {
                **_cells(rng, "cal", layout.cal_shape, hits),
                **_cells(rng, "ahcal", layout.ahcal_shape, hits // 2),
                "ecal_energy": rng.gamma(1.0, 1000.0, layout.ecal_shape[0] * layout.ecal_shape[1]).astype(
                    np.float32
                )
                * (hits > 0),
                "muon_count": tracks,
                "muon_n_points": np.full(tracks, 12, np.int16),
                **{f"muon_{name}": values.astype(np.float32) for name, values in muon.items()},
            }
        )
    return rows


def _cells(rng: np.random.Generator, name: str, shape: tuple[int, ...], hits: int) -> dict[str, Any]:
    number = rng.permutation(int(np.prod(shape)))[:hits]
    cells = np.unravel_index(number, shape)
    columns = {f"{name}_{axis}": cells[i].astype(np.int16) for i, axis in enumerate("xyz")}
    return {**columns, f"{name}_energy": rng.gamma(1.0, 3.0, hits).astype(np.float32)}
