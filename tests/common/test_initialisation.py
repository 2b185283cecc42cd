"""What a network is before it has learnt anything."""

import torch

from .inputs import assert_equal, make_model, network_named, restored_buffers


def applies(task, schema):
    """To tasks with classes, where a test is for networks with a head."""
    return bool(task.targets)


def test_builds_on_the_meta_device(model):
    with torch.device("meta"):
        empty = type(model)(model.config)
    tensors = dict(empty.state_dict())
    assert {tensor.device.type for tensor in tensors.values()} == {"meta"}
    expected = {name: (tensor.shape, tensor.dtype) for name, tensor in model.state_dict().items()}
    assert {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()} == expected


def test_default_network_builds_on_the_meta_device(architecture, network):
    """Also the full size, which fits no laptop."""
    config = type(architecture.tiny_config())()
    with torch.device("meta"):
        full = network_named(architecture, network)(config)
    tiny = make_model(architecture, network)
    assert full.num_parameters() > tiny.num_parameters() > 0


def test_initialisation_covers_every_tensor(model):
    """A checkpoint that holds nothing loads as a fresh network, without uninitialised memory."""
    with torch.device("meta"):
        empty = type(model)(model.config)
    empty.to_empty(device="cpu")
    for tensor in [*empty.parameters(), *empty.buffers()]:
        tensor.data.fill_(float("nan") if tensor.is_floating_point() else -1)
    empty.init_weights()
    assert all(torch.isfinite(parameter).all() for parameter in empty.parameters())
    assert_equal([*empty.buffers(), torch.ones(1)], [*model.buffers(), torch.ones(1)])


def test_initialisation_follows_the_seed(model):
    def weights(seed):
        torch.manual_seed(seed)
        return [parameter.detach() for parameter in type(model)(model.config).parameters()]

    assert_equal(weights(3), weights(3))
    assert any(not torch.equal(one, other) for one, other in zip(weights(3), weights(4), strict=True))


def test_no_tensor_is_loose(model):
    """A tensor that is no parameter and no buffer stays on the meta device when a network is loaded."""

    def holds_tensor(value):
        if isinstance(value, list | tuple | set):
            return any(map(holds_tensor, value))
        if isinstance(value, dict):
            return any(map(holds_tensor, value.values()))
        return isinstance(value, torch.Tensor)

    own = {"_parameters", "_buffers", "_modules"}
    loose = [
        f"{path}.{name}"
        for path, module in model.named_modules()
        for name, value in vars(module).items()
        if name not in own and holds_tensor(value)
    ]
    assert not loose


def test_every_buffer_is_persistent(model):
    """Others are uninitialised memory after loading."""
    hidden = {
        f"{path}.{name}"
        for path, module in model.named_modules()
        for name in module._non_persistent_buffers_set
    }
    assert hidden <= restored_buffers(model)


def test_every_parameter_is_float32_and_trainable(model):
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_tiny_network_is_small(model):
    """So that every check of this folder stays quick."""
    assert model.num_parameters() < 1_000_000


def test_number_of_classes_is_the_configurations(architecture, headed, body_class):
    wider = type(headed)(architecture.tiny_config(num_labels=headed.config.num_labels + 4))
    assert wider.num_parameters() > headed.num_parameters()
    assert wider.base_model.num_parameters() == headed.base_model.num_parameters()
