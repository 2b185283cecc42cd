"""The robust transform against its formula, written out, and what it refuses."""

import json

import numpy as np
import pytest
import torch
from scipy.stats import median_abs_deviation, norm

from nuzoo.processors.input_errors import MissingStatisticsError, ProcessorSettingError
from nuzoo.processors.standardisation import MADN_PER_MAD, RobustStandardisation, madn

FUNCTIONS = {"identity": lambda x: x, "log1p": np.log1p, "sqrt": np.sqrt, "asinh": np.arcsinh}


def energies(size=4001):
    return np.random.default_rng(3).lognormal(0.3, 1.2, size)


def test_the_constant_makes_the_median_deviation_of_normal_numbers_their_standard_deviation():
    assert MADN_PER_MAD == 1.482602218505602
    assert pytest.approx(1 / norm.ppf(0.75), rel=1e-12) == MADN_PER_MAD
    assert madn(np.array([1.0, 2.0, 3.0, 100.0, 4.0])) == MADN_PER_MAD  # median 3, distances 2 1 0 97 1
    values = energies()
    assert madn(values) == pytest.approx(median_abs_deviation(values, scale="normal"))


@pytest.mark.parametrize("transform", FUNCTIONS)
def test_constants_and_values_are_those_of_the_formula(transform):
    x, f = energies(), FUNCTIONS[transform]
    k = MADN_PER_MAD * np.median(np.abs(x - np.median(x)))
    u = f(x / k)
    sigma = MADN_PER_MAD * np.median(np.abs(u - np.median(u)))
    fitted = RobustStandardisation.fit(x, transform)
    assert (fitted.k, fitted.mu, fitted.sigma) == pytest.approx((k, np.median(u), sigma), rel=1e-12)
    z = fitted.forward(torch.from_numpy(x))
    np.testing.assert_allclose(z.numpy(), (u - np.median(u)) / sigma, rtol=1e-10, atol=1e-12)
    assert np.median(z) == pytest.approx(0, abs=1e-12) and madn(z.numpy()) == pytest.approx(1)
    np.testing.assert_allclose(fitted.inverse(z).numpy(), x, rtol=1e-9)


def test_signed_values_survive_asinh():
    x = np.linspace(-50, 80, 301) ** 3
    fitted = RobustStandardisation.fit(x, "asinh")
    back = fitted.inverse(fitted.forward(torch.from_numpy(x)))
    np.testing.assert_allclose(back.numpy(), x, rtol=1e-9, atol=1e-9)


def test_a_factor_on_all_values_changes_nothing():
    """So the published factor of 10 on charges is not needed."""
    x = energies()
    one, ten = (RobustStandardisation.fit(factor * x, "log1p") for factor in (1, 10))
    np.testing.assert_allclose(
        one.forward(torch.from_numpy(x)).numpy(), ten.forward(torch.from_numpy(10 * x)).numpy(), atol=1e-12
    )


def test_an_outlier_moves_hardly_anything():
    x = energies()
    assert RobustStandardisation.fit(np.append(x, [1e9, 0.0]), "log1p").constants == pytest.approx(
        RobustStandardisation.fit(x, "log1p").constants, rel=0.01
    )


def test_constants_go_through_json():
    fitted = RobustStandardisation.fit(energies(), "sqrt")
    assert RobustStandardisation("sqrt", **json.loads(json.dumps(fitted.constants))) == fitted


@pytest.mark.parametrize(
    ("values", "transform", "said"),
    [
        ([], "log1p", "got 0"),
        ([1.0, 2.0], "log1p", "at least 3"),
        ([2.0] * 9 + [3.0] * 4, "identity", "more than half of 13 equal to 2"),
        ([1.0, np.nan, 2.0, 3.0], "identity", "4 of which 3 are finite"),
        ([1.0, 2.0, -3.0, 4.0], "log1p", "got -3: take asinh"),
    ],
)
def test_values_without_scatter_are_refused_by_name(values, transform, said):
    with pytest.raises(MissingStatisticsError, match=f"charge.*{said}"):
        RobustStandardisation.fit(np.array(values), transform, "charge")


def test_constants_that_are_none_are_refused():
    for wrong in ((0.0, 0.0, 1.0), (1.0, 0.0, -1.0), (1.0, np.inf, 1.0), (1.0, None, 1.0)):
        with pytest.raises(ProcessorSettingError, match="k, mu and sigma"):
            RobustStandardisation("log1p", *wrong)
    with pytest.raises(ProcessorSettingError, match=r"log1p.*got 'log'"):
        RobustStandardisation("log", 1.0, 0.0, 1.0)
