"""Freeze nuzoo-1: simulate its events and write its file. A frozen benchmark is never frozen again.

Usage: python benchmarks/freeze_benchmark.py FOLDER OUT.json   (the events go to FOLDER, and are kept)
"""

import sys
from pathlib import Path

from nuzoo.cli import main
from nuzoo.datasets_scripts.common.splits import split_of
from nuzoo.evaluation.benchmark.frozen import Benchmark, Budget, FrozenTask, write_benchmark
from nuzoo.evaluation.benchmark.samples import describe_sample, in_frozen_order
from nuzoo.zoo.origins import CUBES, DUNE_LIKE, FASERCAL, MODULAR, SCINTILLATOR, Events

HITS, PARTICLES, FLAVOUR = "motif", "particle", "flavour"

SAMPLES = {
    "modular-test": (
        "lartpc-pixelmaps --events 2000 --seed 110101 --detector modular-2x2x7 --spectrum flat-0-10",
        ["label"],
    ),
    "dune-test": (
        "lartpc-pixelmaps --events 2000 --seed 110102 --detector dune-like-3view --spectrum broad-0.5-40",
        ["label"],
    ),
    "cubes-test": ("lartpc-cubes --events 300 --seed 110103", [HITS, PARTICLES, "pid"]),
    "cubes-fit": ("lartpc-cubes --events 250 --seed 110113", [HITS]),
    "fasercal-test": ("fasercal --events 600 --seed 110104", [FLAVOUR, "charm", "is_cc"]),
    "fasercal-fit": ("fasercal --events 600 --seed 110114", [FLAVOUR]),
    "scintillator-test": ("scintillator-particles --events 1000 --seed 110105", ["label"]),
}


def budget(origin: Events) -> Budget:
    words = origin.arguments.split()
    events, seed = (int(words[words.index(flag) + 1]) for flag in ("--events", "--seed"))
    return Budget(
        arguments=origin.arguments,
        events=sum(split_of(f"sim-{seed}-{index}") == "train" for index in range(events)),
    )


def task(title, kinds, sample, targets, metric, origin, fit=None, **options):
    return FrozenTask(
        title=title,
        kinds=kinds,
        sample=sample,
        targets=targets,
        metric=metric,
        training=budget(origin),
        fit=fit,
        options=options,
    )


TASKS = {
    "modular-events": task(
        "Event classification, modular LArTPC, two views",
        ["event-classification"],
        "modular-test",
        ["label"],
        "accuracy",
        MODULAR,
        half_resolution=False,
    ),
    "dune-events": task(
        "Event classification, DUNE-like LArTPC, three views",
        ["event-classification"],
        "dune-test",
        ["label"],
        "accuracy",
        DUNE_LIKE,
        half_resolution=False,
    ),
    "cube-hits": task(
        "Kind of activity of each hit, LArTPC cubes",
        ["hit-segmentation"],
        "cubes-test",
        [HITS],
        "macro_f1",
        CUBES,
    ),
    "cube-particles": task(
        "Particle of each hit, LArTPC cubes",
        ["particle-segmentation"],
        "cubes-test",
        [PARTICLES, "pid"],
        "pq",
        CUBES,
    ),
    "fasercal-events": task(
        "Flavour, charm, momenta and vertex, FASERCal",
        ["event-reconstruction"],
        "fasercal-test",
        [FLAVOUR, "charm"],
        "flavour_macro_auc",
        FASERCAL,
    ),
    "scintillator-particles": task(
        "Particle classification, scintillator of cubes",
        ["particle-classification"],
        "scintillator-test",
        ["label"],
        "accuracy",
        SCINTILLATOR,
    ),
    "cube-features": task(
        "Learnt without labels: linear probe of hits, LArTPC cubes",
        ["pre-training", "masked-autoencoding"],
        "cubes-test",
        [HITS],
        "macro_f1",
        CUBES,
        "cubes-fit",
        target=HITS,
    ),
    "fasercal-features": task(
        "Learnt without flavours: linear probe of events, FASERCal",
        ["masked-event-modelling"],
        "fasercal-test",
        [FLAVOUR],
        "macro_auc",
        FASERCAL,
        "fasercal-fit",
        target=FLAVOUR,
    ),
}


def freeze(folder: Path, out: Path) -> None:
    samples = {}
    for name, (arguments, columns) in SAMPLES.items():
        if main(["simulate", *arguments.split(), "--out", str(folder / name), "--num-proc", "2"]):
            sys.exit(1)
        samples[name] = describe_sample(arguments, in_frozen_order(str(folder / name)), columns)
    frozen = Benchmark(name=out.stem, replicas=1000, seed=20261130, samples=samples, tasks=TASKS)
    write_benchmark(out, frozen)
    print(f"{out}: {frozen.sha256}")


if __name__ == "__main__":
    freeze(Path(sys.argv[1]), Path(sys.argv[2]))
