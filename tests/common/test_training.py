"""A network learns, in every way in which people train."""

import copy
from collections import Counter

import pytest
import torch
from torch import nn
from transformers.modeling_layers import GradientCheckpointingLayer

from nuzoo.modeling.bounded_kendall import BoundedKendall

from .inputs import (
    EMPTY,
    ONE_HIT,
    assert_close,
    assert_equal,
    example_inputs,
    loss_of,
    results_of,
    stirred,
    tensors_of,
    truth_for,
)

LEARNING_STEPS = 200
LEARNT = 0.1
"""Of the first loss: enough to say that a network learns."""


def applies(task, schema):
    """Networks with a head learn from labels here, so to tasks that have some."""
    return bool(task.targets)


def gradients_of(model):
    return {name: parameter.grad for name, parameter in model.named_parameters()}


def without_gradient(model):
    """Parameters without one, but for the learnt weights of losses, which no result depends on."""
    gradients = gradients_of(model).items()
    weights = [name for name, part in model.named_modules() if isinstance(part, BoundedKendall)]
    missing = [name for name, grad in gradients if grad is None or not grad.any()]
    return [name for name in missing if name.rpartition(".")[0] not in weights]


def fit(model, inputs, truth, steps, learning_rate=3e-3, enough=0.0):
    """Loss before each step; ends early at a loss below `enough` times the first."""
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(trainable, lr=learning_rate)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = model(**inputs, **truth).loss
        losses.append(loss.item())
        if losses[-1] < enough * losses[0]:
            break
        loss.backward()
        optimizer.step()
    return losses


def calls_in_checkpointed_layers(model, inputs):
    """For each layer that can be recomputed, calls of its parts in one forward and backward pass."""
    layers = [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]
    calls = Counter()
    hooks = [
        part.register_forward_pre_hook(lambda *_, layer=position: calls.update([layer]))
        for position, layer in enumerate(layers)
        for part in layer.modules()
        if part is not layer
    ]
    loss_of(model, inputs).backward()
    for hook in hooks:
        hook.remove()
    return [calls[position] for position in range(len(layers))]


def test_gradient_reaches_every_parameter(model, inputs):
    loss_of(stirred(model).train(), inputs).backward()
    assert not without_gradient(model)


def test_gradient_reaches_the_inputs(model, inputs):
    """Explanations need it."""
    floats = {name: value for name, value in inputs.items() if value.is_floating_point()}
    for value in floats.values():
        value.requires_grad_()
    loss_of(model, inputs).backward()
    assert floats
    assert all(value.grad is not None and value.grad.any() for value in floats.values())


def test_gradient_checkpointing_changes_nothing(model, inputs):
    if not model.supports_gradient_checkpointing:
        pytest.skip("the network does not support gradient checkpointing")
    results = []
    for checkpointing in (False, True):
        trained = copy.deepcopy(model).train()
        if checkpointing:
            trained.activation_checkpointing_enable()
        torch.manual_seed(5)
        output = tensors_of(trained(**inputs))
        sum(tensor.square().sum() for tensor in output).backward()
        results.append([*output, *gradients_of(trained).values()])
    assert_close(*results, rtol=1e-5, atol=1e-6)


def test_gradient_checkpointing_really_recomputes(model, inputs):
    if not model.supports_gradient_checkpointing:
        pytest.skip("the network does not support gradient checkpointing")
    model.train()
    once = calls_in_checkpointed_layers(model, inputs)
    assert once and min(once) > 0
    model.activation_checkpointing_enable()
    again = calls_in_checkpointed_layers(model, inputs)
    assert all(more > calls for more, calls in zip(again, once, strict=True))
    model.activation_checkpointing_disable()
    assert calls_in_checkpointed_layers(model, inputs) == once


def test_learns_eight_events(headed, processor):
    inputs = example_inputs(processor, processor.example_events(8))
    truth = truth_for(headed, inputs)
    losses = fit(headed.train(), inputs, truth, LEARNING_STEPS, learning_rate=1e-3, enough=LEARNT)
    assert losses[-1] < LEARNT * losses[0]


def test_same_seed_gives_the_same_losses(headed, inputs):
    truth = truth_for(headed, inputs)
    curves = []
    for _ in range(2):
        torch.manual_seed(5)
        curves.append(fit(copy.deepcopy(headed).train(), inputs, truth, steps=5))
    assert curves[0] == curves[1]
    assert len(set(curves[0])) > 1


def test_frozen_body_stays_while_the_head_learns(headed, body_class, inputs):
    headed.base_model.requires_grad_(False)
    before = {name: parameter.clone() for name, parameter in headed.named_parameters()}
    fit(headed.train(), inputs, truth_for(headed, inputs), steps=2)
    changed = {name for name, value in headed.named_parameters() if not torch.equal(value, before[name])}
    assert changed == {name for name in before if name.split(".")[0] in headed.heads}


def test_modes_switch_every_module(model, inputs):
    model.train()
    assert all(module.training for module in model.modules())
    model.eval()
    assert not any(module.training for module in model.modules())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    results_of(model, inputs)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_trained_network_is_saved_whole(headed, inputs, tmp_path):
    """Also what training changes beside the parameters."""
    fit(headed.train(), inputs, truth_for(headed, inputs), steps=3)
    headed.eval().save_pretrained(tmp_path)
    loaded = type(headed).from_pretrained(tmp_path)
    assert_equal(results_of(loaded, inputs), results_of(headed, inputs))


def test_low_rank_adapter_learns_alone_and_loads(headed, inputs, tmp_path):
    peft = pytest.importorskip("peft", reason="peft is not installed")
    headed.save_pretrained(tmp_path / "base")
    in_body = {id(module) for module in headed.base_model.modules() if isinstance(module, nn.Linear)}
    layers = [name for name, module in headed.named_modules() if id(module) in in_body]
    settings = peft.LoraConfig(r=2, target_modules=layers)
    adapted = peft.get_peft_model(headed, settings).eval()
    before = {name: value.clone() for name, value in adapted.state_dict().items()}
    losses = fit(adapted, inputs, truth_for(headed, inputs), steps=8, learning_rate=0.03)
    assert losses[-1] < losses[0]
    changed = {name for name, value in adapted.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {name for name in before if "lora_" in name}
    adapted.save_pretrained(tmp_path / "adapter")
    base = type(headed).from_pretrained(tmp_path / "base")
    loaded = peft.PeftModel.from_pretrained(base, tmp_path / "adapter").eval()
    assert_close(results_of(loaded, inputs), results_of(adapted, inputs))


def test_autocast_trains(headed, inputs):
    truth = truth_for(headed, inputs)
    headed.train()
    with torch.autocast("cpu", torch.bfloat16):
        loss = headed(**inputs, **truth).loss
    assert loss.dtype == torch.float32
    loss.backward()
    assert all(torch.isfinite(grad).all() for grad in gradients_of(headed).values())
    assert loss.item() == pytest.approx(headed(**inputs, **truth).loss.item(), rel=0.05)


def test_accumulated_batches_weigh_as_one(headed, inputs):
    """Trainer leaves the division by the number of accumulated batches to a network that takes
    `num_items_in_batch`: every one whose forward takes any argument, unless it says otherwise."""
    truth = truth_for(headed, inputs)
    mean = headed(**inputs, **truth).loss
    if getattr(headed, "accepts_loss_kwargs", True):
        half = headed(**inputs, **truth, num_items_in_batch=2 * len(truth["labels"])).loss
        torch.testing.assert_close(half, mean / 2)


@pytest.mark.parametrize("kind", ["empty", "one hit"])
def test_gradients_of_sparse_events_are_finite(headed, processor, events, kind):
    event = events[EMPTY if kind == "empty" else ONE_HIT]
    inputs = example_inputs(processor, [event, event])
    truth = truth_for(headed, inputs)
    loss = headed.train()(**inputs, **truth).loss
    if loss.requires_grad:
        loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(grad).all() for grad in gradients_of(headed).values() if grad is not None)


def test_a_single_event_trains(headed, processor, events):
    """The last batch of an epoch may hold one."""
    inputs = example_inputs(processor, events[-1:])
    losses = fit(headed.train(), inputs, truth_for(headed, inputs), steps=2)
    assert all(torch.isfinite(torch.tensor(losses)))
    assert losses[0] != losses[1]
