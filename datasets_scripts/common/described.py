"""Datasets of detectors that are none of nuzoo's own carry a description of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nuzoo.files.atomic import write_atomically
from nuzoo.files.names import DETECTOR_FILE
from nuzoo.simulation.detectors import OWN, Detector, find_detector
from nuzoo.simulation.detectors.detector_file import detector_text
from nuzoo.simulation.response.pixel_maps import DriftReadout, PixelMapReadout


def description_of(detector: Detector) -> str | None:
    """Describe a detector as YAML; None of nuzoo's own, and of those that a plug-in brings its code for."""
    described = type(detector.readout) in (PixelMapReadout, DriftReadout)
    return detector_text(detector) if described and detector.name not in OWN else None


def write_description(folder: Path, detector: Detector) -> None:
    """Write the description of a detector into the folder of its events, where one is needed."""
    if text := description_of(detector):
        write_atomically(folder / DETECTOR_FILE, text)


def know_detectors(folder: Path) -> None:
    """Know the detectors that a dataset's folder, or those of its configurations, describe.

    Raises:
        DetectorError: A description is broken, or of another detector than the one known by its name.
    """
    for file in (folder / DETECTOR_FILE, *sorted(folder.glob(f"*/{DETECTOR_FILE}"))):
        if file.is_file():
            find_detector(file)


def know_published_detectors(repo_id: str, revision: str | None = None) -> None:
    """Know the detectors that a dataset on the Hub describes.

    Without a connection those that were known of it before are.

    Raises:
        DetectorError: See `know_detectors`.
    """
    from huggingface_hub import HfApi, hf_hub_download, try_to_load_from_cache

    place: dict[str, Any] = {"repo_type": "dataset", "revision": revision}
    try:
        names = HfApi().list_repo_files(repo_id, **place)
    except OSError:
        cached = try_to_load_from_cache(repo_id, DETECTOR_FILE, **place)
        files = [cached] if isinstance(cached, str) else []
    else:
        described = [name for name in names if Path(name).name == DETECTOR_FILE and name.count("/") < 2]
        files = [hf_hub_download(repo_id, name, **place) for name in described]
    for file in files:
        find_detector(file)
