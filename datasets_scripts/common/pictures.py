"""8-bit pictures of events as a row stores them: grey is energy."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

COMPRESSION = 4
"""Level of zlib: of such pictures, dark but for a few lines, higher ones save next to nothing."""


def grey_levels(energy: ArrayLike, white_mev: float) -> NDArray[np.uint8]:
    """Give the grey of energies: it grows as log(1 + E / MeV), and what has any is not black.

    Args:
        energy: MeV, above 0.
        white_mev: Energy that is white; more is white as well.
    """
    scaled = np.log1p(np.asarray(energy)) / np.log1p(white_mev)
    return np.clip(np.rint(255 * scaled), 1, 255).astype(np.uint8)


def stored(picture: NDArray[np.uint8]) -> dict[str, Any]:
    """Give a picture (height, width) as the entry of a column of pictures: PNG, in no file."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", compress_level=COMPRESSION)
    return {"bytes": buffer.getvalue(), "path": None}
