import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from nuzoo.hub.errors import UnpublishableContentError
from nuzoo.hub.safety import DISK_PATH, check_name, check_publishable

SECRET = "hf_" + "a1B2" * 9


def test_what_a_repository_holds_passes(tmp_path):
    save_file({"a": torch.randn(1000)}, tmp_path / "model.safetensors")
    np.savez(tmp_path / "numbers.npz", a=np.arange(5))
    np.save(tmp_path / "numbers.npy", np.arange(5))
    (tmp_path / "README.md").write_text("see https://huggingface.co/org/nu-cnn, runs/nu-cnn and 1/2\n")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG" + bytes(range(256)))
    check_publishable(tmp_path)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("training_args.bin", lambda path: path.write_bytes(b"")),
        ("optimizer.pt", lambda path: torch.save({}, path)),
        ("weights.PTH", lambda path: path.write_bytes(b"")),
        ("rows.pkl", lambda path: path.write_bytes(pickle.dumps([1]))),
        ("harmless.txt", lambda path: path.write_bytes(pickle.dumps({"a": 1}, protocol=4))),
        ("weights.dat", lambda path: torch.save({"a": torch.ones(2)}, path)),
        ("objects.npy", lambda path: np.save(path, np.array([{}], dtype=object))),
        ("deep/objects.npz", lambda path: np.savez(path, a=np.array([{}], dtype=object))),
    ],
)
def test_pickles_are_refused_by_name_and_by_content(tmp_path, name, write):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    write(tmp_path / name)
    with pytest.raises(UnpublishableContentError, match="pickle") as refusal:
        check_publishable(tmp_path)
    assert str(refusal.value).startswith(name)


@pytest.mark.parametrize(
    "secret",
    [SECRET, "ghp_" + "x" * 36, "AKIA" + "Z" * 16, "-----BEGIN OPENSSH PRIVATE KEY-----"],
)
@pytest.mark.parametrize("name", ["README.md", "model.safetensors", "modeling_x.py"])
def test_secrets_are_refused_in_any_file_and_not_repeated(tmp_path, secret, name):
    (tmp_path / name).write_bytes(b"\x00" * 5 + f"token = '{secret}'".encode())
    with pytest.raises(UnpublishableContentError, match="secret key") as refusal:
        check_publishable(tmp_path)
    assert secret not in str(refusal.value)


def test_a_secret_across_two_blocks_is_found(tmp_path):
    block = 1 << 24
    (tmp_path / "large.safetensors").write_bytes(b"\x00" * (block - 10) + SECRET.encode() + b"\x00" * 100)
    with pytest.raises(UnpublishableContentError, match="secret key"):
        check_publishable(tmp_path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", '{"_name_or_path": "/data/me/runs"}'),
        ("README.md", "made in /home/me/runs/x\n"),
        ("figures/roc.png", "\x89PNG Software /home/anna/plots"),
        ("model.safetensors", '{"__metadata__": {"from": "/Users/anna/x"}}'),
    ],
)
def test_paths_of_this_machine_are_refused(tmp_path, name, content):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(content)
    with pytest.raises(UnpublishableContentError, match="of this machine"):
        check_publishable(tmp_path)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("see /home/me/x", "/home/me/x"),
        ('"~/runs/a.json"', "~/runs/a.json"),
        (r"C:\Users\me", r"C:\Users\me"),
        ("precision/recall and/or https://huggingface.co/datasets/a/b", None),
        ("energy / momentum, runs/demo/report.md, 1/2", None),
    ],
)
def test_what_counts_as_a_path_of_the_machine(text, path):
    found = DISK_PATH.search(text)
    assert (found and found[0]) == path


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/passwd", "a\\b", "a\nb", 'a"b', "a:b"])
def test_names_that_leave_the_repository_are_refused(tmp_path, name):
    from pathlib import Path

    with pytest.raises(UnpublishableContentError, match="no name for a file"):
        check_name(Path(name))


def test_caches_of_the_client_are_no_part_of_a_repository(tmp_path):
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "x.pkl").write_bytes(b"")
    check_publishable(tmp_path)
