"""The page of `nuzoo app`, where a Space serves it."""

import time

from nuzoo.app.limits import Limits
from nuzoo.app.server import serving

if __name__ == "__main__":
    with serving(Limits(), host="0.0.0.0", port=7860):
        while True:
            time.sleep(3600)
