"""What a model card says of the events that a model was trained and measured on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.hub.model.dataset_reference import PublishedConfig
from nuzoo.hub.model.spectrum_words import spectrum_words
from nuzoo.simulation.spectra import SPECTRA


def dataset_story(
    config: PublishedConfig,
    dataset: Mapping[str, Any],
    energies: NDArray[np.float64],
    recipe: Mapping[str, Any],
) -> dict[str, object]:
    """Facts by name, for a list.

    Args:
        config: The published events.
        dataset: Section "dataset" of the results file.
        energies: Neutrino energies of the measured events, GeV, NaN where unknown.
        recipe: Of the run.
    """
    counts = ", ".join(f"{len(names):,} {split}" for split, names in config.lists.items())
    return {
        "training events": _training(config, recipe),
        "splits": f"{counts}; an event's split is decided by the SHA-256 of its name",
        "neutrinos": _neutrinos(config.plan),
        "measured events": f"{_of_split(dataset)}, {_range(energies)}",
    }


def _training(config: PublishedConfig, recipe: Mapping[str, Any]) -> str:
    there = len(config.lists.get("train", ()))
    wanted = recipe.get("data", {}).get("train_events")
    used = min(wanted, there) if isinstance(wanted, int) else there
    return (
        f"the first {used:,} of {there:,} of the split train"
        if used < there
        else f"{used:,}, the split train"
    )


def _neutrinos(plan: Mapping[str, Any]) -> str:
    """Of training and measured events alike."""
    if plan.get("spectrum") in SPECTRA:
        return f"{spectrum_words(SPECTRA[plan['spectrum']])}, in all splits (spectrum `{plan['spectrum']}`)"
    return "those of the files that the dataset was converted from, the same in all splits"


def _of_split(dataset: Mapping[str, Any]) -> str:
    split = dataset["split"]
    which = "labelled events of all splits" if split in (None, "all") else f"of the {split} split"
    return f"{dataset['events']:,} {which}"


def _range(energies: NDArray[np.float64]) -> str:
    known = energies[np.isfinite(energies)]
    if not known.size:
        return "of unknown neutrino energy"
    middle = np.median(known)
    return (
        f"neutrino energies {known.min():.2g} to {known.max():.2g} GeV, half of them above {middle:.2g} GeV"
    )
