"""What is exported of an architecture works in a fresh interpreter that has never heard of nuzoo."""

from nuzoo.files.checksums import write_checksums
from nuzoo.hub.model.files import write_model
from nuzoo.hub.model.flat_copy import check_flat_copy
from nuzoo.hub.model.golden import write_golden
from nuzoo.hub.safety import check_publishable

from .inputs import body_of, make_model, networks_of, stirred


def test_flat_copy_gives_the_same_without_nuzoo(architecture, processor, tmp_path):
    """The first network with a head where there is one, and with it the pipelines of that head."""
    networks = networks_of(architecture)
    network = next((name for name in networks if name != body_of(architecture)), body_of(architecture))
    model = stirred(make_model(architecture, network))
    write_model(tmp_path, model, processor)
    write_golden(tmp_path, model, processor)
    check_publishable(tmp_path)
    write_checksums(tmp_path)
    assert check_flat_copy(tmp_path).startswith(f"{networks[network]} loads without nuzoo")
