"""A network that starts from one that was trained for another task, whole or with parts that do not learn."""

import datasets
import pytest
import torch
from safetensors.torch import load_file, save_file

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError
from nuzoo.modeling.modeling_nu_point import NuPointForSemanticSegmentation, NuPointModel
from nuzoo.modeling.modeling_nu_point_pretraining import NuPointForPreTraining
from nuzoo.modeling.weight_errors import WeightsError
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor
from nuzoo.training.fields import RecipeError
from nuzoo.training.network_choice import NetworkChoice
from nuzoo.training.recipe_data import in_classes_of

TASK = "hit-segmentation"
ENCODER = ["nu_point.embedding", "nu_point.encoder"]


def network(**given):
    choice = NetworkChoice.parse({"model_type": "nu_point", **given}, TASK)
    torch.manual_seed(0)
    kind = NuPointConfig
    config = choice._pretrained_config(kind, choice.fields) if choice.pretrained else kind.tiny()
    return choice.build(config)


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


@pytest.mark.parametrize("kept", ["", "embedding", "mask_head"])
@pytest.mark.parametrize("kind", [NuPointForPreTraining, NuPointModel])
def test_a_checkpoint_without_what_it_should_have_is_refused(tmp_path, kind, kept):
    """As one whose tensors have other names: a network that starts from nothing is no pre-trained one."""
    kind(NuPointConfig.tiny()).save_pretrained(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    few = {name: tensor for name, tensor in tensors.items() if kept and kept in name}
    save_file(few, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(WeightsError, match=r"missing: nu_point\."):
        network(pretrained=str(tmp_path))


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


def test_heads_of_another_task_are_new_whatever_they_are_called(tmp_path):
    NuPointForSemanticSegmentation(NuPointConfig.tiny(id2label={0: "a", 1: "b"})).save_pretrained(tmp_path)
    given = {"model_type": "nu_point", "pretrained": str(tmp_path)}
    choice = NetworkChoice.parse(given, "particle-segmentation")
    assert choice.is_of_another_task
    config = choice.config(NuPointCloudFeatureExtractor.tiny(None), ["photon", "muon", "none"])
    assert [*config.id2label.values()] == ["photon", "muon", "none"]
    assert choice.build(config).classifier[-1].weight.shape[0] == 3 + 1
    same = NetworkChoice.parse(given, TASK)
    assert not same.is_of_another_task
    assert [*same.config(NuPointCloudFeatureExtractor.tiny(None), ["c"]).id2label.values()] == ["a", "b"]


def test_hits_of_other_classes_are_refused_with_what_may_be_done():
    kind = datasets.Features({"pid": datasets.List(datasets.ClassLabel(names=["photon", "muon"]))})
    rows = datasets.Dataset.from_dict({"pid": [[0, 1]]}, features=kind)
    assert in_classes_of(NuPointConfig.tiny(id2label={0: "photon", 1: "muon"}), ["pid"], {"train": rows})
    with pytest.raises(UnusableDatasetError, match=r"split train: .* classes muon, photon, got photon, muon"):
        in_classes_of(NuPointConfig.tiny(id2label={0: "muon", 1: "photon"}), ["pid"], {"train": rows})
