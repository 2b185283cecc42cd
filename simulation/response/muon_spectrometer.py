"""Muons behind a detector, as the tracks that a spectrometer fits to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc

Array = NDArray[np.float64]


@dataclass(frozen=True)
class MuonSpectrometer:
    """A magnet with planes of detectors.

    Attributes:
        half_width_cm: of its opening.
        least_momentum: GeV/c of a muon that gets through.
        error_at: relative error of the momentum at two momenta (GeV/c), in between as the logarithm.
        planes: most points on a track.
        efficiency: of each plane.
        angle: error of the direction, rad.
        tracks: most that are stored.
    """

    half_width_cm: float = 50.0
    least_momentum: float = 3.0
    error_at: tuple[tuple[float, float], tuple[float, float]] = ((20.0, 0.20), (1000.0, 0.47))
    planes: int = 12
    efficiency: float = 0.98
    angle: float = 1e-3
    tracks: int = 10

    def relative_error(self, p: Array) -> Array:
        """Return the relative error of momenta (GeV/c); outside of the two it is that of the nearer."""
        (low, at_low), (high, at_high) = self.error_at
        error: Array = np.interp(np.log(p), np.log([low, high]), [at_low, at_high])
        return error

    def fit(
        self,
        rng: np.random.Generator,
        position: Array,
        momentum: Array,
        charge: Array,
        middle: tuple[float, float],
    ) -> dict[str, NDArray[Any] | int]:
        """Fit tracks to muons.

        Args:
            rng: Source of errors.
            position: (n, 3) cm, at the entrance.
            momentum: (n, 3) MeV/c.
            charge: (n,).
            middle: Of the opening, x and y in cm.

        Returns:
            The columns of tracks, in falling order of momentum.
        """
        p = np.linalg.norm(momentum, axis=1) / 1000
        across = np.abs(position[:, :2] - middle).max(axis=1) if len(p) else np.zeros(0)
        seen = np.flatnonzero((p > self.least_momentum) & (across < self.half_width_cm))
        seen = seen[np.argsort(-p[seen])]
        p, u = p[seen], momentum[seen] / 1000 / p[seen, None]
        error = self.relative_error(p)
        curvature = charge[seen] / p * (1 + error * rng.standard_normal(len(p)))
        fitted = np.minimum(1 / np.maximum(np.abs(curvature), 1e-6), 2e4)
        u = u + self.angle * rng.standard_normal(u.shape)
        u /= np.linalg.norm(u, axis=1, keepdims=True)
        points = rng.binomial(self.planes, self.efficiency, len(p))
        ndof = np.maximum(2 * points - 5, 1)
        chi2 = rng.chisquare(ndof)
        columns = {
            "charge": np.sign(curvature),
            "px": fitted * u[:, 0],
            "py": fitted * u[:, 1],
            "pz": fitted * u[:, 2],
            "chi2": chi2,
            "n_points": points.astype(np.int16),
            "p": fitted,
            "ndof": ndof.astype(np.int16),
            "p_value": gammaincc(ndof / 2, chi2 / 2),
            "p_error": error * fitted,
            "inverse_p_error": error / fitted,
        }
        stored = {
            f"muon_{name}": values[: self.tracks].astype(
                np.float32 if values.dtype.kind == "f" else values.dtype
            )
            for name, values in columns.items()
        }
        return {"muon_count": len(p), **stored}
