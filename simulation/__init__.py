"""A fast parametrised simulation: interactions, then transport, then the detector's response."""

import hashlib
from pathlib import Path


def _digest_of_source() -> str:
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


SOURCE_DIGEST = _digest_of_source()
"""Names the physics: events of the same seed are the same as long as it is."""
