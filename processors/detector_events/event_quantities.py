"""The quantities of detector events that are standardised, and the constants of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nuzoo.files.events.event_errors import RangeError, UnitError
from nuzoo.processors.detector_events.detector_event_parts import ECAL_ENERGY, MUON_MOMENTUM, RecordedParts
from nuzoo.processors.standardisation import RobustStandardisation, Transform

CAL_ENERGY, AHCAL_ENERGY, MUON_CHI2 = "cal_energy", "ahcal_energy", "muon_chi2"
ENERGIES = (CAL_ENERGY, AHCAL_ENERGY, ECAL_ENERGY)
QUANTITIES = (*ENERGIES, *MUON_MOMENTUM, MUON_CHI2)
WITH_FACTOR = (CAL_ENERGY, AHCAL_ENERGY)
"""Energies that are multiplied by a factor first; those of the dense ECAL are not."""

ENOUGH_HITS, OTHER_UNIT = 20, 100.0
"""Medians of events are within a factor of 3 (cubes) and 11 (AHCAL cells); GeV and keV are 1000 off."""

FROM_ZERO = ("log1p", "sqrt")
MOST_VALUES = 1 << 24
"""Values of a quantity that are held to measure its constants; of more every second is taken, and so on."""


@dataclass(frozen=True)
class QuantityScale:
    """From a quantity in its own unit to that of the network, and back.

    Attributes:
        factor: that it is multiplied by first.
        robust: constants in the unit of the product.
    """

    factor: float
    robust: RobustStandardisation

    def forward(self, values: Tensor) -> Tensor:
        """Standardise values of any shape."""
        return self.robust.forward(self.factor * values)

    def inverse(self, standardised: Tensor) -> Tensor:
        """Undo `forward`."""
        return self.robust.inverse(standardised) / self.factor


class HeldValues:
    """Values of a quantity as they come, thinned evenly where they become too many.

    Args:
        most: that are held.
    """

    def __init__(self, most: int = MOST_VALUES) -> None:
        self._most, self._stride, self._seen, self._held = most, 1, 0, 0
        self._parts: list[NDArray[np.float32]] = []

    def add(self, values: NDArray[Any]) -> None:
        """Take more values (n,)."""
        taken = values[-self._seen % self._stride :: self._stride].astype(np.float32)
        self._parts.append(taken)
        self._seen += len(values)
        self._held += len(taken)
        while self._held > self._most:
            self._parts, self._stride = [self.values[::2]], 2 * self._stride
            self._held = len(self._parts[0])

    @property
    def values(self) -> NDArray[np.float32]:
        """Those that are held, (n,)."""
        return np.concatenate([np.empty(0, np.float32), *self._parts])


def values_to_fit(parts: RecordedParts, name: str) -> NDArray[np.float64]:
    """Give the values of a quantity (n,) that its constants follow: of energies those above 0."""
    values = parts.values(name)
    return values[values > 0] if name in ENERGIES else values


def fit_scales(
    held: Mapping[str, NDArray[Any]], transforms: Mapping[str, Transform], factors: Mapping[str, float]
) -> dict[str, dict[str, float]]:
    """Measure the constants of each quantity.

    Args:
        held: values (n,) of the training events, by name.
        transforms: by name.
        factors: by name.

    Returns:
        k, mu and sigma by name, as JSON holds them.

    Raises:
        MissingStatisticsError: some are too few, or all alike.
    """
    return {
        name: RobustStandardisation.fit(
            factors[name] * values.astype(np.float64), transforms[name], f"training events, {name}"
        ).constants
        for name, values in held.items()
    }


def refuse_other_units(parts: RecordedParts, name: str, scale: QuantityScale) -> None:
    """Refuse events whose hits have another unit than those of the training events had.

    Args:
        parts: a batch.
        name: of energies of hits, in `WITH_FACTOR`.
        scale: of the network.

    Raises:
        UnitError: the median of an event with `ENOUGH_HITS` or more is `OTHER_UNIT` times that of the
            training events, or one part in as many.
    """
    values, start = parts.values(name), 0
    usual = float(scale.inverse(torch.zeros(1, dtype=torch.float64)))
    for event, end in enumerate(parts.offset(name).tolist()):
        energies, start = values[start:end], end
        energies = energies[energies > 0]
        if len(energies) < ENOUGH_HITS or not usual > 0:
            continue
        median = float(np.median(energies))
        if not 1 / OTHER_UNIT < median / usual < OTHER_UNIT:
            problem = (
                f"expected energies in MeV, of training events half above {usual:.3g}, got half above "
                f"{median:.3g}: convert them to MeV, or leave the event out"
            )
            raise UnitError(f"column {name!r} of event {event}: {problem}", event, name, problem)


def scaled(parts: RecordedParts, name: str, scale: QuantityScale) -> Tensor:
    """Standardise a quantity of a batch, float32 (n,).

    Raises:
        RangeError: values below 0 of a transform that takes none.
    """
    values = parts.values(name)
    if scale.robust.transform in FROM_ZERO and values.min(initial=0) < 0:
        raise RangeError(
            f"column {name!r}: expected values of 0 or more for {scale.robust.transform}, got "
            f"{values.min():g}: leave the event out, or fit a processor with the transform asinh",
            column=name,
        )
    return scale.forward(torch.from_numpy(values)).float()
