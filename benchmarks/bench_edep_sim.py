"""Time to read files of edep-sim: python benchmarks/bench_edep_sim.py FILE.root [FILE.root …]."""

import sys
import time
from contextlib import suppress
from pathlib import Path

from nuzoo.datasets_scripts.readers.source_errors import SourceFileError
from nuzoo.datasets_scripts.sources.formats import open_source


def main() -> None:
    print("| file | MB | events | hits | open, s | ms / event |\n|---|---|---|---|---|---|")
    for path in map(Path, sys.argv[1:]):
        begin = time.perf_counter()
        source = open_source(path, "deposits")
        opened, hits = time.perf_counter(), 0
        for entry in range(len(source)):
            with suppress(SourceFileError):
                hits += len(source[entry].segments.energy)
        each = 1000 * (time.perf_counter() - opened) / len(source)
        size = path.stat().st_size / 1e6
        print(
            f"| {path.name} | {size:.2g} | {len(source):,} | {hits:,} | {opened - begin:.2f} | {each:.2g} |"
        )


if __name__ == "__main__":
    main()
