"""A Hugging Face Hub-native model zoo for neutrino detectors.

`import nuzoo` makes `AutoConfig`, `AutoModel…`, `AutoImageProcessor`, `AutoProcessor` and
`pipeline("neutrino-event-classification")` of transformers know the architectures of this package.
Their classes are also attributes of this module, imported when they are first used.
"""

import sys
from typing import Any

from nuzoo.registration import register
from nuzoo.registry import PUBLIC_CLASSES, import_object

__version__ = "0.1.0"
__all__ = ["__version__", *PUBLIC_CLASSES]

register(sys.modules[__name__])


def __getattr__(name: str) -> Any:
    if name not in PUBLIC_CLASSES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_object(PUBLIC_CLASSES[name])


def __dir__() -> list[str]:
    return sorted({*globals(), *PUBLIC_CLASSES})
