"""When kernels are compiled is told."""

import numba

from nuzoo.datasets_scripts.common.compilation import telling_of_compilation


def test_compilation_is_told_of_once_and_only_when_it_happens():
    told = []
    one, other = numba.njit(lambda x: x + 1), numba.njit(lambda x: x + 2)
    with telling_of_compilation(lambda: told.append("compiling")):
        assert told == []
        assert one(1) + other(1) == 5
    assert told == ["compiling"]
    with telling_of_compilation(lambda: told.append("again")):
        assert one(1) == 2
    assert told == ["compiling"]
