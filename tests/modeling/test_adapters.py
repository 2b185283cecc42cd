"""PEFT adapters load through our networks as through those of transformers, and as strictly."""

import hashlib
import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageClassification

from nuzoo.configuration.configuration_nu_cnn import NuCnnConfig
from nuzoo.files.errors import CorruptedFileError
from nuzoo.modeling.modeling_nu_cnn import NuCnnForEventClassification
from nuzoo.modeling.weight_errors import WeightsError

peft = pytest.importorskip("peft")

LOADERS = pytest.mark.parametrize("loader", [AutoModelForImageClassification, NuCnnForEventClassification])
WEIGHTS = "adapter_model.safetensors"


@pytest.fixture
def adapted(tmp_path):
    """The folder of a network and of its adapter, and the logits that the two give together."""
    torch.manual_seed(0)
    base, adapter = tmp_path / "base", tmp_path / "adapter"
    NuCnnForEventClassification(NuCnnConfig.tiny()).save_pretrained(base)
    lora = peft.LoraConfig(
        r=2,
        target_modules=["classifier", "conv1"],
        init_lora_weights=False,
        base_model_name_or_path=str(base),
    )
    model = peft.get_peft_model(NuCnnForEventClassification.from_pretrained(base), lora).eval()
    model.save_pretrained(adapter)
    return base, adapter, model(events()).logits


def events():
    return torch.rand(2, 2, 64, 64, generator=torch.Generator().manual_seed(1))


def drop_tensor(file, ending):
    tensors = load_file(file)
    name = next(name for name in sorted(tensors) if name.endswith(ending))
    tensors.pop(name)
    save_file(tensors, file, metadata={"format": "pt"})


@LOADERS
def test_adapter_brings_its_network(adapted, loader):
    base, adapter, logits = adapted
    model = loader.from_pretrained(adapter)
    assert torch.equal(model(events()).logits, logits)
    assert not torch.allclose(loader.from_pretrained(base)(events()).logits, logits, atol=1e-3)


@LOADERS
def test_adapter_beside_its_network(adapted, loader):
    base, adapter, logits = adapted
    shutil.copytree(adapter, base, dirs_exist_ok=True)
    assert torch.equal(loader.from_pretrained(base)(events()).logits, logits)


@LOADERS
@pytest.mark.parametrize("place", ["beside its network", "alone"])
def test_network_of_an_adapter_is_loaded_strictly(adapted, loader, place):
    base, adapter, _ = adapted
    if place == "beside its network":
        shutil.copytree(adapter, base, dirs_exist_ok=True)
    drop_tensor(base / "model.safetensors", "norm.running_var")
    with pytest.raises(WeightsError, match=r"missing: nu_cnn.*running_var"):
        loader.from_pretrained(base if place == "beside its network" else adapter)


@LOADERS
def test_adapter_is_loaded_strictly(adapted, loader):
    _, adapter, _ = adapted
    drop_tensor(adapter / WEIGHTS, "lora_A.weight")
    with pytest.raises(WeightsError, match=r"missing: .*lora_A"):
        loader.from_pretrained(adapter)


@LOADERS
def test_checksums_of_an_adapter_are_compared(adapted, loader):
    _, adapter, _ = adapted
    config = hashlib.sha256((adapter / "adapter_config.json").read_bytes()).hexdigest()
    sums = {"algorithm": "sha256", "files": {WEIGHTS: "0" * 64, "adapter_config.json": config}}
    (adapter / "checksums.json").write_text(json.dumps(sums))
    with pytest.raises(CorruptedFileError, match=f"expected {WEIGHTS} with sha256 0000"):
        loader.from_pretrained(adapter)


@LOADERS
def test_pickled_adapter_is_not_read(adapted, loader):
    _, adapter, _ = adapted
    torch.save(load_file(adapter / WEIGHTS), adapter / "adapter_model.bin")
    (adapter / WEIGHTS).unlink()
    with pytest.raises(WeightsError, match="never read"):
        loader.from_pretrained(adapter)


def test_adapter_that_names_no_network_is_refused(adapted):
    _, adapter, _ = adapted
    file = adapter / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"base_model_name_or_path": None}))
    with pytest.raises(WeightsError, match="base_model_name_or_path"):
        NuCnnForEventClassification.from_pretrained(adapter)


def test_an_adapter_is_trained_on_the_statistics_that_it_is_loaded_with(tmp_path):
    NuCnnForEventClassification(NuCnnConfig.tiny()).save_pretrained(tmp_path / "base")
    model = NuCnnForEventClassification.from_pretrained(tmp_path / "base")
    model.add_adapter(peft.LoraConfig(r=2, target_modules=["classifier", "conv1"]))
    optimizer = torch.optim.SGD([item for item in model.parameters() if item.requires_grad], lr=0.1)
    model.train()
    for _ in range(3):
        model(events(), labels=torch.tensor([0, 1])).loss.backward()
        optimizer.step()
    model.save_pretrained(tmp_path / "adapter")
    loaded = AutoModelForImageClassification.from_pretrained(tmp_path / "adapter")
    assert torch.equal(model.eval()(events()).logits, loaded(events()).logits)


def test_only_a_frozen_batch_norm_keeps_its_statistics_in_training():
    model = NuCnnForEventClassification(NuCnnConfig.tiny()).train()
    assert model.nu_cnn.norm.training
    model.nu_cnn.norm.requires_grad_(False)
    model.train()
    assert not model.nu_cnn.norm.training
    assert model.nu_cnn.branches[0].blocks[0].training
