"""Adapters of a frozen network whose activations are computed again: every one of them learns."""

import pytest
import torch

from nuzoo import NuCnnConfig, NuCnnForEventClassification, NuVitConfig, NuVitForEventClassification

peft = pytest.importorskip("peft", reason="peft is not installed")


@pytest.mark.parametrize(
    ("network", "modules"),
    [
        (lambda: NuCnnForEventClassification(NuCnnConfig.tiny(num_views=3)), ["conv1"]),
        (lambda: NuVitForEventClassification(NuVitConfig.tiny(num_views=3)), ["q_proj"]),
    ],
)
def test_every_adapter_has_a_gradient(network, modules):
    model = network()
    model.add_adapter(peft.LoraConfig(r=2, target_modules=modules))
    model.train().gradient_checkpointing_enable({"use_reentrant": True})
    model(torch.rand(2, 3, 64, 64), labels=torch.tensor([0, 1])).loss.backward()
    learnt = {name: weight for name, weight in model.named_parameters() if "lora_B" in name}
    assert learnt
    assert all(weight.grad is not None and weight.grad.any() for weight in learnt.values())
