"""The files of a PEFT adapter: which network it is for, and the calibration of the two together."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers.utils import ADAPTER_CONFIG_NAME, ADAPTER_SAFE_WEIGHTS_NAME, CONFIG_NAME

from nuzoo.files.checksums import discard_checksums
from nuzoo.files.names import CALIBRATION_FILE
from nuzoo.files.origin import find_file, verify_files
from nuzoo.modeling.weight_errors import WeightsError

ADAPTER_FOLDER = "adapter"
"""Where the adapter lies in a repository that has its own `config.json`. At the top, the Auto classes would
take the repository for an adapter alone and load its base in place of the network."""

FILES_OF_ADAPTER = (ADAPTER_CONFIG_NAME, ADAPTER_SAFE_WEIGHTS_NAME, CALIBRATION_FILE)


@dataclass(frozen=True)
class Adapter:
    """A PEFT adapter and the network that it adapts.

    Attributes:
        path: Hub repository or local folder of the adapter.
        base: Hub repository or local folder of the network.
        base_revision: commit of the network's repository, if the adapter pins one.
        temperature: of the two together; None where only the network's own is known.
        where: arguments of `transformers.utils.cached_file` for the adapter's files.
    """

    path: str
    base: str
    base_revision: str | None
    temperature: float | None
    where: dict[str, Any]


def find_adapter(origin: Any, adapter_kwargs: dict[str, Any], **where: Any) -> Adapter | None:
    """Find the adapter that is asked for, and compare its files with its repository's checksums.

    Args:
        origin: Hub repository or local folder, of an adapter or of a network.
        adapter_kwargs: as transformers' Auto classes pass them to `from_pretrained`.
        **where: see `nuzoo.files.origin.whereabouts`.

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
    base, revision = _named_base(path or origin, file)
    if not (base or path or is_whole):
        raise WeightsError(
            f"{origin}: expected base_model_name_or_path in {ADAPTER_CONFIG_NAME} to name the network that "
            "the adapter is for, got none. Load that network and call its load_adapter with this path."
        )
    network: Any = origin if path or is_whole else base
    temperature = _temperature(find_file(path or origin, CALIBRATION_FILE, **where))
    return Adapter(path or origin, network, None if is_whole else revision, temperature, where)


def write_calibration(folder: Any, temperature: float) -> None:
    """Store the temperature of a network with its adapter beside the adapter's files in a folder."""
    path = Path(folder) / CALIBRATION_FILE
    path.write_text(json.dumps({"temperature": temperature}, indent=2) + "\n", encoding="utf-8")
    discard_checksums(folder)


def name_base_of_adapter(folder: Any, base: str, revision: str | None) -> None:
    """Write into a saved adapter which network it is for, where PEFT and transformers look for it.

    Args:
        folder: of the adapter.
        base: Hub repository or local folder of the network.
        revision: commit of the repository.
    """
    path = Path(folder) / ADAPTER_CONFIG_NAME
    keys = json.loads(path.read_text(encoding="utf-8"))
    keys |= {"base_model_name_or_path": base, "revision": revision}
    path.write_text(json.dumps(keys, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _temperature(file: Path | None) -> float | None:
    if file is None:
        return None
    try:
        temperature = float(json.loads(file.read_text(encoding="utf-8"))["temperature"])
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            f'{file}: expected {{"temperature": number}}, got something else ({error!r}). Download the '
            "adapter again, or calibrate it with `nuzoo evaluate --calibrate`."
        ) from error
    if not 0 < temperature < float("inf"):
        raise WeightsError(f"{file}: expected a positive temperature, got {temperature}. Calibrate again.")
    return temperature


def _named_base(origin: Any, adapter_config: Path) -> tuple[str | None, str | None]:
    """Read the repository or folder of the network, and its commit."""
    try:
        keys = json.loads(adapter_config.read_text(encoding="utf-8"))
        return keys.get("base_model_name_or_path"), keys.get("revision")
    except (ValueError, AttributeError) as error:
        raise WeightsError(
            f"{origin}: expected {ADAPTER_CONFIG_NAME} in JSON, got something else ({error}). Download or "
            "save the adapter again."
        ) from error
