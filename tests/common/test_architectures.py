"""What every architecture of the registry must do. A new row is tested by being there."""

import copy
import json

import pytest
import torch
import transformers
from safetensors.torch import load_file

from nuzoo.registry import ARCHITECTURES, import_object

NETWORKS = [
    pytest.param(architecture, auto_class, id=f"{name}-{auto_class}")
    for name, architecture in ARCHITECTURES.items()
    for auto_class in architecture.models
]
EVENTS = 4


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def make_model(architecture, auto_class, **fields):
    torch.manual_seed(0)
    return architecture.model_class(auto_class)(architecture.tiny_config(**fields)).eval()


def make_inputs(model, events=EVENTS):
    """Sparse random pixel maps, one active pixel in twenty."""
    generator = torch.Generator().manual_seed(1)
    shape = (events, model.config.num_views, 64, 64)
    active = torch.rand(shape, generator=generator) < 0.05
    return {"pixel_values": active * torch.rand(shape, generator=generator)}


def tensors_of(output):
    flat = []
    for value in output.to_tuple():
        flat += list(value) if isinstance(value, tuple) else [value]
    return flat


def assert_equal(first, second):
    assert len(first) == len(second) > 0
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(("architecture", "auto_class"), NETWORKS)
class TestNetwork:
    def test_saved_network_loads_bitwise_equal(self, architecture, auto_class, tmp_path):
        model = make_model(architecture, auto_class)
        for buffer in model.buffers():
            buffer.copy_(torch.rand_like(buffer) + 0.5 if buffer.is_floating_point() else buffer + 7)
        model.save_pretrained(tmp_path)
        loaded = getattr(transformers, auto_class).from_pretrained(tmp_path)
        assert type(loaded) is type(model)
        assert {tensor.device.type for tensor in loaded.state_dict().values()} == {"cpu"}
        inputs = make_inputs(model)
        with torch.no_grad():
            assert_equal(tensors_of(model(**inputs)), tensors_of(loaded(**inputs)))

    def test_every_tensor_is_saved(self, architecture, auto_class, tmp_path):
        model = make_model(architecture, auto_class)
        model.save_pretrained(tmp_path)
        held = {name for name, _ in model.named_parameters()}
        held |= {name for name, _ in model.named_buffers()}
        assert set(load_file(tmp_path / "model.safetensors")) == held == set(model.state_dict())
        loose = [
            name
            for module in model.modules()
            for name, value in vars(module).items()
            if isinstance(value, torch.Tensor)
        ]
        assert not loose

    def test_initialisation_covers_every_tensor(self, architecture, auto_class, tmp_path):
        """A checkpoint that holds nothing loads as a fresh network, without uninitialised memory."""
        model = make_model(architecture, auto_class)
        with torch.device("meta"):
            empty = type(model)(model.config)
        empty.to_empty(device="cpu")
        for tensor in [*empty.parameters(), *empty.buffers()]:
            tensor.data.fill_(float("nan") if tensor.is_floating_point() else -1)
        empty.init_weights()
        assert all(torch.isfinite(tensor).all() for tensor in empty.state_dict().values())

    def test_evaluation_is_deterministic(self, architecture, auto_class):
        model = make_model(architecture, auto_class)
        inputs = make_inputs(model)
        with torch.no_grad():
            assert_equal(tensors_of(model(**inputs)), tensors_of(model(**inputs)))

    def test_events_of_a_batch_do_not_see_each_other(self, architecture, auto_class):
        model = make_model(architecture, auto_class)
        inputs = make_inputs(model)
        with torch.no_grad():
            together = tensors_of(model(**inputs))
            for event in range(EVENTS):
                alone = tensors_of(
                    model(**{name: value[event : event + 1] for name, value in inputs.items()})
                )
                for batch, single in zip(together, alone, strict=True):
                    torch.testing.assert_close(batch[event : event + 1], single, rtol=1e-4, atol=1e-5)

    def test_tuple_holds_the_same_tensors(self, architecture, auto_class):
        model = make_model(architecture, auto_class)
        inputs = make_inputs(model)
        with torch.no_grad():
            named, plain = model(**inputs), model(**inputs, return_dict=False)
        assert isinstance(plain, tuple)
        assert_equal(list(named.to_tuple()), list(plain))

    def test_hidden_states_are_returned_on_demand(self, architecture, auto_class):
        model = make_model(architecture, auto_class)
        inputs = make_inputs(model)
        with torch.no_grad():
            assert model(**inputs).hidden_states is None
            asked = model(**inputs, output_hidden_states=True).hidden_states
            model.config.output_hidden_states = True
            assert_equal(asked, model(**inputs).hidden_states)

    def test_gradient_reaches_every_parameter(self, architecture, auto_class):
        model = make_model(architecture, auto_class).train()
        loss = sum(tensor.square().sum() for tensor in tensors_of(model(**make_inputs(model))))
        loss.backward()
        untouched = [
            name
            for name, parameter in model.named_parameters()
            if parameter.grad is None or not parameter.grad.any()
        ]
        assert not untouched

    def test_gradient_checkpointing_changes_nothing(self, architecture, auto_class):
        results = []
        for checkpointing in (False, True):
            model = make_model(architecture, auto_class).train()
            if checkpointing:
                model.activation_checkpointing_enable()
                assert any(getattr(m, "gradient_checkpointing", False) for m in model.modules())
            output = tensors_of(model(**make_inputs(model)))
            sum(tensor.square().sum() for tensor in output).backward()
            results.append(output + [parameter.grad for parameter in model.parameters()])
        for plain, checkpointed in zip(*results, strict=True):
            torch.testing.assert_close(plain, checkpointed)

    def test_bfloat16_runs(self, architecture, auto_class, tmp_path):
        make_model(architecture, auto_class).save_pretrained(tmp_path)
        model = getattr(transformers, auto_class).from_pretrained(tmp_path, dtype=torch.bfloat16)
        assert model.dtype == torch.bfloat16
        with torch.no_grad():
            output = tensors_of(model(**make_inputs(model)))
        assert all(torch.isfinite(tensor).all() for tensor in output)


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
class TestArchitecture:
    def test_configuration_round_trip(self, architecture, tmp_path):
        config = architecture.tiny_config()
        config.save_pretrained(tmp_path)
        loaded = transformers.AutoConfig.from_pretrained(tmp_path)
        assert type(loaded) is import_object(architecture.config)
        assert loaded.to_diff_dict() == config.to_diff_dict()
        assert json.loads((tmp_path / "config.json").read_text())["format_version"] == 1

    def test_learns_eight_events(self, architecture):
        for auto_class in architecture.models:
            if auto_class == "AutoModel":
                continue
            model = make_model(architecture, auto_class).train()
            inputs = make_inputs(model, events=8)
            labels = torch.arange(8) % model.config.num_labels
            optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
            first = None
            for _ in range(60):
                optimizer.zero_grad()
                loss = model(**inputs, labels=labels).loss
                first = loss.item() if first is None else first
                loss.backward()
                optimizer.step()
            assert loss.item() < 0.05 * first

    def test_deep_copy_is_independent(self, architecture):
        model = make_model(architecture, next(iter(architecture.models)))
        twin = copy.deepcopy(model)
        next(twin.parameters()).data.zero_()
        assert next(model.parameters()).any()
