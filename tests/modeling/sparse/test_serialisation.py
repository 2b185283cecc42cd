import pytest
import torch

from nuzoo.modeling.sparse.serialisation import ORDERS, codes_of


def cube(bits: int) -> torch.Tensor:
    return torch.cartesian_prod(*[torch.arange(1 << bits)] * 3)


def test_morton_code_is_made_of_the_bits_of_x_y_and_z_in_turns():
    cells = torch.randint(0, 1 << 14, (200, 3), generator=torch.Generator().manual_seed(0))
    cells[0], cells[1] = 0, (1 << 14) - 1

    def by_bits(x, y, z):
        triples = zip(f"{x:014b}", f"{y:014b}", f"{z:014b}", strict=True)
        return int("".join("".join(triple) for triple in triples), 2)

    assert codes_of(cells, "z", 14).tolist() == [by_bits(*cell) for cell in cells.tolist()]


@pytest.mark.parametrize("bits", [1, 2, 3, 4])
def test_hilbert_curve_visits_each_cell_once_and_steps_to_a_face_neighbour(bits):
    cells = cube(bits)
    codes = codes_of(cells, "hilbert", bits)
    assert codes.sort().values.tolist() == list(range(8**bits))
    assert (cells[codes.argsort()].diff(dim=0).abs().sum(dim=1) == 1).all()


@pytest.mark.parametrize("order", ORDERS)
def test_code_of_doubled_cells_is_the_code_without_its_last_three_bits(order):
    cells = torch.randint(0, 1 << 11, (500, 3), generator=torch.Generator().manual_seed(1))
    for bits in (11, 12, 13):
        assert torch.equal(codes_of(cells >> 1, order, bits - 1), codes_of(cells, order, bits) >> 3)


def test_hilbert_curve_turns_with_each_bit_and_is_the_same_after_three():
    cells = cube(3)
    assert torch.equal(codes_of(cells, "hilbert", 3), codes_of(cells, "hilbert", 6))
    assert not torch.equal(codes_of(cells, "hilbert", 3), codes_of(cells, "hilbert", 4))


def test_transposed_curves_exchange_x_and_y():
    cells = cube(2)
    for order in ("z", "hilbert"):
        assert torch.equal(codes_of(cells, f"{order}-trans", 2), codes_of(cells[:, [1, 0, 2]], order, 2))
