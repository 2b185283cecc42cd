"""Detectors that are seen in three dimensions, cut into voxels of one size."""

from __future__ import annotations

from nuzoo.simulation.detectors.detector import Detector
from nuzoo.simulation.materials import LAR, POLYSTYRENE
from nuzoo.simulation.response.motifs import MotifRules
from nuzoo.simulation.response.quenching import POLYSTYRENE_BIRKS
from nuzoo.simulation.response.scintillator import CubeReadout
from nuzoo.simulation.response.voxels import VoxelReadout

LARTPC_CUBE = Detector(
    name="lartpc-cube-768",
    material=LAR,
    low=(0.0, 0.0, 0.0),
    high=(230.4, 230.4, 230.4),
    vertex_low=(10.0, 10.0, 10.0),
    vertex_high=(220.4, 220.4, 220.4),
    readout=VoxelReadout(shape=(768, 768, 768), pitch_mm=(3.0, 3.0, 3.0), threshold_mev=0.01),
)
"""The cube of PILArNet-M: 768³ voxels of 3 mm. Energies above 0.01 MeV; users of PILArNet-M cut at 0.13."""

SCINTILLATOR_CUBE = Detector(
    name="scintillator-cube-200",
    material=POLYSTYRENE,
    low=(-100.0, -100.0, -100.0),
    high=(100.0, 100.0, 100.0),
    vertex_low=(-50.0, -50.0, -50.0),
    vertex_high=(50.0, 50.0, 50.0),
    readout=CubeReadout(
        shape=(200, 200, 200),
        pitch_mm=(10.0, 10.0, 10.0),
        origin_mm=(-1000.0, -1000.0, -1000.0),
        threshold_mev=0.1,
        classes=("proton", "pion", "muon", "electron"),
        rules=MotifRules(delta_voxels=3, fragment_voxels=3),
        birks_cm_per_mev=POLYSTYRENE_BIRKS,
        mip_dedx=2.0,
        crosstalk=0.03,
        photoelectrons_per_mev=75.0,
    ),
    magnetic_field=(0.2, 0.0, 0.0),
)
"""The scintillator of Zenodo 7347562: 200³ optically separated cubes of 1 cm, one particle an event.

Birks' constant and crosstalk (2 to 6 % a face, arXiv:2601.18338) are measured ones; the light yield stands
for 50 photoelectrons of a minimum-ionising particle in each of three fibres, an estimate; 0.2 T is T2K's
field.
"""
