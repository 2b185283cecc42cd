import json
import subprocess

import pytest

from nuzoo.files.checksums import differences, read_checksums, write_checksums
from nuzoo.files.errors import ChecksumsFileError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "deep" / "b.bin").write_bytes(bytes(range(256)) * 1000)
    (tmp_path / ".gitattributes").write_text("x")
    write_checksums(tmp_path)
    return tmp_path


def test_digests_are_those_of_the_system(folder):
    listed = read_checksums(folder / "checksums.json")
    assert set(listed) == {"a.txt", "deep/b.bin"}
    for name, digest in listed.items():
        assert subprocess.run(["sha256sum", folder / name], capture_output=True, text=True).stdout.startswith(
            digest
        )
    assert differences(folder) == []


def test_changed_missing_and_unlisted_files_are_named(folder):
    content = bytearray((folder / "deep" / "b.bin").read_bytes())
    content[777] ^= 1
    (folder / "deep" / "b.bin").write_bytes(content)
    (folder / "a.txt").unlink()
    (folder / "c.txt").write_text("new")
    changed, missing, unlisted = differences(folder)
    assert changed.startswith("deep/b.bin was changed")
    assert missing == "a.txt is missing"
    assert unlisted == "c.txt is not in the list"


def test_checksums_of_files_elsewhere_are_kept(folder):
    write_checksums(folder, kept={"far.txt": "0" * 64, "a.txt": "1" * 64})
    listed = read_checksums(folder / "checksums.json")
    assert listed["far.txt"] == "0" * 64
    assert listed["a.txt"] != "1" * 64


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        '{"files": {}}',
        json.dumps({"algorithm": "md5", "files": {"a": "x"}}),
        json.dumps({"algorithm": "sha256", "files": {"../a": "x"}}),
        json.dumps({"algorithm": "sha256", "files": {"/a": "x"}}),
    ],
)
def test_a_list_that_cannot_be_trusted_is_refused(tmp_path, content):
    (tmp_path / "checksums.json").write_text(content)
    with pytest.raises(ChecksumsFileError, match=r"checksums\.json: expected"):
        differences(tmp_path)
