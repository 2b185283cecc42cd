"""The card of a pixel-map dataset: text from the template, facts from the dataset itself."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import yaml

from nuzoo.datasets_scripts.pixel_map_rows import DESCRIPTIONS, row_features
from nuzoo.simulation.detectors import Detector

LIMITS = (
    "The simulation is a fast parametrised one and approximate in multiplicities, final-state interactions "
    "and hadronic showers; nuzoo's `docs/interactions.md` and `docs/transport.md` measure how far it is from "
    "GENIE, GiBUU and published tables. Numbers that matter must be checked with a full simulation."
)
CITATION = "Cite nuzoo (CITATION.cff) and, for the detector and the task, arXiv:2509.08461."


CONVERTED_LIMITS = (
    "Truth is what the files state; columns that they do not have are null. The detector's properties above "
    "are those of nuzoo's description of it, not measured from these files."
)


def write_dataset_card(
    out: Path, detector: Detector, manifest: Mapping[str, Any], origin: str, *, simulated: bool
) -> Path:
    """Writes README.md, with the metadata that `load_dataset` and the dataset viewer read.

    Args:
        out: Folder of the dataset.
        detector: What recorded it.
        manifest: From `write_shards`.
        origin: How the events were made, a phrase.
        simulated: By nuzoo; otherwise licence and limits are those of converted files.
    """
    template = files("nuzoo.model_cards").joinpath("pixel_map_dataset.md").read_text(encoding="utf-8")
    total = sum(manifest["splits"].values())
    size = sum(file["bytes"] for file in manifest["files"].values())
    view = detector.views[0]
    text = Template(template).substitute(
        name="lartpc-pixelmaps",
        description=f"{total:,} events, {size / 1e6:.1f} MB.",
        detector=detector.name,
        views=", ".join(view.name for view in detector.views),
        origin=origin,
        first_view=view.name,
        first_view_index=f"{view.name}_index",
        first_view_energy=f"{view.name}_energy",
        splits_table=_table(("split", "events"), manifest["splits"].items()),
        columns_table=_table(("column", "content"), DESCRIPTIONS.items()),
        map_columns=view.columns,
        detector_facts=_detector_facts(detector),
        provenance=origin[0].upper() + origin[1:] + ". Each row's `source` names its own origin.",
        limits=LIMITS if simulated else CONVERTED_LIMITS,
        licence="Apache-2.0." if simulated else "That of the files that were converted: state it here.",
        citation=CITATION if simulated else "Cite the source of the files.",
    )
    card = out / "README.md"
    card.write_text(f"---\n{_metadata(detector, manifest, simulated)}---\n\n{text}", encoding="utf-8")
    return card


def _metadata(detector: Detector, manifest: Mapping[str, Any], simulated: bool) -> str:
    splits = manifest["splits"]
    sizes = {
        split: sum(file["bytes"] for path, file in manifest["files"].items() if f"/{split}-" in path)
        for split in splits
    }
    content = {
        "license": "apache-2.0" if simulated else "other",
        "task_categories": ["image-classification"],
        "tags": ["physics", "neutrino", "LArTPC", "pixel maps"],
        "pretty_name": f"LArTPC pixel maps ({detector.name})",
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": f"data/{split}-*.parquet"} for split in splits],
            }
        ],
        "dataset_info": {
            "features": row_features(detector)._to_yaml_list(),
            "splits": [
                {"name": split, "num_bytes": sizes[split], "num_examples": events}
                for split, events in splits.items()
            ],
            "download_size": sum(sizes.values()),
            "dataset_size": sum(sizes.values()),
        },
    }
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def _detector_facts(detector: Detector) -> str:
    size = " × ".join(
        f"{(high - low) / 100:g}" for low, high in zip(detector.low, detector.high, strict=True)
    )
    drift, electronics = detector.drift, detector.electronics
    facts = {
        "active volume": f"{size} m of {detector.material.name.replace('_', ' ')}",
        "anodes": f"x = {', '.join(f'{anode / 100:g}' for anode in drift.anodes)} m",
        "drift field": f"{drift.field:g} kV/cm, {drift.velocity:g} mm/µs, lifetime {drift.lifetime:g} ms",
        "diffusion after 1 m": (
            f"{drift.transverse_diffusion:g} mm across, {drift.longitudinal_diffusion:g} mm along"
        ),
        "noise and threshold": f"{electronics.noise:g} and {electronics.threshold:g} electrons",
    }
    for view in detector.views:
        facts[f"view {view.name}"] = (
            f"{view.rows} × {view.columns} pixels of {view.row_pitch_mm:g} × {view.column_pitch_mm:g} mm"
        )
    return _table(("property", "value"), facts.items())


def _table(header: tuple[str, str], rows: Any) -> str:
    lines = [f"| {left} | {right} |" for left, right in [header, ("---", "---"), *rows]]
    return "\n".join(lines)
