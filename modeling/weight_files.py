"""The files of a checkpoint: which of them are read, and that they are those that were published."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from transformers.utils import CONFIG_NAME

from nuzoo.files.origin import find_file, verify_files
from nuzoo.modeling.weight_errors import WeightsError


def verified_weights(origin: Any, *, variant: str | None = None, **where: Any) -> dict[str, Path]:
    """Find the weights that transformers reads, and compare them with the repository's checksums.

    Args:
        origin: Hub repository or local folder.
        variant: as in `from_pretrained`.
        **where: see `nuzoo.files.origin.whereabouts`.

    Returns:
        The safetensors files by name.

    Raises:
        CorruptedFileError: a file differs from what was published.
        WeightsError: there are no weights in safetensors.
    """
    verify_files(origin, [CONFIG_NAME], **where)
    files = _find_weights(origin, variant, where)
    verify_files(origin, files, **where | {"force_download": False})
    if not files:
        raise WeightsError(
            f"{origin}: expected weights in model.safetensors, or model.safetensors.index.json and its "
            "shards, got neither. Pickled weights (.bin, .pt) are never read: save the model with "
            "save_pretrained, or give the folder or repository that holds the weights."
        )
    return {name: file for name, file in files.items() if name.endswith(".safetensors")}


def name_unreadable(weights: dict[str, Path]) -> str:
    """Name those of the files that are not whole safetensors files, with what is wrong with each."""
    problems = []
    for name, file in weights.items():
        try:
            with safe_open(file, framework="pt"):
                pass
        except SafetensorError as error:
            problems.append(f"{name} ({file.stat().st_size} bytes: {error})")
    return ", ".join(problems) or ", ".join(weights)


def _find_weights(origin: Any, variant: str | None, where: dict[str, Any]) -> dict[str, Path]:
    """One file, or the index and its shards, as transformers chooses them."""
    infix = f".{variant}" if variant else ""
    whole, index = f"model{infix}.safetensors", f"model.safetensors.index{infix}.json"
    if file := find_file(origin, whole, **where):
        return {whole: file}
    if file := find_file(origin, index, **where):
        return {index: file} | _find_shards(origin, index, file, where)
    return {}


def _find_shards(origin: Any, index: str, file: Path, where: dict[str, Any]) -> dict[str, Path]:
    try:
        names = sorted(set(json.loads(file.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(
            f"{origin}: expected {index} to map tensors to files, got something else ({error!r}). "
            "Download it again (force_download=True, or delete the copy)."
        ) from error
    shards = {name: find_file(origin, name, **where) for name in names}
    if missing := [name for name, shard in shards.items() if shard is None]:
        raise WeightsError(
            f"{origin}: expected the {len(names)} files of {index}, got none named {', '.join(missing)}. "
            "Download the repository again."
        )
    return {name: shard for name, shard in shards.items() if shard}
