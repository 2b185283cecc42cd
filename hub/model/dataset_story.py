"""What a model card says of the events that a model was trained and measured on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from nuzoo.datasets_scripts.common.dataset_card import GIVEN_KINDS, SIMULATED, own_words, simulation_command
from nuzoo.datasets_scripts.common.samples import find_sample
from nuzoo.evaluation.core.results import DatasetFacts
from nuzoo.hub.model.dataset_reference import PublishedConfig
from nuzoo.simulation.interactions import Spectrum
from nuzoo.simulation.spectra import SPECTRA

ENERGY_COLUMN = "neutrino_energy"
FLAVOURS = {12: "electron", 14: "muon", 16: "tau", -12: "anti-electron", -14: "anti-muon", -16: "anti-tau"}


def dataset_story(
    config: PublishedConfig, dataset: DatasetFacts, predictions: Path, recipe: Mapping[str, Any]
) -> dict[str, object]:
    """Tell of the events, as facts by name.

    Args:
        config: The published events.
        dataset: Section "dataset" of the results.
        predictions: File with the measured events.
        recipe: Of the run.
    """
    counts = ", ".join(f"{len(names):,} {split}" for split, names in config.lists.items())
    return {
        "training events": _training(config, recipe),
        "splits": f"{counts}; an event's split is decided by the SHA-256 of its name",
        **_origin(config.plan),
        "measured events": ", ".join([_of_split(dataset), *_energies_told(predictions)]),
    }


def _training(config: PublishedConfig, recipe: Mapping[str, Any]) -> str:
    there = len(config.lists.get("train", ()))
    wanted = recipe.get("data", {}).get("train_events")
    used = min(wanted, there) if isinstance(wanted, int) else there
    return f"{f'the first {used:,} of {there:,} of' if used < there else f'{used:,},'} the split train"


def _origin(plan: Mapping[str, Any]) -> dict[str, object]:
    """Tell where training and measured events alike come from."""
    if "simulation" not in plan:
        return {"events": "those of the files that the dataset was converted from"}
    return {**_simulated(plan), "made by": f"`{simulation_command(plan)}`"}


def _simulated(plan: Mapping[str, Any]) -> dict[str, object]:
    """Tell what was simulated: neutrinos of a spectrum, or what the dataset says of its events."""
    if given := plan.get("given"):
        return {"events": f"{GIVEN_KINDS[given]} File: {plan['file']}, {plan['format']}"}
    if spectrum := plan.get("spectrum"):
        words = spectrum_words(SPECTRA[spectrum])
        return {"neutrinos": f"{words}, in all splits (spectrum `{spectrum}`)"}
    return {"events": f"{SIMULATED} {own_words(find_sample(plan['dataset'])).composition}".strip()}


def _of_split(dataset: DatasetFacts) -> str:
    if dataset.split in (None, "all"):
        return f"{dataset.events:,} labelled events of all splits"
    return f"{dataset.events:,} of the {dataset.split} split"


def _energies_told(predictions: Path) -> list[str]:
    """Tell the range of the events' neutrino energies; nothing of events that are no single neutrinos."""
    if ENERGY_COLUMN not in pq.read_schema(predictions).names:
        return []
    column = pq.read_table(predictions, columns=[ENERGY_COLUMN])[ENERGY_COLUMN]
    energies = column.to_numpy().astype(np.float64)
    known = energies[np.isfinite(energies)]
    if not known.size:
        return ["of unknown neutrino energy"]
    low, middle, high = known.min(), np.median(known), known.max()
    return [f"neutrino energies {low:.2g} to {high:.2g} GeV, half of them above {middle:.2g} GeV"]


def spectrum_words(spectrum: Spectrum) -> str:
    """Tell flavours, energies and currents of a spectrum."""
    shares = zip(spectrum.flavours, spectrum.fractions, strict=True)
    flavours = ", ".join(f"{share:.0%} {FLAVOURS[flavour]} neutrinos" for flavour, share in shares)
    return f"{flavours}, {_energies_of(spectrum)}, {spectrum.cc_fraction:.0%} charged-current interactions"


def _energies_of(spectrum: Spectrum) -> str:
    if spectrum.energy_table is None:
        low, high = spectrum.energy_range
        shape = "flat in energy"
    else:
        energies, weights = (np.array(column) for column in spectrum.energy_table)
        low, high = energies[0], energies[-1]
        logarithmic = np.allclose(energies * weights, energies[0] * weights[0])
        shape = "flat in the logarithm of the energy" if logarithmic else "with a tabulated spectrum"
    return f"{shape} from {low / 1000:g} to {high / 1000:g} GeV"
