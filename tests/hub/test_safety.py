import io
import json
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast

from nuzoo.hub.errors import UnpublishableContentError
from nuzoo.hub.safety import DISK_PATH, check_name, check_publishable

SECRET = "hf_" + "a1B2" * 9
SPECIAL = {
    "bos_token": "<|im_start|>",
    "eos_token": "</s>",
    "pad_token": "[PAD]",
    "unk_token": "<unk>",
    "extra_special_tokens": {"image_token": "<|image|>", "video_token": "<|video_pad_1|>"},
}
TEMPLATE = """{% for m in messages %}{{ '<|im_start|>' + m['role'] }}
{% if m['content'] is string %}{{ m['content'].split('</think>')[-1] }}{% else %}/no_think{% endif %}
{% endfor %}"""


def array_of_objects():
    stream = io.BytesIO()
    np.save(stream, np.array([{}], dtype=object))
    return stream.getvalue()


def test_what_a_repository_holds_passes(tmp_path):
    save_file({"a": torch.randn(1000)}, tmp_path / "model.safetensors")
    np.savez(tmp_path / "numbers.npz", a=np.arange(5))
    np.save(tmp_path / "numbers.npy", np.arange(5))
    (tmp_path / "README.md").write_text("see https://huggingface.co/org/nu-cnn, runs/nu-cnn and 1/2\n")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG" + bytes(range(256)))
    check_publishable(tmp_path)


def test_the_files_of_a_tokenizer_pass(tmp_path):
    """Its vocabulary holds whatever the texts held that it was learnt from."""
    tokenizer = Tokenizer(BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    special = ["<unk>", "<|im_start|>", "<|image|>", "<|video_pad_1|>"]
    text = ["../../x ../ /usr/bin/ token token: secret123456 password"] * 50
    tokenizer.train_from_iterator(text, BpeTrainer(vocab_size=500, special_tokens=special))
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, chat_template=TEMPLATE, **SPECIAL)
    fast.save_pretrained(tmp_path)
    settings = {
        "token_type_ids": [0, 1],
        "tokens": ["a1b2c3d4e5"],
        "image_token": "<image>",
        "token": 12345678,
    }
    settings |= {"tokenizer_class": "Qwen2Tokenizer", "token_name": None, "hub_token": "<HUB_TOKEN>"}
    (tmp_path / "processor_config.json").write_text(json.dumps(settings))
    vocabulary = json.loads((tmp_path / "tokenizer.json").read_text())["model"]["vocab"]
    assert {"/usr/bin/", "../../x", "token"} <= vocabulary.keys()
    assert "/no_think" in (tmp_path / "chat_template.jinja").read_text()
    check_publishable(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "N. Smith and I.\n",
        "Hello.",
        "0.1.0",
        "1, 2 and 3.",
        "sim-5-0\nsim-5-1\n",
        "cosmic-1\n" * 4,
        "c\nb\na\n.\n",
    ],
)
def test_texts_that_begin_like_a_pickle_pass(tmp_path, text):
    (tmp_path / "text.txt").write_text(text)
    check_publishable(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "shown"),
    [
        ("training_args.json", '{"hub_token": "abcdef123456"}', "hub_token"),
        ("recipe.yaml", "model:\n  api_key: abcdef123456  # mine\n", "api_key"),
        ("recipe.yml", "password: 'abc-def-123-456'\n", "password"),
        ("results.jsonl", '{"wandbToken":"0123456789abcdef","a":1}', "wandbToken"),
        ("README.md", "from s3://anna:pw123@store.example/bucket", "s3://a"),
        ("results.json", '{"proxy": "http://anna:pw@proxy:80"}', "http:/"),
    ],
)
def test_secrets_are_refused_by_the_name_that_they_have(tmp_path, name, content, shown):
    (tmp_path / name).write_text(content)
    with pytest.raises(UnpublishableContentError, match="secret key") as refusal:
        check_publishable(tmp_path)
    assert shown in str(refusal.value)
    assert "123" not in str(refusal.value) and "pw" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("training_args.bin", lambda path: path.write_bytes(b"")),
        ("optimizer.pt", lambda path: torch.save({}, path)),
        ("weights.PTH", lambda path: path.write_bytes(b"")),
        ("rows.pkl", lambda path: path.write_bytes(pickle.dumps([1]))),
        ("harmless.txt", lambda path: path.write_bytes(pickle.dumps({"a": 1}, protocol=4))),
        ("protocol-0.txt", lambda path: path.write_bytes(pickle.dumps({"a": [1, 2.5]}, protocol=0))),
        ("protocol-1.json", lambda path: path.write_bytes(pickle.dumps({"a": 1}, protocol=1))),
        ("command.md", lambda path: path.write_bytes(b"cos\nsystem\n(S'id'\ntR.")),
        ("command.csv", lambda path: path.write_bytes(b"(S'id'\nios\nsystem\n.\n# a table, it seems\n")),
        ("legacy.dat", lambda path: torch.save({}, path, _use_new_zipfile_serialization=False)),
        ("objects.numbers", lambda path: path.write_bytes(array_of_objects())),
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
        ("results.json", json.dumps({"note": "C:\\data\\me"})),
        ("results.json", r'{"note": "\/data\/me\/runs"}'),
        ("tokenizer_config.json", '{"name_or_path": "/data/me/llm"}'),
        ("tokenizer.json", '{"model": {"vocab": {"/home/anna": 1}}}'),
        ("figures/roc.png", "\x89PNG Software /home/anna/plots"),
        ("model.safetensors", '{"__metadata__": {"from": "/Users/anna/x"}}'),
    ],
)
def test_paths_of_this_machine_are_refused(tmp_path, name, content):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(content)
    with pytest.raises(UnpublishableContentError, match="of this machine"):
        check_publishable(tmp_path)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_json_that_only_python_reads_is_refused(tmp_path, number):
    (tmp_path / "a.json").write_text('{"label": "NaN", "energy": null}')
    check_publishable(tmp_path)
    (tmp_path / "a.json").write_text(f'{{"a": [1, {number}]}}')
    with pytest.raises(UnpublishableContentError, match=f"a.json is no JSON, it holds {number}; write null"):
        check_publishable(tmp_path)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_weights_that_are_no_numbers_are_refused(tmp_path, number, dtype):
    weights = {"a.weight": torch.ones(3, dtype=dtype), "b.bias": torch.ones(2, 2, dtype=dtype)}
    save_file(weights | {"steps": torch.arange(3)}, tmp_path / "model.safetensors")
    check_publishable(tmp_path)
    weights["b.bias"][1, 0] = number
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(
        UnpublishableContentError, match=r"model.safetensors holds NaN or infinity in b\.bias;"
    ):
        check_publishable(tmp_path)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("see /home/me/x", "/home/me/x"),
        ('"~/runs/a.json"', "~/runs/a.json"),
        (r"C:\Users\me", r"C:\Users\me"),
        (r"'d:\data\me'", r"d:\data\me"),
        ("file:///home/me/x", "file:///home/me/x"),
        ("from file://data", "file://data"),
        ("node7:/data/secret/run1", "/data/secret/run1"),
        ("anna@node7:/data/secret", "/data/secret"),
        ("[/data/a/b,/data/c]", "/data/a/b"),
        ("../secret/run", "../secret/run"),
        ("pretrained: ../../run", "../../run"),
        (r"..\..\run", r"..\..\run"),
        ("and so on.../more, a/../b, 1../2", None),
        ("</b></i> ://x :/ s3://bucket/key", None),
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
