"""Started by torchrun: writes which events each process learns from, in a run and in one that was stopped."""

import json
import sys
from pathlib import Path

import torch.distributed as dist

from nuzoo.training import streamed_events
from nuzoo.training.recipe import load_recipe
from nuzoo.training.supervised import train

collate = streamed_events.RowsToBatch.__call__
seen = []


def noting(self, items):
    seen.append([row["event_id"][0].as_py() for row in items])
    return collate(self, items)


def events_of(folder, *steps):
    """Train to each number of steps, going on from the one before; give the events of the last training."""
    for number in steps:
        seen.clear()
        recipe = load_recipe(folder / "recipe.yaml", [f"training.max_steps={number}"])
        name = "whole" if len(steps) == 1 else "stopped"
        train(recipe.changed({"training.output_dir": str(folder / name)}))
    return [event for batch in seen for event in batch]


def main(folder):
    streamed_events.RowsToBatch.__call__ = noting
    for name, steps in {"whole": (4,), "stopped": (2, 4)}.items():
        found = events_of(folder, *steps)
        (folder / f"{name}-{dist.get_rank()}.json").write_text(json.dumps(found[: 4 * 4]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
