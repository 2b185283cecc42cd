"""A network that is saved comes back bit for bit, or not at all."""

import json
import pickle

import pytest
import torch
import transformers
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from nuzoo.modeling.arguments import ArgumentError
from nuzoo.modeling.weight_errors import WeightsError

from .inputs import (
    assert_equal,
    assert_same_weights,
    body_of,
    make_model,
    networks_of,
    restored_buffers,
    results_of,
    stirred,
    tensors_of,
)

PICKLES = {".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle"}


def weights_file(folder):
    return folder / "model.safetensors"


def has_classes(headed):
    """Whether the size of a head follows from the number of classes."""
    more = type(headed.config).from_dict(headed.config.to_dict(), num_labels=headed.config.num_labels + 2)
    return type(headed)(more).num_parameters() != headed.num_parameters()


def change_weights(folder, change):
    """Rewrite the saved tensors through `change(tensors)`."""
    tensors = load_file(weights_file(folder))
    change(tensors)
    save_file(tensors, weights_file(folder), metadata={"format": "pt"})


def test_saved_network_loads_bitwise_equal(architecture, network, model, inputs, tmp_path):
    """Through its Auto class, of those networks that wrote the checkpoint."""
    stirred(model).save_pretrained(tmp_path)
    loaded = getattr(transformers, networks_of(architecture)[network]).from_pretrained(tmp_path)
    assert type(loaded) is type(model)
    assert not loaded.training
    assert {tensor.device.type for tensor in loaded.state_dict().values()} == {"cpu"}
    assert_same_weights(loaded, model)
    assert_equal(results_of(loaded, inputs), results_of(model, inputs))


def test_shards_load_bitwise_equal(model, inputs, tmp_path):
    size = sum(tensor.nbytes for tensor in model.state_dict().values())
    stirred(model).save_pretrained(tmp_path, max_shard_size=size // 3)
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    loaded = type(model).from_pretrained(tmp_path)
    assert_equal(results_of(loaded, inputs), results_of(model, inputs))


def test_lost_shard_is_refused(model, tmp_path):
    size = sum(tensor.nbytes for tensor in model.state_dict().values())
    model.save_pretrained(tmp_path, max_shard_size=size // 3)
    lost = sorted(tmp_path.glob("*.safetensors"))[-1]
    lost.unlink()
    with pytest.raises(WeightsError, match=lost.name):
        type(model).from_pretrained(tmp_path)


def test_every_tensor_is_saved(model, tmp_path):
    model.save_pretrained(tmp_path)
    held = {name for name, _ in model.named_parameters(remove_duplicate=False)}
    held |= {name for name, _ in model.named_buffers(remove_duplicate=False)} - restored_buffers(model)
    tied = set(model.all_tied_weights_keys)
    assert set(load_file(weights_file(tmp_path))) == held - tied
    assert set(model.state_dict()) == held


def test_tied_tensors_are_declared(model):
    """Undeclared sharing is lost when a checkpoint is loaded."""
    names = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(parameter.data_ptr(), []).append(name)
    shared = {name for group in names.values() if len(group) > 1 for name in group}
    ties = model.all_tied_weights_keys
    assert shared == set(ties) | set(ties.values())


def test_tensors_of_any_layout_are_saved_contiguous(model, inputs, tmp_path):
    for parameter in stirred(model).parameters():
        if parameter.ndim > 1:
            parameter.data = parameter.data.transpose(0, -1).contiguous().transpose(0, -1)
    model.save_pretrained(tmp_path)
    loaded = type(model).from_pretrained(tmp_path)
    assert all(parameter.is_contiguous() for parameter in loaded.parameters())
    assert_same_weights(loaded, model)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64], ids=str)
def test_loads_in_the_type_asked_for(model, dtype, tmp_path):
    kept = (model._keep_in_fp32_modules or set()) | (model._keep_in_fp32_modules_strict or set())
    model.save_pretrained(tmp_path)
    loaded = type(model).from_pretrained(tmp_path, dtype=dtype)
    for name, parameter in loaded.named_parameters():
        if not any(module in name.split(".") for module in kept):
            assert parameter.dtype == dtype, name
            assert torch.equal(parameter, model.get_parameter(name).to(dtype)), name


def test_type_of_the_file_is_kept(model, inputs, tmp_path):
    stirred(model).to(torch.bfloat16).save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["dtype"] == "bfloat16"
    loaded = type(model).from_pretrained(tmp_path, dtype="auto")
    assert_same_weights(loaded, model)


def test_modules_kept_in_float32_stay_so(model, tmp_path):
    kept = (model._keep_in_fp32_modules or set()) | (model._keep_in_fp32_modules_strict or set())
    if not kept:
        pytest.skip("no module is declared to stay in float32")
    model.save_pretrained(tmp_path)
    loaded = type(model).from_pretrained(tmp_path, dtype=torch.bfloat16)
    found = {
        module: parameter.dtype
        for name, parameter in loaded.named_parameters()
        for module in kept
        if module in name.split(".")
    }
    assert found == dict.fromkeys(kept, torch.float32)


@pytest.mark.parametrize("which", ["first", "last", "buffer"])
def test_missing_tensor_is_named(model, which, tmp_path):
    model.save_pretrained(tmp_path)
    saved = load_file(weights_file(tmp_path))
    buffers = [name for name, _ in model.named_buffers() if name in saved]
    if which == "buffer" and not buffers:
        pytest.skip("the network has no buffers")
    name = {"first": sorted(saved)[0], "last": sorted(saved)[-1], "buffer": (buffers or [""])[0]}[which]
    change_weights(tmp_path, lambda tensors: tensors.pop(name))
    with pytest.raises(WeightsError, match="missing") as caught:
        type(model).from_pretrained(tmp_path)
    assert name in str(caught.value)


@pytest.mark.parametrize("stray", ["stray.weight", "{prefix}.stray", "{head}_old.weight"])
def test_unexpected_tensor_is_named(model, stray, tmp_path):
    head = next(iter(type(model).heads), "head")
    name = stray.format(prefix=model.base_model_prefix, head=head)
    model.save_pretrained(tmp_path)
    change_weights(tmp_path, lambda tensors: tensors.update({name: torch.zeros(2)}))
    with pytest.raises(WeightsError, match="unexpected") as caught:
        type(model).from_pretrained(tmp_path)
    assert name in str(caught.value)


def test_tensor_of_another_shape_is_named(model, tmp_path):
    model.save_pretrained(tmp_path)
    name = next(name for name, parameter in model.named_parameters() if parameter.ndim > 1)
    change_weights(tmp_path, lambda tensors: tensors.update({name: tensors[name][:-1].clone()}))
    with pytest.raises(WeightsError, match="another shape") as caught:
        type(model).from_pretrained(tmp_path)
    assert name in str(caught.value)


def test_truncated_weights_are_refused(model, tmp_path):
    model.save_pretrained(tmp_path)
    weights = weights_file(tmp_path).read_bytes()
    weights_file(tmp_path).write_bytes(weights[:-10])
    with pytest.raises(WeightsError, match=r"model\.safetensors"):
        type(model).from_pretrained(tmp_path)


def test_head_starts_afresh_only_when_asked(headed, body_class, tmp_path):
    if not has_classes(headed):
        pytest.skip("the head is for no classes")
    stirred(headed).save_pretrained(tmp_path)
    classes = headed.config.num_labels + 2
    with pytest.raises(WeightsError, match="another shape"):
        type(headed).from_pretrained(tmp_path, num_labels=classes)
    loaded = type(headed).from_pretrained(tmp_path, num_labels=classes, reinitialize=headed.heads)
    assert loaded.config.num_labels == classes
    assert_same_weights(loaded.base_model, headed.base_model)
    fresh = {name: value for name, value in loaded.state_dict().items() if name.split(".")[0] in headed.heads}
    assert fresh
    assert all(torch.isfinite(value).all() for value in fresh.values())
    assert any(value.any() for value in fresh.values())


def test_head_of_the_same_classes_starts_afresh_too(headed, tmp_path):
    trained = stirred(headed)
    trained.save_pretrained(tmp_path)
    loaded = type(headed).from_pretrained(tmp_path, reinitialize=headed.heads)
    assert_same_weights(loaded.base_model, trained.base_model)
    before, after = trained.state_dict(), loaded.state_dict()
    heads = [name for name in after if name.split(".")[0] in headed.heads and after[name].is_floating_point()]
    assert bool(heads) == bool(headed.heads)
    assert not any(torch.equal(before[name], after[name]) for name in heads)


def test_module_that_is_not_there_cannot_start_afresh(headed, tmp_path):
    headed.save_pretrained(tmp_path)
    with pytest.raises(ArgumentError, match=r"reinitialize: expected names of modules.*got 'clasifier'"):
        type(headed).from_pretrained(tmp_path, reinitialize=["clasifier"])


def test_body_loads_from_a_checkpoint_with_head(headed, body_class, inputs, tmp_path):
    stirred(headed).save_pretrained(tmp_path)
    body = body_class.from_pretrained(tmp_path)
    assert_same_weights(body, headed.base_model)
    assert_equal(results_of(body, inputs), results_of(headed.base_model, inputs))


def test_head_does_not_load_from_a_body_unasked(headed, architecture, body_class, tmp_path):
    body = stirred(make_model(architecture, body_of(architecture)))
    body.save_pretrained(tmp_path)
    with pytest.raises(WeightsError, match="missing") as caught:
        type(headed).from_pretrained(tmp_path)
    assert any(head in str(caught.value) for head in headed.heads)
    loaded = type(headed).from_pretrained(tmp_path, reinitialize=headed.heads)
    assert_same_weights(loaded.base_model, body)


def test_every_module_outside_the_body_is_a_declared_head(headed, body_class):
    outside = {name for name, _ in headed.named_children()} - {headed.base_model_prefix}
    loose = {name for name, _ in headed.named_parameters(recurse=False)}
    assert outside | loose <= set(headed.heads)


def test_body_lies_under_its_prefix(headed, body_class):
    assert type(getattr(headed, headed.base_model_prefix)) is body_class
    assert headed.base_model is getattr(headed, headed.base_model_prefix)


class Bomb:
    """A pickle that leaves a mark when it is read."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return type(self.mark).touch, (self.mark,)


def test_pickled_weights_are_never_read(model, tmp_path):
    model.save_pretrained(tmp_path)
    mark = tmp_path / "was-read"
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(mark)))
    type(model).from_pretrained(tmp_path)
    weights_file(tmp_path).unlink()
    with pytest.raises(WeightsError, match="safetensors"):
        type(model).from_pretrained(tmp_path)
    with pytest.raises(WeightsError, match="safetensors"):
        type(model).from_pretrained(tmp_path, use_safetensors=False)
    assert not mark.exists()


def test_no_pickle_is_written(model, tmp_path):
    model.save_pretrained(tmp_path)
    assert weights_file(tmp_path).is_file()
    assert not {file.suffix for file in tmp_path.rglob("*")} & PICKLES


def test_given_weights_are_loaded_as_strictly(model, inputs):
    weights = stirred(model).state_dict()
    loaded = type(model).from_pretrained(None, config=model.config, state_dict=dict(weights))
    assert_equal(results_of(loaded, inputs), results_of(model, inputs))
    name = sorted(weights)[-1]
    incomplete = {key: value for key, value in weights.items() if key != name}
    with pytest.raises(WeightsError, match="missing"):
        type(model).from_pretrained(None, config=model.config, state_dict=incomplete)


def test_file_says_that_it_is_of_torch(model, tmp_path):
    model.save_pretrained(tmp_path)
    with safe_open(weights_file(tmp_path), framework="pt") as file:
        assert file.metadata()["format"] == "pt"


def test_saving_again_gives_the_same_bytes(model, tmp_path):
    model.save_pretrained(tmp_path / "first")
    type(model).from_pretrained(tmp_path / "first").save_pretrained(tmp_path / "second")
    first, second = (
        {file.name: file.read_bytes() for file in (tmp_path / folder).iterdir()}
        for folder in ("first", "second")
    )
    assert first == second


def test_saving_leaves_the_network_as_it_is(model, inputs, tmp_path):
    before = tensors_of(tuple(tensor.clone() for tensor in model.state_dict().values()))
    settings = model.config.to_dict()
    results = results_of(model, inputs)
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    assert_equal(list(model.state_dict().values()), before)
    assert_equal(results_of(model, inputs), results)
    changed = {key for key, value in model.config.to_dict().items() if settings.get(key) != value}
    assert changed <= {"architectures", "dtype"}


def test_loads_from_a_subfolder(model, inputs, tmp_path):
    stirred(model).save_pretrained(tmp_path / "inner")
    loaded = type(model).from_pretrained(tmp_path, subfolder="inner")
    assert_equal(results_of(loaded, inputs), results_of(model, inputs))


def test_file_names_the_class_that_wrote_it(model, tmp_path):
    model.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["architectures"] == [type(model).__name__]


def test_misspelt_argument_is_named(model, tmp_path):
    model.save_pretrained(tmp_path)
    with pytest.raises((TypeError, ValueError), match="num_lables"):
        type(model).from_pretrained(tmp_path, num_lables=4)
