import string

import pytest

from nuzoo.files.file_stems import LONGEST, FileStems, file_stem

ODD = [
    "",
    ".",
    "..",
    "/",
    "../x",
    "/etc/passwd",
    "a/1",
    "a_1",
    "a#1",
    "a 1",
    "A_1",
    "a\n1",
    "-rf",
    ".a",
    "a$1",
    "é",
]


def test_names_of_files_are_plain_and_one_to_one():
    long = "x" * 300
    names = [*ODD, *(long + str(n) for n in range(4)), "\ud800"]
    names += [file_stem(name) for name in names if file_stem(name) != name]
    stems = [file_stem(name) for name in names]
    assert len({stem.lower() for stem in stems}) == len(names)
    for stem in stems:
        assert set(stem) <= set(string.ascii_lowercase + string.digits + "._-")
        assert stem[0] not in ".-" and len(stem) <= LONGEST


@pytest.mark.parametrize("name", ["sim-5-999", "run1_event2.a"])
def test_plain_names_stay(name):
    assert file_stem(name) == name


def test_events_of_one_name_have_files_of_their_own():
    stems = FileStems()
    assert len({stems("a"), stems("a"), stems("a (2)"), stems("a")}) == 4
