import csv
from pathlib import Path

import pytest

from nuzoo.datasets_scripts.readers.source_errors import UnreadableFileError, WrongEventError
from nuzoo.files.left_out import Omission, omissions_beside, told, write_omissions


def test_a_reason_is_told_once_with_a_count_and_the_first_names_and_all_are_in_the_file(tmp_path):
    broken = [
        Omission.of("a.h5", WrongEventError(f"a.h5#{n}", "x", f"got -{n}.5 at entry {n}; clip"))
        for n in range(9)
    ]
    absent = UnreadableFileError("b.h5", "an HDF5 file", "nothing there", "check the path")
    omissions = [Omission.of("b.h5", absent), *broken]
    lines = list(told(omissions))
    assert lines == [
        "left out 9 (a.h5#0, a.h5#1, a.h5#2, …): column x: got -0.5 at entry 0; clip",
        "left out 1 (b.h5): expected an HDF5 file, got nothing there; check the path",
    ]
    file = write_omissions(tmp_path / "out" / "left-out.csv", omissions)
    with file.open(newline="") as content:
        rows = list(csv.DictReader(content))
    assert [(row["file"], row["event"]) for row in rows] == [
        ("b.h5", ""),
        *(("a.h5", str(n)) for n in range(9)),
    ]
    assert rows[9]["reason"] == "column x: got -8.5 at entry 8; clip"


def test_a_run_that_leaves_nothing_out_leaves_no_list_of_an_earlier_one(tmp_path):
    file = tmp_path / "left-out.csv"
    assert write_omissions(file, [Omission("a", "", "b")]) == file
    assert write_omissions(file, []) is None
    assert not file.exists()


def test_a_file_whose_name_holds_a_hash_keeps_it():
    broken = UnreadableFileError("run#1.h5", "an HDF5 file", "nothing", "look")
    of_event = WrongEventError("run#1.h5#2", "x", "wrong")
    assert Omission.of(Path("run#1.h5"), broken).file == "run#1.h5"
    for omission in (Omission.of(Path("run#1.h5"), of_event), Omission.of_row("run#1.h5#2", "wrong")):
        assert (omission.file, omission.event) == ("run#1.h5", "2")
    assert Omission.of_row("run#1.gz", "wrong").file == "run#1.gz"


def test_the_list_of_an_output_is_named_after_it_and_is_no_output():
    assert omissions_beside(Path("a/p.csv")) == Path("a/p.left-out.csv")
    for name in ("left-out.csv", "p.left-out.csv"):
        with pytest.raises(ValueError, match="expected another name"):
            omissions_beside(Path("a") / name)


def test_names_of_files_do_not_command_the_terminal():
    (line,) = told([Omission("a\n\x1b[31mé.h5", "0", "got '\x07'")])
    assert line == "left out 1 (a\\n\\x1b[31mé.h5#0): got '\\x07'"
