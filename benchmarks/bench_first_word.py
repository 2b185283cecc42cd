"""How long every command takes to its first word, and to its last one when it is refused.

Each command runs at a terminal of its own, from an empty folder, with a warm disk cache: the median of some
runs, as seconds on the clock and as seconds of CPU, which say more on a busy machine.

Usage: python benchmarks/bench_first_word.py [DATASET MODEL], folders that `nuzoo simulate` and `nuzoo train`
wrote; without them both are made, small.
"""

import os
import pty
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

RUNS = 3
NUZOO = [sys.executable, "-m", "nuzoo.cli"]


def first_words(dataset: Path, model: Path, maps: Path) -> dict[str, list[str]]:
    data, out = ["--data", str(dataset)], ["--out", "out"]
    run = [f"data.path={dataset}", "training.output_dir=run"]
    return {
        "--help": ["--help"],
        "simulate": ["simulate", "lartpc-pixelmaps", "--events", "50", *out],
        "convert": ["convert", str(maps), *out],
        "train": ["train", "nu_cnn_tiny", *run],
        "train --folds": ["train", "nu_cnn_tiny", *run, "--folds", "2"],
        "evaluate": ["evaluate", "--model", str(model), *data, *out],
        "evaluate --compare": ["evaluate", "--compare", str(model), str(dataset.parent), *data, *out],
        "predict": ["predict", "--model", str(model), str(maps), "--out", "p.csv"],
        "explain": ["explain", "--model", str(model), *data, *out],
        "display": ["display", str(dataset), *out],
        "publish": ["publish", str(dataset), "--type", "dataset", "--repo", "org/name"],
        "verify": ["verify", str(dataset), "--type", "dataset"],
        "demo": ["demo", "--out", "demo"],
    }


def refusals(dataset: Path, model: Path, maps: Path) -> dict[str, list[str]]:
    data, out = ["--data", str(dataset)], ["--out", "out"]
    return {
        "misspelt command": ["trian"],
        "simulate: misspelt dataset": ["simulate", "lartpc-pixelmap", "--events", "5", *out],
        "simulate: misspelt detector": [
            "simulate", "lartpc-pixelmaps", "--events", "5", *out, "--detector", "modular-2x2x8"
        ],
        "simulate: option missing": ["simulate", "lartpc-pixelmaps", *out],
        "convert: no such file": ["convert", "nowhere.h5", *out],
        "train: misspelt recipe": ["train", "nu_cnn_tinny"],
        "train: misspelt field": ["train", "nu_cnn_tiny", "training.learning_rat=1"],
        "train: no such dataset": ["train", "nu_cnn_tiny", "data.path=/no/where"],
        "train: no such repository name": ["train", "nu_cnn_tiny", "data.path=a/b/c"],
        "evaluate: no such model": ["evaluate", "--model", "./nowhere", *data],
        "evaluate: no such dataset": ["evaluate", "--model", str(model), "--data", "./nowhere"],
        "evaluate: misspelt option": ["evaluate", "--modle", str(model), *data],
        "evaluate: one model to compare": ["evaluate", "--compare", str(model), *data, *out],
        "predict: no such file": ["predict", "--model", str(model), "nowhere.h5"],
        "predict: no such model": ["predict", "--model", "./nowhere", str(maps)],
        "predict: unknown table": ["predict", "--model", str(model), str(maps), "--out", "p.txt"],
        "explain: no such model": ["explain", "--model", "./nowhere", *data, *out],
        "display: no such source": ["display", "./nowhere", *out],
        "display: no such model": ["display", str(dataset), "--model", "./nowhere", *out],
        "publish: no such folder": ["publish", "nowhere", "--repo", "org/name"],
        "publish: no repository name": ["publish", str(model), "--repo", "name"],
        "publish: unknown licence": ["publish", str(model), "--repo", "org/name", "--licence", "mine"],
        "verify: no such folder": ["verify", "./nowhere"],
        "verify: no repository name": ["verify", "name"],
    }  # fmt: skip


def measure(command: list[str], folder: Path, *, whole: bool) -> tuple[float, float, str]:
    """Return seconds and CPU seconds to the first word, or to the end, and the last line until then."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_TOKEN": "hf_none", "OMP_NUM_THREADS": "1"}
    started = time.monotonic()
    process = subprocess.Popen(
        [*NUZOO, *command], stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment,
        start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    said = b""
    while whole or not said.strip():
        try:
            said += os.read(ours, 65536)
        except OSError:  # the terminal's other end is closed
            break
    seconds = time.monotonic() - started
    cpu = sum(float(ticks) for ticks in _stat(process.pid)[11:13]) / os.sysconf("SC_CLK_TCK")
    if process.poll() is None and not whole:
        os.killpg(process.pid, signal.SIGKILL)
    used = os.wait4(process.pid, 0)[2] if process.returncode is None else None
    os.close(ours)
    if whole and used is not None:
        cpu = used.ru_utime + used.ru_stime
    return seconds, cpu, said.decode(errors="replace").strip().splitlines()[-1:][0] if said.strip() else ""


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()


def table(title: str, commands: dict[str, list[str]], *, whole: bool) -> None:
    print(f"\n| {title} | seconds | CPU seconds | said |\n|---|---|---|---|")
    for name, command in commands.items():
        found = []
        for _ in range(RUNS):
            with tempfile.TemporaryDirectory() as folder:
                found.append(measure(command, Path(folder), whole=whole))
        seconds, cpu = (statistics.median(one[place] for one in found) for place in (0, 1))
        print(f"| {name} | {seconds:.2f} | {cpu:.2f} | {found[0][2][:90]} |", flush=True)


def make(folder: Path) -> tuple[Path, Path]:
    dataset, model = folder / "data", folder / "model"
    simulate = [*NUZOO, "simulate", "lartpc-pixelmaps", "--events", "200", "--out", str(dataset)]
    subprocess.run(simulate, check=True)
    short = ["training.num_train_epochs=1", f"training.output_dir={model}"]
    subprocess.run([*NUZOO, "train", "nu_cnn_tiny", f"data.path={dataset}", *short], check=True)
    return dataset, model


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        given = [Path(path).resolve() for path in sys.argv[1:]]
        dataset, model = given if given else make(Path(name))
        maps = Path(name) / "maps.npy"
        np.save(maps, np.ones((1, 2, 512, 512), np.float32))
        table("first word", first_words(dataset, model, maps), whole=False)
        table("refusal", refusals(dataset, model, maps), whole=True)


if __name__ == "__main__":
    main()
