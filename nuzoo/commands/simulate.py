"""Simulate detector events into a folder of Parquet shards that `datasets.load_dataset` reads.

Killed at any moment, the same command goes on and ends with the same bytes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from nuzoo.files.output_folder import check_output
from nuzoo.simulation.detectors import DETECTORS
from nuzoo.simulation.spectra import SPECTRA

DATASETS = ("lartpc-pixelmaps",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Says what the command takes."""
    parser.add_argument("dataset", choices=DATASETS)
    parser.add_argument("--events", type=int, required=True, help="how many events")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--num-proc", type=int, default=1, help="processes (default: 1)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the simulation (default: 0)")
    parser.add_argument("--detector", choices=DETECTORS, default="modular-2x2x7")
    parser.add_argument("--spectrum", choices=SPECTRA, default="flat-0-10")


def run(args: argparse.Namespace) -> int:
    """Does it."""
    from nuzoo.datasets_scripts.lartpc_pixelmaps import simulate_dataset
    from nuzoo.datasets_scripts.pixel_map_rows import SPLITS

    check_output(args.out)
    manifest = simulate_dataset(
        args.out,
        events=args.events,
        seed=args.seed,
        detector=args.detector,
        spectrum=args.spectrum,
        num_proc=args.num_proc,
    )
    splits = ", ".join(f"{events} {split}" for split, events in manifest["splits"].items())
    print(f"dataset: {args.out} ({splits})")
    if empty := sorted(set(SPLITS) - set(manifest["splits"])):
        print(
            f"no event fell into {', '.join(empty)}: training and evaluation need all splits, simulate more"
        )
    return 0
