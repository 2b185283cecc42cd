"""The parts of a self-distillation, each against something else that computes the same."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.modeling.modeling_nu_point_pretraining import NuPointForPreTraining
from nuzoo.training.augmentation.point_cloud_batch import ORIGIN
from nuzoo.training.augmentation.point_cloud_views import PointCloudViews
from nuzoo.training.fields import RecipeError
from nuzoo.training.recipe import load_recipe
from nuzoo.training.self_distillation.clouds import ViewMaker, first_clouds, joined, tokens_of
from nuzoo.training.self_distillation.losses import Temperatures, distillation_loss, view_losses
from nuzoo.training.self_distillation.masks import mask_cubes
from nuzoo.training.self_distillation.matching import NO_MATCH, match_nearest
from nuzoo.training.self_distillation.schedules import cosine, warmed
from nuzoo.training.self_distillation.sinkhorn import balanced_targets
from nuzoo.training.self_distillation.teacher import follow, load_teacher, save_teacher, teacher_of

HOW = Temperatures(student=0.1, teacher=0.05, iterations=3)


def batch_of(sizes, seed=0):
    """Events of as many points, in cells of 0.01 from -0.5."""
    rng = np.random.default_rng(seed)
    cells = [rng.permutation(40**3)[:size] for size in sizes]
    places = torch.tensor(
        np.concatenate([np.stack(np.unravel_index(own, (40,) * 3), axis=1) for own in cells])
    )
    return {
        "coordinates": places.float() * 0.01 - 0.2,
        "energy": torch.linspace(-1, 1, len(places))[:, None],
        "grid_coordinates": places,
        "offset": torch.tensor(sizes).cumsum(0),
    }


def test_targets_are_those_of_the_algorithm_of_swav():
    torch.manual_seed(0)
    cosines = F.normalize(torch.randn(50, 8), dim=1)
    share = np.exp(cosines.double().numpy().T / 0.07)
    share /= share.sum()
    for _ in range(3):
        share /= share.sum(axis=1, keepdims=True) * len(share)
        share /= share.sum(axis=0, keepdims=True) * share.shape[1]
    expected = (share * share.shape[1]).T
    found = balanced_targets(cosines, 0.07, 3)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-4)
    np.testing.assert_allclose(found.sum(dim=1).numpy(), 1, rtol=1e-5)


def test_targets_give_every_prototype_the_same_share():
    torch.manual_seed(1)
    cosines = F.normalize(torch.randn(300, 6) + 2, dim=1)
    unbalanced = (cosines / 0.1).softmax(dim=1).sum(dim=0)
    shares = balanced_targets(cosines, 0.1, 200).sum(dim=0)
    assert unbalanced.std() > 3
    torch.testing.assert_close(shares, torch.full((6,), 50.0), rtol=1e-3, atol=0)


def test_coldest_targets_are_finite():
    cosines = torch.tensor([[1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])
    assert torch.isfinite(balanced_targets(cosines, 0.03, 3)).all()
    assert balanced_targets(torch.zeros(0, 4), 0.04, 3).shape == (0, 4)


@pytest.mark.parametrize("radius", [0.1, 0.3, 3.0])
def test_matches_are_those_of_all_distances(radius):
    torch.manual_seed(2)
    places, known = torch.rand(400, 3) - 0.5, torch.rand(300, 3) - 0.5
    group, known_group = torch.randint(0, 5, (400,)), torch.randint(0, 6, (300,))
    distance = torch.cdist(places, known)
    distance[group[:, None] != known_group] = math.inf
    nearest = distance.min(dim=1)
    expected = torch.where(nearest.values < radius, nearest.indices, NO_MATCH)
    found = match_nearest(places, group, known, known_group, radius)
    assert torch.equal(found, expected)
    assert (found != NO_MATCH).any()


def test_nothing_matches_where_nothing_is():
    empty, none = torch.zeros(0, 3), torch.zeros(0, dtype=torch.long)
    group = torch.zeros(4, dtype=torch.long)
    assert match_nearest(torch.zeros(4, 3), group, empty, none, 1.0).tolist() == [NO_MATCH] * 4
    assert len(match_nearest(empty, none, torch.zeros(4, 3), group, 1.0)) == 0


def test_masks_are_whole_cubes_of_the_right_number():
    torch.manual_seed(3)
    batch = batch_of((900, 700))
    event = torch.repeat_interleave(torch.tensor([0, 1]), torch.tensor([900, 700]))
    masked = mask_cubes(batch["coordinates"], event, 0.05, 0.6)
    cubes = torch.cat([event[:, None], torch.floor(batch["coordinates"] / 0.05).long()], dim=1).tolist()
    of_cube = {}
    for cube, is_masked in zip(map(tuple, cubes), masked.tolist(), strict=True):
        of_cube.setdefault(cube, set()).add(is_masked)
    assert all(len(states) == 1 for states in of_cube.values())
    chosen = sum(states == {True} for states in of_cube.values())
    assert chosen == round(0.6 * len(of_cube)) and len(of_cube) > 500
    assert masked[event == 0].any() and masked[event == 1].any()
    assert not mask_cubes(batch["coordinates"], event, 0.05, 0.0).any()
    assert mask_cubes(batch["coordinates"], event, 0.05, 1.0).all()


def test_schedules():
    ends = (0.04, 0.07)
    assert warmed(ends, 0.05, 0.0) == 0.04
    assert warmed(ends, 0.05, 0.025) == pytest.approx(0.055)
    assert warmed(ends, 0.05, 0.05) == warmed(ends, 0.05, 1.0) == warmed(ends, 0.0, 0.0) == 0.07
    assert [cosine((0.994, 1.0), part) for part in (0.0, 0.5, 1.0)] == pytest.approx([0.994, 0.997, 1.0])


def test_teacher_is_the_exponential_mean_of_its_students():
    torch.manual_seed(4)
    student = torch.nn.Linear(3, 2)
    teacher = teacher_of(student)
    weights, momenta = [student.weight.detach().clone()], [0.9, 0.5, 0.99]
    for momentum in momenta:
        with torch.no_grad():
            student.weight.normal_()
        weights.append(student.weight.detach().clone())
        follow(teacher, student, momentum)
    parts = [1.0 - m for m in (0.0, *momenta)]
    expected = sum(
        part * weight * math.prod(momenta[number:])
        for number, (part, weight) in enumerate(zip(parts, weights, strict=True))
    )
    torch.testing.assert_close(teacher.weight.detach(), expected)
    assert not any(parameter.requires_grad for parameter in teacher.parameters())


def test_teacher_is_saved_and_read_whole(tmp_path):
    student = NuPointForPreTraining(NuPointConfig.tiny(use_mask_token=True))
    teacher, other = teacher_of(student), teacher_of(NuPointForPreTraining(student.config))
    save_teacher(teacher, tmp_path)
    load_teacher(other, tmp_path)
    for name, value in teacher.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_loss_is_the_mean_over_views_of_the_mean_over_their_tokens():
    torch.manual_seed(5)
    student, teacher = (F.normalize(torch.randn(7, 4), dim=1) for _ in range(2))
    view = torch.tensor([0, 0, 0, 2, 2, 2, 2])
    targets = balanced_targets(teacher, HOW.teacher, HOW.iterations)
    of_token = F.cross_entropy(student / HOW.student, targets, reduction="none")
    expected = (of_token[:3].mean() + of_token[3:].mean()) / 2
    torch.testing.assert_close(distillation_loss(student, teacher, view, 4, HOW), expected)
    nothing = torch.zeros(0, dtype=torch.long)
    assert distillation_loss(student[:0], teacher[:0], nothing, 4, HOW) == 0


def test_tokens_are_where_their_points_were():
    batch = batch_of((60, 0, 45))
    clouds = {**batch, ORIGIN: batch["coordinates"].flip(0)}
    tokens = tokens_of(clouds, bits=14, doublings=1)
    event = torch.tensor([0] * 60 + [2] * 45)
    key = torch.cat([event[:, None], batch["grid_coordinates"] // 2], dim=1)
    cells, cell = torch.unique(key, dim=0, return_inverse=True)
    expected = torch.stack([clouds[ORIGIN][cell == number].mean(0) for number in range(len(cells))])
    assert sorted(map(tuple, tokens.places.round(decimals=4).tolist())) == sorted(
        map(tuple, expected.round(decimals=4).tolist())
    )
    assert torch.equal(tokens.cloud.bincount(minlength=3), cells[:, 0].bincount(minlength=3))


def test_tokens_are_in_the_order_of_the_network():
    """A token's embedding is that of its cell: alone in its event, the mean is the token."""
    torch.manual_seed(6)
    model = NuPointForPreTraining(NuPointConfig.tiny()).eval()
    batch = batch_of((50, 30))
    tokens = tokens_of({**batch, ORIGIN: batch["coordinates"]}, 14, model.config.token_doublings)
    with torch.no_grad():
        logits = model(**batch).mask_logits
    assert len(tokens.places) == len(logits)
    shifted = {**batch, "offset": torch.tensor([30, 80])}
    order = [*range(50, 80), *range(50)]
    for name in ("coordinates", "energy", "grid_coordinates"):
        shifted[name] = batch[name][order]
    moved = tokens_of({**shifted, ORIGIN: shifted["coordinates"]}, 14, model.config.token_doublings)
    with torch.no_grad():
        others = model(**shifted).mask_logits
    match = match_nearest(tokens.places, tokens.cloud, moved.places, 1 - moved.cloud, 1e-4)
    assert (match != NO_MATCH).all()
    torch.testing.assert_close(logits, others[match], rtol=1e-4, atol=1e-5)


def test_views_become_one_batch():
    batch = batch_of((300, 0, 200))
    torch.manual_seed(7)
    clouds = ViewMaker(PointCloudViews(local_views=3), dict)(batch)
    torch.manual_seed(7)
    large, small = PointCloudViews(local_views=3)(batch)
    assert len(clouds["offset"]) == 5 * 3
    counts = torch.diff(clouds["offset"], prepend=torch.zeros(1, dtype=torch.long))
    expected = [
        torch.diff(view["offset"], prepend=torch.zeros(1, dtype=torch.long)) for view in (*large, *small)
    ]
    assert torch.equal(counts, torch.cat(expected))
    first = first_clouds(clouds, 3)
    for name, value in first.items():
        assert torch.equal(value, large[0][name]), name
    assert torch.equal(joined([batch])["coordinates"], batch["coordinates"])


def test_brightness_changes_large_views_alone_and_each_event_as_a_whole():
    batch = batch_of((300, 200))
    views = PointCloudViews(local_views=2, scaled_energy_jitter=0.05, jittered=1.0, global_keeps=[1.0, 1.0])
    large, small = views(batch)
    factors = [(view["energy"] / batch["energy"]).flatten() for view in large]
    assert torch.equal(factors[0], factors[1])
    for start, end in ((0, 300), (300, 500)):
        assert factors[0][start:end].std() < 1e-6
        assert 0 < abs(factors[0][start] - 1) <= 0.05 + 1e-6
    energy = dict(zip(map(tuple, batch["coordinates"].tolist()), batch["energy"], strict=True))
    own = [energy[tuple(place)] for place in small[0]["coordinates"].tolist()]
    assert torch.equal(small[0]["energy"], torch.stack(own))


def test_each_view_is_asked_for_the_right_one_of_the_teacher():
    """Two events, two large views and one small one; the teacher sees one prototype in each cloud."""
    batch = batch_of((40, 30))
    clouds = joined([{**batch, ORIGIN: batch["coordinates"]}] * 3)
    tokens = tokens_of(clouds, 14, 0)
    cloud = tokens.before(4).cloud
    event = tokens.cloud[tokens.cloud >= 4] - 4
    seen_whole = torch.tensor([0, 1, 1, 0])
    taught = outputs(cloud, 4, seen_whole[cloud], 2)
    turned = torch.tensor([2, 3, 0, 1])[cloud]
    by_mask = view_losses(outputs(cloud, 4, event, 2), taught, tokens, 2, 4, 1e-3, HOW)
    by_roll = view_losses(outputs(turned, 4, 1 - event, 2), taught, tokens, 2, 4, 1e-3, HOW)
    for right, wrong in ((by_mask["mask"], by_roll["mask"]), (by_roll["roll"], by_mask["roll"])):
        assert right < 0.01 and wrong > 5
    assert by_mask["unmask"] < 0.01 and by_roll["unmask"] > 5


def outputs(masked, prototypes, whole, others):
    """Of a network whose tokens are each at one prototype."""
    logits = (F.one_hot(masked, prototypes).float(), F.one_hot(whole, others).float())
    return SimpleNamespace(mask_logits=logits[0], unmask_logits=logits[1])


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("model.use_mask_token=false", "use_mask_token: expected true"),
        ("masks.fraction=[0.5,1.5]", "two numbers from 0 to 1"),
        ("masks.side_mm=[0,1]", "two lengths above 0"),
        ("distillation.teacher_temperature=[0.04]", "two numbers above 0"),
        ("distillation.momentun=[0.9,1]", "did you mean momentum"),
        ("optimiser.layer_decay=0", "a number above 0"),
        ("probe.points=0", "a whole number of 1 or more"),
        ("views.global_views=0", "a whole number of 1 or more"),
    ],
)
def test_recipes_are_checked(override, complaint):
    with pytest.raises(RecipeError, match=complaint):
        load_recipe("nu_point_pretrain_tiny", [override])
