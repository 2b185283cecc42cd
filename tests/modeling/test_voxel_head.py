import pytest
import scipy.fft
import torch
from torch.testing import assert_close

from nuzoo.modeling.voxel_head import FieldLinear, FieldNorm, SeparableBasis, VoxelHead, waves_of

PATCH, WAVES = (12, 6, 10), (5, 2, 6)


@pytest.fixture
def basis():
    made = SeparableBasis(PATCH, WAVES, ranks=2)
    with torch.no_grad():
        for axis, waves in enumerate(made.axes):
            waves.copy_(made.initial(axis))
    return made


def test_waves_follow_the_published_rule():
    """The numbers of waves of both parts that arXiv 2604.07037 states."""
    assert waves_of((12, 12, 10), (0.4, 0.4, 0.6)) == [5, 5, 6]
    assert waves_of((6, 6, 5), (0.4, 0.4, 0.6)) == [2, 2, 3]
    assert waves_of((1, 60, 2), (0.4, 0.4, 0.6)) == [1, 16, 2]


def test_fields_are_inverse_cosine_transforms(basis):
    torch.manual_seed(0)
    coefficients = torch.randn(3, 4, 2, *WAVES)
    filled = torch.zeros(3, 4, *PATCH)
    filled[:, :, : WAVES[0], : WAVES[1], : WAVES[2]] = coefficients.sum(dim=2)
    expected = scipy.fft.idctn(filled.numpy(), axes=(2, 3, 4), norm="ortho")
    assert_close(basis(coefficients), torch.from_numpy(expected).flatten(2), rtol=0, atol=1e-5)
    assert basis(coefficients[:0]).shape == (0, 4, 720)


def test_penalty_of_orthonormal_waves_is_that_of_equal_ranks(basis):
    """Of an axis 0.1 times the mean of a 2 x 2 matrix with two ones."""
    assert basis.penalty().item() == pytest.approx(3 * 0.1 * 0.5, abs=1e-5)
    with torch.no_grad():
        basis.along_x *= 2
    assert basis.penalty().item() == pytest.approx(0.15 + 9 * 5 / 25, abs=1e-5)


def test_fields_are_treated_as_layers_of_torch_do():
    torch.manual_seed(0)
    fields = torch.randn(3, 5, 7)
    norm, theirs = FieldNorm(5, 1e-6), torch.nn.LayerNorm(5, 1e-6)
    with torch.no_grad():
        for own, other in zip(norm.parameters(), theirs.parameters(), strict=True):
            own.copy_(torch.randn(5))
            other.copy_(own)
    assert_close(norm(fields), theirs(fields.transpose(1, 2)).transpose(1, 2), rtol=1e-5, atol=1e-5)
    linear = FieldLinear(5, 2)
    expected = torch.nn.functional.linear(fields.transpose(1, 2), linear.weight, linear.bias)
    assert_close(linear(fields), expected.transpose(1, 2))


def test_head_scales_coefficients_by_their_number(basis):
    head = VoxelHead(8, 4, basis, 1e-6)
    assert head.scale == pytest.approx((2 * 5 * 2 * 6) ** -0.5)
    assert head(torch.randn(3, 8)).shape == (3, 4, 720)
