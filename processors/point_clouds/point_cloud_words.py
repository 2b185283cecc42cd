"""What a processor of point clouds says of itself, to people and to those who make its tensors themselves."""

from collections.abc import Mapping
from typing import Any

from nuzoo.files.events.point_cloud_events import VOXEL


def cloud_facts(settings: Mapping[str, Any], mm_per_unit: float) -> dict[str, str]:
    """Give meaning and value of its settings, with units.

    Args:
        settings: of the processor.
        mm_per_unit: what a coordinate of 1 is.
    """
    threshold, grid = settings["energy_threshold_mev"], settings["grid"]
    left_out = {} if threshold is None else {"hits left out": f"those of no more than {threshold:g} MeV"}
    return (
        _of_detector(settings)
        | left_out
        | {
            "unit of coordinates": f"{mm_per_unit:.7g} mm, half the detector's diagonal",
            "grid": "the detector's voxels"
            if grid == VOXEL
            else f"cells of {grid:g} ({grid * mm_per_unit:.4g} mm)",
            "hits in one cell": "energies added; position and truth of the hit of most energy",
            "scale of energies": _scale_in_words(settings),
            "what the network takes": "`coordinates` (points, 3) and `energy` (points, 1), float32, "
            "dimensionless; `grid_coordinates` (points, 3) and `offset` (events,), int64",
        }
    )


def cloud_instructions(settings: Mapping[str, Any], mm_per_unit: float) -> dict[str, Any]:
    """Give `constants` and `steps`; see `EventProcessor.instructions`.

    Args:
        settings: of the processor.
        mm_per_unit: what a coordinate of 1 is.
    """
    is_voxel, is_panda = settings["positions"] == VOXEL, settings["normalisation"] == "panda"
    measured = settings["energy_statistics"] or dict.fromkeys(("k", "mu", "sigma"))
    constants = {
        "energy_unit": "MeV",
        **{name: settings[name] for name in ("detector", "positions", "shape", "pitch_mm", "origin_mm")},
        "mm_per_unit": mm_per_unit,
        "energy_threshold_mev": settings["energy_threshold_mev"],
        "grid": settings["grid"],
        **(
            {name: settings[name] for name in ("energy_offset_mev", "energy_max_mev")}
            if is_panda
            else {"energy_transform": settings["energy_transform"], **measured}
        ),
    }
    middle = "(number - shape / 2) * pitch_mm" if is_voxel else "position - origin_mm - shape * pitch_mm / 2"
    cells = {
        True: "the number of the voxel that the hit is in, along each axis",
        False: "floor(coordinates / grid) along each axis, less the least of the event",
    }
    scaled = {
        True: "2 * log(1 + energy / energy_offset_mev) / log(1 + energy_max_mev / energy_offset_mev) - 1",
        False: "(energy_transform(energy / k) - mu) / sigma",
    }
    steps = [
        "leave out hits whose energy is not above energy_threshold_mev, where that is stated",
        f"coordinates[hit] is ({middle}) / mm_per_unit along x, y and z, as float32",
        f"grid_coordinates[hit] is {cells[settings['grid'] == VOXEL]}",
        "of the hits of an event with equal grid_coordinates keep the one of most energy, of equal ones the "
        "first, and give it the sum of their energies",
        f"replace each energy by {scaled[is_panda]}",
        "coordinates (points, 3), energy (points, 1) and grid_coordinates (points, 3) are those of the hits "
        "that are left, in their order, one event after the other; offset[event] is where its points end",
    ]
    return {"constants": constants, "steps": steps}


def image_facts(settings: Mapping[str, Any], context_features: int) -> dict[str, str]:
    """Give meaning and value of the settings of a processor of particle images, with units.

    Args:
        settings: of the processor.
        context_features: numbers beside an image.
    """
    size = " × ".join(f"{edge:g}" for edge in settings["size"])
    framed = {"crop": "cut out around the middle", "scale": "shrunk if they do not fit"}
    return _of_detector(settings) | {
        "images": f"of each {settings['of']}, {size} voxels, {framed[settings['framing']]}",
        "scale of energies": f"robust, {settings['energy_transform']}",
        "numbers beside an image": f"{context_features} ({settings['context']})",
        "what the network takes": "`grid_coordinates` (points, 3) and `offset` (images,), int64; `energy` "
        f"(points, 1) and `context` (images, {context_features}), float32, dimensionless",
    }


def image_instructions(settings: Mapping[str, Any], context_features: int) -> dict[str, Any]:
    """Give `constants` and `steps` of a processor of particle images; see `EventProcessor.instructions`.

    Args:
        settings: of the processor.
        context_features: numbers beside an image.
    """
    names = ("detector", "positions", "shape", "pitch_mm", "origin_mm", "of", "size", "framing", "least_hits")
    measured = settings["energy_statistics"] or dict.fromkeys(("k", "mu", "sigma"))
    constants = {
        "energy_unit": "MeV",
        **{name: settings[name] for name in names},
        "context": settings["context"],
        "energy_transform": settings["energy_transform"],
        **measured,
    }
    framing = {
        "crop": "subtract the first voxel of the box, (low + high + 1) // 2 - size // 2 along each axis, at "
        "least 0 and at most shape - size, and leave out what is not from 0 to size - 1",
        "scale": "take floor((voxel - (low + high) / 2) * s + size / 2), with s the least of 1 and, over the "
        "axes, (size - 1) / (high - low), and add up the energies in one cell",
    }
    steps = [
        f"take the hits of each {settings['of']}, of particles those with least_hits or more",
        "put each into its voxel of the detector, and add up the energies of those in one",
        f"with low and high the least and the largest voxel along each axis, {framing[settings['framing']]}",
        "replace each energy by (energy_transform(energy / k) - mu) / sigma",
        "grid_coordinates (points, 3) and energy (points, 1) are those of image after image; offset[image] "
        "is where its points end",
        f"context[image] are {context_features} numbers, whose formulas are in cluster_features.py, "
        "event_context.py and image_context.py",
    ]
    return {"constants": constants, "steps": steps}


def _of_detector(settings: Mapping[str, Any]) -> dict[str, str]:
    numbers, edges = (" × ".join(f"{each:g}" for each in settings[name]) for name in ("shape", "pitch_mm"))
    facts = {
        "unit of energy": "MeV per hit",
        "detector": settings["detector"],
        "positions": "numbers of voxels" if settings["positions"] == VOXEL else "mm, in the detector's frame",
        "voxels": f"{numbers} of {edges} mm",
    }
    return {meaning: value for meaning, value in facts.items() if value is not None}


def _scale_in_words(settings: Mapping[str, Any]) -> str:
    if settings["normalisation"] == "robust":
        return f"robust, {settings['energy_transform']}"
    offset, largest = settings["energy_offset_mev"], settings["energy_max_mev"]
    return f"logarithmic, 0 MeV to -1 and {largest:g} MeV to +1, offset {offset:g} MeV"
