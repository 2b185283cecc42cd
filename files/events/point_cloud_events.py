"""Events as point clouds: hits in space with their truth, and tables of particles and interactions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.files.events.event_schema import Bound, Column, EventSchema
from nuzoo.files.events.event_truth import IDENTITY_COLUMNS, ORIGIN_COLUMNS

MOTIFS = ("shower", "track", "michel", "delta", "led")
"""What kind of activity a hit belongs to, in PILArNet-M's order; `led` is a low-energy deposit."""

PARTICLE_TYPES = ("photon", "electron", "muon", "pion", "proton", "none")
"""What made a hit, in PILArNet-M's order; `none` is any other particle, and what is not known."""

ROLES = ("primary", "michel", "delta", "other")
"""What a hit is to its interaction, in the order of PILArNet-M's four classes; see `hit_roles`."""

INTERACTION_KINDS = ("neutrino", "particles", "cosmic")
"""What an interaction is: of a neutrino, particles from one point, or a muon from above."""

KEYPOINT_KINDS = ("vertex", "track_end")
"""What a point of interest is; see `nuzoo.files.events.keypoints`."""

VOXEL, MM = "voxel", "mm"
"""Units of positions: voxel numbers, or mm in the detector's frame."""

MAX_HIT_ENERGY_MEV = 1e6
"""1 TeV in one hit: more than the whole showers of an LHC neutrino leave in a cube of 1 cm of plastic."""

DISPLAY_FULL_SCALE_MEV = 20.0
"""What is white in the picture `display`; grey grows as log(1 + E / MeV)."""

PLANES = {"zx": (2, 0), "zy": (2, 1), "xy": (0, 1)}
"""Planes onto which pictures project an event, by name: numbers of the axes to the right and upwards."""

NOWHERE = -1
"""`particle` and `interaction` of a hit that belongs to none, such as a low-energy deposit."""

_AXES = ("x", "y", "z")


@dataclass(frozen=True)
class PointCloudGeometry:
    """Where the hits of a detector can be.

    Attributes:
        detector: its name; None of hits that any detector of this shape may have made.
        positions: "voxel" or "mm": what the positions of hits are given in.
        shape: voxels along x, y and z.
        pitch_mm: edges of a voxel.
        origin_mm: the lower corner of the first voxel in the detector's frame.
        classes: of whole events; none where events have no class.
    """

    detector: str | None
    positions: str
    shape: tuple[int, int, int]
    pitch_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]
    classes: tuple[str, ...] = ()

    @classmethod
    def of(cls, geometry: Mapping[str, Any]) -> "PointCloudGeometry":
        """Take from a detector's geometry what decides the columns of its events.

        Args:
            geometry: with the attributes of this class by name.
        """
        return cls(
            detector=geometry["detector"],
            positions=geometry["positions"],
            shape=tuple(geometry["shape"]),
            pitch_mm=tuple(geometry["pitch_mm"]),
            origin_mm=tuple(geometry["origin_mm"]),
            classes=tuple(geometry.get("classes", ())),
        )

    @property
    def low(self) -> tuple[float, ...]:
        """Least position along each axis, in the unit of positions."""
        return (0.0, 0.0, 0.0) if self.positions == VOXEL else self.origin_mm

    @property
    def high(self) -> tuple[float, ...]:
        """Largest position along each axis, in the unit of positions."""
        if self.positions == VOXEL:
            return tuple(size - 1 for size in self.shape)
        sides = zip(self.origin_mm, self.shape, self.pitch_mm, strict=True)
        return tuple(origin + size * pitch for origin, size, pitch in sides)


def point_cloud_schema(geometry: Mapping[str, Any]) -> EventSchema:
    """Return the columns of an event: its hits with their truth, its particles and its interactions.

    Args:
        geometry: see `PointCloudGeometry.of`.
    """
    layout = PointCloudGeometry.of(geometry)
    label = (
        (Column("label", "int64", "class of the event", classes=layout.classes),) if layout.classes else ()
    )
    columns = (
        *IDENTITY_COLUMNS,
        Column("positions", "text", f"unit of all positions, {VOXEL} or {MM}", required=True),
        *_hits(layout),
        *label,
        DISPLAY_COLUMN,
        *_particles(layout),
        *_interactions(layout),
        *_keypoints(),
        *ORIGIN_COLUMNS,
    )
    return EventSchema(columns, whose=layout.detector or "")


def hit_roles(
    motif: NDArray[np.integer[Any]],
    particle: NDArray[np.integer[Any]],
    primary: NDArray[np.integer[Any] | np.bool_],
) -> NDArray[np.int64]:
    """Return what each hit is to its interaction: numbers in `ROLES`.

    A hit of a Michel electron or a delta by its motif is that; of the others those of a particle that leaves
    the vertex are primary, and those of secondary particles and low-energy deposits are other.

    Args:
        motif: (hits,) numbers in `MOTIFS`.
        particle: (hits,) row of its particle, `NOWHERE` for none.
        primary: (particles,) 1 or True of those that leave the vertex of their interaction.
    """
    is_primary = np.append(primary == 1, False)[particle]
    role = np.where(is_primary, ROLES.index("primary"), ROLES.index("other"))
    for name in ("michel", "delta"):
        role[motif == MOTIFS.index(name)] = ROLES.index(name)
    return role


DISPLAY_COLUMN = Column(
    "display",
    "picture",
    "8-bit PNG of the projections onto zx, zy and xy side by side, for people: log(1 + E / MeV), white at "
    f"{DISPLAY_FULL_SCALE_MEV:g} MeV",
)


def _hits(layout: PointCloudGeometry) -> tuple[Column, ...]:
    def truth(name: str, text: str, **more: Any) -> Column:
        return Column(name, more.pop("dtype", "int64"), text, per="hit", **more)

    def reference(word: str) -> Column:
        text = f"row of its {word}, {NOWHERE} for none"
        return truth(word, text, dtype="int32", low=Bound(NOWHERE), refers=word)

    return (
        *(_position(layout, axis) for axis in range(3)),
        Column(
            "energy",
            "float32",
            "energy of a hit",
            "MeV",
            per="hit",
            low=Bound(0, "apply a threshold; zero is no energy"),
            high=Bound(MAX_HIT_ENERGY_MEV, "convert to MeV, or look for an overflow upstream"),
            required=True,
        ),
        truth("motif", "kind of activity of a hit", classes=MOTIFS),
        truth("pid", "particle that made a hit", classes=PARTICLE_TYPES),
        truth("role", "what a hit is to its interaction", classes=ROLES),
        reference("particle"),
        reference("interaction"),
    )


def _position(layout: PointCloudGeometry, axis: int) -> Column:
    name = _AXES[axis]
    beyond = f"the event is of another detector than {layout.detector or 'this one'}, or in another unit"
    is_voxel = layout.positions == VOXEL
    return Column(
        name,
        "int16" if is_voxel else "float32",
        f"{name} of a hit" + (", number of its voxel" if is_voxel else ""),
        "" if is_voxel else MM,
        per="hit",
        low=Bound(layout.low[axis], beyond),
        high=Bound(layout.high[axis], beyond),
        required=True,
    )


def _particles(layout: PointCloudGeometry) -> tuple[Column, ...]:
    def column(name: str, dtype: str, text: str, unit: str = "", **more: Any) -> Column:
        return Column(f"particle_{name}", dtype, text, unit, per="particle", **more)

    def reference(name: str, text: str, word: str) -> Column:
        return column(name, "int32", f"{text}, {NOWHERE} for none", low=Bound(NOWHERE), refers=word)

    return (
        column("pdg", "int32", "PDG code of a particle; 0 where it is not known"),
        column("pid", "int64", "its type", classes=PARTICLE_TYPES),
        reference("parent", "row of the particle it comes from", "particle"),
        reference("interaction", "row of its interaction", "interaction"),
        *(column(axis, "float32", f"{axis} of its start, in the unit of positions") for axis in _AXES),
        *(
            column(f"p{axis}", "float32", f"its momentum along {axis} at the start", "MeV/c")
            for axis in _AXES
        ),
        column("momentum", "float32", "size of its momentum at the start", "MeV/c", low=Bound(0)),
        column("energy", "float32", "energy of its hits", "MeV", low=Bound(0)),
        column("hits", "int32", "number of its hits", low=Bound(0)),
        column(
            "primary",
            "int8",
            "1 if it leaves the vertex of its interaction, else 0",
            low=Bound(0),
            high=Bound(1),
        ),
    )


def _keypoints() -> tuple[Column, ...]:
    def column(name: str, dtype: str, text: str, **more: Any) -> Column:
        return Column(f"keypoint_{name}", dtype, text, per="keypoint", **more)

    return (
        column("kind", "int64", "kind of a point of interest", classes=KEYPOINT_KINDS),
        *(column(axis, "float32", f"its {axis}, in the unit of positions") for axis in _AXES),
    )


def _interactions(layout: PointCloudGeometry) -> tuple[Column, ...]:
    def column(name: str, dtype: str, text: str, unit: str = "", **more: Any) -> Column:
        return Column(f"interaction_{name}", dtype, text, unit, per="interaction", **more)

    return (
        column("kind", "int64", "kind of an interaction", classes=INTERACTION_KINDS),
        *(column(axis, "float32", f"{axis} of its vertex, in the unit of positions") for axis in _AXES),
        column("pdg", "int32", "PDG code of its neutrino; 0 without one"),
        column("neutrino_energy", "float32", "energy of its neutrino; 0 without one", "GeV", low=Bound(0)),
        column(
            "is_cc",
            "int8",
            "1 for a charged current, 0 for a neutral one, -1 without a neutrino",
            low=Bound(-1),
            high=Bound(1),
        ),
    )
