"""Memory of converting PILArNet-M's files and of streaming what became of them, by the number of events.

Run `python benchmarks/bench_memory_of_files.py [hits]` on Linux; it writes to a temporary folder. Each
measurement is a process of its own, whose largest resident set is told; most of what streaming takes are
libraries that `datasets` imports, PyTorch among them.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from bench_point_clouds import write

EVENTS = (500, 2000, 4000)
BEGIN = """
import datasets, h5py
from pathlib import Path
from nuzoo.datasets_scripts.pilarnet_m import convert_files
"""
CONVERT = "convert_files(Path({out!r}), [Path({source!r})])"
OPEN = "rows = datasets.load_dataset({out!r}, split='train', streaming=True)"
STREAM = OPEN + "; assert sum(1 for _ in rows) == {events}"
LARGEST = """
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def largest(code: str) -> float:
    """Largest resident set of a process that runs some code, MB."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + code + LARGEST],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    return int(done.stdout.split()[-1]) / 1024


def main() -> None:
    hits = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    print(f"{hits} hits an event; imports alone {largest(''):.0f} MB")
    for events in EVENTS:
        with tempfile.TemporaryDirectory() as folder:
            source, out = Path(folder, "train", "a.h5"), str(Path(folder, "out"))
            source.parent.mkdir()
            write(source, events, hits)
            made = largest(CONVERT.format(out=out, source=str(source)))
            opened = largest(OPEN.format(out=out))
            read = largest(STREAM.format(out=out, events=events))
            size = source.stat().st_size / 2**20
        print(
            f"{events:6d} events of {size:.0f} MB: converting {made:.0f} MB, streaming {read:.0f} MB, "
            f"{opened:.0f} MB of it before the first event"
        )


if __name__ == "__main__":
    main()
