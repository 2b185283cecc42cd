"""Files of PILArNet-M for the tests that read them."""

import pytest

from .pilarnet_files import SMALL, pilarnet_event, write_pilarnet


@pytest.fixture
def small():
    """An event of 21 points, 3 particles and 2 interactions."""
    return pilarnet_event(SMALL)


@pytest.fixture
def make_event():
    return pilarnet_event


@pytest.fixture
def write():
    return write_pilarnet
