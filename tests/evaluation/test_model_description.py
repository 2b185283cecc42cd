"""Sizes of networks with adapters and quantised weights, counted by hand."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from nuzoo.evaluation.core.subject import describe_model, parameter_size, quantisation

peft = pytest.importorskip("peft")


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(20, 30), nn.Linear(30, 3)
        self.config = SimpleNamespace(model_type="made", id2label={1: "b", 0: "a"})

    dtype = property(lambda self: self.first.weight.dtype)


def test_all_that_is_not_frozen_is_trainable():
    network = Network()
    network.first.requires_grad_(False)
    facts = describe_model(network)
    assert facts.parameters == 20 * 30 + 30 + 30 * 3 + 3
    assert facts.trainable_parameters == 30 * 3 + 3
    assert (facts.adapter, facts.quantisation, facts.classes) == (False, None, ["a", "b"])


@pytest.mark.parametrize("frozen", [False, True])
def test_of_an_adapted_network_the_adapter_is_trainable(frozen):
    """LoRA of rank r adds r (inputs + outputs) numbers to a layer; loaded for inference, they are frozen."""
    network = Network()
    peft.inject_adapter_in_model(peft.LoraConfig(r=4, target_modules=["first"]), network)
    if frozen:
        network.requires_grad_(False)
    facts = describe_model(network)
    assert facts.adapter
    assert facts.trainable_parameters == 4 * (20 + 30)
    assert facts.parameters == 20 * 30 + 30 + 30 * 3 + 3 + 4 * (20 + 30)


def test_quantised_weights_are_counted_as_numbers_not_bytes():
    modules = pytest.importorskip("bitsandbytes.nn")
    layer = modules.Linear4bit(64, 48, bias=False, quant_type="nf4")
    layer.load_state_dict({"weight": torch.randn(48, 64)})
    layer = layer.to("cpu")
    assert layer.weight.numel() == 64 * 48 // 2
    assert parameter_size(layer.weight) == 64 * 48
    assert quantisation(nn.Sequential(nn.Linear(2, 2), layer)) == "4-bit"
