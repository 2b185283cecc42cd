"""Power laws of what is wrong by training events and parameters, fitted with errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from nuzoo.evaluation.core.bootstrap import estimate
from nuzoo.evaluation.core.results import Number

Values = NDArray[np.float64]

REPLICAS = 200
MOST_STEEP = 2.0
"""Of an exponent: steeper falls are not seen where more events still help."""

UNIT_EVENTS, UNIT_PARAMETERS = 1e4, 1e5
"""In which both are counted in the formulas, so that factors have the size of what is wrong."""


@dataclass(frozen=True)
class PowerLaw:
    """A fitted law.

    Attributes:
        numbers: Its constants by name, with errors.
        chi2: Of the fit: squared differences in units of the errors, summed.
        degrees: Of freedom, points minus constants.
        curve: Gives what is wrong for events and parameters, of one shape.
    """

    numbers: dict[str, Number]
    chi2: float
    degrees: int
    curve: Callable[[Values, Values], Values]


def fit_events(events: Values, wrong: Values, error: Values, seed: int = 0) -> PowerLaw | None:
    """Fit c + a (N / 10⁴)^−α, a and α above 0, c at least 0, for networks of one size.

    Args:
        events: N, (n,).
        wrong: What is wrong, (n,), such as 1 minus the accuracy.
        error: Its standard error, (n,).
        seed: Of the replicas that give the errors.

    Returns:
        The law, or None for fewer points than constants.
    """

    def law(constants: Values, n: Values, _: Values) -> Values:
        return constants[0] + constants[1] * (n / UNIT_EVENTS) ** -constants[2]

    names = ("c", "a", "alpha")
    return _fit(law, names, ("alpha",), events, np.ones_like(events), wrong, error, seed)


def fit_both(
    events: Values, parameters: Values, wrong: Values, error: Values, seed: int = 0
) -> PowerLaw | None:
    """Fit E + A (N / 10⁴)^−α + B (P / 10⁵)^−β to all sizes together (Hoffmann et al., arXiv:2203.15556).

    Args:
        events: N, (n,).
        parameters: P, (n,).
        wrong: See `fit_events`.
        error: See `fit_events`.
        seed: See `fit_events`.

    Returns:
        The law, or None for fewer points than constants, or networks of one size.
    """

    def law(constants: Values, n: Values, p: Values) -> Values:
        floor, a, alpha, b, beta = constants
        return floor + a * (n / UNIT_EVENTS) ** -alpha + b * (p / UNIT_PARAMETERS) ** -beta

    if len(set(parameters.tolist())) < 2:
        return None
    names = ("E", "A", "alpha", "B", "beta")
    return _fit(law, names, ("alpha", "beta"), events, parameters, wrong, error, seed)


def _fit(
    law: Callable[[Values, Values, Values], Values],
    names: tuple[str, ...],
    exponents: tuple[str, ...],
    events: Values,
    parameters: Values,
    wrong: Values,
    error: Values,
    seed: int,
) -> PowerLaw | None:
    if len(wrong) < len(names):
        return None
    start = np.array([0.3 if name in exponents else wrong.mean() / 2 for name in names])
    top = np.array([MOST_STEEP if name in exponents else 1.0 for name in names])

    def found(measured: Values) -> Values:
        def residuals(constants: Values) -> Values:
            return (law(constants, events, parameters) - measured) / error

        return least_squares(residuals, np.minimum(start, top / 2), bounds=(np.zeros_like(top), top)).x

    best = found(wrong)
    draws = np.random.default_rng(seed).normal(wrong, error, (REPLICAS, len(wrong)))
    numbers = estimate(best, np.stack([found(draw) for draw in draws]))
    return PowerLaw(
        dict(zip(names, numbers, strict=True)),
        float((((law(best, events, parameters) - wrong) / error) ** 2).sum()),
        len(wrong) - len(names),
        lambda n, p: law(best, n, p),
    )
