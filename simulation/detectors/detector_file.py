"""Detectors as YAML files: those of users, and nuzoo's own as a start for one.

Lengths, energies and charges have their units in the names of the fields.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from operator import mul
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from nuzoo.files.each_field_once import EachFieldOnce
from nuzoo.files.nearest_names import did_you_mean
from nuzoo.simulation.detectors.detector import Detector
from nuzoo.simulation.errors import DetectorFileError
from nuzoo.simulation.event_types import Vector
from nuzoo.simulation.materials import LAR, MATERIALS
from nuzoo.simulation.response.charge import Drift
from nuzoo.simulation.response.pixel_maps import (
    Anchor,
    DriftReadout,
    Electronics,
    Entry,
    PixelMapReadout,
    View,
)

LARGEST_FILE = 1 << 20
AXES: dict[str, Vector] = {"x": (1.0, 0.0, 0.0), "y": (0.0, 1.0, 0.0), "z": (0.0, 0.0, 1.0)}
ROUNDING = 1e-4
NOWHERE: Vector = (0.0, 0.0, 0.0)

Place = tuple[FiniteFloat, FiniteFloat, FiniteFloat]
Axis = Literal["x", "y", "z"] | Place
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Pixels = Annotated[int, Field(ge=1, le=1 << 16)]
AnchorName = Literal["vertex", "mean", "first", "origin"]

NAME = "letters, digits, '.', '-' and '_', a letter or digit first"
POSITION = "three numbers, x, y and z in cm"
AXIS = "x, y, z or a vector of length 1: the direction along which they count up"
PLACING = (
    "vertex, mean or first: what of an event the anchor pixel holds along this axis; or origin: it begins at "
    "zero of the coordinates, for all events"
)


def _not_negative(text: str) -> Any:
    return Field(ge=0, description=f"a number of {text}, 0 or more")


class _Section(BaseModel):
    """A section of a file: its fields, described for messages, and no others."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _View(_Section):
    """A projection."""

    name: str = Field(pattern="^[A-Za-z][A-Za-z0-9]*$", description="letters and digits, a letter first")
    pitch_mm: Positive | tuple[Positive, Positive] = Field(
        description="the edge of a pixel in mm, a positive number, or two: along rows and along columns"
    )
    row_axis: Axis | None = Field(None, description=AXIS)
    column_axis: Axis | None = Field(None, description=AXIS)
    row_anchor: AnchorName = Field("vertex", description=PLACING)
    column_anchor: AnchorName = Field("vertex", description=PLACING)
    anchor_pixel: tuple[int, int] | None = Field(None, description="row and column, two whole numbers")

    def view(self, size: tuple[int, int]) -> View:
        """Make the view of maps of (rows, columns) pixels."""
        pitch = self.pitch_mm if isinstance(self.pitch_mm, tuple) else (self.pitch_mm, self.pitch_mm)
        named = self.name if len(self.name) == 2 and set(self.name) <= set(AXES) else (None, None)
        row_axis, column_axis = self.row_axis or named[0], self.column_axis or named[1]
        if row_axis is None or column_axis is None:
            raise ValueError(
                f"views: expected row_axis and column_axis of {self.name}, each {AXIS}, got none; only a "
                "view that is named by them, such as yz, needs none"
            )
        vectors = [AXES[axis] if isinstance(axis, str) else axis for axis in (row_axis, column_axis)]
        if any(abs(math.hypot(*vector) - 1) > ROUNDING for vector in vectors):
            raise ValueError(f"views: expected of the axes of {self.name} {AXIS}, got {vectors}")
        if abs(sum(map(mul, *vectors))) > 1 - ROUNDING:
            raise ValueError(
                f"views: expected two directions as the axes of {self.name}, got {row_axis} and "
                f"{column_axis}, which are one"
            )
        anchor = self.anchor_pixel or (size[0] // 2, size[1] // 2)
        if not all(0 <= pixel < pixels for pixel, pixels in zip(anchor, size, strict=True)):
            raise ValueError(
                f"views: expected as anchor_pixel of {self.name} a pixel of its {size[0]} × {size[1]}, "
                f"counted from 0, got {list(anchor)}"
            )
        return View(
            name=self.name,
            row_axis=vectors[0],
            column_axis=vectors[1],
            row_pitch_mm=pitch[0],
            column_pitch_mm=pitch[1],
            rows=size[0],
            columns=size[1],
            row_anchor=Anchor(self.row_anchor),
            column_anchor=Anchor(self.column_anchor),
            anchor_pixel=anchor,
        )


class _Volume(_Section):
    """Where interactions happen."""

    material: str = Field(LAR.name, description=f"one of {', '.join(MATERIALS)}")
    low_cm: Place = Field(description=POSITION)
    high_cm: Place = Field(description=POSITION)
    vertex_low_cm: Place | None = Field(None, description=POSITION)
    vertex_high_cm: Place | None = Field(None, description=POSITION)


class _Drift(_Section):
    """How charge gets to the anodes."""

    anodes_cm: tuple[FiniteFloat, ...] = Field(min_length=1, description="a list of the anodes' x in cm")
    field_kv_per_cm: Positive = Field(description="a positive number of kV/cm")
    velocity_mm_per_us: Positive = Field(description="a positive number of mm/µs")
    lifetime_ms: Positive = Field(description="a positive number of ms")
    transverse_diffusion_mm: FiniteFloat = _not_negative("mm after 1 m")
    longitudinal_diffusion_mm: FiniteFloat = _not_negative("mm after 1 m")


class _Electronics(_Section):
    """From charge to what is stored."""

    noise_electrons: FiniteFloat = _not_negative("electrons")
    threshold_electrons: FiniteFloat = _not_negative("electrons")
    saturation_mev: Positive | None = Field(None, description="the largest energy, a number of MeV")
    entry: Literal["charge", "hits"] = Field("charge", description="charge or hits")


class _Description(_Section):
    """A whole file."""

    name: str = Field(pattern="^[A-Za-z0-9][A-Za-z0-9._-]*$", description=NAME)
    size: tuple[Pixels, Pixels] = Field(description="rows and columns of a map, two whole numbers")
    views: tuple[_View, ...] = Field(min_length=1, description="a list of views")
    mev_per_count: Positive | None = Field(None, description="the MeV of one count, a positive number")
    volume: _Volume | None = Field(None, description="fields")
    drift: _Drift | None = Field(None, description="fields")
    electronics: _Electronics | None = Field(None, description="fields")

    def detector(self) -> Detector[PixelMapReadout]:
        """Make the detector."""
        if len({self.drift is None, self.electronics is None, self.volume is None}) > 1:
            raise ValueError("expected volume, drift and electronics, all of them or none, got some")
        views, box = tuple(view.view(self.size) for view in self.views), self.volume
        if box is None or self.drift is None or self.electronics is None:
            seen = PixelMapReadout(views=views, mev_per_count=self.mev_per_count)
            return Detector(self.name, LAR, NOWHERE, NOWHERE, NOWHERE, NOWHERE, seen)
        if box.material not in MATERIALS:
            raise ValueError(
                f"volume.material: expected one of {', '.join(MATERIALS)}, got {box.material!r}"
                f"{did_you_mean([box.material], MATERIALS)}"
            )
        charge = self.electronics
        readout = DriftReadout(
            drift=Drift(*(value for _, value in self.drift)),
            electronics=Electronics(
                charge.noise_electrons, charge.threshold_electrons, charge.saturation_mev, Entry(charge.entry)
            ),
            views=views,
            mev_per_count=self.mev_per_count,
        )
        inner = box.vertex_low_cm or box.low_cm, box.vertex_high_cm or box.high_cm
        return Detector(self.name, MATERIALS[box.material], box.low_cm, box.high_cm, *inner, readout)


_SECTIONS: dict[str, type[_Section]] = {
    "views": _View,
    "volume": _Volume,
    "drift": _Drift,
    "electronics": _Electronics,
}


def read_detector(file: Path) -> Detector[PixelMapReadout]:
    """Read a detector from a YAML file.

    Raises:
        DetectorFileError: It cannot be read, has a field that is unknown, missing or of another type, or its
            parts contradict each other.
    """
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise ValueError(f"expected the description of a detector, got more than {LARGEST_FILE} bytes")
        content = yaml.load(file.read_text(encoding="utf-8"), EachFieldOnce)
        return _Description.model_validate_json(json.dumps(content, default=str)).detector()
    except ValidationError as error:
        raise DetectorFileError(f"{file}: {_problem(error)}") from error
    except RecursionError as error:
        raise DetectorFileError(
            f"{file}: expected sections of fields, got deeper ones than any has"
        ) from error
    except (OSError, yaml.YAMLError, ValueError) as error:
        raise DetectorFileError(f"{file}: {' '.join(str(error).split())}") from error


def detector_text(detector: Detector[PixelMapReadout]) -> str:
    """Describe a detector as YAML that `read_detector` reads."""
    readout, views = detector.readout, detector.readout.views
    content: dict[str, Any] = {
        "name": detector.name,
        "size": [views[0].rows, views[0].columns],
        "views": [_view_fields(view) for view in views],
        "mev_per_count": readout.mev_per_count,
    }
    if isinstance(readout, DriftReadout):
        corners = (detector.low, detector.high, detector.vertex_low, detector.vertex_high)
        box = (detector.material.name, *map(list, corners))
        electronics = readout.electronics
        content["volume"] = dict(zip(_Volume.model_fields, box, strict=True))
        content["drift"] = _fields(_Drift, astuple(readout.drift))
        content["electronics"] = _fields(_Electronics, [*astuple(electronics)[:3], electronics.entry.value])
    known = {name: value for name, value in content.items() if value is not None}
    return yaml.safe_dump(known, sort_keys=False, default_flow_style=None, allow_unicode=True, width=100)


def shown(detector: Detector) -> str:
    """Show a detector: one with pixel maps as YAML with what each field means, any other by its facts."""
    if isinstance(detector.readout, PixelMapReadout):
        return commented_text(detector)
    facts = {"name": detector.name, **detector.facts(), **detector.readout.simulation_facts()}
    return "".join(f"{name}: {value}\n" for name, value in facts.items())


def commented_text(detector: Detector[PixelMapReadout]) -> str:
    """Describe a detector as YAML, with what each field means."""
    return "".join(f"# {line}\n" for line in _notes()) + detector_text(detector)


def _notes() -> Iterator[str]:
    yield "A detector for --detector FILE. Needed are name, size and views (of a view name, pitch_mm and, if"
    yield "its name does not say them as yz does, its axes); volume, drift, electronics are for simulations."
    for name, field in _Description.model_fields.items():
        yield f"{name}: {field.description}"
        for inner, of in _SECTIONS[name].model_fields.items() if name in _SECTIONS else ():
            yield f"  {inner}: {of.description}"


def _view_fields(view: View) -> dict[str, Any]:
    letters = {vector: letter for letter, vector in AXES.items()}
    pitch = [view.row_pitch_mm, view.column_pitch_mm]
    return {
        "name": view.name,
        "pitch_mm": pitch[0] if pitch[0] == pitch[1] else pitch,
        "row_axis": letters.get(view.row_axis, list(view.row_axis)),
        "column_axis": letters.get(view.column_axis, list(view.column_axis)),
        "row_anchor": view.row_anchor.value,
        "column_anchor": view.column_anchor.value,
        "anchor_pixel": list(view.anchor_pixel),
    }


def _fields(section: type[_Section], values: Sequence[Any]) -> dict[str, Any]:
    pairs = zip(section.model_fields, values, strict=True)
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in pairs if value is not None
    }


def _problem(error: ValidationError) -> str:
    """Say what is wrong: the field, what was expected of it, and what came."""
    first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    section: type[_Section] | None = _Description
    place, expected = "", "fields"
    for part in first["loc"]:
        if isinstance(part, int):
            place += f"[{part}]"
        elif section and part in section.model_fields:
            place = f"{place}.{part}".lstrip(".")
            expected = section.model_fields[part].description or expected
            section = _SECTIONS.get(part)
        else:
            break
    where = f"{place}: " if place else ""
    if first["type"] == "extra_forbidden" and section:
        known, got = list(section.model_fields), str(first["loc"][-1])
        return f"{where}expected fields among {', '.join(known)}, got {got}{did_you_mean([got], known)}"
    got = "nothing" if first["type"] == "missing" else repr(first["input"])[:80]
    return f"{where}expected {expected}, got {got}"
