"""An adapter, from its training to a process that loads it by name: against the local Hub."""

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load
from transformers import AutoImageProcessor, AutoModelForImageClassification

from .flows import Session, commit, contents, evaluate, state

peft = pytest.importorskip("peft")

DATASET, BASE, ADAPTER = "org/pixelmaps", "org/nu-cnn", "org/nu-cnn-lora"

LOAD = """
from datasets import load_dataset
from transformers import AutoModelForImageClassification, AutoProcessor, pipeline
from peft import PeftModel
OPTIONS = {options}
events = load_dataset("org/pixelmaps", split="train")[:4]
load = AutoModelForImageClassification.from_pretrained
model = load("org/nu-cnn-lora", **OPTIONS)
processor = AutoProcessor.from_pretrained("org/nu-cnn-lora", **OPTIONS)
inputs = processor(events)
logits = model.eval()(**inputs).logits
plain = PeftModel.from_pretrained(load("org/nu-cnn", revision="{base}", **OPTIONS), "org/nu-cnn-lora").eval()
assert (plain(**inputs).logits - logits).abs().max() < 1e-6
print(logits.tolist(), model.config.temperature)
"""


@pytest.fixture(scope="module")
def session(local_hub, tmp_path_factory):
    with Session(local_hub, tmp_path_factory.mktemp("cache")) as session:
        session.trust_flat_copies()  # `verify --run-code` tries one
        yield session


@pytest.fixture(scope="module")
def base(session, simulated_dataset, run):
    """Folder and revision of the published network."""
    session.publish(simulated_dataset, "--repo", DATASET, "--type", "dataset")
    return run, session.publish(run, "--repo", BASE, "--dataset", DATASET)


@pytest.fixture(scope="module")
def adapter(base, simulated_dataset, tmp_path_factory):
    """Folder of an evaluated adapter that changes what the network says."""
    folder = tmp_path_factory.mktemp("runs") / "nu-cnn-lora"
    model = AutoModelForImageClassification.from_pretrained(base[0])
    torch.manual_seed(1)
    model.add_adapter(
        peft.LoraConfig(r=2, target_modules=["classifier", "conv1"], init_lora_weights=False, lora_alpha=4)
    )
    model.save_pretrained(folder)
    AutoImageProcessor.from_pretrained(base[0]).save_pretrained(folder)
    evaluate(folder, simulated_dataset, "--calibrate")
    return folder


@pytest.fixture(scope="module")
def published(session, adapter, base):
    return session.publish(adapter, "--repo", ADAPTER, "--dataset", DATASET, "--base", BASE)


def temperature_of(adapter):
    return json.loads((adapter / "calibration.json").read_text())["temperature"]


def test_repository_names_its_network_at_a_commit_and_holds_no_copy_of_it(local_hub, published, base):
    files = contents(local_hub, ADAPTER)
    keys = json.loads(files["adapter_config.json"])
    assert (keys["base_model_name_or_path"], keys["revision"]) == (BASE, base[1])
    assert not {"config.json", "model.safetensors", "modeling_nu_cnn.py"} & files.keys()
    assert {"adapter_model.safetensors", "calibration.json", "checksums.json", "results.json"} < files.keys()
    card = files["README.md"].decode()
    for line in (f"base_model: {BASE}", "base_model_relation: adapter", "library_name: peft"):
        assert line in card
    assert base[1] in card and "rank: 2" in card
    assert f"A LORA adapter for [`{BASE}`](https://huggingface.co/{BASE}): " in card
    trained, whole = (
        int(n.replace(",", "")) for n in re.search(r"([\d,]+) of ([\d,]+) parameters were", card).groups()
    )
    tensors = load(files["adapter_model.safetensors"])
    assert trained == sum(tensor.numel() for tensor in tensors.values()) < whole


def test_it_verifies(session, published):
    done = session.nuzoo("verify", ADAPTER, "--run-code")
    assert done.status == 0, done.out


@pytest.mark.parametrize("has_nuzoo", [False, True])
def test_it_loads_by_name_as_evaluated(
    session, run_fresh, published, adapter, base, has_nuzoo, simulated_dataset
):
    options = {} if has_nuzoo else {"trust_remote_code": True}
    code = LOAD.format(options=options, base=base[1])
    if has_nuzoo:
        said = session.run(code)
    else:
        done = run_fresh(code, without_nuzoo=True)
        assert done.returncode == 0, done.stderr[-2000:]
        said = done.stdout
    logits, _, temperature = said.strip().rpartition(" ")
    assert float(temperature) == pytest.approx(temperature_of(adapter))
    from datasets import load_dataset

    events = load_dataset(str(simulated_dataset), split="train")[:4]
    model = AutoModelForImageClassification.from_pretrained(adapter).eval()
    inputs = AutoImageProcessor.from_pretrained(adapter)(events)
    with torch.no_grad():
        expected = model(**inputs).logits
        assert not torch.allclose(
            AutoModelForImageClassification.from_pretrained(base[0])(**inputs).logits, expected, atol=1e-3
        )
    torch.testing.assert_close(torch.tensor(json.loads(logits)), expected)


def test_the_pinned_network_is_loaded_when_the_branch_has_gone_on(session, local_hub, published, base):
    before = contents(local_hub, BASE)["config.json"]
    commit(local_hub, BASE, {"config.json": json.dumps(json.loads(before) | {"se_ratio": 99}).encode()})
    done = session.nuzoo("verify", ADAPTER)
    commit(local_hub, BASE, {"config.json": before})
    assert done.status == 0, done.out


def test_the_script_of_the_documentation_makes_an_adapter(session, base, simulated_dataset, tmp_path):
    """As it stands, but for the names."""
    text = (Path(__file__).parents[2] / "docs" / "hub.md").read_text()
    [script] = re.findall(
        r"^```python\n(.*?)^```$", text.partition("## Adapters")[2], re.MULTILINE | re.DOTALL
    )
    names = {"ORG/nu-cnn-tiny": BASE, "data/my-events": simulated_dataset, "runs/lora": tmp_path / "lora"}
    for name, ours in names.items():
        assert f'"{name}"' in script
        script = script.replace(name, str(ours))
    printed = session.run(f"exec({script!r}, {{}})")
    assert [line.partition(":")[0] for line in printed.splitlines()] == ["epoch 0", "epoch 1", "epoch 2"]
    tensors = load((tmp_path / "lora" / "adapter_model.safetensors").read_bytes())
    assert any(tensor.any() for name, tensor in tensors.items() if "lora_B" in name)
    session.run(f"from nuzoo.pipelines.loading import load_model; load_model({str(tmp_path / 'lora')!r})")


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ([], ["publish that", "--base ORG/NAME"]),
        (["--base", DATASET], ["no such repository"]),
        (["--base", "nu-cnn"], ["organisation/name"]),
        (["--base", "org/other"], ["does not hold the weights of", "trained on"]),
    ],
)
def test_an_adapter_without_its_network_is_refused(session, local_hub, adapter, published, options, parts):
    if "org/other" in options:
        session.run("from huggingface_hub import HfApi; HfApi().create_repo('org/other', exist_ok=True)")
    before = state(local_hub, ADAPTER)
    done = session.nuzoo("publish", adapter, "--repo", ADAPTER, "--dataset", DATASET, *options)
    assert done.status == 1
    assert not [part for part in parts if part not in done.err.splitlines()[-1]], done.err
    assert state(local_hub, ADAPTER) == before


def test_a_base_for_a_whole_model_is_refused(session, base):
    done = session.nuzoo("publish", base[0], "--repo", BASE, "--dataset", DATASET, "--base", BASE)
    assert done.status == 1
    assert "expected an adapter" in done.err
