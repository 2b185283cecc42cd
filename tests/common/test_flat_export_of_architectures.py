"""What is exported of an architecture works in a fresh interpreter that has never heard of nuzoo."""

import os
from importlib.resources import files

from nuzoo.files.checksums import write_checksums
from nuzoo.hub.model.files import write_model
from nuzoo.hub.model.flat_copy import SCRIPT
from nuzoo.hub.model.golden import write_golden
from nuzoo.hub.safety import check_publishable

from ..fresh_process import run_python
from .inputs import body_of, make_model, networks_of, stirred

TRY = f"""
import os, runpy, sys
sys.argv.append(str(os.pipe()[0]))
runpy.run_path({str(files("nuzoo.hub.model").joinpath(SCRIPT))!r}, run_name="__main__")
"""


def test_flat_copy_gives_the_same_without_nuzoo(architecture, processor, tmp_path, tmp_path_factory):
    """The first network with a head where there is one, and with it the pipelines of that head."""
    networks = networks_of(architecture)
    network = next((name for name in networks if name != body_of(architecture)), body_of(architecture))
    model = stirred(make_model(architecture, network))
    write_model(tmp_path, model, processor)
    write_golden(tmp_path, model, processor)
    check_publishable(tmp_path)
    write_checksums(tmp_path)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_MODULES_CACHE": str(elsewhere)}
    environment.pop("PYTHONPATH", None)
    done = run_python(TRY, tmp_path, folder=elsewhere, environment=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{networks[network]} loads without nuzoo")
