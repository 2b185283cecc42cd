"""What the configuration of a network holds that finds instances with queries: particles or interactions."""

from collections.abc import Mapping
from typing import Any, Literal

from huggingface_hub.dataclasses import strict

from nuzoo.configuration.configuration_utils_nu import NuPreTrainedConfig

HEAD_DIM = 16
"""Width of a head of attention."""

Instances = Literal["particle", "interaction"]
MaskOrder = Literal["leaving", "entering"]
Regressed = Literal["momentum", "start"]

TARGETS = {"particle": ("particle", "pid"), "interaction": ("interaction",)}
"""Columns of the truth of hits, by what is looked for."""

ONE_CLASS = "interaction"
"""Of interactions, beside the background."""


@strict
class QueryDecoderConfig(NuPreTrainedConfig):
    """The query decoder of Panda (arXiv 2512.01324), used where instances are looked for.

    The defaults are those of its particle detector. Its interaction detector has 12 queries and no
    `deep_projections`.

    Args:
        instances: what is looked for: the particles of an event, or its interactions.
        queries: of each event; instances beyond as many cannot be found.
        query_channels: width of the decoder, a multiple of 16.
        query_blocks: blocks of it.
        query_mlp_ratio: width of the hidden layer of its perceptrons, in units of its own.
        deep_projections: points enter the decoder, and classes leave it, by a perceptron; else linearly.
        masks_from: the mask of a query is told by the query that is "leaving" a block, as its class is, or
            by the one that is "entering" it, as in Panda's published detectors.
        background: name of the class of points that belong to no instance; what has it is no instance.
        regressed: what is told of each instance beside mask and class: the "momentum" of a particle, or the
            "start" of a particle or vertex of an interaction.
    """

    instances: Instances = "particle"
    queries: int = 32
    query_channels: int = 256
    query_blocks: int = 3
    query_mlp_ratio: float = 4.0
    deep_projections: bool = True
    masks_from: MaskOrder = "leaving"
    background: str = "none"
    regressed: list[Regressed] | tuple[Regressed, ...] = ()

    def __post_init__(self, **kwargs: Any) -> None:
        self.regressed = list(self.regressed)
        if (
            self.instances == "interaction"
            and self.id2label is None
            and kwargs.get("num_labels") in (None, 2)
        ):
            self.id2label = {0: self.background, 1: ONE_CLASS}
        super().__post_init__(**kwargs)

    @property
    def classes_of_interactions(self) -> tuple[str, ...]:
        """Those that a network has unless it is told others; none where particles are looked for."""
        return (self.background, ONE_CLASS) if self.instances == "interaction" else ()

    @property
    def background_labels(self) -> list[int]:
        """The number of the class of what is no instance, in a list; empty where no class is that."""
        return [int(label) for label, name in (self.id2label or {}).items() if name == self.background]

    def validate_query_decoder(self) -> None:
        """Raise `ValueError` for sizes that make no decoder, or for what instances cannot have."""
        sizes = (self.queries, self.query_channels, self.query_blocks)
        if min(sizes) < 1 or self.query_channels % HEAD_DIM:
            raise ValueError(
                f"queries, query_channels and query_blocks must be at least 1, query_channels a multiple of "
                f"{HEAD_DIM}, got {sizes}"
            )
        if self.instances == "interaction" and "momentum" in self.regressed:
            raise ValueError(
                "regressed: an interaction has a start, and no momentum: leave momentum out, or look for "
                "particles"
            )
        names = list((self.id2label or {}).values())
        if self.instances == "interaction" and (len(names) != 2 or self.background_labels != [0]):
            raise ValueError(
                f"id2label: expected {{0: {self.background}, 1: {ONE_CLASS}}} where interactions are looked "
                f"for, got {', '.join(names)}: set it so, or leave it out"
            )


def targets_of_instances(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the columns of the truth of a network that finds instances, by fields of its configuration."""
    kind = fields.get("instances") or "particle"
    axes = {"start": "{}_{}", "momentum": "{}_p{}"}
    regressed = [axes[name].format(kind, axis) for name in fields.get("regressed") or () for axis in "xyz"]
    return (*TARGETS[kind], *regressed)
