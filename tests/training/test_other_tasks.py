"""A network that starts from one that was trained for another task, whole or with parts that do not learn."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.modeling.modeling_nu_point import NuPointModel
from nuzoo.modeling.modeling_nu_point_pretraining import NuPointForPreTraining
from nuzoo.modeling.weight_errors import WeightsError
from nuzoo.training.fields import RecipeError
from nuzoo.training.network_choice import NetworkChoice

TASK = "hit-segmentation"
ENCODER = ["nu_point.embedding", "nu_point.encoder"]


def network(**given):
    choice = NetworkChoice.parse({"model_type": "nu_point", **given}, TASK)
    torch.manual_seed(0)
    kind = NuPointConfig
    config = choice._pretrained_config(kind, choice.fields) if choice.pretrained else kind.tiny()
    return choice.build(TASK, config)


@pytest.fixture
def pretrained(tmp_path):
    torch.manual_seed(7)
    model = NuPointForPreTraining(NuPointConfig.tiny(use_mask_token=True))
    model.save_pretrained(tmp_path)
    return tmp_path, model


@pytest.mark.parametrize("readout", ["upcast", "decoder"])
def test_what_the_checkpoint_has_is_taken_and_the_rest_is_new(pretrained, readout):
    folder, before = pretrained
    model = network(pretrained=str(folder), readout=readout)
    learnt = model.nu_point.state_dict()
    for name, tensor in before.nu_point.state_dict().items():
        assert torch.equal(tensor, learnt[name])
    assert any("decoder" in name for name in learnt) == (readout == "decoder")
    assert model.classifier.weight.std().item() == pytest.approx(0.02, rel=0.5)


def test_a_checkpoint_of_the_body_alone_will_do(tmp_path):
    torch.manual_seed(7)
    body = NuPointModel(NuPointConfig.tiny())
    body.save_pretrained(tmp_path)
    model = network(pretrained=str(tmp_path))
    assert torch.equal(model.nu_point.embedding.projection.weight, body.embedding.projection.weight)


def test_a_part_that_is_not_whole_is_refused(pretrained):
    folder, _ = pretrained
    tensors = load_file(folder / "model.safetensors")
    lost = next(name for name in tensors if "encoder" in name and "qkv" in name)
    save_file({k: v for k, v in tensors.items() if k != lost}, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(WeightsError, match=lost):
        network(pretrained=str(folder))


def test_frozen_modules_neither_learn_nor_drop(pretrained):
    model = network(pretrained=str(pretrained[0]), readout="decoder", frozen=ENCODER).train()
    learning = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert learning and all(name.startswith(("nu_point.decoder", "classifier")) for name in learning)
    assert not model.nu_point.encoder.stages[0][0].drop_path.training
    assert model.nu_point.decoder.training


def test_what_cannot_be_frozen_is_refused_by_name():
    with pytest.raises(
        RecipeError, match=r"model.frozen: .*'nu_point.encodr': did you mean nu_point.encoder"
    ):
        network(frozen=["nu_point.encodr"])
    with pytest.raises(RecipeError, match="expected something that learns"):
        network(frozen=["nu_point", "classifier"])
