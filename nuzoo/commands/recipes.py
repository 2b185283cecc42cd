"""List the recipes that come with nuzoo, or show one.

A recipe is everything that decides a training. To make one of your own, write what this shows into a file,
change it, and give `nuzoo train` the file; or override single fields on its command line.
"""

from __future__ import annotations

import argparse
from textwrap import shorten

from nuzoo.training.recipe_files import find_recipe, shipped_recipes

WIDTH = 110


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("recipe", nargs="?", help="show this one, as YAML")


def begin(args: argparse.Namespace) -> str:
    """Refuse what the arguments alone show to be wrong; give the first word of the command."""
    return f"recipe {find_recipe(args.recipe)}" if args.recipe else "the recipes that come with nuzoo"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    if args.recipe is not None:
        print(find_recipe(args.recipe).read_text(encoding="utf-8"), end="")
        return 0
    rows = [
        (name, recipe["task"], recipe["model"]["model_type"], recipe["source"])
        for name, recipe in shipped_recipes().items()
    ]
    titles = ("recipe", "task", "network", "source")
    widths = [max(len(row[column]) for row in (titles, *rows)) for column in range(3)]
    for row in (titles, *rows):
        start = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=False))
        print(f"{start}  {shorten(row[3], max(20, WIDTH - len(start)), placeholder=' …')}")
    print("\n`nuzoo recipes RECIPE` shows one, `nuzoo train RECIPE` trains by it.")
    return 0
