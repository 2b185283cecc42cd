from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F

from nuzoo.configuration.configuration_nu_unet import NuUnetConfig
from nuzoo.modeling.modeling_nu_unet import NuUnetForSemanticSegmentation, NuUnetModel
from nuzoo.modeling.point_batch_norm import PointBatchNorm
from nuzoo.modeling.sparse.point_level import PointCellError
from nuzoo.modeling.sparse.ragged import events_of

from .sparse.clouds import random_cloud

EXTENT = 16


def make_inputs(counts, seed=0):
    cells, offset = random_cloud(counts, EXTENT, seed)
    generator = torch.Generator().manual_seed(seed)
    return {
        "coordinates": torch.randn(len(cells), 3, generator=generator),
        "energy": torch.randn(len(cells), 1, generator=generator),
        "grid_coordinates": cells,
        "offset": offset,
    }


def make_network(**fields):
    """One whose every tensor is random, statistics included."""
    torch.manual_seed(0)
    model = NuUnetModel(NuUnetConfig(**({"filters": 4, "depth": 4, "repetitions": 2} | fields))).eval()
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if "var" in name:
                tensor.uniform_(0.5, 2)
            elif "norm" in name and tensor.is_floating_point():
                tensor.normal_(0.2, 0.5)
    return model


class DenseUnet:
    """The same network on whole grids, written with torch's dense layers."""

    def __init__(self, model, inputs):
        self.weights = model.state_dict()
        self.config = model.config
        cells, event = inputs["grid_coordinates"], events_of(inputs["offset"])
        self.places = (event, *cells.unbind(1))
        self.shape = (len(inputs["offset"]), EXTENT, EXTENT, EXTENT)
        values = torch.cat([inputs["coordinates"], inputs["energy"]], dim=1)
        self.input = torch.zeros(*self.shape, 4).index_put(self.places, values).movedim(-1, 1)
        occupied = torch.zeros(self.shape).index_put(self.places, torch.ones(len(cells)))[:, None]
        self.occupied = [F.max_pool3d(occupied, 2**stage) for stage in range(model.config.depth)]

    def kernel(self, name):
        return self.weights[f"{name}.weight"].permute(0, 4, 1, 2, 3)

    def activated(self, grid, name, stage):
        parts = (self.weights[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        return F.relu(F.batch_norm(grid, *parts, eps=self.config.batch_norm_eps)) * self.occupied[stage]

    def submanifold(self, grid, name, stage):
        return F.conv3d(grid, self.kernel(name), padding=1) * self.occupied[stage]

    def block(self, grid, name, stage):
        skipped = grid
        if f"{name}.shortcut.weight" in self.weights:
            skipped = F.conv3d(grid, self.weights[f"{name}.shortcut.weight"][:, :, None, None, None])
        for number in (1, 2):
            grid = self.activated(grid, f"{name}.norm{number}", stage)
            grid = self.submanifold(grid, f"{name}.conv{number}", stage)
        return skipped + grid

    def blocks(self, grid, name, stage):
        for number in range(self.config.repetitions):
            grid = self.block(grid, f"{name}.stages.{stage}.{number}", stage)
        return grid

    def features(self):
        grid = self.blocks(self.submanifold(self.input, "stem", 0), "encoder", 0)
        skips = [grid]
        for stage in range(1, self.config.depth):
            name = f"encoder.downs.{stage - 1}"
            grid = self.activated(grid, f"{name}.norm", stage - 1)
            grid = F.conv3d(grid, self.kernel(f"{name}.convolution"), stride=2)
            grid = self.blocks(grid, "encoder", stage)
            skips.append(grid)
        for stage in reversed(range(self.config.depth - 1)):
            name = f"decoder.ups.{stage}"
            grid = self.activated(grid, f"{name}.norm", stage + 1)
            kernel = self.kernel(f"{name}.convolution").transpose(0, 1)
            grid = F.conv_transpose3d(grid, kernel, stride=2) * self.occupied[stage]
            grid = self.blocks(torch.cat([skips[stage], grid], dim=1), "decoder", stage)
        return self.activated(grid, "norm", 0).movedim(1, -1)[self.places]


@pytest.mark.parametrize("counts", [[300, 1, 60], [EXTENT**3]], ids=["sparse", "full"])
def test_network_is_the_dense_one_at_occupied_cells(counts):
    model, inputs = make_network(), make_inputs(counts)
    with torch.no_grad():
        expected = DenseUnet(model, inputs).features()
        result = model(**inputs).last_hidden_state
    assert expected.std() > 0.1
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-4)


def parameters(filters, depth, repetitions, classes):
    """Weights of the published network, counted by hand."""

    def norm(width):
        return 2 * width

    def block(a, b):
        return norm(a) + 27 * a * b + norm(b) + 27 * b * b + (a * b if a != b else 0)

    widths = [filters * stage for stage in range(1, depth + 1)]
    total = 27 * 4 * filters + norm(filters) + classes * (filters + 1)
    total += sum(repetitions * block(width, width) for width in widths)
    for fine, coarse in pairwise(widths):
        total += norm(fine) + norm(coarse) + 2 * 8 * fine * coarse
        total += block(2 * fine, fine) + (repetitions - 1) * block(fine, fine)
    return total


def test_published_size():
    with torch.device("meta"):
        model = NuUnetForSemanticSegmentation(NuUnetConfig())
    assert model.num_parameters() == parameters(32, 5, 2, 5) == 10_958_821


def test_evaluation_does_not_depend_on_the_company():
    """Also where the others would move a mean over the batch."""
    model, inputs = make_network(), make_inputs([100])
    alone = model(**inputs).last_hidden_state
    others = make_inputs([400], seed=1)
    together = {
        name: torch.cat([inputs[name], 50 * others[name] if value.is_floating_point() else others[name]])
        for name, value in inputs.items()
    } | {"offset": torch.tensor([100, 500])}
    torch.testing.assert_close(model(**together).last_hidden_state[:100], alone, rtol=1e-5, atol=1e-5)


def test_single_point_is_normalised_by_what_was_seen_before():
    norm = PointBatchNorm(3, eps=1e-4, momentum=0.5).train()
    rows = torch.randn(50, 3) * 3 + 1
    norm(rows)
    mean, variance = 0.5 * rows.mean(0), 0.5 + 0.5 * rows.var(0)
    torch.testing.assert_close(norm.running_mean, mean)
    torch.testing.assert_close(norm.running_var, variance)
    for few in (rows[:1], rows[:0]):
        torch.testing.assert_close(norm(few), (few - mean) / (variance + 1e-4).sqrt())
    torch.testing.assert_close(norm.running_mean, mean)


def test_points_of_one_cell_and_cells_out_of_range_are_refused():
    model, inputs = make_network(), make_inputs([20])
    twice = inputs["grid_coordinates"].clone()
    twice[1] = twice[0]
    with pytest.raises(PointCellError, match="one point"):
        model(**inputs | {"grid_coordinates": twice})
    with pytest.raises(PointCellError, match="65535"):
        model(**inputs | {"grid_coordinates": inputs["grid_coordinates"] + 2**16})
