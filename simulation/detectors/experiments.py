"""Detectors of experiments whose files nuzoo reads, so that real events have places and units.

None is what nuzoo's own chambers are: the maps are read only (no volume is described), and a grid stands for
the whole box of a cryostat, without the gaps between its chambers.
"""

from __future__ import annotations

from nuzoo.simulation.detectors.detector import Detector
from nuzoo.simulation.detectors.lartpcs import MODULAR_LARTPC
from nuzoo.simulation.event_types import Vector
from nuzoo.simulation.materials import LAR, POLYSTYRENE, Material
from nuzoo.simulation.response.pixel_maps import Anchor, PixelMapReadout, View
from nuzoo.simulation.response.voxels import VoxelReadout

_NOWHERE: Vector = (0.0, 0.0, 0.0)
_ALONG_X: Vector = (1.0, 0.0, 0.0)
_ALONG_Y: Vector = (0.0, 1.0, 0.0)
_ALONG_Z: Vector = (0.0, 0.0, 1.0)
_COSINE, _SINE = 0.81208, 0.58354
"""Of 35.7°: the wires of u and v to the vertical."""


def _read_only(name: str, material: Material, *views: View) -> Detector[PixelMapReadout]:
    return Detector(name, material, _NOWHERE, _NOWHERE, _NOWHERE, _NOWHERE, PixelMapReadout(views=views))


def _strips(name: str, across: Vector, middle_strip: int) -> View:
    return View(
        name=name,
        row_axis=across,
        column_axis=_ALONG_Z,
        row_pitch_mm=26.4,
        column_pitch_mm=134.0,
        rows=264,
        columns=104,
        row_anchor=Anchor.ORIGIN,
        column_anchor=Anchor.ORIGIN,
        anchor_pixel=(middle_strip, 60),
    )


OPERA_TARGET_TRACKER = _read_only(
    "opera-target-tracker", POLYSTYRENE, _strips("xz", _ALONG_X, 132), _strips("yz", _ALONG_Y, 148)
)
"""OPERA's target tracker, all of it: a row for each strip and a column for each wall.

Strips are 26.3 mm wide and 10.6 mm thick, 256 in a plane, one plane for each transverse direction in a wall
(arXiv:physics/0701153); the hits of the open data lie on a pitch of 26.4 mm, and their walls 134 mm apart, 31
in each of two super-modules. Between walls are bricks of lead and emulsion: most energy is never seen.
"""


OPERA_5MM = _read_only("opera-target-tracker-5mm", POLYSTYRENE, *MODULAR_LARTPC.readout.views)
"""The same events, true to scale in the window of `MODULAR_LARTPC`: 2.56 m around the vertex, 5 mm pixels.

A strip is one pixel of the five that it is wide.
"""


def _wires(name: str, across: Vector, pitch_mm: float, merged: int, rows: int, columns: int) -> View:
    return View(
        name=name,
        row_axis=_ALONG_X,
        column_axis=across,
        row_pitch_mm=5.1 * merged,
        column_pitch_mm=pitch_mm * merged,
        rows=rows,
        columns=columns,
        row_anchor=Anchor.ORIGIN,
        column_anchor=Anchor.ORIGIN,
        anchor_pixel=(0, 0),
    )


def _anode(name: str, merged: int, rows: int, columns: int) -> Detector[PixelMapReadout]:
    size = merged, rows, columns
    return _read_only(
        name,
        LAR,
        _wires("u", (0.0, _SINE, _COSINE), 4.67, *size),
        _wires("v", (0.0, -_SINE, _COSINE), 4.67, *size),
        _wires("z", _ALONG_Z, 4.79, *size),
    )


PROTODUNE_HD_APA = _anode("protodune-hd-apa", 1, 960, 960)
"""One anode plane assembly of ProtoDUNE-HD: all of a readout, a column for each channel.

800 channels of u and of v, whose wires go around both faces, and 960 of z, 480 a face; pitch 4.67 and
4.79 mm, 35.7° as in the DUNE far detector (arXiv:2002.03010). A row is 5.1 mm of drift, as in `DUNE_LIKE`,
from the first tick on.
"""

PROTODUNE_HD_APA_500 = _anode("protodune-hd-apa-500", 2, 500, 500)
"""The same with two channels and 10.2 mm of drift a pixel, which fits into the maps of `DUNE_LIKE`."""


def _grid(
    name: str, shape: tuple[int, int, int], pitch_mm: float, origin_mm: Vector
) -> Detector[VoxelReadout]:
    readout = VoxelReadout(shape=shape, pitch_mm=(pitch_mm,) * 3, origin_mm=origin_mm, threshold_mev=0.0)
    x, y, z = (low / 10 for low in origin_mm)
    low: Vector = (x, y, z)
    sides = [size * pitch_mm / 10 for size in shape]
    high: Vector = (x + sides[0], y + sides[1], z + sides[2])
    return Detector(name, LAR, low, high, low, high, readout)


DUNE_2X2 = _grid("dune-2x2", (296, 296, 296), 4.434, (-656.232, -656.232, -656.232))
"""The 2 × 2 prototype of the DUNE near detector, in cubes of the pitch of its LArPix pixels, 4.434 mm.

Four modules of two chambers of 30.6 × 130 × 64 cm, at x = ±33.5 ± 15.7 cm and z = ±33.5 cm
(DUNE/2x2_sim, validation/edepsim_validation.py) fill ±64.5, ±65 and ±65.5 cm. One module has pixels of
3.88 mm: its hits share cubes. x is the drift.
"""

PROTODUNE_SP = _grid("protodune-sp", (760, 620, 720), 10.0, (-3800.0, 0.0, -100.0))
"""The whole of ProtoDUNE-SP in cubes of 1 cm: two drift volumes of 3.6 m beside the cathode at x = 0.

Its box is x = ±3.6, y = 0 to 6.1 and z = 0 to 7 m (arXiv:2007.06722), with a margin.
"""

PROTODUNE_SP_BEAM = _grid("protodune-sp-beam", (768, 768, 768), 3.0, (-1470.0, 3070.0, -100.0))
"""The 2.3 m behind the entry of the beam into ProtoDUNE-SP (x = -32, y = 422 cm), in voxels of 3 mm.

It is a cube of the size of `LARTPC_CUBE`, which is what networks for PILArNet-M have seen.
"""

EXPERIMENTS = (
    OPERA_TARGET_TRACKER,
    OPERA_5MM,
    PROTODUNE_HD_APA,
    PROTODUNE_HD_APA_500,
    DUNE_2X2,
    PROTODUNE_SP,
    PROTODUNE_SP_BEAM,
)
