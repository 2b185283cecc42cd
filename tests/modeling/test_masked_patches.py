import pytest
import torch

from nuzoo.modeling.hit_relation_losses import SURENESS, ghost_loss, share_loss, supervised_hits
from nuzoo.modeling.masked_patches import visible_patches


def windows_of(*counts):
    return torch.repeat_interleave(torch.arange(len(counts)) * 3, torch.tensor(counts))


def test_of_every_window_some_patches_are_seen_and_some_hidden():
    torch.manual_seed(0)
    window = windows_of(*([1, 2, 5, 32] * 500))
    seen = visible_patches(window, torch.arange(len(window)), 0.75, at_random=True)
    counts = torch.bincount(window, seen.double())[::3].view(500, 4).long()
    assert (counts[:, 0] == 1).all() and (counts[:, 1] == 1).all() and (counts[:, 3] == 8).all()
    assert set(counts[:, 2].tolist()) == {1, 2}
    assert counts[:, 2].double().mean().item() == pytest.approx(1.25, abs=0.06)


def test_every_patch_is_as_likely_to_be_seen():
    torch.manual_seed(0)
    window = windows_of(8)
    seen = [visible_patches(window, torch.arange(8), 0.25, at_random=True) for _ in range(2000)]
    assert torch.stack(seen).double().mean(0).sub(0.75).abs().max() < 0.04


def test_without_draws_the_same_patches_of_an_event_are_seen_in_any_company():
    place = torch.arange(20) * 7
    alone = visible_patches(windows_of(12, 8), place, 0.75, at_random=False)
    both = visible_patches(windows_of(5, 12, 8), torch.cat([torch.arange(5), place]), 0.75, at_random=False)
    assert torch.equal(both[5:], alone)
    assert len(visible_patches(torch.zeros(0, dtype=torch.int64), place[:0], 0.75, at_random=False)) == 0


def test_losses_of_hits_are_those_of_torch():
    torch.manual_seed(0)
    logits, shares = torch.randn(9, 3), torch.rand(9, 3)
    shares /= shares.sum(1, keepdim=True)
    told = logits.softmax(1)
    expected = torch.nn.functional.cross_entropy(logits, shares, label_smoothing=0.02)
    expected += SURENESS * (told * told.log()).sum(1).mean()
    torch.testing.assert_close(share_loss(logits, shares, 0.02), expected)
    ghost = torch.tensor([1.0, 0.0, 0.0])
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        logits[:3, 0], torch.tensor([0.98, 0.02, 0.02])
    )
    torch.testing.assert_close(ghost_loss(logits[:3, 0], ghost, 0.02), expected)
    assert share_loss(logits[:0], shares[:0], 0.02) == 0
    assert ghost_loss(logits[:0, 0], ghost[:0], 0.02) == 0


def test_half_of_the_hits_teach_and_one_of_a_patch_at_least():
    torch.manual_seed(0)
    patch = torch.repeat_interleave(torch.arange(1001), torch.tensor([4000, *[1] * 1000]))
    able = torch.ones(len(patch), dtype=torch.bool)
    able[:2000] = False
    chosen = supervised_hits(able, patch, at_random=True)
    assert len(torch.unique(patch[chosen])) == 1001
    of_first = (patch[chosen] == 0).sum().item()
    assert 900 < of_first < 1100 and chosen.min() >= 2000
    assert supervised_hits(able, patch, at_random=False).tolist() == list(range(2000, 5000))
