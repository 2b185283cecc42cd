import json

import pytest
import torch
from safetensors.torch import save_file

from nuzoo.training.checkpoints import fault_of, last_checkpoint

FILES = ("model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json")


@pytest.fixture
def checkpoint(tmp_path):
    folder = tmp_path / "checkpoint-8"
    folder.mkdir()
    save_file({"weight": torch.ones(300)}, folder / "model.safetensors")
    for name in FILES[1:4]:
        torch.save({"state": torch.ones(300)}, folder / name)
    (folder / "trainer_state.json").write_text(json.dumps({"global_step": 8}))
    return folder


def test_a_whole_checkpoint_is_the_last_one(checkpoint):
    assert fault_of(checkpoint) is None
    (checkpoint.parent / "checkpoint-best").mkdir()
    assert last_checkpoint(checkpoint.parent) == str(checkpoint)
    assert last_checkpoint(checkpoint.parent / "nowhere") is None


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("left", [0.0, 0.4, 0.95, None])
def test_any_file_that_is_torn_or_missing_is_seen(checkpoint, name, left):
    file = checkpoint / name
    if left is None:
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[: int(left * file.stat().st_size)])
    assert fault_of(checkpoint) is not None
    assert last_checkpoint(checkpoint.parent) is None


def test_a_bit_that_flipped_in_an_optimiser_is_seen(checkpoint):
    file = checkpoint / "optimizer.pt"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert fault_of(checkpoint) == "optimizer.pt is torn"
