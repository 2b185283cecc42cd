"""Files as a commit lists them: their git and LFS identities, and what decides between the two."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import PurePosixPath

from nuzoo.hub.local_hub.refusals import bad_request

LARGE_BYTES = 10_000_000
LFS_SUFFIXES = (
    *("arrow", "bin", "bz2", "ckpt", "gif", "gz", "h5", "hdf5", "jpeg", "jpg", "joblib", "model", "msgpack"),
    *("npy", "npz", "onnx", "parquet", "pb", "pickle", "pkl", "png", "pt", "pth", "root", "safetensors"),
    *("tar", "tgz", "tiff", "webp", "xz", "zip", "zst"),
)
GIT_ATTRIBUTES = "".join(f"*.{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in LFS_SUFFIXES)
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"


@dataclass(frozen=True)
class StoredFile:
    """A file of a commit.

    Attributes:
        oid: Of the git blob: of the file, or of its pointer if it is in LFS.
        size: Bytes.
        sha256: Of the contents.
        lfs: Whether git holds only a pointer.
    """

    oid: str
    size: int
    sha256: str
    lfs: bool

    @property
    def etag(self) -> str:
        """What the client takes as the identity of the contents."""
        return self.sha256 if self.lfs else self.oid

    def lfs_facts(self, digest: str) -> dict[str, object]:
        """Tell of the file's place in LFS, its SHA-256 under the name `digest`; nothing if git holds it."""
        if not self.lfs:
            return {}
        pointer = POINTER.format(sha256=self.sha256, size=self.size)
        return {"lfs": {digest: self.sha256, "size": self.size, "pointerSize": len(pointer)}}


def regular_file(content: bytes) -> StoredFile:
    """Describe a file that git holds itself."""
    return StoredFile(_git_blob_id(content), len(content), hashlib.sha256(content).hexdigest(), lfs=False)


def large_file(sha256: str, size: int) -> StoredFile:
    """Describe a file that git holds a pointer to."""
    pointer = POINTER.format(sha256=sha256, size=size).encode()
    return StoredFile(_git_blob_id(pointer), size, sha256, lfs=True)


def _git_blob_id(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def belongs_in_lfs(path: str, size: int, sample: bytes) -> bool:
    """Tell whether a file to come goes through LFS: by its name, its size, or a zero byte at its start."""
    named = PurePosixPath(path).suffix.lstrip(".") in LFS_SUFFIXES
    return size > 0 and (named or size > LARGE_BYTES or b"\0" in sample)


def checked_path(path: str) -> str:
    """Give back a path; refuse one that leaves the repository, or is no name that git would take."""
    parts = path.split("/")
    if any(part in ("", ".", "..", ".git") for part in parts) or "\\" in path or not path.isprintable():
        raise bad_request(f"expected a relative path inside the repository, got {path!r}")
    return path
