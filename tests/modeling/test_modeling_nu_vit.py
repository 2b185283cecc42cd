import sys

import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.models import VisionTransformer
from torch import nn

from nuzoo.configuration.configuration_nu_vit import NuVitConfig
from nuzoo.modeling.modeling_nu_vit import NuVitForEventClassification, NuVitModel
from nuzoo.modeling.position_embeddings import resize_position_embeddings
from nuzoo.modeling.weight_errors import WeightsError
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor

TIMM_TINY = {"patch_size": 16, "hidden_size": 192, "num_hidden_layers": 12, "num_attention_heads": 3}
HUGE_LIKE = {"patch_size": 14, "hidden_size": 80, "num_hidden_layers": 2, "num_attention_heads": 5}
SHORT = {"patch_size": 8, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def empty(kind=NuVitForEventClassification, **fields):
    with torch.device("meta"):
        return kind(NuVitConfig(**fields))


def network_size(positions: int, channels: int, classes: int, tokens_of_class: int = 1) -> int:
    """ViT-H/14, counted by hand: 32 layers of width 1280."""
    width, hidden = 1280, 5120
    attention = 4 * (width + 1) * width
    perceptron = (width + 1) * hidden + (hidden + 1) * width
    layer = attention + perceptron + 2 * 2 * width
    patches = (14 * 14 * channels + 1) * width
    head = (tokens_of_class * width + 1) * classes
    return patches + width + (positions + 1) * width + 32 * layer + 2 * width + head


def test_parameter_counts_of_vit_h14():
    """The paper says 632 M, which no variant contradicts."""
    assert count(empty()) == 631_942_403 == network_size(37**2, 2, 3)
    assert count(empty(fusion="concat")) == 631_695_363 == network_size(37**2, 1, 3, tokens_of_class=2)
    assert count(empty(num_views=3)) == 632_193_283 == network_size(37**2, 3, 3)
    assert count(empty(image_size=224)) == 630_517_763 == network_size(16**2, 2, 3)


def test_parameter_counts_are_timms():
    with torch.device("meta"):
        huge = timm.create_model("vit_huge_patch14_224", num_classes=1000)
        small = timm.create_model("vit_small_patch16_224", img_size=512, in_chans=2, num_classes=3)
    assert count(empty(num_views=3, image_size=224, num_labels=1000)) == count(huge) == 632_045_800
    with torch.device("meta"):
        assert count(NuVitForEventClassification(NuVitConfig.small())) == count(small)


def stirred_timm(**fields) -> VisionTransformer:
    """timm's network with every tensor away from zero and one."""
    torch.manual_seed(0)
    network = VisionTransformer(dynamic_img_size=True, num_classes=0, **fields).eval()
    for parameter in network.parameters():
        parameter.data.add_(0.02 * torch.randn_like(parameter))
    return network


def timm_of(config: NuVitConfig) -> VisionTransformer:
    return stirred_timm(
        img_size=config.image_size[0],
        patch_size=config.patch_size,
        embed_dim=config.hidden_size,
        depth=config.num_hidden_layers,
        num_heads=config.num_attention_heads,
    )


def write_timm(network: nn.Module, path):
    save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, path)
    return path


def loaded_from(file, config: NuVitConfig) -> NuVitModel:
    model = NuVitModel(config).eval()
    model.load_timm_weights(file)
    return model


@torch.no_grad()
def features(network: VisionTransformer, grey: torch.Tensor) -> torch.Tensor:
    """What timm says of grey images (B, 1, H, W), given to it in colour."""
    return network.forward_features(grey.expand(-1, 3, -1, -1))


def assert_near(one, other):
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("sizes", [{**TIMM_TINY, "image_size": 224}, {**HUGE_LIKE, "image_size": 56}])
@pytest.mark.parametrize("views", [1, 2, 3])
def test_views_as_channels_are_timms_network_of_their_mean(sizes, views, tmp_path):
    """Each view gets the same share of the kernel: three equal colours are the mean of the views."""
    config = NuVitConfig(num_views=views, **sizes)
    network = timm_of(config)
    model = loaded_from(write_timm(network, tmp_path / "timm.safetensors"), config)
    edge, patch = config.image_size[0], config.patch_size
    for height, width in ((edge, edge), (edge // 2, edge // 2), (3 * patch, 5 * patch)):
        x = torch.randn(2, views, height // patch * patch, width // patch * patch)
        with torch.no_grad():
            output = model(x)
        expected = features(network, x.mean(1, keepdim=True))
        assert_near(output.last_hidden_state, expected)
        assert_near(output.pooler_output, expected[:, 0])


def test_concatenated_views_are_timms_network_on_each(tmp_path):
    config = NuVitConfig(fusion="concat", image_size=32, **SHORT)
    network = timm_of(config)
    model = loaded_from(write_timm(network, tmp_path / "timm.safetensors"), config)
    x = torch.randn(3, 2, 32, 48)
    with torch.no_grad():
        output = model(x)
    first, second = features(network, x[:, :1]), features(network, x[:, 1:])
    assert_near(output.last_hidden_state, torch.cat([first, second], dim=1))
    assert_near(output.pooler_output, torch.cat([first[:, 0], second[:, 0]], dim=1))


@pytest.mark.parametrize("image_size", [24, (64, 16)], ids=str)
def test_weights_for_another_size_are_interpolated_as_timm_does(image_size, tmp_path):
    """To a grid that is not square too; back from it is not timm's business, and works as well."""
    network = timm_of(NuVitConfig(image_size=48, **SHORT))
    config = NuVitConfig(image_size=image_size, **SHORT)
    model = loaded_from(write_timm(network, tmp_path / "timm.safetensors"), config)
    x = torch.randn(1, 2, *config.image_size)
    with torch.no_grad():
        assert_near(model(x).last_hidden_state, features(network, x.mean(1, keepdim=True)))
        assert model(torch.zeros(1, 2, 40, 24)).last_hidden_state.shape == (1, 1 + 5 * 3, 32)


def test_a_field_that_is_constant_or_linear_stays_so():
    ramp = torch.arange(12.0)[:, None].expand(12, 6).reshape(1, 72, 1)
    embeddings = torch.cat([torch.full((1, 1, 2), 9.0), torch.cat([ramp, torch.ones_like(ramp)], 2)], 1)
    resized = resize_position_embeddings(embeddings, (12, 6), (6, 9))
    assert resized.shape == (1, 1 + 54, 2)
    assert torch.equal(resized[:, :1], embeddings[:, :1])
    grid = resized[0, 1:].unflatten(0, (6, 9))
    torch.testing.assert_close(grid[..., 1], torch.ones(6, 9))
    inner = grid[2:4, :, 0]
    torch.testing.assert_close(inner, torch.tensor([4.5, 6.5])[:, None].expand(2, 9), rtol=0, atol=1e-4)
    assert resize_position_embeddings(embeddings, (12, 6), (12, 6)) is embeddings


def test_the_head_of_timm_is_left_out_and_ours_stays(tmp_path):
    config = NuVitConfig(image_size=32, **SHORT)
    network = timm_of(config)
    tensors = dict(network.state_dict()) | {"head.weight": torch.ones(5, 32), "head.bias": torch.ones(5)}
    save_file(tensors, tmp_path / "vit_short.some_tag.safetensors")
    model = NuVitForEventClassification(config)
    head = model.classifier.weight.clone()
    model.load_timm_weights(tmp_path / "vit_short.some_tag.safetensors")
    assert torch.equal(model.classifier.weight, head)
    assert torch.equal(model.nu_vit.norm.weight, network.norm.weight)
    assert model.config.timm_backbone == "vit_short.some_tag"


def without(*names):
    return lambda tensors: {name: tensor for name, tensor in tensors.items() if name not in names}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("blocks.1.mlp.fc2.bias"), r"missing: layers\.1\.mlp\.fc2\.bias"),
        (lambda tensors: tensors | {"norm_pre.weight": torch.ones(32)}, r"unexpected: norm_pre\.weight"),
        (lambda tensors: tensors | {"blocks.0.ls1.gamma": torch.ones(32)}, r"unexpected: blocks\.0\.ls1"),
        (
            lambda tensors: tensors | {"norm.weight": torch.ones(31)},
            r"another shape: norm\.weight \(expected \(32,\), got \(31,\)\)",
        ),
        (
            lambda tensors: tensors | {"pos_embed": torch.ones(1, 8, 32)},
            r"position_embeddings .*\(1, 8, 32\)",
        ),
    ],
)
def test_tensors_that_do_not_fit_are_named_and_nothing_is_loaded(change, message, tmp_path):
    config = NuVitConfig(image_size=32, **SHORT)
    save_file(change(dict(timm_of(config).state_dict())), tmp_path / "timm.safetensors")
    model = NuVitModel(config)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(WeightsError, match=message):
        model.load_timm_weights(tmp_path / "timm.safetensors")
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert model.config.timm_backbone is None


@pytest.mark.parametrize("name", ["weights.pth", "weights.bin", "weights.npz", "missing.pt"])
def test_other_files_are_never_read(name, tmp_path):
    if not name.startswith("missing"):
        (tmp_path / name).write_bytes(b"cos\nsystem\n")
    with pytest.raises(WeightsError, match="save_file"):
        NuVitModel(NuVitConfig.tiny()).load_timm_weights(tmp_path / name)


def test_a_missing_or_broken_file_is_named(tmp_path):
    model = NuVitModel(NuVitConfig.tiny())
    for content in (None, b"{"):
        file = tmp_path / "timm.safetensors"
        if content:
            file.write_bytes(content)
        with pytest.raises(WeightsError, match=r"timm\.safetensors: expected a whole safetensors file"):
            model.load_timm_weights(file)


def test_a_name_is_asked_of_timm(monkeypatch):
    config = NuVitConfig(image_size=32, **SHORT)
    network = timm_of(config)
    asked = []
    monkeypatch.setattr(
        timm, "create_model", lambda name, **options: asked.append((name, options)) or network
    )
    model = loaded_from("vit_short.tag", config)
    assert asked == [("vit_short.tag", {"pretrained": True, "num_classes": 0})]
    assert model.config.timm_backbone == "vit_short.tag"
    x = torch.randn(1, 1, 32, 32)
    with torch.no_grad():
        assert_near(model(x.expand(-1, 2, -1, -1)).last_hidden_state, features(network, x))
    with pytest.raises(WeightsError, match="2 heads"):
        loaded_from("vit_short.tag", NuVitConfig(image_size=32, **(SHORT | {"num_attention_heads": 4})))
    monkeypatch.setattr(timm, "create_model", lambda name, **options: nn.Linear(2, 2))
    with pytest.raises(WeightsError, match="expected a VisionTransformer of timm, got Linear"):
        loaded_from("resnet50", config)


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224.augreg_in21k", "vit_tinny"])
def test_a_name_that_cannot_be_downloaded_says_what_to_do(name):
    with pytest.raises(WeightsError, match=f"{name}.*local safetensors file"):
        loaded_from(name, NuVitConfig.tiny())


def test_without_timm_a_name_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(WeightsError, match=r"pip install nuzoo\[vit\]"):
        loaded_from("vit_tiny_patch16_224", NuVitConfig.tiny())


def test_images_that_patches_do_not_tile_are_refused():
    model = NuVitModel(NuVitConfig(image_size=56, **HUGE_LIKE))
    for shape in ((1, 2, 56, 50), (1, 2, 512, 512), (1, 2, 0, 0)):
        with pytest.raises(ValueError, match="pad_to_multiple=14"):
            model(torch.zeros(shape))
    with pytest.raises(ValueError, match="2 views"):
        model(torch.zeros(1, 3, 56, 56))


def test_the_last_pixel_of_a_padded_map_counts():
    """Both libraries drop the last 8 rows and columns of 512 in patches of 14."""
    processor = NuPixelMapImageProcessor(pad_to_multiple=14, active_rms=[1.0, 1.0])
    config = NuVitConfig(image_size=list(processor.image_size), **HUGE_LIKE)
    model = NuVitModel(config).eval()
    dense = torch.zeros(1, 2, 512, 512)
    dense[..., 511, 511] = 5.0
    for half_resolution in (None, "image", "energy"):
        corner, blank = (
            model(**processor(maps.numpy(), half_resolution=half_resolution)).last_hidden_state
            for maps in (dense, torch.zeros_like(dense))
        )
        assert (corner - blank).abs().max() > 1e-3


def small_concat(**fields):
    torch.manual_seed(0)
    return NuVitForEventClassification(NuVitConfig.tiny(fusion="concat", **fields)).eval()


def test_concatenated_views_do_not_attend_to_each_other():
    model, x = small_concat(), torch.rand(2, 2, 64, 64)
    changed = x.clone()
    changed[:, 1] += 1
    before, after = (model.nu_vit(one).last_hidden_state.unflatten(1, (2, -1)) for one in (x, changed))
    assert torch.equal(before[:, 0], after[:, 0])
    assert (before[:, 1] - after[:, 1]).abs().max() > 1e-3


def test_concatenated_events_do_not_see_each_other():
    model, x = small_concat(), torch.rand(3, 2, 64, 64)
    together = model(x, output_hidden_states=True)
    for position in range(3):
        alone = model(x[position : position + 1], output_hidden_states=True)
        for one, other in zip(together.hidden_states, alone.hidden_states, strict=True):
            torch.testing.assert_close(one[position], other[0], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(together.logits[position], alone.logits[0], rtol=1e-4, atol=1e-5)


def test_concatenated_views_train_checkpointed_and_load(tmp_path):
    model, x = small_concat().train(), torch.rand(2, 2, 64, 64)
    gradients = []
    for checkpointing in (False, True):
        if checkpointing:
            model.activation_checkpointing_enable()
        model.zero_grad()
        output = model(x, labels=torch.tensor([0, 2]), output_hidden_states=True)
        output.hidden_states[0].retain_grad()
        output.loss.backward()
        assert output.hidden_states[0].grad.any()
        gradients.append({name: parameter.grad.clone() for name, parameter in model.named_parameters()})
    for name, gradient in gradients[0].items():
        assert gradient.any(), name
        torch.testing.assert_close(gradients[1][name], gradient, rtol=1e-4, atol=1e-6)
    model.eval().save_pretrained(tmp_path)
    loaded = NuVitForEventClassification.from_pretrained(tmp_path)
    assert torch.equal(loaded(x).logits, model(x).logits)


@pytest.mark.parametrize(("fusion", "maps"), [("channels", 4), ("concat", 8)])
def test_attentions_are_the_softmax_of_each_image(fusion, maps):
    torch.manual_seed(0)
    model = NuVitModel(NuVitConfig.tiny(fusion=fusion)).eval()
    x = torch.rand(2, 2, 64, 64)
    with pytest.raises(ValueError, match="eager"):
        model(x, output_attentions=True)
    model.set_attn_implementation("eager")
    output = model(x, output_attentions=True, output_hidden_states=True)
    assert [weights.shape for weights in output.attentions] == [(2, maps, 17, 17)] * 4
    layer, tokens = model.layers[0], output.hidden_states[0][1, :17]
    normed = layer.layernorm_before(tokens)
    heads = [part(normed).unflatten(1, (4, 20)) for part in (layer.attention.q_proj, layer.attention.k_proj)]
    scores = torch.einsum("qhc,khc->hqk", *heads) / 20**0.5
    torch.testing.assert_close(output.attentions[0][1, :4], scores.softmax(-1), rtol=1e-4, atol=1e-6)


def test_attentions_of_images_beside_each_other_are_on_the_graph():
    model = NuVitModel._from_config(NuVitConfig.tiny(fusion="concat"), attn_implementation="eager")
    output = model(torch.rand(2, 2, 64, 64), output_attentions=True)
    for weights in output.attentions:
        weights.retain_grad()
    output.pooler_output[0].square().sum().backward()
    assert all(weights.grad[0].any() and not weights.grad[1].any() for weights in output.attentions)


def test_patch_embeddings_can_be_read_and_replaced():
    model = NuVitForEventClassification(NuVitConfig.tiny())
    assert model.get_input_embeddings() is model.nu_vit.embeddings.projection
    other = torch.nn.Conv2d(2, 80, 16, stride=16)
    model.set_input_embeddings(other)
    assert model.nu_vit.embeddings.projection is other


def test_weights_of_patches_keep_the_variance():
    torch.manual_seed(0)
    embeddings = NuVitModel(NuVitConfig.tiny()).embeddings
    assert embeddings.projection.weight.std().item() == pytest.approx((2 * 16 * 16) ** -0.5, rel=0.02)
    assert embeddings.position_embeddings.std().item() == pytest.approx(0.02, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("fusion", ["channels", "concat"])
def test_compiles_as_one_graph(fusion):
    torch.manual_seed(0)
    model = NuVitForEventClassification(NuVitConfig.tiny(fusion=fusion)).eval()
    x = torch.rand(2, 2, 64, 64)
    with torch.no_grad():
        compiled = torch.compile(model, fullgraph=True)(x).logits
        torch.testing.assert_close(compiled, model(x).logits, rtol=1e-4, atol=1e-5)
