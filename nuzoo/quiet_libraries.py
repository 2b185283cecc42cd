"""A quiet terminal: what libraries say of themselves while a command runs is not for its user.

A variable that the user has set is left as it is, and `PYTHONWARNINGS=default` or `python -W` shows warnings.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from types import ModuleType

from nuzoo.registration import after_import

VARIABLES = {
    "TRANSFORMERS_VERBOSITY": "error",
    "DATASETS_VERBOSITY": "error",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
"""Read by libraries when they are imported, and by processes that are started."""

LOGGERS = ("bitsandbytes", "huggingface_hub.hf_api")
"""They advise packages that are not needed, and tell of commits what `nuzoo publish` tells."""


def quieten_libraries() -> None:
    """Leave the terminal to findings, progress and errors, and never ask there to run foreign code."""
    for name, value in VARIABLES.items():
        os.environ.setdefault(name, value)
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    if not sys.warnoptions and "PYTHONWARNINGS" not in os.environ:
        os.environ["PYTHONWARNINGS"] = "ignore"
        warnings.simplefilter("ignore")
    after_import("transformers.utils.logging", _hide_bars_of_weights)
    after_import("transformers.dynamic_module_utils", _ask_nothing)


def _hide_bars_of_weights(transformers_logging: ModuleType) -> None:
    """Hide "Loading weights" and "Writing model shards"; bars of transfers stay."""
    from huggingface_hub.utils import are_progress_bars_disabled, enable_progress_bars

    wanted = not are_progress_bars_disabled()
    transformers_logging.disable_progress_bar()
    if wanted:
        enable_progress_bars()


def _ask_nothing(dynamic_modules: ModuleType) -> None:
    """Make transformers refuse code that was not asked for by its flag, also at a terminal."""
    vars(dynamic_modules)["TIME_OUT_REMOTE_CODE"] = 0
