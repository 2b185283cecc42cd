"""How each bundled model was made: by which recipe, from which simulated events."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Events:
    """A simulated dataset.

    Attributes:
        name: of its folder and repository.
        dataset: its name in `nuzoo.registry.DATASETS`.
        plan: what decides its events: fields of the `SimulationPlan` of the dataset.
    """

    name: str
    dataset: str
    plan: Mapping[str, Any]

    @property
    def arguments(self) -> str:
        """Those of `nuzoo simulate`, which make it, but for the folder."""
        return " ".join([self.dataset, *(f"--{name} {value}" for name, value in self.plan.items())])


@dataclass(frozen=True)
class Origin:
    """What a model was made from.

    Attributes:
        recipe: name of the training recipe.
        events: that it was trained and measured on.
    """

    recipe: str
    events: Events


MODULAR = Events(
    "lartpc-pixelmaps-64k",
    "lartpc-pixelmaps",
    {"events": 64000, "seed": 41, "detector": "modular-2x2x7", "spectrum": "flat-0-10"},
)
DUNE_LIKE = Events(
    "dune-like-64k",
    "lartpc-pixelmaps",
    {"events": 64000, "seed": 43, "detector": "dune-like-3view", "spectrum": "broad-0.5-40"},
)
CUBES = Events(
    "lartpc-cubes-10k", "lartpc-cubes", {"events": 10000, "seed": 7, "detector": "lartpc-cube-768"}
)
FASERCAL = Events("fasercal-12k", "fasercal", {"events": 12000, "seed": 7, "detector": "fasercal"})
SCINTILLATOR = Events(
    "scintillator-particles-20k",
    "scintillator-particles",
    {"events": 20000, "seed": 7, "detector": "scintillator-cube-200"},
)

ORIGINS = {
    "nu-cnn-tiny": Origin("nu_cnn_zoo", MODULAR),
    "nu-cnn-student-tiny": Origin("nu_cnn_student_zoo", MODULAR),
    "nu-cnn-dune": Origin("nu_cnn_dune_zoo", DUNE_LIKE),
    "nu-vit-tiny": Origin("nu_vit_zoo", MODULAR),
    "nu-vlm-tiny": Origin("nu_vlm_zoo", MODULAR),
    "nu-point-pretrain-tiny": Origin("nu_point_pretrain_zoo", CUBES),
    "nu-point-motif-tiny": Origin("nu_point_motif_zoo", CUBES),
    "nu-point-particles-tiny": Origin("nu_point_particles_zoo", CUBES),
    "nu-perceiver-mae-tiny": Origin("nu_perceiver_mae_zoo", FASERCAL),
    "nu-perceiver-rel-tiny": Origin("nu_perceiver_rel_zoo", FASERCAL),
    "nu-perceiver-fasercal-tiny": Origin("nu_perceiver_fasercal_zoo", FASERCAL),
    "nu-perceiver-scintillator-tiny": Origin("nu_perceiver_scintillator_zoo", SCINTILLATOR),
}
