import pytest
import torch

from nuzoo.configuration.configuration_nu_cnn import NuCnnConfig
from nuzoo.configuration.configuration_nu_vit import NuVitConfig
from nuzoo.modeling.fast_inference import (
    Side,
    Window,
    WindowPool,
    active_window,
    optimize_for_inference,
)
from nuzoo.modeling.modeling_nu_cnn import NuCnnForEventClassification
from nuzoo.modeling.modeling_nu_vit import NuVitForEventClassification


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def make_model():
    torch.manual_seed(0)
    return NuCnnForEventClassification(NuCnnConfig.tiny()).eval()


def test_window_by_hand():
    event = torch.zeros(2, 256, 256)
    event[0, 70, 130] = 1
    event[1, 100, 140] = 2
    window = active_window(event, margin=20, stride=32)
    assert (window.rows.start, window.rows.stop) == (32, 128)
    assert (window.columns.start, window.columns.stop) == (96, 192)
    assert window.crop(event).sum() == 3
    assert active_window(torch.zeros(2, 256, 256), 0, 32).rows == Side(128, 160, 256)
    assert active_window(torch.ones(1, 250, 250), 64, 32).rows == Side(0, 250, 250)


def test_kept_rows_stand_for_all_rows():
    side = Side(start=64, stop=192, size=512)
    for stride in (1, 4, 8, 16, 32):
        weight = side.multiplicity(128 // stride, margin=32)
        assert weight.sum() == 512 / stride
    assert side.multiplicity(4, margin=64).tolist() == [1, 3, 11, 1]
    assert Side(0, 128, 128).multiplicity(4, margin=64).tolist() == [1, 1, 1, 1]


def test_pool_of_a_flat_background_with_one_spot_is_exact():
    """Background 2 and a spot of 10 in the middle: what is cut off is all background."""
    whole = torch.full((1, 3, 64, 64), 2.0)
    whole[0, :, 30, 35] = 10
    pool = WindowPool()
    pool.window = Window(Side(16, 48, 64), Side(24, 48, 64), margin=8)
    torch.testing.assert_close(pool(whole[:, :, 16:48, 24:48]), whole.mean((2, 3)))


@pytest.mark.parametrize("margin", [None, 32])
def test_whole_map_in_float32_is_the_model_itself(margin):
    model = make_model()
    x = torch.rand(2, 2, 96, 96)
    fast = optimize_for_inference(model, torch.float32, margin)
    torch.testing.assert_close(fast(x).logits, model(x).logits, rtol=1e-4, atol=1e-5)


def test_bfloat16_is_close_and_leaves_the_model_alone():
    model = make_model()
    x = torch.rand(4, 2, 96, 96) * (torch.rand(4, 2, 96, 96) < 0.1)
    before = model(x).logits
    fast = optimize_for_inference(model)(x).logits
    assert fast.dtype == torch.float32
    assert (fast.softmax(1) - before.softmax(1)).abs().max() < 0.02
    assert torch.equal(model(x).logits, before)


def test_window_is_independent_of_the_rest_of_the_batch():
    fast = optimize_for_inference(make_model(), torch.float32, margin=16)
    x = torch.zeros(2, 2, 128, 128)
    x[0, :, 40:50, 60:70] = 1
    x[1, :, 5:120, 5:120] = torch.rand(115, 115)
    together = fast(x).logits
    torch.testing.assert_close(together[:1], fast(x[:1]).logits)
    assert fast(torch.zeros(1, 2, 128, 128)).logits.isfinite().all()


def test_window_and_compilation_exclude_each_other():
    with pytest.raises(ValueError, match="margin"):
        optimize_for_inference(make_model(), margin=32, compile_graph=True)


def test_a_window_needs_a_global_mean_and_bfloat16_does_not():
    torch.manual_seed(0)
    model = NuVitForEventClassification(NuVitConfig.tiny()).eval()
    x = torch.rand(2, 2, 64, 64)
    fast = optimize_for_inference(model)(x).logits
    assert (fast.softmax(1) - model(x).logits.softmax(1)).abs().max() < 0.02
    with pytest.raises(ValueError, match="NuVitForEventClassification has no global mean"):
        optimize_for_inference(model, margin=32)
