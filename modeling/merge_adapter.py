"""Add the low-rank updates of a LoRA adapter to the weights that they update."""

from typing import Any

from transformers import PreTrainedModel

from nuzoo.modeling.weight_errors import WeightsError


def merge_adapter(network: PreTrainedModel) -> None:
    """Make a network of transformers with an adapter an ordinary one with the adapted weights.

    Raises:
        WeightsError: it has no adapter, or quantised weights, which would be rounded a second time.
    """
    adapted = {name: module for name, module in network.named_modules() if hasattr(module, "base_layer")}
    if not adapted:
        raise WeightsError("expected a network with an adapter to merge, got one without")
    if getattr(network, "is_quantized", False):
        raise WeightsError(
            "expected a network in full precision, got a quantised one, whose weights would be rounded once "
            "more: load it with quantization_config=None, then merge"
        )
    for name, module in adapted.items():
        merging: Any = module
        merging.merge(safe_merge=True)
        parent, _, attribute = name.rpartition(".")
        setattr(network.get_submodule(parent), attribute, merging.get_base_layer().requires_grad_(True))
    network._hf_peft_config_loaded = False
    whole: Any = network
    whole._weight_conversions = None  # those of an adapter's file, by which weights would be saved
    del network.peft_config
