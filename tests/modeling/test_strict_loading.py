"""Each way in which a checkpoint can be damaged is refused, by name, with what to do about it."""

import hashlib
import json
import logging
import shutil

import pytest
import torch
from huggingface_hub.errors import StrictDataclassFieldValidationError
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel

from nuzoo.configuration.config_errors import UnknownConfigKeyError
from nuzoo.configuration.configuration_nu_cnn import NuCnnConfig
from nuzoo.files.errors import CorruptedFileError, FormatVersionError
from nuzoo.modeling.modeling_nu_cnn import NuCnnForEventClassification
from nuzoo.modeling.weight_errors import WeightsError

NuCnn = NuCnnForEventClassification


def write_checksums(folder):
    """As publishing does: the sum of every file, subfolders included."""
    sums = {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != "checksums.json"
    }
    content = {"algorithm": "sha256", "files": sums}
    (folder / "checksums.json").write_text(json.dumps(content))


def make_checkpoint(folder, **options):
    torch.manual_seed(0)
    model = NuCnn(NuCnnConfig.tiny()).eval()
    model.save_pretrained(folder, **options)
    return model


@pytest.fixture
def published(tmp_path):
    make_checkpoint(tmp_path)
    write_checksums(tmp_path)
    return tmp_path


@pytest.fixture
def sharded(tmp_path):
    make_checkpoint(tmp_path, max_shard_size="100KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 1
    write_checksums(tmp_path)
    return tmp_path


def flip_bit(file, position=-5):
    content = bytearray(file.read_bytes())
    content[position] ^= 0b100
    file.write_bytes(content)


def change_json(file, **keys):
    file.write_text(json.dumps(json.loads(file.read_text()) | keys))


def change_tensors(folder, change):
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize("loader", [NuCnn, AutoModel])
def test_published_checkpoint_loads(published, loader):
    loader.from_pretrained(published)


def test_shards_load_to_the_same_network(sharded):
    x = torch.rand(1, 2, 64, 64)
    torch.manual_seed(0)
    assert torch.equal(NuCnn.from_pretrained(sharded)(x).logits, NuCnn(NuCnnConfig.tiny()).eval()(x).logits)


@pytest.mark.parametrize("loader", [NuCnn, AutoModel])
def test_flipped_bit_in_the_weights_is_refused(published, loader):
    sum_before = json.loads((published / "checksums.json").read_text())["files"]["model.safetensors"]
    flip_bit(published / "model.safetensors")
    with pytest.raises(CorruptedFileError, match=r"model\.safetensors.*force_download=True") as raised:
        loader.from_pretrained(published)
    sum_after = hashlib.sha256((published / "model.safetensors").read_bytes()).hexdigest()
    assert f"expected model.safetensors with sha256 {sum_before}" in str(raised.value)
    assert f"got sha256 {sum_after}" in str(raised.value)


def test_flipped_bit_in_a_shard_is_refused(sharded):
    flip_bit(sorted(sharded.glob("model-*.safetensors"))[1])
    with pytest.raises(CorruptedFileError, match="model-00002-of"):
        NuCnn.from_pretrained(sharded)


def test_changed_configuration_is_refused(published):
    change_json(published / "config.json", temperature=3.0)
    with pytest.raises(CorruptedFileError, match=r"config\.json"):
        AutoModel.from_pretrained(published)


def test_weights_that_were_not_published_are_refused(sharded):
    save_file(NuCnn(NuCnnConfig.tiny()).state_dict(), sharded / "model.safetensors")
    with pytest.raises(CorruptedFileError, match=r"model\.safetensors with no such file"):
        NuCnn.from_pretrained(sharded)


@pytest.mark.parametrize("content", ["{", "[]", '{"algorithm": "md5", "files": {}}', '{"files": {}}'])
def test_damaged_checksums_are_refused(published, content):
    (published / "checksums.json").write_text(content)
    with pytest.raises(CorruptedFileError, match=r"checksums\.json"):
        NuCnn.from_pretrained(published)


def test_checksums_of_a_repository_cover_its_subfolders(tmp_path):
    make_checkpoint(tmp_path / "networks" / "tiny")
    write_checksums(tmp_path)
    NuCnn.from_pretrained(tmp_path, subfolder="networks/tiny")
    flip_bit(tmp_path / "networks" / "tiny" / "model.safetensors")
    with pytest.raises(CorruptedFileError, match=r"networks/tiny/model\.safetensors"):
        NuCnn.from_pretrained(tmp_path, subfolder="networks/tiny")


@pytest.mark.parametrize("part", ["config", "model"])
def test_saving_over_a_published_folder_removes_its_checksums(published, part):
    model = NuCnn.from_pretrained(published)
    model.config.temperature = 2.0
    (model if part == "model" else model.config).save_pretrained(published)
    assert not (published / "checksums.json").exists()
    assert NuCnn.from_pretrained(published).config.temperature == 2.0


def test_options_of_transformers_still_work(published):
    x = torch.rand(1, 2, 64, 64)
    expected = NuCnn.from_pretrained(published)(x).logits
    half, account = NuCnn.from_pretrained(published, dtype=torch.bfloat16, output_loading_info=True)
    assert half.dtype == torch.bfloat16 and not account["missing_keys"]
    assert torch.equal(NuCnn.from_pretrained(published, device_map="cpu")(x).logits, expected)
    forced = NuCnn.from_pretrained(published, force_download=True, local_files_only=True, revision="main")
    assert torch.equal(forced(x).logits, expected)


@pytest.mark.parametrize("size", [0, 5, 1000, -10])
@pytest.mark.parametrize("checked", [True, False])
def test_truncated_or_empty_file_is_refused(published, size, checked):
    file = published / "model.safetensors"
    file.write_bytes(file.read_bytes()[:size])
    if not checked:
        (published / "checksums.json").unlink()
    with pytest.raises(CorruptedFileError if checked else WeightsError, match=r"model\.safetensors"):
        NuCnn.from_pretrained(published)


@pytest.mark.parametrize("checked", [True, False])
def test_missing_shard_is_refused(sharded, checked):
    (sharded / "model-00002-of-00004.safetensors").unlink(missing_ok=False)
    if not checked:
        (sharded / "checksums.json").unlink()
    with pytest.raises((CorruptedFileError, WeightsError), match="model-00002-of-00004"):
        NuCnn.from_pretrained(sharded)


@pytest.mark.parametrize("content", ["{", "{}", "[]", '{"weight_map": 3}'])
def test_damaged_index_is_refused(sharded, content):
    (sharded / "checksums.json").unlink()
    (sharded / "model.safetensors.index.json").write_text(content)
    with pytest.raises(WeightsError, match=r"model\.safetensors\.index\.json"):
        NuCnn.from_pretrained(sharded)


def test_missing_extra_and_misshapen_tensors_are_refused(tmp_path):
    name = "nu_cnn.norm.running_var"

    def transpose(tensors):
        tensors["classifier.weight"] = tensors["classifier.weight"].T.contiguous()

    changes = {
        r"unexpected: classifier\.old\.": lambda tensors: tensors.update({"classifier.old": torch.zeros(2)}),
        rf"missing: {name}\.": lambda tensors: tensors.pop(name),
        r"unexpected: extra\.weight\.": lambda tensors: tensors.update({"extra.weight": torch.zeros(2)}),
        r"another shape: classifier\.weight \(expected \(3, 64\), got \(64, 3\)\)\.": transpose,
    }
    for says, change in changes.items():
        make_checkpoint(tmp_path)
        change_tensors(tmp_path, change)
        with pytest.raises(WeightsError, match=says):
            NuCnn.from_pretrained(tmp_path)


def test_a_head_that_the_network_lacks_is_left_unread_without_a_word(tmp_path, caplog, monkeypatch):
    make_checkpoint(tmp_path)
    monkeypatch.setattr(logging.getLogger("transformers"), "propagate", True)
    network, account = AutoModel.from_pretrained(tmp_path, output_loading_info=True)
    assert not hasattr(network, "classifier") and not any(account.values())
    assert not caplog.text
    NuCnn.from_pretrained(tmp_path, reinitialize=["classifier"], num_labels=5)
    assert "LOAD REPORT" in caplog.text, "what transformers reports is seen here"


def test_pickled_weights_are_not_read(tmp_path):
    model = make_checkpoint(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    for loader in (NuCnn, AutoModel):
        with pytest.raises(WeightsError, match=r"expected weights in model\.safetensors.*never read"):
            loader.from_pretrained(tmp_path)
    with pytest.raises(WeightsError, match="never read"):
        NuCnn.from_pretrained(tmp_path, use_safetensors=False)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"num_view": 3}, UnknownConfigKeyError, "num_view"),
        ({"format_version": 2}, FormatVersionError, "update nuzoo"),
        ({"num_views": "two"}, StrictDataclassFieldValidationError, "num_views"),
    ],
)
@pytest.mark.parametrize("loader", [NuCnn, AutoModel, AutoConfig])
def test_wrong_configuration_is_refused(tmp_path, change, error, says, loader):
    make_checkpoint(tmp_path)
    change_json(tmp_path / "config.json", **change)
    with pytest.raises(error, match=says):
        loader.from_pretrained(tmp_path)


@pytest.mark.parametrize("loader", [NuCnn, AutoModel])
def test_truncated_configuration_is_refused(tmp_path, loader):
    make_checkpoint(tmp_path)
    file = tmp_path / "config.json"
    file.write_text(file.read_text()[:50])
    with pytest.raises(OSError, match=r"config\.json' is not a valid JSON file"):
        loader.from_pretrained(tmp_path)


def test_configuration_without_its_type_is_refused_by_auto_classes(tmp_path):
    make_checkpoint(tmp_path)
    file = tmp_path / "config.json"
    keys = json.loads(file.read_text())
    del keys["model_type"]
    file.write_text(json.dumps(keys))
    with pytest.raises(ValueError, match="model_type"):
        AutoModel.from_pretrained(tmp_path)


def test_cached_repository_is_checked_offline(published, tmp_path_factory):
    """The cache as the Hub client leaves it; no network is there to ask."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path_factory.mktemp("cache") / "models--org--nu-cnn"
    snapshot = repository / "snapshots" / commit
    shutil.copytree(published, snapshot)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    for loader in (NuCnn, AutoModel):
        for revision in ("main", commit):
            loader.from_pretrained("org/nu-cnn", cache_dir=repository.parent, revision=revision)
    flip_bit(snapshot / "model.safetensors")
    for loader in (NuCnn, AutoModel):
        with pytest.raises(CorruptedFileError, match=r"org/nu-cnn.*model\.safetensors"):
            loader.from_pretrained("org/nu-cnn", cache_dir=repository.parent)
    (snapshot / "checksums.json").unlink()
    NuCnn.from_pretrained("org/nu-cnn", cache_dir=repository.parent)
