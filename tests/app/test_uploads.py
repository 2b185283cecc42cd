from pathlib import Path

import h5py
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nuzoo.app.errors import UploadError
from nuzoo.app.limits import MOST_FILES, Limits
from nuzoo.app.uploads import harmless_name, keep_apart, refuse_links_out, take_files


@settings(max_examples=40)
@given(st.text(max_size=300))
def test_no_name_of_an_upload_is_a_path_or_hidden(name):
    kept = harmless_name(name)
    assert kept and len(kept) <= 100
    assert Path(kept).name == kept and not kept.startswith(".")
    assert kept.isascii() and not set(kept) & set("/\\<>&'\" \0")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../x.npy", "x.npy"),
        ("..", "file"),
        (r"C:\events\event1_xz.png", "event1_xz.png"),
        ("<img src=x>.h5", "_img_src_x_.h5"),
        (".hidden.npz", "hidden.npz"),
        ("é" * 200 + ".parquet", "_.parquet"),
    ],
)
def test_a_name_keeps_what_tells_its_format(name, kept):
    assert harmless_name(name) == kept


@pytest.fixture
def uploads(tmp_path):
    folder = tmp_path / "uploads"
    folder.mkdir()
    return folder


def upload(uploads, name, size=1, folder="one"):
    (uploads / folder).mkdir(exist_ok=True)
    file = uploads / folder / name
    file.write_bytes(bytes(size))
    return str(file)


def test_uploads_are_moved_and_nothing_of_them_stays(uploads, tmp_path):
    paths = [upload(uploads, "a.gz"), upload(uploads, "a.info", folder="two")]
    taken = take_files(paths, uploads, tmp_path / "out", Limits())
    assert [file.name for file in taken] == ["a.gz", "a.info"]
    assert all(file.parent == tmp_path / "out" and file.is_file() for file in taken)
    assert not list(uploads.iterdir())


def test_a_path_that_is_no_upload_is_not_told_from_one_that_is_gone(uploads, tmp_path):
    (tmp_path / "secret.npy").write_bytes(b"secret")
    (uploads / "linked").mkdir()
    (uploads / "linked" / "a.npy").symlink_to(tmp_path / "secret.npy")
    wrong = [
        "/etc/passwd",
        "../../x",
        "http://example.org/x.npy",
        str(tmp_path / "secret.npy"),
        f"{uploads}/../secret.npy",
        f"{uploads}/one/../../secret.npy",
        str(uploads / "linked" / "a.npy"),
        str(uploads / "gone" / "a.npy"),
        str(uploads / "linked"),
        "",
    ]
    told = set()
    for path in wrong:
        with pytest.raises(UploadError) as refused:
            take_files([path], uploads, tmp_path / "out", Limits())
        told.add(str(refused.value))
    assert len(told) == 1 and "choose it again" in told.pop()
    assert (tmp_path / "secret.npy").read_bytes() == b"secret"


def test_too_much_too_many_none_and_one_name_twice_are_refused(uploads, tmp_path):
    limits = Limits(upload_mb=1)
    half = [upload(uploads, f"{number}.npy", 600_000) for number in range(2)]
    refusals = {
        "1 MB at most together, got 1.2 MB": half,
        "got none": [],
        "got more": [upload(uploads, f"{number}.txt") for number in range(MOST_FILES + 1)],
        "rename one": [upload(uploads, "a.npy"), upload(uploads, "a.npy", folder="two")],
    }
    for told, paths in refusals.items():
        with pytest.raises(UploadError, match=told):
            take_files(paths, uploads, tmp_path / "out", limits)
    assert not (tmp_path / "out").exists()


def test_a_file_that_leads_to_others_is_refused_before_they_are_looked_for(tmp_path):
    with h5py.File(tmp_path / "whole.h5", "w") as content:
        content["Data/images"] = [1.0]
        content["alias"] = h5py.SoftLink("/Data")
    refuse_links_out(tmp_path / "whole.h5")
    for name, target in (("there.h5", "whole.h5"), ("gone.h5", "nowhere.h5")):
        with h5py.File(tmp_path / name, "w") as content:
            content["a/b"] = h5py.ExternalLink(str(tmp_path / target), "/Data")
        with pytest.raises(UploadError, match=f"{name}: .* got a link to another one"):
            refuse_links_out(tmp_path / name)


def test_two_uploads_of_one_content_and_name_do_not_meet(uploads):
    kept = []
    for _ in range(2):
        path = uploads / upload(uploads, "a.npy", folder="digest")
        kept.append(keep_apart(path, uploads))
    assert kept[0] != kept[1] and all(file.is_file() and file.parent.parent == uploads for file in kept)
    assert not (uploads / "digest").exists()
