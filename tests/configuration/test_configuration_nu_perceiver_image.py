import pytest
from huggingface_hub.errors import StrictDataclassError

from nuzoo.configuration.configuration_nu_perceiver import NuPerceiverConfig
from nuzoo.configuration.configuration_nu_perceiver_image import NuPerceiverImageConfig, target_of_particles


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"hidden_size": 100}, "multiple of num_attention_heads"),
        ({"num_window_layers": 0}, "num_window_layers must be at least 1"),
        ({"context_features": -1}, "context_features at least 0"),
        ({"patch": (12, 12, 7)}, "patch must be 3 whole numbers that divide .120, 120, 120."),
        ({"window": (2, 2, 5)}, "window, in voxels, must be 3 whole numbers that divide"),
        ({"window": (2, 2, 0)}, "window must be 3 whole numbers above 0"),
        ({"num_event_layers": 2}, "num_event_layers must be 0 with target 'label'"),
        ({"event_dropout": 1.0}, "event_dropout"),
        ({"context_fusion": "sum"}, "context_fusion"),
        ({"drop_path_rate": -0.1}, "drop_path_rate"),
    ],
)
def test_sizes_that_make_no_network_are_refused(fields, told):
    with pytest.raises(StrictDataclassError, match=told):
        NuPerceiverImageConfig(**fields)


def test_classes_are_those_of_the_target():
    assert NuPerceiverImageConfig().label2id == {"proton": 0, "pion": 1, "muon": 2, "electron": 3}
    of_events = NuPerceiverImageConfig.pilarnet_event()
    assert list(of_events.label2id) == ["photon", "electron", "muon", "pion", "proton", "none"]
    assert target_of_particles(of_events.to_dict()) == ("particle_pid",)
    assert target_of_particles({}) == ("label",)
    assert NuPerceiverImageConfig.pilarnet(num_labels=5).num_labels == 5


def test_blocks_of_windows_are_skipped_more_and_more():
    """From 0 to the rate, as published; the blocks of latents stay there."""
    assert NuPerceiverImageConfig(drop_path_rate=0.3).window_drop_paths == pytest.approx([0, 0.1, 0.2, 0.3])
    assert NuPerceiverImageConfig(drop_path_rate=0.3, num_window_layers=1).window_drop_paths == [0]


def test_sizes_of_a_nu_perceiver_are_taken_over():
    taken = NuPerceiverImageConfig.fields_from(NuPerceiverConfig.published_tiny(cal_patch=(6, 6, 10)))
    made = NuPerceiverImageConfig(**taken)
    assert (made.num_window_layers, made.num_latent_layers, made.hidden_size) == (2, 6, 384)
    assert made.patch == [6, 6, 10]
