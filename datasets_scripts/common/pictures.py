"""Pictures of events for the viewer of a dataset."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray


def png(picture: NDArray[np.uint8]) -> bytes:
    """Return an 8-bit picture, (rows, columns), as PNG."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", compress_level=4)
    return buffer.getvalue()
