import pytest

from nuzoo.evaluation.core.results import Fraction, Number
from nuzoo.evaluation.core.text import fraction_text


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (1.0, 0.931, 1.0, "1 (above 0.93)"),
        (1.0, 0.99942, 1.0, "1 (above 0.9994)"),
        (0.0, 0.0, 0.0716, "0 (below 0.07)"),
        (0.0, 0.0, 0.00058, "0 (below 0.0006)"),
        (0.5, 0.4, 0.6, "0.50 ± 0.10"),
    ],
)
def test_fraction_of_all_or_none_has_its_wilson_limit(value, low, high, text):
    number = Number(value=value, error=0.1 if value == 0.5 else 0.0, low=value, high=value)
    assert fraction_text(number, Fraction(value=value, error=None, low=low, high=high, events=10)) == text
