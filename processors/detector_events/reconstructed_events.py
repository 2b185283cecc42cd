"""What a network that reconstructs detector events told, as physics of each event."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

UNITS = {
    "vis_momentum": "GeV/c",
    "jet_momentum": "GeV/c",
    "lepton_momentum": "GeV/c",
    "e_vis": "GeV",
    "pt_miss": "GeV/c",
    "vertex": "mm",
}
"""Of each quantity of a reconstructed event."""


def reconstructed_events(
    outputs: Any,
    classes: dict[str, Sequence[str]],
    temperatures: dict[str, float],
) -> list[dict[str, Any]]:
    """Give the physics of each event.

    Args:
        outputs: with `flavour_logits`, `charm_logits`, `vis_momentum`, `jet_momentum` and `vertex`.
        classes: names of the classes of `flavour` and `charm`.
        temperatures: what the logits of each are divided by.

    Returns:
        For each event `flavour` and `charm`, calibrated probabilities by name, and the quantities in `UNITS`:
        momenta and the vertex along x, y and z. The lepton's momentum is the visible one without the jet's,
        `e_vis` the size of the visible one, all of whose particles are taken for massless, and `pt_miss` that
        of its transverse part, which what is not seen balances.
    """
    vis, jet = outputs.vis_momentum.double(), outputs.jet_momentum.double()
    quantities: dict[str, Tensor] = {
        "vis_momentum": vis,
        "jet_momentum": jet,
        "lepton_momentum": vis - jet,
        "e_vis": vis.norm(dim=-1),
        "pt_miss": vis[:, :2].norm(dim=-1),
        "vertex": outputs.vertex,
    }
    columns: dict[str, list[Any]] = {}
    for name, names in classes.items():
        logits = getattr(outputs, f"{name}_logits").double() / temperatures[name]
        columns[name] = [dict(zip(names, row, strict=True)) for row in logits.softmax(dim=-1).tolist()]
    columns |= {name: values.tolist() for name, values in quantities.items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
