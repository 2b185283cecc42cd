import os

import numpy as np
import pytest
from safetensors.numpy import save_file

from nuzoo import NuCnnConfig, NuCnnForEventClassification
from nuzoo.files.modes import unlock_weights


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_weights_may_be_read_by_whoever_may_read_other_files(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        (tmp_path / "below").mkdir()
        save_file({"a": np.zeros(1)}, tmp_path / "below" / "a.safetensors")
        unlock_weights(tmp_path)
        NuCnnForEventClassification(NuCnnConfig.tiny()).save_pretrained(tmp_path / "model")
    finally:
        os.umask(before)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) == 3
    assert {file.stat().st_mode & 0o777 for file in files} == {mode}
