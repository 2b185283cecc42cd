"""The files of a checkpoint: which of them are read, and that they are those that were published."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from transformers.utils import ADAPTER_CONFIG_NAME, ADAPTER_SAFE_WEIGHTS_NAME, CONFIG_NAME

from nuzoo.configuration.file_checksums import find_file, verify_files
from nuzoo.modeling.weight_errors import WeightsError

FILES_OF_ADAPTER = (ADAPTER_CONFIG_NAME, ADAPTER_SAFE_WEIGHTS_NAME)


@dataclass(frozen=True)
class Adapter:
    """A PEFT adapter and the network that it adapts.

    Attributes:
        path: Hub repository or local folder of the adapter.
        base: Hub repository or local folder of the network.
        where: arguments of `transformers.utils.cached_file` for the adapter's files.
    """

    path: str
    base: str
    where: dict[str, Any]


def find_adapter(origin: Any, adapter_kwargs: dict[str, Any], **where: Any) -> Adapter | None:
    """Find the adapter that is asked for, and compare its files with its repository's checksums.

    Args:
        origin: Hub repository or local folder, of an adapter or of a network.
        adapter_kwargs: as transformers' Auto classes pass them to `from_pretrained`.
        **where: see `nuzoo.configuration.file_checksums.whereabouts`.

    Returns:
        The adapter; None if `origin` is a network alone.

    Raises:
        CorruptedFileError: a file of the adapter differs from what was published.
        WeightsError: it has no weights in safetensors, or does not say of which network it is.
    """
    options = dict(adapter_kwargs)
    path = options.pop("_adapter_model_path", None)
    where = {**where, **options} if path is None else options
    file = find_file(path or origin, ADAPTER_CONFIG_NAME, **where)
    if file is None:
        return None
    verify_files(path or origin, FILES_OF_ADAPTER, **where)
    if find_file(path or origin, ADAPTER_SAFE_WEIGHTS_NAME, **where) is None:
        raise WeightsError(
            f"{path or origin}: expected the adapter's weights in {ADAPTER_SAFE_WEIGHTS_NAME}, got no such "
            "file. Pickled weights (.bin) are never read: save the adapter with save_pretrained."
        )
    is_whole = path is None and Path(origin, where.get("subfolder", ""), CONFIG_NAME).is_file()
    return Adapter(path or origin, origin if path or is_whole else _named_base(origin, file), where)


def verified_weights(origin: Any, *, variant: str | None = None, **where: Any) -> dict[str, Path]:
    """Find the weights that transformers reads, and compare them with the repository's checksums.

    Args:
        origin: Hub repository or local folder.
        variant: as in `from_pretrained`.
        **where: see `nuzoo.configuration.file_checksums.whereabouts`.

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
    """Say which files are not whole safetensors files.

    Args:
        weights: the files by name.

    Returns:
        Their names and what is wrong with each.
    """
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


def _named_base(origin: Any, adapter_config: Path) -> str:
    try:
        if base := json.loads(adapter_config.read_text(encoding="utf-8"))["base_model_name_or_path"]:
            return str(base)
    except (ValueError, KeyError, TypeError):
        pass
    raise WeightsError(
        f"{origin}: expected base_model_name_or_path in {ADAPTER_CONFIG_NAME} to name the network that the "
        "adapter is for, got none. Load that network and call its load_adapter with this path."
    )
