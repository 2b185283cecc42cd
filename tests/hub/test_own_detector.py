"""A published dataset of a detector that only a file describes brings that file with it."""

import numpy as np

from nuzoo.datasets_scripts.lartpc_pixelmaps import convert_files
from nuzoo.hub.dataset.checks import check_dataset_repository
from nuzoo.hub.dataset.repository import prepare_dataset_repository
from nuzoo.simulation.detectors import DETECTORS

REPO_ID = "org/one-view"

DETECTOR = """
name: published-view
size: [64, 48]
views: [{name: yz, pitch_mm: 4.0}]
"""

ROUND = f"""
import sys
from pathlib import Path
from nuzoo.cli import main
from nuzoo.datasets_scripts.common.loading import load_events
from nuzoo.simulation.detectors import DETECTORS
options = ("--type", "dataset", "--licence", "cc-by-4.0")
assert not main(["publish", sys.argv[1], "--repo", "{REPO_ID}", *options])
del DETECTORS["published-view"]
[rows] = load_events("{REPO_ID}").values()
assert rows[0]["detector"] == "published-view"
assert DETECTORS["published-view"].readout.views[0].columns == 48
del DETECTORS["published-view"]
split = str(rows.split)
assert not main(["display", "{REPO_ID}", "--split", split, "--number", "1", "--sample", "toy", "--out", "d"])
assert not main(["verify", "{REPO_ID}", "--type", "dataset"])
"""


def test_it_is_published_loaded_back_drawn_and_verified(tmp_path, run_fresh):
    (tmp_path / "my.yaml").write_text(DETECTOR)
    maps = np.zeros((1, 1, 64, 48), np.float32)
    maps[..., 10:20, 5] = 2.0
    np.save(tmp_path / "raw.npy", maps)
    folder = tmp_path / "data"
    convert_files(folder, [tmp_path / "raw.npy"], detector=str(tmp_path / "my.yaml"))
    out = tmp_path / "repository"
    prepare_dataset_repository({"default": folder}, REPO_ID, out, licence="cc-by-4.0")
    assert (out / "detector.yaml").read_bytes() == (folder / "detector.yaml").read_bytes()
    assert [check.problem for check in check_dataset_repository(out) if check.problem] == []
    del DETECTORS["published-view"]
    done = run_fresh(ROUND, folder)
    assert done.returncode == 0, done.stdout + done.stderr
