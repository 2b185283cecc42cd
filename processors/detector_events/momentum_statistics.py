"""Constants of true momenta, which the heads that predict them and their losses need."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nuzoo.processors.input_errors import MissingStatisticsError
from nuzoo.processors.standardisation import FEWEST_VALUES, RobustStandardisation, madn

VIS, JET, LEP = "vis", "jet", "lep"
LOW_PERCENTILE = 5.0


def momentum_statistics(
    momenta: Mapping[str, NDArray[np.floating]], is_cc: NDArray[np.bool_]
) -> dict[str, dict[str, float | list[float]]]:
    """Measure the constants of the momenta of training events (arXiv 2604.07037).

    Args:
        momenta: (events, 3) in GeV/c of `VIS`, `JET` and `LEP`.
        is_cc: (events,) whether the current is charged; leptons are measured on such events alone.

    Returns:
        For each momentum `k_T`, `mu_uT` and `sigma_uT` of its transverse size and `k_Z`, `mu_uZ` and
        `sigma_uZ` of its part along z, at least 0, both by log1p; `s_xyz`, `s_pT` and `s_mag`, their scatter
        in GeV/c; `tau_pt` and `tau_mag`, below which 5 % are, and these as `…_cc` and `…_nc` of the events
        of each current, where there are any. A momentum of fewer than `FEWEST_VALUES` events is left out.

    Raises:
        MissingStatisticsError: the momenta are all alike.
    """
    everything = np.ones_like(is_cc)
    chosen = {name: is_cc if name == LEP else everything for name in momenta}
    return {
        name: _of_one(name, np.asarray(of, np.float64)[chosen[name]], is_cc[chosen[name]])
        for name, of in momenta.items()
        if chosen[name].sum() >= FEWEST_VALUES
    }


def _of_one(
    name: str, momentum: NDArray[np.float64], is_cc: NDArray[np.bool_]
) -> dict[str, float | list[float]]:
    transverse, size = np.hypot(momentum[:, 0], momentum[:, 1]), np.linalg.norm(momentum, axis=1)
    found: dict[str, float | list[float]] = {}
    for axis, values in (("T", transverse), ("Z", np.maximum(momentum[:, 2], 0))):
        fitted = RobustStandardisation.fit(values, "log1p", f"training events, {name} momentum {axis}")
        found |= {f"k_{axis}": fitted.k, f"mu_u{axis}": fitted.mu, f"sigma_u{axis}": fitted.sigma}
    scatter = [madn(component) for component in momentum.T]
    if min(scatter) <= 0:
        raise MissingStatisticsError(
            f"training events, {name} momentum: expected components with a scatter, got {scatter} GeV/c: fit "
            "on more and other events"
        )
    found |= {"s_xyz": scatter, "s_pT": madn(transverse), "s_mag": madn(size)}
    groups = {"": np.ones_like(is_cc), "_cc": is_cc, "_nc": ~is_cc}
    for suffix, chosen in groups.items():
        if chosen.any():
            found[f"tau_pt{suffix}"] = float(np.percentile(transverse[chosen], LOW_PERCENTILE))
            found[f"tau_mag{suffix}"] = float(np.percentile(size[chosen], LOW_PERCENTILE))
    return found
