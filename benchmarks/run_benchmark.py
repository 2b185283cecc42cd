"""Make both baselines and measure them with all bundled models: everything that is on the benchmark's page.

Usage: python benchmarks/run_benchmark.py [WORK]   (default: runs/benchmark-work)

Events, the submission of the boosted trees and the sparse U-Net go to WORK, results to WORK/results. What is
there already is not made again. The U-Net sees what nu-point-motif-tiny saw: the training events of the task
cube-hits, one and a half times, with its learning rate and augmentation.
"""

import subprocess
import sys
from pathlib import Path

from nuzoo.cli import main
from nuzoo.evaluation.benchmark.frozen import packaged_file, read_benchmark
from nuzoo.files.names import MANIFEST_FILE

COLUMNS = {"modular-events": 512, "dune-events": 500}
EPOCHS, STEPS = 1.5, 1122


def nuzoo(*command):
    print("$ nuzoo", *command, flush=True)
    if main([str(word) for word in command]):
        sys.exit(1)


def simulated(folder, arguments):
    if not (folder / MANIFEST_FILE).is_file():
        nuzoo("simulate", *arguments.split(), "--out", folder, "--num-proc", 2)
    return folder


def boosted_trees(work, benchmark):
    out = work / "boosted-trees"
    if (out / "submission.json").is_file():
        return out
    command = [sys.executable, Path(__file__).with_name("boosted_trees.py"), packaged_file(), out]
    for name, columns in COLUMNS.items():
        task = benchmark.tasks[name]
        train = simulated(work / "training" / name, task.training.arguments)
        test = simulated(work / "data" / task.sample, benchmark.samples[task.sample].arguments)
        command += ["--task", name, train, test, columns]
    subprocess.run(list(map(str, command)), check=True)
    return out


def sparse_unet(work, benchmark):
    out = work / "nu-unet-motif-tiny"
    train = simulated(work / "training" / "cube-hits", benchmark.tasks["cube-hits"].training.arguments)
    fields = {
        "data.path": train,
        "training.output_dir": out,
        "training.num_train_epochs": EPOCHS,
        "training.eval_strategy": "steps",
        "training.save_strategy": "steps",
        "training.eval_steps": STEPS,
        "training.save_steps": STEPS,
    }
    nuzoo("train", "nu_unet_motif_tiny", *(f"{field}={value}" for field, value in fields.items()))
    return out


def run(work):
    benchmark = read_benchmark()
    entries = [boosted_trees(work, benchmark), sparse_unet(work, benchmark)]
    nuzoo("benchmark", *entries, "--bundled", "--data", work / "data", "--out", work / "results")


if __name__ == "__main__":
    run(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/benchmark-work"))
