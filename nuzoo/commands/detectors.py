"""List the detectors that nuzoo knows, or show one: one with pixel maps as YAML, a start for one of your own.

`nuzoo detectors NAME > my-detector.yaml`, then give `--detector my-detector.yaml` to the commands that
simulate or read files. Only name, size and views are needed; the rest is for simulations.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("detector", nargs="?", metavar="NAME", help="show this one; a name, or a YAML file")


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from nuzoo.simulation.detectors import DETECTORS, find_detector
    from nuzoo.simulation.detectors.detector_file import shown
    from nuzoo.simulation.detectors.overview import overview

    if args.detector is not None:
        print(shown(find_detector(args.detector)), end="")
        return 0
    for line in overview(DETECTORS.values()):
        print(line)
    return 0
