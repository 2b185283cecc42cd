import json

import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import save_file
from transformers import AutoModel, AutoModelForPreTraining, AutoModelForSemanticSegmentation, AutoProcessor

from nuzoo.cli import main
from nuzoo.files.checksums import differences
from nuzoo.hub.model.converted_weights import convert_released
from nuzoo.modeling.modeling_nu_point_mae import NuPointMaeModel
from nuzoo.modeling.polar_mae_sizes import config_of, network_of
from nuzoo.modeling.polar_mae_weights import from_polar_mae, renamed
from nuzoo.modeling.weight_errors import WeightsError
from nuzoo.pipelines.loading import load_pipeline

from . import released_polar_mae as polar

PRETRAINING = polar.encoder() | polar.decoder() | polar.energies()
SEMANTIC = polar.encoder() | polar.head()
BLOCK = "encoder.transformer.blocks.1"


def checkpoint(folder, shapes_or_tensors, settings=None, name="polarmae.ckpt"):
    """A file as PyTorch Lightning writes it."""
    tensors = shapes_or_tensors
    if any(isinstance(value, tuple) for value in tensors.values()):
        tensors = polar.numbers(tensors)
    content = {
        "epoch": 1,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": tensors,
        "optimizer_states": [{"state": {}, "param_groups": [{"lr": 1e-4, "params": [0]}]}],
        "callbacks": {"ModelCheckpoint{'monitor': None}": {"best_model_score": torch.tensor(0.1)}},
        "hyper_parameters": polar.lightning_settings() if settings is None else settings,
    }
    torch.save(content, folder / name)
    return folder / name


def folder_of(path, tensors, settings):
    """A repository as pimm writes it."""
    path.mkdir()
    save_file(tensors, path / "model.safetensors")
    (path / "config.json").write_text(json.dumps({"model": settings, "data": {}}))
    return path


def refused(source, out):
    """The message with which a file is refused; nothing may be left."""
    with pytest.raises(WeightsError) as caught:
        convert_released(source, out)
    assert [file.name for file in out.parent.iterdir() if file != source] == []
    return str(caught.value)


def test_pretraining_keeps_every_tensor(tmp_path):
    made = convert_released(checkpoint(tmp_path, PRETRAINING), tmp_path / "ours")
    model = AutoModelForPreTraining.from_pretrained(tmp_path / "ours")
    config, theirs, body = model.config, polar.numbers(PRETRAINING), model.nu_point_mae
    assert not made.left and made.settings_known
    held = {name: tensor for name, tensor in model.state_dict().items() if "num_batches" not in name}
    assert sum(tensor.numel() for tensor in held.values()) == sum(t.numel() for t in theirs.values())
    assert (config.norm_over, config.pool_padding) == ("batch", True)
    assert (config.hidden_size, config.embedding_size, config.group_points) == (24, 8, 4)
    assert (config.num_hidden_layers, config.decoder_layers, config.num_attention_heads) == (3, 2, 3)
    assert (config.group_radius, config.max_groups, config.ball_points) == (4.0, 64, 16)
    assert (config.drop_path_rate, config.attention_dropout, config.feature_layers) == (0.2, 0.0, [0, 2])
    for ours, name in [
        (body.embedding.linear3.weight, "encoder.tokenizer.embedding.second_conv.0.weight"),
        (body.embedding.norm1.running_var, "encoder.tokenizer.embedding.first_conv.1.running_var"),
        (body.position[2].bias, "encoder.pos_embed.pos_enc.2.bias"),
        (body.encoder[1].norm_attention.weight, f"{BLOCK}.norm1.gamma"),
        (body.encoder[1].norm_mlp.bias, f"{BLOCK}.norm2.beta"),
        (body.encoder[1].attention.qkv.weight, f"{BLOCK}.attn.qkv.weight"),
        (body.encoder[1].mlp[2].weight, f"{BLOCK}.mlp.fc2.weight"),
        (model.decoder.blocks[1].attention.proj.bias, "decoder.transformer.blocks.1.attn.proj.bias"),
        (model.decoder.norm.weight, "decoder.transformer.norm.gamma"),
        (model.decoder.mask_token, "mask_token"),
        (model.point_head.weight, "increase_dim.weight"),
        (model.energy_encoder.linear1.weight, "equivariant_patch_encoder.first_conv.0.weight"),
        (
            model.energy_encoder.place.linear.weight,
            "equivariant_patch_encoder.position_encoder.time_embed.1.weight",
        ),
        (model.energy_head.bias, "energy_decoder.bias"),
    ]:
        assert torch.equal(ours.flatten(), theirs[name].flatten())


@pytest.mark.parametrize("layout", ["lightning", "pimm"])
def test_semantic_network_labels_hits_and_its_card_says_where_it_is_from(layout, tmp_path):
    theirs = polar.numbers(SEMANTIC)
    source = (
        checkpoint(tmp_path, theirs)
        if layout == "lightning"
        else folder_of(tmp_path / "PoLAr-MAE-Semantic", polar.by_pimm(theirs), polar.pimm_settings())
    )
    folder = tmp_path / "ours"
    made = convert_released(source, folder)
    assert made.left == ["loss_func.weight" if layout == "lightning" else "center"]
    model = AutoModelForSemanticSegmentation.from_pretrained(folder)
    assert list(model.config.id2label.values()) == ["shower", "track", "michel", "delta"]
    assert (model.config.target, model.config.head_size) == ("motif", 16)
    for ours, name in [
        (model.upsampling.linear2.weight, "upsampler.mlp_convs.1.weight"),
        (model.upsampling.norm1.running_mean, "upsampler.mlp_bns.0.running_mean"),
        (model.classifier.linear1.weight, "seg_head.conv1.weight"),
        (model.classifier.norm2.bias, "seg_head.bn2.bias"),
        (model.classifier.linear3.bias, "seg_head.conv3.bias"),
    ]:
        assert torch.equal(ours.flatten(), theirs[name].flatten())
    segment = load_pipeline(str(folder))
    events = segment.image_processor.example_events(2)
    assert [len(one["labels"]) for one in segment(events)] == [len(event["energy"]) for event in events]
    card = ModelCard.load(folder / "README.md")
    assert card.data.license == "mit" and card.data.base_model is None
    assert "github.com/DeepLearnPhysics/PoLAr-MAE" in card.text and "arXiv:2502.02558" in card.text
    assert "- michel" in card.text and "norm_over" in card.text and "64 at most" in card.text
    assert differences(folder) == []


def test_processor_scales_energies_from_the_threshold_on(tmp_path):
    """Published: places in halves of the diagonal, energies by their logarithm from 0.13 to 20 MeV."""
    convert_released(checkpoint(tmp_path, SEMANTIC), tmp_path / "ours")
    processor = AutoProcessor.from_pretrained(tmp_path / "ours")
    event = {"x": [384, 0, 5], "y": [384, 0, 5], "z": [385, 767, 5], "energy": [20.0, 1.0, 0.13]}
    batch = processor(
        {name: torch.tensor(values).numpy() for name, values in event.items()} | {"positions": "voxel"}
    )
    expected = torch.tensor([[0.0, 0.0, 1.0], [-384.0, -384.0, 383.0]]) / 665.1075
    torch.testing.assert_close(batch["coordinates"], expected, rtol=1e-6, atol=1e-7)
    one = 2 * torch.log10(torch.tensor(1.13 / 0.13)) / torch.log10(torch.tensor(20.13 / 0.13)) - 1
    torch.testing.assert_close(batch["energy"][:, 0], torch.tensor([1.0, one]))
    assert batch["grid_coordinates"].tolist() == [[384, 384, 385], [0, 0, 767]]


def test_both_layouts_give_the_same_network(tmp_path):
    theirs = polar.numbers(PRETRAINING)
    first = convert_released(checkpoint(tmp_path, theirs), tmp_path / "a").model.state_dict()
    source = folder_of(tmp_path / "Pretrain", polar.by_pimm(theirs), polar.pimm_settings())
    second = convert_released(source, tmp_path / "b").model.state_dict()
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def cross_attention(shapes):
    return shapes | polar.token_norm("decoder.transformer.blocks.0.norm1_kv", polar.WIDTH)


@pytest.mark.parametrize(
    "shapes",
    [
        polar.encoder() | polar.decoder(),
        cross_attention(PRETRAINING),
        PRETRAINING | polar.token_norm("encoder.transformer.norm", polar.WIDTH),
    ],
    ids=["Point-MAE", "cross-attention", "normed tokens"],
)
def test_of_another_pretraining_the_encoder_is_taken(shapes, tmp_path, capsys):
    source = checkpoint(tmp_path, shapes)
    assert main(["convert-weights", str(source), "--out", str(tmp_path / "ours")]) == 0
    left = len(shapes) - len(polar.encoder())
    assert f"left: {left} tensors of a decoder and heads" in capsys.readouterr().out
    model = AutoModel.from_pretrained(tmp_path / "ours")
    assert isinstance(model, NuPointMaeModel)
    headed = AutoModelForSemanticSegmentation.from_pretrained(
        tmp_path / "ours", reinitialize=["upsampling", "classifier"]
    )
    qkv = polar.numbers(shapes)[f"{BLOCK}.attn.qkv.weight"]
    assert torch.equal(headed.nu_point_mae.encoder[1].attention.qkv.weight, qkv)


@pytest.mark.parametrize(("kind", "parameters"), [("pretrain", 29_570_080), ("segsem", 22_858_628)])
def test_published_sizes_follow_from_the_shapes(kind, parameters):
    tensors = {name: torch.empty(shape, device="meta") for name, shape in polar.published(kind).items()}
    found = network_of(renamed(tensors, "file"), "file")
    config = config_of(found.weights, {}, "file")
    with torch.device("meta"):
        network = found.network(config)
    from_polar_mae(found.weights, network, "file")
    assert network.num_parameters() == parameters
    assert (config.num_attention_heads, config.feature_layers) == (6, [3, 7, 11])
    assert (config.group_radius, config.group_points, config.max_groups) == (5.0, 32, 512)


def without(tensors, name):
    del tensors[name]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda file: without(file, f"{BLOCK}.attn.proj.bias"),
            "missing: nu_point_mae.encoder.1.attention.proj.bias",
        ),
        (lambda file: without(file, "seg_head.bn1.running_var"), "missing: classifier.norm1.running_var"),
        (
            lambda file: without(file, "encoder.tokenizer.embedding.first_conv.0.weight"),
            "Expected embedding.linear1.weight",
        ),
        (
            lambda file: file.update({f"{BLOCK}.mlp.fc2.weight": torch.ones(24, 95)}),
            "encoder.1.mlp.2.weight (expected (24, 96), got (24, 95))",
        ),
        (
            lambda file: file.update({f"{BLOCK}.attn.qkv.lora_A.weight": torch.ones(4, 24)}),
            "unexpected: nu_point_mae.encoder.1.attn.qkv.lora_A.weight",
        ),
        (
            lambda file: file.update({"seg_decoder.transformer.norm.gamma": torch.ones(1, 1, 24)}),
            "unexpected: seg_decoder.transformer.norm.gamma",
        ),
        (lambda file: file.update({"seg_head.conv3.weight": torch.ones(6, 8, 1)}), "4 or 5 classes, got 6"),
        (
            lambda file: file.update({"embedding.first_conv.0.weight": torch.ones(8, 4, 1)}),
            "each tensor once",
        ),
        (lambda file: file.update({"center": torch.tensor([384.0, 384.0, 0.0])}), "expected center 384"),
        (lambda file: file.update({"mask_token": torch.ones(24)}), "unexpected: decoder.mask_token"),
    ],
)
def test_tensors_that_are_not_those_of_the_network_are_named(tmp_path, change, words):
    tensors = polar.numbers(SEMANTIC)
    change(tensors)
    assert words in refused(checkpoint(tmp_path, tensors), tmp_path / "ours")


def test_missing_tensor_of_a_pretraining_is_named(tmp_path):
    tensors = polar.numbers(PRETRAINING)
    del tensors["energy_decoder.bias"]
    assert "missing: energy_head.bias" in refused(checkpoint(tmp_path, tensors), tmp_path / "ours")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (polar.lightning_settings(transformation_scale_factor=0.001), "transformation_scale_factor=0.001"),
        (polar.lightning_settings(transformation_center=[0, 0, 0]), "transformation_center"),
        (polar.pimm_settings(scale=1.0), "scale=1.0"),
        (polar.pimm_settings(voxel_size=2.5), "voxel_size=2.5"),
        (polar.pimm_settings(seg_head_combination_method="concat"), "concat"),
        (polar.pimm_settings(transformer_kwargs={"num_heads": 3}), "no add_pos_at_every_layer"),
        (polar.pimm_settings(transformer_kwargs="small"), "settings by name in transformer_kwargs"),
        (polar.pimm_settings(seg_head_fetch_layers=[7]), "feature_layers"),
        ({}, "num_heads"),
    ],
)
def test_settings_of_another_network_are_named(settings, words, tmp_path):
    assert words in refused(checkpoint(tmp_path, SEMANTIC, settings), tmp_path / "ours")


def test_weights_of_neither_are_refused_with_all_that_is_taken(tmp_path):
    message = refused(checkpoint(tmp_path, {"layer.weight": (2, 2)}), tmp_path / "ours")
    for name in (
        "layer.weight",
        "panda_base.pth",
        "Panda-Interaction",
        "polarmae_pretrain.ckpt",
        "PoLAr-MAE-Semantic",
    ):
        assert name in message
