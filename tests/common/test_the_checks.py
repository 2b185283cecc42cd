"""The checks themselves: an honest network and processor pass them, and each fault is found by one."""

import inspect

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from huggingface_hub.dataclasses import strict
from torch import nn
from transformers import PreTrainedModel
from transformers import initialization as init
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_outputs import ImageClassifierOutputWithNoAttention
from transformers.utils.generic import can_return_tuple

from nuzoo.configuration.configuration_utils_nu import NuPreTrainedConfig
from nuzoo.files.events.event_errors import NonFiniteError
from nuzoo.modeling.modeling_utils_nu import NuPreTrainedModel
from nuzoo.processors.pixel_maps.example_pixel_maps import example_pixel_maps

from . import test_events as events_checks
from . import test_forward as forward_checks
from . import test_initialisation as initialisation_checks
from . import test_saving as saving_checks
from . import test_training as training_checks
from .inputs import EVENTS
from .tasks import test_classification as classification_checks

SIZE = 8
CLASSES = 3


@strict
class HonestConfig(NuPreTrainedConfig):
    model_type = "honest"


class HonestLayer(GradientCheckpointingLayer):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(SIZE * SIZE, SIZE)

    def forward(self, image):
        return torch.tanh(self.linear(image))


class HonestNetwork(NuPreTrainedModel):
    """Two layers; each part can be replaced by a faulty one."""

    config: HonestConfig
    base_model_prefix = "honest"
    accepts_loss_kwargs = False
    layer_class = HonestLayer

    def __init__(self, config):
        super().__init__(config)
        self.layer = self.layer_class()
        self.classifier = nn.Linear(SIZE, CLASSES)
        self.register_buffer("scale", torch.ones(()))
        self.build()
        self.post_init()

    def build(self):
        """Room for a fault."""

    @torch.no_grad()
    def _init_weights(self, module):
        super()._init_weights(module)
        if module is self:
            init.ones_(module.scale)

    def prepare(self, image):
        return image.to(self.dtype)

    def returned(self, features):
        return features

    def loss(self, logits, labels):
        return F.cross_entropy(logits.float(), labels)

    def wants_hidden_states(self, asked):
        return self.config.output_hidden_states if asked is None else asked

    @can_return_tuple
    def forward(
        self, pixel_values, labels=None, output_hidden_states=None, **kwargs
    ) -> ImageClassifierOutputWithNoAttention:
        first = self.prepare(pixel_values)
        features = self.layer(first) * self.scale
        logits = self.classifier(features)
        asked = self.wants_hidden_states(output_hidden_states)
        return ImageClassifierOutputWithNoAttention(
            loss=None if labels is None else self.loss(logits, labels),
            logits=logits,
            hidden_states=(self.returned(features),) * 2 if asked else None,
        )


class Noisy(HonestNetwork):
    def prepare(self, image):
        return super().prepare(image) + 1e-3 * torch.randn_like(image)


class LooksAtTheBatch(HonestNetwork):
    def prepare(self, image):
        return super().prepare(image) - image.mean(0)


class Deaf(HonestNetwork):
    def prepare(self, image):
        return super().prepare(0 * image)


class OverwritesItsInput(HonestNetwork):
    def prepare(self, image):
        return image.detach().clamp_(max=1).mul_(1)


class DividesByTheEnergy(HonestNetwork):
    def prepare(self, image):
        return super().prepare(image / image.sum(1, keepdim=True))


class AssumesALayout(HonestNetwork):
    def prepare(self, image):
        return super().prepare(image.as_strided(image.shape, (image.shape[1], 1)))


class CopiesHiddenStates(HonestNetwork):
    def returned(self, features):
        return features.detach().clone().requires_grad_()


class IgnoresTheConfiguration(HonestNetwork):
    def wants_hidden_states(self, asked):
        return bool(asked)


class AddsUpTheLoss(HonestNetwork):
    def loss(self, logits, labels):
        return F.cross_entropy(logits, labels, reduction="sum")


class IgnoresAccumulation(HonestNetwork):
    accepts_loss_kwargs = True


class HasAnIdleParameter(HonestNetwork):
    def build(self):
        self.idle = nn.Linear(2, 2)


class HasAnUninitialisedParameter(HonestNetwork):
    def build(self):
        self.forgotten = nn.Parameter(torch.ones(3))


class HasAHiddenBuffer(HonestNetwork):
    def build(self):
        self.register_buffer("table", torch.ones(3), persistent=False)


class HasALooseTensor(HonestNetwork):
    def build(self):
        self.tables = {"one": [torch.ones(3)]}


class SharesInSecret(HonestNetwork):
    def build(self):
        self.twin = nn.Linear(SIZE, CLASSES)
        self.twin.weight = self.classifier.weight


class SeedsItself(HonestNetwork):
    def build(self):
        torch.manual_seed(0)


class NeverRecomputes(HonestNetwork):
    class layer_class(HonestLayer):  # noqa: N801
        gradient_checkpointing = property(lambda self: False, lambda self, value: None)


class StaysInTraining(HonestNetwork):
    def train(self, mode=True):
        super().train(mode)
        self.classifier.train(True)
        return self


class LoadsLeniently(HonestNetwork):
    from_pretrained = classmethod(PreTrainedModel.from_pretrained.__func__)


class WritesPickles(HonestNetwork):
    def save_pretrained(self, folder, **kwargs):
        super().save_pretrained(folder, **kwargs)
        torch.save(self.state_dict(), folder / "optimizer.pt")


class HonestProcessor:
    """Images of one view, flattened."""

    def example_events(self, events):
        return example_pixel_maps(["xz"], SIZE, SIZE, events)

    def check(self, event):
        if not np.isfinite(event["xz_energy"]).all():
            raise NonFiniteError("expected finite energies in view xz")

    def image(self, event):
        image = np.zeros(SIZE * SIZE, dtype=np.float32)
        np.add.at(image, event["xz_index"], event["xz_energy"])
        return image

    def __call__(self, events):
        for event in events:
            self.check(event)
        return {"pixel_values": torch.tensor(np.stack([self.image(event) for event in events]))}


class BelievesTheFirstHit(HonestProcessor):
    def image(self, event):
        return super().image(event) / event["xz_energy"][:1].sum().clip(1e-3)


class LetsNonsensePass(HonestProcessor):
    def check(self, event):
        pass


class NormalisesInPlace(HonestProcessor):
    def check(self, event):
        event["xz_energy"] *= 0.5


FAULTS = [
    (Noisy, forward_checks.test_evaluation_is_deterministic),
    (LooksAtTheBatch, forward_checks.test_events_of_a_batch_do_not_see_each_other),
    (LooksAtTheBatch, events_checks.test_company_and_position_do_not_matter),
    (Deaf, forward_checks.test_results_depend_on_the_event),
    (Deaf, training_checks.test_gradient_reaches_the_inputs),
    (OverwritesItsInput, forward_checks.test_inputs_are_not_modified),
    (AssumesALayout, forward_checks.test_memory_layout_does_not_matter),
    (CopiesHiddenStates, forward_checks.test_hidden_states_are_those_of_the_computation),
    (IgnoresTheConfiguration, forward_checks.test_hidden_states_are_returned_on_demand),
    (AddsUpTheLoss, classification_checks.test_loss_is_the_cross_entropy),
    (IgnoresAccumulation, training_checks.test_accumulated_batches_weigh_as_one),
    (HasAnIdleParameter, training_checks.test_gradient_reaches_every_parameter),
    (HasAnUninitialisedParameter, initialisation_checks.test_initialisation_covers_every_tensor),
    (HasAHiddenBuffer, initialisation_checks.test_every_buffer_is_persistent),
    (HasALooseTensor, initialisation_checks.test_no_tensor_is_loose),
    (SharesInSecret, saving_checks.test_tied_tensors_are_declared),
    (SeedsItself, initialisation_checks.test_initialisation_follows_the_seed),
    (NeverRecomputes, training_checks.test_gradient_checkpointing_really_recomputes),
    (StaysInTraining, training_checks.test_modes_switch_every_module),
    (LoadsLeniently, saving_checks.test_given_weights_are_loaded_as_strictly),
    (WritesPickles, saving_checks.test_no_pickle_is_written),
    (BelievesTheFirstHit, events_checks.test_order_of_hits_does_not_matter),
    (NormalisesInPlace, events_checks.test_processor_leaves_the_events_as_they_are),
]

VARIANTS = [
    (DividesByTheEnergy, events_checks.test_sparse_event_is_finite_and_disturbs_no_other, {"kind": "empty"}),
    (LetsNonsensePass, events_checks.test_number_that_is_not_finite_is_refused, {"value": np.nan}),
    (LoadsLeniently, saving_checks.test_missing_tensor_is_named, {"which": "buffer"}),
    (LoadsLeniently, saving_checks.test_unexpected_tensor_is_named, {"stray": "stray.weight"}),
]

CASES = [pytest.param(*case, {}, id=f"{case[0].__name__}-{case[1].__name__}") for case in FAULTS] + [
    pytest.param(*case, id=f"{case[0].__name__}-{case[1].__name__}") for case in VARIANTS
]


def run(check, options, tmp_path, network_class=HonestNetwork, processor_class=HonestProcessor):
    torch.manual_seed(0)
    network = network_class(HonestConfig(num_labels=CLASSES)).eval()
    processor = processor_class()
    events = processor.example_events(EVENTS)
    available = {
        "model": network,
        "headed": network,
        "processor": processor,
        "events": events,
        "inputs": HonestProcessor()(events),
        "tmp_path": tmp_path,
        **options,
    }
    check(**{name: available[name] for name in inspect.signature(check).parameters})


@pytest.mark.parametrize(("faulty", "check", "options"), CASES)
def test_check_passes_the_honest_and_finds_the_fault(faulty, check, options, tmp_path):
    run(check, options, tmp_path / "honest")
    kind = "processor_class" if issubclass(faulty, HonestProcessor) else "network_class"
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        run(check, options, tmp_path / "faulty", **{kind: faulty})
