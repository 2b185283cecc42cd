"""The trained models that come with the package, by name."""

from __future__ import annotations

from pathlib import Path

from nuzoo.files.names import CHECKSUMS_FILE
from nuzoo.files.nearest_names import did_you_mean

ZOO = Path(__file__).parent


class UnknownBundledModelError(ValueError):
    """No model of this name comes with the package."""


def bundled_models() -> dict[str, Path]:
    """Return the folder of each model that comes with the package, by name."""
    return {folder.name: folder for folder in sorted(ZOO.iterdir()) if (folder / CHECKSUMS_FILE).is_file()}


def bundled(name: str) -> str:
    """Return the folder of a trained model that comes with the package.

    It holds what a published repository holds: weights, processor, card with the measured results, golden
    outputs and checksums. No network is needed.

    Args:
        name: such as "nu-cnn-tiny"; `nuzoo models` lists them.

    Raises:
        UnknownBundledModelError: there is no such model.
    """
    models = bundled_models()
    if name not in models:
        raise UnknownBundledModelError(
            f"expected a model that comes with nuzoo ({', '.join(models)}), got "
            f"{name!r}{did_you_mean([name], models)}"
        )
    return str(models[name])


def find_model(path: str) -> str:
    """Return the folder of a bundled model if `path` is its name and no folder here is called so.

    Args:
        path: of a model: a folder, a repository, or a bundled model's name.
    """
    return path if Path(path).exists() else str(bundled_models().get(path, path))
