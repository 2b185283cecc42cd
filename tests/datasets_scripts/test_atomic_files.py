import pytest

from nuzoo.files.atomic import replacing, write_atomically


def test_a_text_takes_the_place_of_the_one_before(tmp_path):
    write_atomically(tmp_path / "a.json", "first")
    write_atomically(tmp_path / "a.json", "ν")
    write_atomically(tmp_path / "a.txt", "another file, though the names differ in their ending alone")
    assert (tmp_path / "a.json").read_bytes() == "ν".encode()
    assert {path.name for path in tmp_path.iterdir()} == {"a.json", "a.txt"}


def test_an_error_leaves_what_was_there_and_nothing_else(tmp_path):
    write_atomically(tmp_path / "a", "whole")
    with pytest.raises(RuntimeError), replacing(tmp_path / "a") as partial:
        partial.write_text("ha")
        assert (tmp_path / "a").read_text() == "whole"
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "whole"
