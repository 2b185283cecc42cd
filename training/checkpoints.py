"""Checkpoints on disk: which of them are whole, as a kill or a full disk may have left one that is not."""

from __future__ import annotations

import json
import logging
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from nuzoo.files.names import STATE_FILE

logger = logging.getLogger(__name__)

NEEDED = (
    ("*.safetensors", "pytorch_model_fsdp*", "global_step*"),
    ("optimizer*", "global_step*"),
    ("scheduler.pt", "global_step*"),
    ("rng_state*.pth",),
    (STATE_FILE,),
)
"""Of each line one file or folder at least: weights, optimiser, schedule, random numbers, progress."""


def last_checkpoint(output: Path) -> str | None:
    """Find the last whole checkpoint in a folder, if there is one; of those after it a line is told each."""
    numbered = {
        int(step): folder
        for folder in output.glob(f"{PREFIX_CHECKPOINT_DIR}-*")
        if (step := folder.name.rpartition("-")[2]).isdecimal() and folder.is_dir()
    }
    for _, folder in sorted(numbered.items(), reverse=True):
        if (fault := fault_of(folder)) is None:
            return str(folder)
        logger.warning("%s was not written to its end (%s): passed over", folder, fault)
    return None


def fault_of(checkpoint: Path) -> str | None:
    """Say which file of a checkpoint is missing or torn; None if all is there."""
    for patterns in NEEDED:
        if not any(any(checkpoint.glob(pattern)) for pattern in patterns):
            return f"no {patterns[0]}"
    for file in sorted(checkpoint.rglob("*")):
        read = READERS.get(file.suffix)
        if read is None:
            continue
        try:
            read(file)
        except (OSError, ValueError, SafetensorError, zipfile.BadZipFile):
            return f"{file.relative_to(checkpoint)} is torn"
    return None


def read_state(folder: Path) -> dict[str, Any] | None:
    """Read how far a training was when it was saved; None where that is not known."""
    try:
        state = json.loads((folder / STATE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return state if isinstance(state, dict) else None


def _read_tensors(file: Path) -> None:
    with safe_open(file, framework="pt"):
        pass


def _read_archive(file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        if torn := archive.testzip():
            raise zipfile.BadZipFile(torn)


def _read_json(file: Path) -> None:
    json.loads(file.read_text(encoding="utf-8"))


READERS: Mapping[str, Callable[[Path], None]] = {
    ".safetensors": _read_tensors,
    ".pt": _read_archive,
    ".pth": _read_archive,
    ".json": _read_json,
}
"""What fails on a torn file of each kind; `torch.save` writes archives with a checksum of each tensor."""
