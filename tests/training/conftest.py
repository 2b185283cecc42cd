import pytest

from ..drawing import undrawn


@pytest.fixture(scope="module")
def undrawn_curves():
    """Each evaluation of a training draws its curves, which takes longer than a step of a small network."""
    with undrawn():
        yield
