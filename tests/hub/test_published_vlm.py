"""The adapter of a vision-language model, published to the local Hub and loaded by name."""

import json

import pytest
import torch
from datasets import load_dataset
from transformers import AutoImageProcessor, AutoModelForImageClassification

from nuzoo.configuration.configuration_nu_vlm import NuVlmConfig
from nuzoo.modeling.modeling_nu_vlm import NuVlmForEventClassification
from nuzoo.processors.vlm.processing_nu_vlm import NuVlmProcessor
from nuzoo.processors.vlm.prompts import Prompt
from nuzoo.processors.vlm.tiny_base import tiny_base_processor

from .flows import Session, contents, evaluate, state

peft = pytest.importorskip("peft")
pytest.importorskip("bitsandbytes")

DATASET, BASE, VLM, MERGED = "org/pixelmaps", "org/tiny-mllama", "org/nu-vlm", "org/nu-vlm-merged"
UPLOAD = """
from huggingface_hub import HfApi
HfApi().create_repo("{name}", exist_ok=True)
print(HfApi().upload_folder(repo_id="{name}", folder_path="{folder}").oid)
"""
LOAD = """
import json
from datasets import load_dataset
from transformers import AutoModel, AutoProcessor
def asked(name, **options):
    events = load_dataset("org/pixelmaps", split="train")[:4]
    model = AutoModel.from_pretrained(name, **options)
    inputs = AutoProcessor.from_pretrained(name, **options)(events)
    return model(**inputs).logits.tolist(), model.config.temperature
"""
WITH_NUZOO = f"""
{LOAD}
print(json.dumps({{"{VLM}": asked("{VLM}")}}))
"""
WITHOUT_NUZOO = f"""
from peft import PeftModel
from transformers import AutoModelForImageTextToText
{LOAD}
said = {{name: asked(name, trust_remote_code=True) for name in ("{VLM}", "{MERGED}")}}
base = AutoModelForImageTextToText.from_pretrained("{BASE}")
adapted = PeftModel.from_pretrained(base, "{VLM}", subfolder="adapter")
said["plain"] = sum("lora_B" in name and bool(value.any()) for name, value in adapted.state_dict().items())
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def session(local_hub, tmp_path_factory):
    with Session(local_hub, tmp_path_factory.mktemp("cache")) as session:
        session.trust_flat_copies()
        yield session


@pytest.fixture(scope="module")
def run(session, simulated_dataset, tmp_path_factory):
    """An evaluated adapter on a base in four bits, which lies in the same folder, as training leaves it."""
    session.publish(simulated_dataset, "--repo", DATASET, "--type", "dataset")
    folder = tmp_path_factory.mktemp("runs") / "nu-vlm"
    text = [json.dumps(Prompt.of("plain-1").to_dict())]
    processor = NuVlmProcessor(
        tiny_base_processor(text, 64), prompt="plain-1", detector="modular-2x2x7", rebin=8
    )
    processor.fit(load_dataset(str(simulated_dataset), split="train")).save_pretrained(folder)
    torch.manual_seed(0)
    NuVlmForEventClassification(NuVlmConfig.tiny()).base.save_pretrained(folder / "base")
    config = NuVlmConfig.tiny(
        base_model=str(folder / "base"),
        quantization="nf4",
        prompt="plain-1",
        label_token_ids=processor.label_token_ids(["nue_cc", "numu_cc", "nc"]),
    )
    model = NuVlmForEventClassification.from_base(config)
    model.base.add_adapter(
        peft.LoraConfig(r=2, target_modules=["q_proj", "v_proj"], init_lora_weights=False, lora_alpha=4)
    )
    model.config.base_model = "base"
    model.save_pretrained(folder)
    evaluate(folder, simulated_dataset, "--calibrate")
    return folder


@pytest.fixture(scope="module")
def base(session, run):
    """Revision of the uploaded base."""
    return session.run(UPLOAD.format(name=BASE, folder=run / "base")).strip().splitlines()[-1]


@pytest.fixture(scope="module")
def published(session, run, base):
    return session.publish(run, "--repo", VLM, "--dataset", DATASET, "--base", BASE)


@pytest.fixture(scope="module")
def merged(session, run, published, simulated_dataset, tmp_path_factory):
    """The folder of the network with its adapter in it, published."""
    folder = tmp_path_factory.mktemp("runs") / "merged"
    model = AutoModelForImageClassification.from_pretrained(run, quantization_config=None)
    model.merge_adapter()
    model.save_pretrained(folder)
    AutoImageProcessor.from_pretrained(run).save_pretrained(folder)
    evaluate(folder, simulated_dataset, "--calibrate")
    session.publish(folder, "--repo", MERGED, "--dataset", DATASET)
    return folder


@pytest.fixture(scope="module")
def without_nuzoo(run_fresh, published, merged):
    """What a process says that has no nuzoo."""
    done = run_fresh(WITHOUT_NUZOO, without_nuzoo=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def expected_logits(folder, dataset):
    events = load_dataset(str(dataset), split="train")[:4]
    model = AutoModelForImageClassification.from_pretrained(folder).eval()
    with torch.no_grad():
        return model(**AutoImageProcessor.from_pretrained(folder)(events)).logits


def test_repository_is_the_adapter_and_all_that_it_needs_but_the_base(local_hub, published, base):
    files = contents(local_hub, VLM)
    config = json.loads(files["config.json"])
    adapter = json.loads(files["adapter/adapter_config.json"])
    assert (config["base_model"], config["base_revision"]) == (BASE, base)
    assert (adapter["base_model_name_or_path"], adapter["revision"]) == (BASE, base)
    assert config["auto_map"]["AutoModel"] == "modeling_nu_vlm.NuVlmForEventClassification"
    assert {"modeling_nu_vlm.py", "label_scoring.py", "base_processor/tokenizer.json"} < files.keys()
    assert not {"model.safetensors", "adapter_config.json"} & files.keys()
    card = files["README.md"].decode()
    assert f"base_model: {BASE}" in card
    assert "base_model_relation: adapter" in card


def test_it_verifies(session, published):
    done = session.nuzoo("verify", VLM)
    assert done.status == 0, done.out


@pytest.mark.parametrize("has_nuzoo", [False, True])
def test_it_loads_by_name_as_evaluated(session, without_nuzoo, run, has_nuzoo, simulated_dataset):
    said = json.loads(session.run(WITH_NUZOO)) if has_nuzoo else without_nuzoo
    logits, temperature = said[VLM]
    assert temperature == json.loads((run / "config.json").read_text())["temperature"]
    torch.testing.assert_close(torch.tensor(logits), expected_logits(run, simulated_dataset))


def test_plain_peft_loads_the_adapter(without_nuzoo):
    assert without_nuzoo["plain"] > 0


def test_merged_model_is_published_whole(without_nuzoo, merged, simulated_dataset):
    logits = torch.tensor(without_nuzoo[MERGED][0])
    torch.testing.assert_close(logits, expected_logits(merged, simulated_dataset), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ([], ["publish that", "--base ORG/NAME"]),
        (["--base", "org/other-base"], ["does not hold the weights of"]),
    ],
)
def test_adapter_without_its_base_is_refused(session, local_hub, run, published, options, parts):
    session.run("from huggingface_hub import HfApi; HfApi().create_repo('org/other-base', exist_ok=True)")
    before = state(local_hub, VLM)
    done = session.nuzoo("publish", run, "--repo", VLM, "--dataset", DATASET, *options)
    assert done.status == 1
    assert not [part for part in parts if part not in done.err.splitlines()[-1]], done.err
    assert state(local_hub, VLM) == before
