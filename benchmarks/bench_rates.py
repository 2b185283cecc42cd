"""What an event costs on one core: processor time, disk and memory of simulation and of prediction.

Run `python benchmarks/bench_rates.py [events] [models …]`; it prints one line of JSON for each dataset and
each model, which `benchmarks/cost_of_events.py` reads. Times are those of the processor, so that a machine
that does other work at the same time tells of them too; each measurement is a process of its own, with one
thread.
"""

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

MODELS = {"nu-cnn-tiny": "lartpc-pixelmaps", "nu-point-motif-tiny": "lartpc-cubes"}
"""Small models of the zoo, and the dataset that each is asked about."""

EVENTS = 40


def simulated(name: str, events: int, out: Path) -> dict:
    """Measure a simulation; what starts and compiles is not counted."""
    from nuzoo.registry import DATASETS, import_object

    simulate = import_object(DATASETS[name].simulate)
    simulate(out / "first", events=2, seed=1)
    begin = time.process_time()
    manifest = simulate(out / "data", events=events)
    spent = time.process_time() - begin
    size = sum(file["bytes"] for file in manifest["files"].values())
    return {"what": "simulate", "of": name, **costs(events, spent), "mb_per_1000": size / events / 1e3}


def predicted(model: str, dataset: str, events: int, out: Path) -> dict:
    """Measure a prediction, files to answers; loading the model is not counted."""
    from nuzoo.registry import DATASETS, import_object

    main = import_module("nuzoo.cli").main
    simulate = import_object(DATASETS[dataset].simulate)
    simulate(out / "data", events=events)
    ask = ["predict", "--model", model, str(out / "data" / "data"), "--out"]
    with contextlib.redirect_stdout(sys.stderr):
        assert main([*ask, str(out / "first.parquet")]) == 0
        begin = time.process_time()
        assert main([*ask, str(out / "told.parquet")]) == 0
    spent = time.process_time() - begin
    size = (out / "told.parquet").stat().st_size
    return {"what": "predict", "of": model, **costs(events, spent), "mb_per_1000": size / events / 1e3}


def costs(events: int, seconds: float) -> dict:
    """Give what was measured of events in this process."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"events": events, "events_per_core_s": events / seconds, "gb_per_process": peak / 1e9}


def measure(what: str, events: int) -> None:
    """Measure one dataset or model, in this process."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        found = predicted(what, MODELS[what], events, out) if what in MODELS else simulated(what, events, out)
    print(
        json.dumps({name: round(v, 4) if isinstance(v, float) else v for name, v in found.items()}),
        flush=True,
    )


def main() -> None:
    from nuzoo.registry import DATASETS

    events = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    every = [*(name for name, row in DATASETS.items() if row.simulate), *MODELS]
    threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    for what in sys.argv[2:] or every:
        code = f"import bench_rates; bench_rates.measure({what!r}, {events})"
        here = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])}
        subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | threads | here)


if __name__ == "__main__":
    main()
