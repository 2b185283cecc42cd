"""What the configuration of a classifier says where its logits are evidence."""

from typing import Literal

from huggingface_hub.dataclasses import strict

from nuzoo.configuration.configuration_utils_nu import NuPreTrainedConfig

Evidential = Literal["mll", "bayes_risk", "brier"]

EPOCHS = 10.0
"""Of Sensoy, Kaplan and Kandemir (arXiv 1806.01768)."""


@strict
class EvidentialConfig(NuPreTrainedConfig):
    """A classifier whose logits may be those of a Dirichlet distribution, learnt by evidence.

    Args:
        evidential: what its loss is, see `nuzoo.modeling.evidence.evidential_risk`: "mll", "bayes_risk" or
            "brier"; the logits are then the logarithms of the concentrations of a Dirichlet distribution,
            and their softmax is its mean. None has plain logits, whose loss is the cross-entropy.
        evidence_epochs: of training, over which the weight of evidence for wrong classes rises to 1.
    """

    evidential: Evidential | None = None
    evidence_epochs: float = EPOCHS

    def validate_evidence(self) -> None:
        """Raise `ValueError` for epochs that are no number of them, or that have no effect."""
        if not 0 <= self.evidence_epochs < float("inf"):
            raise ValueError(f"evidence_epochs must be 0 or more, got {self.evidence_epochs}")
        if self.evidential is None and self.evidence_epochs != EPOCHS:
            raise ValueError(
                f"evidence_epochs has no effect without evidential, got {self.evidence_epochs}: leave it out"
            )
