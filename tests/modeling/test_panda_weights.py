from itertools import product

import pytest
import torch

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.modeling.modeling_nu_point import NuPointForSemanticSegmentation, NuPointModel
from nuzoo.modeling.panda_weights import from_panda, nuzoo_name
from nuzoo.modeling.sparse.neighbours import find_neighbours
from nuzoo.modeling.weight_errors import WeightsError

from .sparse.clouds import random_cloud

NORM = ("weight", "bias")
LAYERS = ("cpe.0", "cpe.1", "cpe.2", "norm1.0", "attn.qkv", "attn.proj", "norm2.0", "mlp.0.fc1", "mlp.0.fc2")
BLOCK = [*product(LAYERS, NORM), ("ls1.0", "gamma"), ("ls2.0", "gamma")]


def names_of_panda(config):
    """The names of a semantic network of Panda, written down from its files."""
    names = [f"embedding.stem.{part}.{kind}" for part in ("linear", "norm") for kind in NORM]
    names.append("embedding.mask_token")
    depths = {"enc": config.encoder_depths, "dec": config.decoder_depths}
    for part, stages in depths.items():
        for stage, depth in enumerate(stages):
            blocks = [f"{part}.{part}{stage}.block{number}" for number in range(depth)]
            names += [f"{block}.{layer}.{kind}" for block in blocks for layer, kind in BLOCK]
    for stage in range(1, len(config.encoder_depths)):
        names += [f"enc.enc{stage}.down.{layer}.{kind}" for layer in ("proj", "norm.0") for kind in NORM]
    for stage in range(len(config.decoder_depths)):
        layers = [f"{side}.{number}" for side in ("proj", "proj_skip") for number in (0, 1)]
        names += [f"dec.dec{stage}.up.{layer}.{kind}" for layer in layers for kind in NORM]
    return names


@pytest.fixture
def model():
    config = NuPointConfig.tiny(readout="decoder", use_mask_token=True, num_labels=5)
    return NuPointForSemanticSegmentation(config)


@pytest.fixture
def semantic(model):
    """A file of Panda with a head: shapes are found by running the names against the network."""
    names = [f"backbone.{name}" for name in names_of_panda(model.config)]
    names += ["seg_head.weight", "seg_head.bias"]
    unshaped = {name: torch.zeros(()) for name in names}
    with pytest.raises(WeightsError) as refused:
        from_panda(unshaped, model, "file")
    assert "missing" not in str(refused.value)
    assert "unexpected" not in str(refused.value)
    held = model.state_dict()
    torch.manual_seed(0)
    return {name: torch.randn(held[nuzoo_name(name, "nu_point.")].shape) for name in names}


def test_semantic_network_has_every_tensor_of_panda_once(model, semantic):
    weights = from_panda(semantic, model, "file")
    model.load_state_dict(weights)
    block = model.nu_point.encoder.stages[2][0]
    panda = "backbone.enc.enc2.block0"
    for parameter, name in [
        (block.position.convolution.weight, f"{panda}.cpe.0.weight"),
        (block.norm_attention.bias, f"{panda}.norm1.0.bias"),
        (block.scale_mlp.gamma, f"{panda}.ls2.0.gamma"),
        (block.mlp[2].weight, f"{panda}.mlp.0.fc2.weight"),
        (model.nu_point.encoder.poolings[1].norm.weight, "backbone.enc.enc2.down.norm.0.weight"),
        (model.nu_point.decoder.unpoolings[0].skip[1].bias, "backbone.dec.dec0.up.proj_skip.1.bias"),
        (model.classifier.weight, "seg_head.weight"),
    ]:
        assert torch.equal(parameter, semantic[name])
    assert len({tensor.data_ptr() for tensor in weights.values()}) == len(semantic)


@pytest.mark.parametrize("tap", [(2, 1, 0), (0, 2, 2), (1, 0, 1)])
def test_kernels_keep_the_order_of_their_axes(model, semantic, tap):
    """A kernel of one tap (i, j, k) gives a point what is in one cell beside it, at (i, j, k) - 1."""
    kernel = semantic["backbone.enc.enc0.block0.cpe.0.weight"].zero_()
    width = kernel.shape[0]
    kernel[(slice(None), *tap)] = torch.eye(width)
    semantic["backbone.enc.enc0.block0.cpe.0.bias"].zero_()
    model.load_state_dict(from_panda(semantic, model, "file"))
    cells, _ = random_cloud([60], 5)
    rows = torch.randn(60, width)
    neighbours = find_neighbours(cells, torch.zeros(60, dtype=torch.long), 3)
    found = model.nu_point.encoder.stages[0][0].position.convolution(rows, neighbours)
    at = {tuple(cell): row for cell, row in zip(cells.tolist(), rows, strict=True)}
    beside = [tuple((cell + torch.tensor(tap) - 1).tolist()) for cell in cells]
    expected = torch.stack([at.get(cell, torch.zeros(width)) for cell in beside])
    assert 10 < expected.any(dim=1).sum() < 60
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("prefix", ["module.student.backbone.", "student.backbone.", "backbone.", ""])
def test_backbone_is_read_from_every_file_that_holds_one(model, semantic, prefix):
    backbone = model.nu_point
    bare = {name.removeprefix("backbone."): semantic[name] for name in semantic if "seg_head" not in name}
    file = {f"{prefix}{name}": tensor for name, tensor in bare.items()}
    if "student" in prefix:
        file |= {name.replace("student", "teacher"): tensor + 1 for name, tensor in file.items()}
    weights = from_panda(file, backbone, "file")
    assert torch.equal(weights["embedding.mask_token"], bare["embedding.mask_token"])


def test_missing_unexpected_and_misshapen_tensors_are_refused(model, semantic):
    file = dict(semantic)
    del file["backbone.enc.enc0.block0.cpe.0.bias"]
    file["backbone.enc.enc0.block0.rpe.table"] = torch.zeros(3)
    file["seg_head.bias"] = torch.zeros(6)
    with pytest.raises(WeightsError) as refused:
        from_panda(file, model, "panda_semantic.pth")
    message = str(refused.value)
    assert "missing: nu_point.encoder.stages.0.0.position.convolution.bias" in message
    assert "rpe" in message
    assert "classifier.bias (expected (5,), got (6,))" in message


def test_what_is_left_of_a_pre_training_is_known_by_name_and_all_else_refused(model, semantic):
    backbone = model.nu_point
    student = {
        f"module.student.{name}": tensor for name, tensor in semantic.items() if "seg_head" not in name
    }
    known = {f"module.{who}_head.mlp.bias": torch.zeros(1) for who in ("student.mask", "student.unmask")}
    teacher = {"module.teacher.mask_head.mlp.bias": torch.zeros(1)}
    assert len(from_panda(student | known | teacher, backbone, "file")) == len(student)
    for name in ("module.queue", "queue", "module.student.queue"):
        with pytest.raises(WeightsError, match=f"unexpected: .*{name.removeprefix('module.student.')}"):
            from_panda(student | known | {name: torch.zeros(1)}, backbone, "file")


def test_network_with_a_decoder_is_not_read_into_one_without(semantic):
    network = NuPointModel(NuPointConfig.tiny(use_mask_token=True))
    file = {name: tensor for name, tensor in semantic.items() if "seg_head" not in name}
    with pytest.raises(WeightsError, match="unexpected"):
        from_panda(file, network, "file")
