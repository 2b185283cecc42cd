import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nuzoo.configuration.configuration_nu_cnn import NuCnnConfig
from nuzoo.modeling.modeling_nu_cnn import NuCnnForEventClassification, NuCnnModel
from nuzoo.modeling.se_residual_block import SeResidualBlock
from nuzoo.modeling.squeeze_excitation import SqueezeExcitation
from nuzoo.modeling.weight_errors import WeightsError


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def empty_network(**fields) -> NuCnnForEventClassification:
    with torch.device("meta"):
        return NuCnnForEventClassification(NuCnnConfig(**fields))


def block_size(inputs: int, outputs: int, shortcut: bool) -> int:
    norms = 2 * inputs + 2 * outputs
    convolutions = 9 * inputs * outputs + 9 * outputs**2
    return norms + convolutions + 2 * outputs**2 // 16 + inputs * outputs * shortcut


def network_size(views: int, branches: int, classes: int) -> int:
    """The architecture of dune-cvn's model.json, counted by hand."""
    branch = 49 * 64 + 3 * block_size(64, 64, False)
    total, inputs = branches * branch, views * 64
    for outputs, depth in ((128, 4), (256, 6), (512, 3)):
        total += block_size(inputs, outputs, True) + (depth - 1) * block_size(outputs, outputs, False)
        inputs = outputs
    return total + 2 * 512 + 512 * classes


def test_parameter_counts_are_the_published_ones():
    assert count(empty_network()) == 21_744_000 == network_size(2, 2, 3)
    assert count(empty_network(shared_branches=True)) == 21_517_376 == network_size(2, 1, 3)
    assert count(empty_network().nu_cnn.branches[0]) == 226_624


def test_three_views_and_seven_heads_are_the_published_dune_cvn():
    neurons_of_seven_heads = 1 + 6 * 4
    assert count(empty_network(num_views=3, num_labels=neurons_of_seven_heads)) == 22_063_936


def test_resolution_follows_the_strides_of_the_published_file():
    config = NuCnnConfig.tiny()
    output = NuCnnModel(config).eval()(torch.zeros(1, 2, 128, 96), output_hidden_states=True)
    assert [tuple(state.shape[2:]) for state in output.hidden_states] == [
        (32, 24),
        (16, 12),
        (8, 6),
        (4, 3),
    ]
    builder = NuCnnModel(NuCnnConfig.tiny(stage_strides=[1, 1, 1])).eval()
    assert builder(torch.zeros(1, 2, 64, 64)).last_hidden_state.shape[2:] == (16, 16)


def test_squeeze_excitation_is_the_formula():
    torch.manual_seed(0)
    layer, x = SqueezeExcitation(8, 4), torch.randn(2, 8, 5, 7)
    mean = x.flatten(2).mean(2)
    gate = 1 / (1 + torch.exp(-(mean @ layer.squeeze.weight.T).clamp(min=0) @ layer.excite.weight.T))
    torch.testing.assert_close(layer(x), x * gate[:, :, None, None])


@pytest.mark.parametrize(("inputs", "stride"), [(16, 1), (8, 1), (16, 2)])
def test_block_is_the_preactivation_formula(inputs, stride):
    torch.manual_seed(0)
    block = SeResidualBlock(inputs, 16, stride, 4, 1e-3, 0.01).eval()
    for norm in (block.norm1, block.norm2):
        nn.init.normal_(norm.running_mean)
        nn.init.uniform_(norm.running_var, 0.5, 2)
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)

    def normalised(norm: nn.BatchNorm2d, x: torch.Tensor) -> torch.Tensor:
        scale = norm.weight / torch.sqrt(norm.running_var + 1e-3)
        shifted = x - norm.running_mean[:, None, None]
        return (shifted * scale[:, None, None] + norm.bias[:, None, None]).clamp(min=0)

    x = torch.randn(2, inputs, 10, 10)
    active = normalised(block.norm1, x)
    residual = F.conv2d(active, block.conv1.weight, stride=stride, padding=1)
    residual = F.conv2d(normalised(block.norm2, residual), block.conv2.weight, padding=1)
    same_shape = inputs == 16 and stride == 1
    skipped = (
        x
        if same_shape
        else active[:, :, ::stride, ::stride].movedim(1, -1) @ (block.shortcut.weight[:, :, 0, 0].T)
    )
    skipped = skipped if same_shape else skipped.movedim(-1, 1)
    torch.testing.assert_close(block(x), skipped + block.gate(residual), rtol=1e-4, atol=1e-4)
    assert (block.shortcut is None) == same_shape


def test_weights_are_he_normal():
    torch.manual_seed(0)
    model = NuCnnModel(NuCnnConfig())
    weight = model.stages[2][1].conv1.weight
    assert weight.std().item() == pytest.approx(math.sqrt(2 / (9 * 512)), rel=0.01)
    assert weight.mean().item() == pytest.approx(0, abs=1e-4)
    norm = model.stages[0][0].norm1
    assert (norm.eps, norm.momentum) == (1e-3, 0.01)


def test_shared_branches_treat_views_alike():
    torch.manual_seed(0)
    shared = NuCnnModel(NuCnnConfig.tiny(shared_branches=True)).eval()
    x = torch.rand(1, 2, 64, 64)
    first, second = shared(x, output_hidden_states=True).hidden_states[0].chunk(2, dim=1)
    second_swapped, first_swapped = (
        shared(x.flip(1), output_hidden_states=True).hidden_states[0].chunk(2, dim=1)
    )
    torch.testing.assert_close(first, first_swapped)
    torch.testing.assert_close(second, second_swapped)


def test_loss_is_the_mean_cross_entropy():
    torch.manual_seed(0)
    model = NuCnnForEventClassification(NuCnnConfig.tiny()).eval()
    labels = torch.tensor([0, 2, 1])
    output = model(torch.rand(3, 2, 64, 64), labels=labels)
    likelihoods = output.logits.detach().exp()
    probabilities = likelihoods / likelihoods.sum(1, keepdim=True)
    expected = -sum(math.log(probabilities[i, label]) for i, label in enumerate(labels)) / 3
    assert output.loss.item() == pytest.approx(expected, rel=1e-5)


def test_wrong_number_of_views_is_refused():
    with pytest.raises(ValueError, match="2 views"):
        NuCnnModel(NuCnnConfig.tiny())(torch.zeros(1, 3, 64, 64))


def test_body_is_read_from_a_classifier_but_not_the_reverse(tmp_path):
    model = NuCnnForEventClassification(NuCnnConfig.tiny()).eval()
    model.save_pretrained(tmp_path / "classifier")
    body = NuCnnModel.from_pretrained(tmp_path / "classifier")
    x = torch.rand(1, 2, 64, 64)
    assert torch.equal(body(x).pooler_output, model.nu_cnn(x).pooler_output)
    body.save_pretrained(tmp_path / "body")
    with pytest.raises(WeightsError, match=r"missing: classifier\.weight"):
        NuCnnForEventClassification.from_pretrained(tmp_path / "body")
    NuCnnForEventClassification.from_pretrained(tmp_path / "body", reinitialize=["classifier"])


def test_other_classes_need_the_head_to_be_named(tmp_path):
    NuCnnForEventClassification(NuCnnConfig.tiny()).save_pretrained(tmp_path)
    with pytest.raises(WeightsError, match="of another shape"):
        NuCnnForEventClassification.from_pretrained(tmp_path, num_labels=4)
    model = NuCnnForEventClassification.from_pretrained(tmp_path, num_labels=4, reinitialize=["classifier"])
    assert model(torch.rand(1, 2, 64, 64)).logits.shape == (1, 4)


def test_bfloat16_and_channels_last_agree_with_float32():
    torch.manual_seed(0)
    model, x = NuCnnForEventClassification(NuCnnConfig.tiny()).eval(), torch.rand(4, 2, 64, 64)
    expected = model(x).logits
    channels_last = model.to(memory_format=torch.channels_last)(x).logits
    torch.testing.assert_close(channels_last, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(model.to(torch.bfloat16)(x).logits.float(), expected, rtol=0.05, atol=0.05)


@pytest.mark.slow
def test_compiles_as_one_graph():
    torch.manual_seed(0)
    model, x = NuCnnForEventClassification(NuCnnConfig.tiny()).eval(), torch.rand(2, 2, 64, 64)
    with torch.no_grad():
        compiled = torch.compile(model, fullgraph=True)(x).logits
        torch.testing.assert_close(compiled, model(x).logits, rtol=1e-4, atol=1e-5)
