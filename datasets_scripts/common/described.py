"""Datasets of detectors that are none of nuzoo's own carry a description of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from nuzoo.files.atomic import write_atomically
from nuzoo.files.names import DETECTOR_FILE
from nuzoo.simulation.detectors import DETECTORS, OWN, Detector, enter_detector, find_detector
from nuzoo.simulation.detectors.detector_file import detector_text
from nuzoo.simulation.materials import LAR
from nuzoo.simulation.response.pixel_maps import Anchor, DriftReadout, PixelMapReadout, View


def description_of(detector: Detector) -> str | None:
    """Describe a detector as YAML; None of nuzoo's own, and of those that a plug-in brings its code for."""
    described = type(detector.readout) in (PixelMapReadout, DriftReadout)
    return detector_text(detector) if described and detector.name not in OWN else None


def digest_of(detector: Detector) -> dict[str, str]:
    """Give what a plan says of the description of a detector, nothing where there is none."""
    text = description_of(detector)
    return {} if text is None else {"detector_sha256": sha256(text.encode()).hexdigest()}


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


def known_by_geometry(geometry: Mapping[str, Any]) -> Detector[PixelMapReadout]:
    """Know a detector by its name as one whose files can be read, unless it is known already.

    Args:
        geometry: `detector`, `views`, `height`, `width`, and `pixel_pitch_mm` of each view.
    """
    name, nowhere = geometry["detector"], (0.0, 0.0, 0.0)
    if name not in DETECTORS:
        pitches = zip(geometry["views"], geometry["pixel_pitch_mm"], strict=True)
        views = tuple(_view(view, pitch, geometry["height"], geometry["width"]) for view, pitch in pitches)
        enter_detector(Detector(name, LAR, nowhere, nowhere, nowhere, nowhere, PixelMapReadout(views=views)))
    return find_detector(name)


def _view(name: str, pitch: Sequence[float], rows: int, columns: int) -> View:
    """Make a view; only a name such as yz tells where its axes point."""
    axes = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}
    along = [axes.get(letter, (0.0, 0.0, 0.0)) for letter in (name if len(name) == 2 else "  ")]
    return View(
        name=name,
        row_axis=along[0],
        column_axis=along[1],
        row_pitch_mm=pitch[0],
        column_pitch_mm=pitch[1],
        rows=rows,
        columns=columns,
        row_anchor=Anchor.VERTEX,
        column_anchor=Anchor.VERTEX,
        anchor_pixel=(rows // 2, columns // 2),
    )


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
