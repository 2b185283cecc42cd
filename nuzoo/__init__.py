"""A Hugging Face Hub-native model zoo for neutrino detectors.

`import nuzoo` makes `AutoConfig`, `AutoModel…`, `AutoImageProcessor`, `AutoProcessor` and
`pipeline("neutrino-event-classification")` of transformers know the architectures of this package.
Their classes are also attributes of this module, imported when they are first used.
"""

import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from warnings import warn

if (Path(__file__).parent.parent / "pyproject.toml").is_file():  # in a clone the rooms lie beside this folder
    __path__.append(str(Path(__file__).parent.parent))

from nuzoo.registration import register
from nuzoo.registry import import_object, public_classes
from nuzoo.zoo.bundled import bundled

__version__ = "0.1.0"
__all__ = ["__version__", "bundled", *public_classes()]

register(sys.modules[__name__])


def __getattr__(name: str) -> Any:
    if name not in (classes := public_classes()):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_object(classes[name])


def _load_plug_ins() -> None:
    """Call what installed packages name as entry points of the group "nuzoo": it adds their rows."""
    for plug_in in entry_points(group="nuzoo"):
        try:
            plug_in.load()()
        except Exception as error:
            warn(f"the plug-in {plug_in.value} cannot be loaded, its rows are missing: {error}", stacklevel=2)


def __dir__() -> list[str]:
    return sorted({*globals(), *public_classes()})


_load_plug_ins()
