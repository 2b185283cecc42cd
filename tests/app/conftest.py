import numpy as np
import pytest

from nuzoo.app.limits import Limits

UPLOAD_MB = 5


@pytest.fixture(scope="session")
def served():
    """The page, whose sample events are not made before they are asked for."""
    from nuzoo.app import server

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "warm_up", lambda: None)
        with server.serving(Limits(upload_mb=UPLOAD_MB)) as address:
            yield address.local.rstrip("/")


@pytest.fixture(scope="session")
def maps(tmp_path_factory):
    """Two events as both views of the modular LArTPC, of which the second one is empty."""
    images = np.zeros((2, 2, 512, 512), np.float32)
    images[0, :, 100:400, 256] = 0.6
    file = tmp_path_factory.mktemp("maps") / "two.npz"
    np.savez_compressed(file, images=images)
    return file
