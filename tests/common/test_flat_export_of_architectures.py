"""What is exported of an architecture works in a fresh interpreter that has never heard of nuzoo."""

from nuzoo.files.checksums import write_checksums
from nuzoo.hub.model.files import write_model
from nuzoo.hub.model.flat_copy import check_flat_copy
from nuzoo.hub.model.golden import write_golden
from nuzoo.hub.safety import check_publishable

from .conftest import BODY
from .inputs import make_model, stirred


def test_flat_copy_gives_the_same_without_nuzoo(architecture, processor, tmp_path):
    """The network with a head where there is one, and with it the pipelines of that head."""
    auto_class = next((name for name in architecture.models if name != BODY), BODY)
    model = stirred(make_model(architecture, auto_class))
    write_model(tmp_path, model, processor)
    write_golden(tmp_path, model, processor)
    check_publishable(tmp_path)
    write_checksums(tmp_path)
    assert check_flat_copy(tmp_path).startswith(f"{auto_class} loads without nuzoo")
