import pytest
import torch

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.modeling.modeling_nu_point import NuPointModel
from nuzoo.modeling.sparse import varlen_attention
from nuzoo.modeling.sparse.spconv_convolution import SpconvError
from nuzoo.modeling.sparse.varlen_attention import AttentionError

from .clouds import random_cloud


def attend_one_by_one(query, key, value, ends, other_ends, *lengths, scale):
    """What a packed kernel does: each sequence attends to itself."""
    assert torch.equal(ends, other_ends)
    assert ends.diff().max() <= lengths[0]
    spans = ends.diff().tolist()
    parts = [
        (scale * q.transpose(0, 1) @ k.permute(1, 2, 0)).softmax(-1) @ v.transpose(0, 1)
        for q, k, v in zip(query.split(spans), key.split(spans), value.split(spans), strict=True)
    ]
    return torch.cat([part.transpose(0, 1) for part in parts])


def example(device="cpu"):
    cells, offset = random_cloud([150, 1, 64, 0, 65], 24)
    inputs = {
        "coordinates": cells / 24,
        "energy": cells[:, :1] / 24,
        "grid_coordinates": cells,
        "offset": offset,
    }
    return {name: value.to(device) for name, value in inputs.items()}


def make(**fields):
    torch.manual_seed(0)
    return NuPointModel(NuPointConfig.tiny(readout="decoder", **fields)).eval()


@torch.no_grad()
def features(model, inputs):
    return model(**inputs).last_hidden_state.float()


def test_packed_attention_has_each_window_once(monkeypatch):
    monkeypatch.setattr(varlen_attention, "varlen_attn", attend_one_by_one)
    monkeypatch.setattr(varlen_attention, "DEVICES", ("cpu",))
    monkeypatch.setattr(varlen_attention, "DTYPES", (torch.float32,))
    model, inputs = make(), example()
    expected = features(model, inputs)
    model.set_attn_implementation("varlen")
    torch.testing.assert_close(features(model, inputs), expected, rtol=1e-4, atol=1e-5)


def test_what_needs_a_gpu_is_refused_without_one():
    model, inputs = make(), example()
    model.set_attn_implementation("varlen")
    with pytest.raises(AttentionError, match='take the attention "sdpa"'):
        model(**inputs)
    with pytest.raises(SpconvError, match='Take "torch"'):
        make(conv_implementation="spconv")(**inputs)


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("change", "dtype", "tolerance"),
    [("spconv", torch.float32, 1e-4), ("spconv", torch.bfloat16, 0.05), ("varlen", torch.bfloat16, 0.05)],
)
def test_backends_of_gpus_agree_with_the_cpu(change, dtype, tolerance):
    if change == "spconv":
        pytest.importorskip("spconv")
    model = make()
    expected = features(model, example())
    model = model.to("cuda", dtype)
    if change == "spconv":
        model.config.conv_implementation = "spconv"
    else:
        model.set_attn_implementation("varlen")
    found = features(model, example("cuda")).cpu()
    assert (found - expected).norm() < tolerance * expected.norm()
