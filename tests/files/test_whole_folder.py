"""Files that belong together appear together, the one that stands for them last."""

from pathlib import Path

import pytest

from nuzoo.files.whole_folder import filling


def content(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()
    }


def write(folder, text):
    for name in ("results.json", "report.md", "pages/a.html"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


def test_files_of_a_new_run_take_the_place_of_the_old(tmp_path):
    (tmp_path / "old.txt").write_text("other")
    for text in ("first", "second"):
        with filling(tmp_path, "results.json") as partial:
            write(partial, text)
    written = dict.fromkeys(("results.json", "report.md", "pages/a.html"), "second")
    assert content(tmp_path) == written | {"old.txt": "other"}


def test_an_interrupted_run_leaves_the_folder_as_it_was(tmp_path):
    (tmp_path / "there").mkdir()
    write(tmp_path / "there", "first")
    for folder in (tmp_path / "there", tmp_path / "new"):
        before = content(folder)
        with pytest.raises(KeyboardInterrupt), filling(folder, "results.json") as partial:
            write(partial, "second")
            raise KeyboardInterrupt
        assert content(folder) == before
    assert not (tmp_path / "new").exists()


def test_the_last_file_is_there_only_with_all_others(tmp_path, monkeypatch):
    """Interrupted after any of the files was moved, no results of either run are left."""
    write(tmp_path, "first")
    move, moved = Path.replace, []

    def move_and_stop(path, target):
        moved.append(target)
        if len(moved) == 3:
            raise KeyboardInterrupt
        return move(path, target)

    monkeypatch.setattr(Path, "replace", move_and_stop)
    with pytest.raises(KeyboardInterrupt), filling(tmp_path, "results.json") as partial:
        write(partial, "second")
    assert content(tmp_path) == dict.fromkeys(("report.md", "pages/a.html"), "second")
