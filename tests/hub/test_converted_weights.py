import json
import os
import pickle
import shutil

import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import save_file
from transformers import (
    AutoModel,
    AutoModelForSemanticSegmentation,
    AutoModelForUniversalSegmentation,
    AutoProcessor,
)

from nuzoo.cli import main
from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.files.checksums import differences
from nuzoo.files.errors import UnusableOutputError
from nuzoo.hub.model.converted_weights import convert_released
from nuzoo.modeling.panda_sizes import config_of, network_of
from nuzoo.modeling.panda_weights import from_panda
from nuzoo.modeling.released_files import read_released
from nuzoo.modeling.weight_errors import WeightsError
from nuzoo.pipelines.loading import load_pipeline

from . import released_panda as panda

CUT = "backbone.enc.enc0.block1.mlp.0.fc2.weight"


def write(folder, tensors, config=None, name="panda.pth"):
    content = {"state_dict": tensors} | ({"config": config} if config is not None else {})
    torch.save(content, folder / name)
    return folder / name


@pytest.fixture
def semantic(tmp_path):
    config = {"num_classes": 5, "backbone_out_channels": 32, "backbone": panda.settings()}
    return write(tmp_path, panda.semantic(), config)


def refused(source, out):
    """The message with which a file is refused; nothing may be left."""
    with pytest.raises(WeightsError) as caught:
        convert_released(source, out)
    assert [file.name for file in out.parent.iterdir() if file != source] == []
    return str(caught.value)


def test_semantic_network_becomes_one_of_ours(semantic, tmp_path):
    made = convert_released(semantic, tmp_path / "ours")
    model = AutoModelForSemanticSegmentation.from_pretrained(tmp_path / "ours")
    config, tensors = model.config, panda.semantic()
    assert (config.encoder_depths, config.encoder_channels) == ([2, 1, 1], [16, 32, 48])
    assert (config.decoder_depths, config.decoder_channels) == ([1, 2], [32, 16])
    assert (config.window_size, config.mlp_ratio, config.drop_path_rate) == (32, 2.0, 0.3)
    assert list(config.id2label.values()) == ["shower", "track", "michel", "delta", "led"]
    assert not made.left and made.settings_known
    assert model.num_parameters() == sum(tensor.numel() for tensor in tensors.values())
    body = model.nu_point
    for ours, theirs in [
        (model.classifier.bias, "seg_head.bias"),
        (body.embedding.projection.weight, "backbone.embedding.stem.linear.weight"),
        (body.encoder.stages[0][1].mlp[2].weight, CUT),
        (body.encoder.stages[2][0].position.convolution.weight, "backbone.enc.enc2.block0.cpe.0.weight"),
        (body.encoder.poolings[0].norm.bias, "backbone.enc.enc1.down.norm.0.bias"),
        (body.decoder.unpoolings[1].coarse[0].weight, "backbone.dec.dec1.up.proj.0.weight"),
        (body.decoder.stages[1][1].attention.qkv.bias, "backbone.dec.dec1.block1.attn.qkv.bias"),
    ]:
        assert torch.equal(ours, tensors[theirs])


def test_processor_is_that_of_the_training(semantic, tmp_path):
    convert_released(semantic, tmp_path / "ours")
    processor = AutoProcessor.from_pretrained(tmp_path / "ours")
    event = {"x": [384, 0], "y": [384, 0], "z": [385, 767], "energy": [20.0, 0.14], "positions": "voxel"}
    faint = {name: [*column, column[0]] if name != "positions" else column for name, column in event.items()}
    faint |= {"x": [384, 0, 5], "energy": [20.0, 0.14, 0.13]}
    batch = processor({name: np.array(v) if isinstance(v, list) else v for name, v in faint.items()})
    expected = torch.tensor([[0.0, 0.0, 1.0], [-384.0, -384.0, 383.0]]) / 665.1075
    torch.testing.assert_close(batch["coordinates"], expected, rtol=1e-6, atol=1e-7)
    low = 2 * (np.log10(0.15) + 2) / (np.log10(20.01) + 2) - 1
    torch.testing.assert_close(batch["energy"][:, 0], torch.tensor([1.0, low], dtype=torch.float32))
    assert batch["grid_coordinates"].tolist() == [[578, 578, 0], [0, 0, 574]]


def test_converted_model_labels_hits_and_its_card_says_where_it_is_from(semantic, tmp_path):
    folder = tmp_path / "ours"
    convert_released(semantic, folder)
    segment = load_pipeline(str(folder))
    events = segment.image_processor.example_events(3)
    assert [len(one["labels"]) for one in segment(events)] == [len(event["energy"]) for event in events]
    card = ModelCard.load(folder / "README.md")
    assert card.data.license == "mit"
    assert card.data.base_model == "DeepLearnPhysics/Panda"
    assert "panda.pth" in card.text and "arXiv:2512.01324" in card.text
    assert differences(folder) == []


def in_backbone(shapes):
    return {f"backbone.{name}": shape for name, shape in shapes.items()}


def test_published_sizes_follow_from_the_shapes():
    shapes = panda.encoder(*panda.PUBLISHED)
    _, channels, ratio = panda.PUBLISHED
    decoder = panda.decoder(*panda.PUBLISHED_DECODER, channels, ratio)
    head = panda.linear("seg_head", 64, 5)
    token = {"embedding.mask_token": (1, 48)}
    for file, parameters in [
        (shapes | token, 90_758_832),
        (in_backbone(shapes | decoder) | head, 107_093_573),
        (in_backbone(shapes) | panda.query_decoder(1232, 6, True, 32, 256, 3, ratio), 95_164_040),
        (in_backbone(shapes) | panda.query_decoder(1232, 2, False, 12, 256, 3, ratio), 95_021_188),
    ]:
        tensors = {name: torch.empty(shape, device="meta") for name, shape in file.items()}
        config = config_of(tensors, {}, "file")
        with torch.device("meta"):
            network = network_of(tensors)(config)
        from_panda(tensors, network, "file")
        assert network.num_parameters() == parameters
        assert config.encoder_depths == NuPointConfig().encoder_depths
        assert config.decoder_channels == NuPointConfig().decoder_channels


@pytest.mark.parametrize("bare", [True, False], ids=["bare", "with a prefix"])
def test_base_network_starts_others(tmp_path, bare):
    tensors = panda.base()
    source = write(tmp_path, tensors if bare else {f"backbone.{name}": t for name, t in tensors.items()})
    made = convert_released(source, tmp_path / "base")
    assert not made.settings_known
    model = AutoModel.from_pretrained(tmp_path / "base")
    assert model.config.readout == "upcast" and model.config.window_size == 256
    assert torch.equal(model.embedding.mask_token, tensors["embedding.mask_token"])
    headed = AutoModelForSemanticSegmentation.from_pretrained(tmp_path / "base", reinitialize=["classifier"])
    assert torch.equal(headed.nu_point.embedding.mask_token, tensors["embedding.mask_token"])


def test_backbone_of_the_student_is_taken_of_a_pre_training(tmp_path):
    tensors = panda.pretraining()
    made = convert_released(write(tmp_path, tensors), tmp_path / "base")
    token = made.model.embedding.mask_token
    assert torch.equal(token, tensors["module.student.backbone.embedding.mask_token"])
    assert set(made.left) == {name for name in tensors if "teacher" in name or "mask_head" in name}


def test_repository_of_safetensors_is_read_with_its_config(tmp_path):
    repository = tmp_path / "Panda-Semantic"
    repository.mkdir()
    save_file(panda.semantic(classes=6), repository / "model.safetensors")
    text = json.dumps({"model": {"type": "seg", "backbone": panda.settings()}, "data": {}})
    (repository / "config.json").write_text(text)
    made = convert_released(repository, tmp_path / "ours")
    assert made.model.config.target == "pid"
    assert made.model.config.window_size == 32


@pytest.mark.parametrize("instances", ["particle", "interaction"])
def test_repository_of_a_detector_is_read_with_its_config(instances, tmp_path):
    repository = tmp_path / f"Panda-{instances.title()}"
    repository.mkdir()
    tensors = panda.detector(instances)
    save_file(tensors, repository / "model.safetensors")
    settings = {"model": {"type": "detector-v4", **panda.detector_settings(instances)}, "data": {}}
    (repository / "config.json").write_text(json.dumps(settings))
    model = convert_released(repository, tmp_path / "ours").model
    assert (model.config.instances, model.config.window_size) == (instances, 32)
    assert torch.equal(model.query_decoder.content.weight, tensors["decoder.query_feat.weight"])


def without(tensors, name):
    del tensors[name]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda file: without(file, CUT), "missing: nu_point.encoder.stages.0.1.mlp.2.weight"),
        (lambda file: without(file, "seg_head.bias"), "missing: classifier.bias"),
        (lambda file: without(file, "backbone.enc.enc1.block0.norm1.0.weight"), "enc1.block0.norm1.0.weight"),
        (lambda file: without(file, "backbone.embedding.stem.linear.weight"), "stem.linear.weight"),
        (lambda file: file.update({"backbone.rpe": torch.ones(3)}), "unexpected: backbone.rpe"),
        (lambda file: file.update({CUT: torch.ones(16, 31)}), r"(expected (16, 32), got (16, 31))"),
        (lambda file: file.update({CUT: torch.tensor(1.0)}), r"(expected (16, 32), got ())"),
        (
            lambda file: file.update({CUT: file[CUT] / 0}),
            f"finite floating-point numbers, got others in {CUT}",
        ),
        (lambda file: file.update({CUT: torch.ones(16, 32).long()}), CUT),
        (lambda file: file.update({CUT: [1.0]}), f"tensors by name alone, got {CUT}"),
        (
            lambda file: file.update({"seg_head.weight": torch.ones(9, 32)}),
            "5 (motif), 6 (pid) classes, got 9",
        ),
        (lambda file: file.update({"decoder.query_feat.weight": torch.ones(32, 256)}), "decoder.cls_pred"),
        (lambda file: file.update({"classifier.bias": torch.ones(5)}), "classifier.bias"),
        (lambda file: file.clear(), "tensors by name, got none"),
    ],
)
def test_tensors_that_are_not_those_of_a_network_are_named(tmp_path, change, words):
    tensors = panda.semantic()
    change(tensors)
    assert words in refused(write(tmp_path, tensors), tmp_path / "ours")


@pytest.mark.parametrize("instances", ["particle", "interaction"])
def test_detector_becomes_one_of_ours(tmp_path, instances):
    tensors = panda.detector(instances)
    source = write(tmp_path, tensors, panda.detector_settings(instances))
    made = convert_released(source, tmp_path / "ours")
    model = AutoModelForUniversalSegmentation.from_pretrained(tmp_path / "ours")
    config = model.config
    assert not made.left and made.settings_known
    assert model.num_parameters() == sum(tensor.numel() for tensor in tensors.values())
    assert (config.instances, config.masks_from, config.window_size) == (instances, "entering", 32)
    assert (config.queries, config.query_channels, config.query_blocks) == (5, 32, 2)
    names = ["photon", "electron", "muon", "pion", "proton", "none"]
    assert list(config.id2label.values()) == (names if instances == "particle" else ["none", "interaction"])
    assert config.background_labels == ([5] if instances == "particle" else [0])
    decoder = model.query_decoder
    block, name = decoder.blocks[1], "decoder.blocks.1"
    keys, values = tensors[f"{name}.self_attn.kv.weight"].split(32)
    last = "fc2." if instances == "particle" else ""
    classes, points = (
        (part[2] if instances == "particle" else part)
        for part in (model.classifier, decoder.point_projection)
    )
    for ours, theirs in [
        (block.self_attention.key.weight, keys),
        (block.self_attention.value.weight, values),
        (block.self_attention.query.bias, tensors[f"{name}.self_attn.q.bias"]),
        (block.cross_attention.value.weight, tensors[f"{name}.cross_attn.v_proj.weight"]),
        (block.norm_cross.weight, tensors[f"{name}.norm1.weight"]),
        (block.norm_self.weight, tensors[f"{name}.norm2.weight"]),
        (block.norm_mlp.weight, tensors[f"{name}.norm3.weight"]),
        (block.norm_points.weight, tensors[f"{name}.norm_kv.weight"]),
        (block.mask_embedding[2].weight, tensors[f"{name}.mask_mlp.fc2.weight"]),
        (block.mlp[0].weight, tensors[f"{name}.mlp.fc1.weight"]),
        (decoder.content.weight, tensors["decoder.query_feat.weight"]),
        (decoder.position.weight, tensors["decoder.query_embed.weight"]),
        (decoder.point_position[2].bias, tensors["decoder.pos_emb.2.bias"]),
        (decoder.norm.bias, tensors["decoder.final_norm.bias"]),
        (model.stuff_head[2].weight, tensors["decoder.stuff_head.2.weight"]),
        (classes.weight, tensors[f"decoder.cls_pred.{last}weight"]),
        (points.bias, tensors[f"decoder.full_point_proj.{last}bias"]),
        (model.nu_point.encoder.stages[0][1].mlp[2].weight, tensors[CUT]),
    ]:
        assert torch.equal(ours, theirs)


def test_converted_detector_finds_instances_and_its_card_says_how(tmp_path):
    folder = tmp_path / "ours"
    convert_released(write(tmp_path, panda.detector(), panda.detector_settings()), folder)
    segment = load_pipeline(str(folder))
    events = segment.image_processor.example_events(3)
    assert [len(one["instances"]) for one in segment(events)] == [len(event["energy"]) for event in events]
    card = ModelCard.load(folder / "README.md")
    assert "detector of particles" in card.text and "masks_from" in card.text and "- muon" in card.text
    assert "AutoModelForUniversalSegmentation" in card.text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda file: without(file, "decoder.stuff_head.2.bias"), "missing: stuff_head.2.bias"),
        (
            lambda file: without(file, "decoder.blocks.1.self_attn.kv.bias"),
            "self_attention.key.bias, query_decoder.blocks.1.self_attention.value.bias",
        ),
        (
            lambda file: file.update({"decoder.blocks.1.self_attn.kv.bias": torch.tensor(1.0)}),
            "unexpected: decoder.blocks.1.self_attn.kv.bias",
        ),
        (
            lambda file: file.update({"decoder.blocks.1.self_attn.kv.bias": torch.ones(63)}),
            "value.bias (expected (32,), got (31,))",
        ),
        (lambda file: without(file, "decoder.cls_pred.fc2.weight"), "decoder.cls_pred.fc2.weight"),
        (lambda file: file.update({"decoder.cls_pred.fc2.weight": torch.ones(5, 32)}), "6 (particle), 2"),
        (
            lambda file: file.update({"decoder.blocks.0.ls1.gamma": torch.ones(32)}),
            "unexpected: decoder.blocks.0.ls1.gamma",
        ),
        (
            lambda file: file.update({"decoder.cls_pred.0.weight": torch.ones(32, 32)}),
            "decoder.cls_pred.fc1.weight, decoder.cls_pred.0.weight",
        ),
        (
            lambda file: file.update({"decoder.cls_pred_by_label.particle.fc1.bias": torch.ones(32)}),
            "published later",
        ),
        (lambda file: file.update({"decoder.query_feat.weight": torch.ones(5, 33)}), "multiple of 16"),
    ],
)
def test_tensors_that_are_not_those_of_a_detector_are_named(tmp_path, change, words):
    tensors = panda.detector()
    change(tensors)
    assert words in refused(write(tmp_path, tensors), tmp_path / "ours")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("num_heads", 4),
        ("stuff_classes", [0]),
        ("query_type", "superpoint"),
        ("pos_emb", False),
        ("pre_norm", False),
        ("supervise_attn_mask", False),
        ("backbone", panda.settings(enable_rpe=True)),
        ("backbone", "PT-v3m2"),
    ],
)
def test_settings_of_another_detector_are_named(tmp_path, setting, value):
    settings = panda.detector_settings(**{setting: value})
    message = refused(write(tmp_path, panda.detector(), settings), tmp_path / "ours")
    assert "enable_rpe" in message if "enable_rpe" in str(value) else setting in message


def test_hostile_detector_is_refused(tmp_path):
    tensors = panda.detector() | {"decoder.bomb": Bomb(tmp_path / "was-read")}
    assert "mkdir" in refused(write(tmp_path, tensors, panda.detector_settings()), tmp_path / "ours")
    assert not (tmp_path / "was-read").exists()


def test_stray_tensor_of_a_pre_training_is_named(tmp_path):
    source = write(tmp_path, panda.pretraining() | {"module.optimizer": torch.ones(2)})
    assert "unexpected: module.optimizer" in refused(source, tmp_path / "ours")


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("enable_rpe", True),
        ("pre_norm", False),
        ("stride", (2, 4)),
        ("enc_num_head", (1, 1, 1)),
        ("dec_patch_size", (32, 64)),
        ("order", ("peano",)),
    ],
)
def test_settings_of_another_network_are_named(tmp_path, setting, value):
    message = refused(
        write(tmp_path, panda.semantic(), panda.settings(**{setting: value})), tmp_path / "ours"
    )
    assert {"order": "curves"}.get(setting, setting) in message


class Bomb:
    """A pickle that leaves a mark when it is read."""

    def __init__(self, mark):
        self.mark = str(mark)

    def __reduce__(self):
        return os.mkdir, (self.mark,)


class BuiltinBomb(Bomb):
    def __reduce__(self):
        return eval, (f"__import__('os').mkdir({self.mark!r})",)


@pytest.mark.parametrize(("bomb", "name"), [(Bomb, "mkdir"), (BuiltinBomb, "eval")])
@pytest.mark.parametrize("place", ["config", "state_dict", "beside"])
def test_hostile_pickle_is_refused_by_name_and_nothing_of_it_runs(tmp_path, bomb, name, place):
    mark = tmp_path / "was-read"
    content = {"state_dict": panda.semantic(), "config": panda.settings()}
    if place == "beside":
        content["scheduler"] = bomb(mark)
    else:
        content[place]["bomb"] = bomb(mark)
    torch.save(content, tmp_path / "panda.pth")
    message = refused(tmp_path / "panda.pth", tmp_path / "ours")
    assert name in message and "nothing of it was run" in message and "safetensors" in message
    torch.load(tmp_path / "panda.pth", weights_only=False)
    assert mark.exists(), "the bomb is one"


@pytest.mark.parametrize(("protocol", "said"), [(2, "mkdir"), (4, "as torch.save writes it")])
def test_bare_hostile_pickle_is_refused(tmp_path, protocol, said):
    """Without what torch advises: to read it all the same."""
    (tmp_path / "panda.pth").write_bytes(pickle.dumps(Bomb(tmp_path / "was-read"), protocol=protocol))
    message = refused(tmp_path / "panda.pth", tmp_path / "ours")
    assert said in message and "nothing of it was run" in message and "weights_only" not in message


def test_numbers_of_numpy_that_a_training_leaves_are_read(tmp_path):
    content = {
        "state_dict": panda.semantic(),
        "epoch": np.int64(3),
        "best": np.float64(0.9),
        "loss": np.float32(1),
    }
    torch.save(content, tmp_path / "panda.pth")
    convert_released(tmp_path / "panda.pth", tmp_path / "ours")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_truncated_file_is_refused(semantic, tmp_path, share):
    whole = semantic.read_bytes()
    semantic.write_bytes(whole[: int(share * len(whole))])
    assert "expected a whole file of weights" in refused(semantic, tmp_path / "ours")


def test_text_is_refused(tmp_path):
    (tmp_path / "panda.pth").write_text("hello, this is text")
    assert "expected a whole file of weights, got 19 bytes" in refused(
        tmp_path / "panda.pth", tmp_path / "ours"
    )


@pytest.mark.parametrize(
    "content",
    [
        {"state_dict": {"a": torch.empty(2, device="meta")}},
        {"state_dict": {"a": torch.eye(2).to_sparse()}},
        {"state_dict": {1: torch.zeros(2)}},
        {"state_dict": {"a": torch.zeros(2)}, "config": {"model": 3}},
        {"state_dict": {"a": torch.zeros(2)}, "config": {"model": {"backbone": 3}}},
    ],
    ids=["meta", "sparse", "number", "model", "backbone"],
)
def test_what_is_no_plain_tensor_or_setting_by_name_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "panda.pth")
    with pytest.raises(WeightsError, match=r"expected (plain tensors|settings) by name"):
        read_released(tmp_path / "panda.pth")


def test_truncated_safetensors_and_config_are_refused(tmp_path):
    source = tmp_path / "panda"
    source.mkdir()
    save_file(panda.base(), source / "model.safetensors")
    (source / "config.json").write_text("{")
    assert "expected JSON" in refused(source, tmp_path / "ours")
    (source / "model.safetensors").write_bytes((source / "model.safetensors").read_bytes()[:-9])
    assert "expected a whole file of weights" in refused(source, tmp_path / "ours")
    shutil.rmtree(source)
    source.mkdir()
    assert "got neither" in refused(source, tmp_path / "ours")


def test_folder_in_use_is_left_as_it_is(semantic, tmp_path):
    (tmp_path / "ours").mkdir()
    convert_released(semantic, tmp_path / "ours")
    with pytest.raises(UnusableOutputError, match="in use"):
        convert_released(semantic, tmp_path / "ours")


def test_command(semantic, tmp_path, capsys):
    assert main(["convert-weights", str(semantic), "--out", str(tmp_path / "ours")]) == 0
    assert "NuPointForSemanticSegmentation" in capsys.readouterr().out
    assert main(["convert-weights", str(semantic), "--out", str(tmp_path / "ours")]) == 1
    assert "in use" in capsys.readouterr().err
