"""Figures that a test needs and does not look at."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from nuzoo.datasets_scripts.common.pictures import stored

CONTENT = {".png": stored(np.zeros((1, 1), np.uint8))["bytes"], ".pdf": b"%PDF-1.7\n"}


@contextmanager
def undrawn() -> Iterator[None]:
    """Save a pixel in place of each figure: drawing takes nearly all of an evaluation of few events."""

    def write(drawn: Figure, path: Path, **options: Any) -> None:
        path.write_bytes(CONTENT[path.suffix])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", write)
        yield
