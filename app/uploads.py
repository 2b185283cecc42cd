"""Files of a user: taken over under harmless names, and read by the readers of the command line."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuzoo.app.errors import QuestionError, UploadError
from nuzoo.app.limits import MEGABYTE, MOST_FILES, Limits
from nuzoo.evaluation.display.draw_events import read_files
from nuzoo.files.plain_text import counted
from nuzoo.pipelines.reading import reading_for
from nuzoo.registry import MODALITIES, import_object

if TYPE_CHECKING:
    from nuzoo.pipelines.event_pipeline import EventPipeline

UNUSUAL = re.compile(r"[^A-Za-z0-9._-]+")
LONGEST_NAME = 100
REASONS = 3


def harmless_name(name: str) -> str:
    """Make the name of a file that it may keep: formats are told by it, and it is no path and not hidden."""
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = UNUSUAL.sub("_", last).lstrip(".")[-LONGEST_NAME:].lstrip(".")
    return plain or "file"


def take_files(paths: Iterable[str], uploads: Path, out: Path, limits: Limits) -> list[Path]:
    """Move uploaded files into a folder.

    Args:
        paths: Where whoever asks says that they are.
        uploads: Folder in which uploads are, each in one of its own.
        out: Folder to move them to.
        limits: Of their size.

    Returns:
        Where they are now.

    Raises:
        UploadError: None or too many, no longer there, no upload at all, of one name, or too large together.
    """
    found = [_uploaded(path, uploads) for path in islice(paths, MOST_FILES + 1)]
    if not 0 < len(found) <= MOST_FILES:
        got = "more" if found else "none"
        raise UploadError(f"expected the files of an event, {MOST_FILES} at most, got {got}: choose them")
    names = [harmless_name(path.name) for path in found]
    if len(set(names)) < len(names):
        raise UploadError("expected files of different names, got one name twice: rename one of them")
    size = sum(path.stat().st_size for path in found)
    if size > limits.upload:
        raise UploadError(too_large(limits, f"{size / MEGABYTE:.1f} MB"))
    out.mkdir()
    taken = [path.rename(out / name) for path, name in zip(found, names, strict=True)]
    for path in found:
        path.parent.rmdir()
    return taken


def too_large(limits: Limits, got: str) -> str:
    """Say that an upload is larger than it may be."""
    return (
        f"expected files of {limits.upload_mb} MB at most together, got {got}: cut a few events out, or use "
        "nuzoo predict on your own machine, which takes files of any size"
    )


def _uploaded(path: str, uploads: Path) -> Path:
    """Return the place of an upload; whatever else a path names is not told from what is not there."""
    file = Path(path)
    known = file.parent.parent == uploads and ".." not in file.parts
    if not known or file.is_symlink() or not file.is_file():
        raise UploadError("expected an uploaded file, got one that is not there any more: choose it again")
    return file


def keep_apart(path: Path, uploads: Path) -> Path:
    """Give an upload a folder of a random name, in place of one that its content decides."""
    folder = uploads / secrets.token_hex(16)
    folder.mkdir()
    kept = path.rename(folder / harmless_name(path.name))
    if not any(path.parent.iterdir()):
        path.parent.rmdir()
    return kept


def refuse_links_out(file: Path) -> None:
    """Refuse HDF5 whose groups or datasets lie in other files, which would be those of this machine.

    Raises:
        UploadError: There is such a link, or it cannot be told.
    """
    import h5py

    def found(name: str, link: object) -> str | None:
        return name if isinstance(link, h5py.ExternalLink) else None

    if not h5py.is_hdf5(file):
        return
    try:
        with h5py.File(file, "r") as content:
            linked = content.visititems_links(found)
    except (OSError, RuntimeError, KeyError) as error:
        raise UploadError(
            f"{file.name}: expected a whole HDF5 file, got a broken one: copy it again"
        ) from error
    if linked is not None:
        raise UploadError(
            f"{file.name}: expected all data in the file itself, got a link to another one: repack the file"
        )


def event_of_files(pipeline: EventPipeline, files: Sequence[Path], number: int) -> dict[str, Any]:
    """Read one event of files as `nuzoo predict` does.

    Args:
        pipeline: That is asked about it.
        files: Of one folder.
        number: Of the event, from 1 on, in the order of the files.

    Raises:
        UploadError: There is no event that can be read.
        QuestionError: There are fewer events.
    """
    for file in files:
        refuse_links_out(file)
    reader = import_object(MODALITIES[pipeline.image_processor.modality].reader)
    read = reader(list(files), truth=False, **reading_for(pipeline, reader))
    events, last = 0, None
    for row in islice(read_files(read), number):
        events, last = events + 1, row
    if last is not None and events == number:
        return dict(last)
    if reasons := [str(item.error) for item in read.left_out]:
        raise UploadError("; ".join(reasons[:REASONS]))
    if not events:
        raise UploadError(
            f"expected events in files that end in {read.endings}, got none: choose other files"
        )
    raise QuestionError(f"event: expected a number from 1 to {counted(events, 'event')}, got {number}")
