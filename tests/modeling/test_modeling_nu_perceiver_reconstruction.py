"""Heads and losses of the reconstruction of events, beside formulas written out with NumPy."""

import math

import numpy as np
import pytest
import torch
from transformers import AutoModel

from nuzoo.configuration.configuration_nu_perceiver import NuPerceiverConfig
from nuzoo.modeling.modeling_nu_perceiver import NuPerceiverModel
from nuzoo.modeling.modeling_nu_perceiver_reconstruction import (
    MissingConstantsError,
    NuPerceiverForEventReconstruction,
)
from nuzoo.modeling.momentum_parametrisation import MomentumScale
from nuzoo.modeling.reconstruction_losses import LeptonScale, lepton_loss, momentum_loss
from nuzoo.processors.detector_events.feature_extraction_nu_detector_event import (
    NuDetectorEventFeatureExtractor,
)

CONFIG = NuPerceiverConfig.tiny()
STATISTICS = {"k_T": 2.0, "mu_uT": 0.5, "sigma_uT": 0.4, "k_Z": 100.0, "mu_uZ": 1.0, "sigma_uZ": 0.8}
STATISTICS |= {"s_xyz": [2.0, 3.0, 50.0], "tau_pt": 0.7}
SCALE = MomentumScale.of(STATISTICS)
EVENTS = 4


@pytest.fixture(scope="module")
def inputs():
    processor = NuDetectorEventFeatureExtractor()
    processor.fit(processor.example_events(6))
    return dict(processor(processor.example_events(EVENTS)))


@pytest.fixture(scope="module")
def truth():
    torch.manual_seed(1)
    return {
        "flavour_labels": torch.tensor([0, 3, 5, 1]),
        "charm_labels": torch.tensor([0, 1, 0, 3]),
        "vis_momentum_labels": torch.randn(EVENTS, 3) * torch.tensor([1.0, 1.0, 300.0]),
        "jet_momentum_labels": torch.randn(EVENTS, 3) * torch.tensor([4.0, 4.0, 300.0]),
        "vertex_labels": 300 * torch.randn(EVENTS, 3),
    }


@pytest.fixture
def model():
    torch.manual_seed(0)
    made = NuPerceiverForEventReconstruction(CONFIG).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return made


def huber(values):
    size = np.abs(values)
    return np.where(size < 1, size**2 / 2, size - 0.5)


def test_published_sizes():
    """The public code counts the learnt weights of losses apart."""
    for config, total in (
        (NuPerceiverConfig.base(), 31_976_277),
        (NuPerceiverConfig.published_tiny(), 31_977_813),
    ):
        with torch.device("meta"):
            model = NuPerceiverForEventReconstruction(config)
        fixed = sum(buffer.numel() for buffer in model.buffers())
        numbers = {name: part.numel() for name, part in model.named_parameters()}
        weights = numbers.pop("loss_weights.unbounded")
        assert (sum(numbers.values()) + fixed, weights) == (total, 6)
        assert sum(of for name, of in numbers.items() if "_head." in name) == 11_925


def test_heads_begin_near_zero_and_weights_of_losses_at_one():
    torch.manual_seed(0)
    model = NuPerceiverForEventReconstruction(CONFIG)
    assert model.flavour_head[-1].weight.std().item() == pytest.approx(2e-5, rel=0.2)
    assert not model.vis_head[-1].bias.any()
    assert [weight.item() for weight in model.loss_weights.weights.values()] == pytest.approx([1.0] * 6)


def test_a_momentum_is_told_by_its_logarithms_and_its_angle():
    told = SCALE.told(torch.tensor([[1.5, -3.0, 4.0, -0.25]]))
    transverse, along = 2 * math.expm1(0.5 + 0.4 * 1.5), 100 * math.expm1(1.0 - 0.8 * 0.25)
    expected = torch.tensor([[-0.6 * transverse, 0.8 * transverse, along]])
    torch.testing.assert_close(told.momentum, expected)
    torch.testing.assert_close(SCALE.standardised(expected, False), torch.tensor([[1.5, -0.25]]))
    torch.testing.assert_close(told.standardised, torch.tensor([[1.5, -0.25]]))


def test_transverse_parts_below_zero_stay():
    assert SCALE.told(torch.tensor([[-10.0, 1.0, 0.0, 0.0]])).momentum[0, 0] < 0


def test_true_momenta_against_the_beam_have_a_logarithm():
    """Those of the visible particles down to nearly -k; those of the jet are taken for 0."""
    backward = torch.tensor([[0.0, 1.0, -500.0]])
    visible, jet = (SCALE.standardised(backward, only)[0, 1].item() for only in (False, True))
    assert visible == pytest.approx((math.log(1e-6) - 1.0) / 0.8, rel=0.01)
    assert jet == pytest.approx((0.0 - 1.0) / 0.8)


@pytest.mark.parametrize("only_forward", [False, True])
def test_loss_of_a_momentum(only_forward):
    rng = np.random.default_rng(3)
    raw, true = rng.normal(size=(20, 4)), rng.normal(size=(20, 3)) * (2, 2, 60)
    z_t, a, b, z_z = raw.T
    cos, sin = a / np.hypot(a, b), b / np.hypot(a, b)
    p_t, p_z = 2 * np.expm1(0.5 + 0.4 * z_t), 100 * np.expm1(1.0 + 0.8 * z_z)
    told = np.stack([p_t * cos, p_t * sin, p_z], axis=1)
    size = np.hypot(true[:, 0], true[:, 1])
    along = np.maximum(true[:, 2], 0) if only_forward else true[:, 2]
    true_t = (np.log1p(size / 2) - 0.5) / 0.4
    true_z = (np.log1p(np.maximum(along / 100, -0.999999)) - 1.0) / 0.8
    phi = size / (size + 0.7) * (1 - np.cos(np.arctan2(sin, cos) - np.arctan2(true[:, 1], true[:, 0])))
    expected = huber(z_t - true_t) + huber(z_z - true_z) + 0.5 * phi
    expected += 0.15 * huber((told - true) / (2, 3, 50)).sum(axis=1)
    found = momentum_loss(SCALE.told(torch.tensor(raw)), torch.tensor(true), SCALE, only_forward)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_loss_of_the_lepton_is_of_its_momentum_where_there_is_one():
    scale = LeptonScale((4.0, 4.0, 300.0), low=20.0)
    told = torch.tensor([[2.0, 0.0, 150.0], [2.0, 0.0, 150.0]])
    true = torch.tensor([[0.0, 0.0, 60.0], [0.0, 0.0, 0.0]])
    share = 60 / 80
    first = 0.5 * share * (0.125 + 0.3**2 / 2) + 0.05 * (1 - share) * (0.125 + 0.125)
    assert lepton_loss(told, true, scale).tolist() == pytest.approx([first, 0.05 * 0.25])


def test_the_loss_adds_up_its_parts_with_their_weights(model, inputs, truth):
    output = model(**inputs, **truth)
    logits = output.flavour_logits.double()
    entropy = logits.logsumexp(1) - logits[range(EVENTS), truth["flavour_labels"]]
    assert output.flavour_loss.item() == pytest.approx(entropy.mean().item(), rel=1e-5)
    far = (output.vertex - truth["vertex_labels"]) / torch.tensor([135.14, 125.34, 652.16])
    assert output.vertex_loss.item() == pytest.approx(far.square().mean().item(), rel=1e-4)
    names = ("flavour", "charm", "vis", "jet", "lepton", "vertex")
    share = torch.sigmoid(model.loss_weights.unbounded.double())
    weights = 0.01 + 4.99 * share
    losses = torch.stack([output[f"{name}_loss"].double() for name in names])
    assert output.loss.item() == pytest.approx((weights * losses - weights.log() / 2).sum().item(), rel=1e-5)
    output.loss.backward()
    assert model.loss_weights.unbounded.grad.all()


def test_labels_change_no_result_and_results_are_those_without_them(model, inputs, truth):
    plain, learning = model(**inputs), model(**inputs, **truth)
    assert plain.loss is None and plain.vis_loss is None
    for name in ("flavour_logits", "charm_logits", "vis_momentum", "jet_momentum", "vertex"):
        assert torch.equal(plain[name], learning[name])


def test_labels_are_smoothed_in_training_alone(model, inputs, truth):
    config = model.config
    config.label_smoothing = 0.3
    exact = model(**inputs, **truth)
    smoothed = model.train()(**inputs, **truth)
    flat = exact.charm_logits.log_softmax(1).mean()
    expected = 0.7 * exact.charm_loss - 0.3 * flat
    assert smoothed.charm_loss.item() == pytest.approx(expected.item(), rel=1e-5)
    assert smoothed.vis_loss.item() == pytest.approx(exact.vis_loss.item(), rel=1e-5)


@pytest.mark.parametrize("kind", ["mll", "bayes_risk", "brier"])
def test_both_heads_give_evidence(model, inputs, truth, kind):
    """The heads' scores are logarithms of evidence; the means of Dirichlet distributions are softmaxes."""
    scores = model(**inputs)
    model.config = NuPerceiverConfig.tiny(evidential=kind, label_smoothing=0.0)
    output = model(**inputs, **truth)
    for head, labels in (("flavour", truth["flavour_labels"]), ("charm", truth["charm_labels"])):
        alpha = 1 + scores[f"{head}_logits"].double().exp()
        torch.testing.assert_close(output[f"{head}_logits"].double().exp(), alpha, rtol=1e-5, atol=0)
        risks = []
        for row, label in zip(alpha, labels, strict=True):
            total, true = row.sum(), row[label]
            mean = row / total
            risks.append(
                {
                    "mll": total.log() - true.log(),
                    "bayes_risk": torch.digamma(total) - torch.digamma(true),
                    "brier": mean.square().sum()
                    - 2 * mean[label]
                    + 1
                    + (mean * (1 - mean)).sum() / (total + 1),
                }[kind]
            )
        expected = torch.stack(risks).mean().item()
        assert output[f"{head}_loss"].item() == pytest.approx(expected, rel=1e-4)
    for name in ("vis_momentum", "jet_momentum", "vertex"):
        assert torch.equal(output[name], scores[name])


def test_truth_in_part_is_refused(model, inputs, truth):
    with pytest.raises(ValueError, match="got 4 of them: take the targets flavour"):
        model(**inputs, **{name: value for name, value in truth.items() if name != "charm_labels"})


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"momentum_statistics": None}, "momentum_statistics of vis, .* of jet, .* of lep"),
        ({"vertex_std_mm": None}, "got none as vertex_std_mm: fit the processor"),
    ],
)
def test_a_network_without_the_constants_of_its_targets_says_so(inputs, fields, told):
    model = NuPerceiverForEventReconstruction(NuPerceiverConfig.tiny(**fields))
    with pytest.raises(MissingConstantsError, match=told):
        model(**inputs)


def test_other_numbers_of_classes_are_other_heads(inputs):
    config = NuPerceiverConfig.tiny(num_labels=3, charm_classes=["no", "yes"])
    output = NuPerceiverForEventReconstruction(config)(**inputs)
    assert (output.flavour_logits.shape, output.charm_logits.shape) == ((EVENTS, 3), (EVENTS, 2))


def test_auto_model_loads_the_network_that_wrote_the_checkpoint(tmp_path):
    for network in (NuPerceiverModel, NuPerceiverForEventReconstruction):
        network(NuPerceiverConfig.tiny()).save_pretrained(tmp_path / network.__name__)
        assert type(AutoModel.from_pretrained(tmp_path / network.__name__)) is network
    assert type(AutoModel.from_config(NuPerceiverConfig.tiny())) is NuPerceiverModel
