"""A script: load a repository as those do who have no nuzoo, and recompute its golden outputs.

Usage: python -I load_without_nuzoo.py FOLDER. It prints the largest deviation, or ends with an error.
"""

import json
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.modules["nuzoo"] = None  # type: ignore[assignment]  # importing it fails from here on

    import torch
    import transformers
    from safetensors import safe_open

    folder = Path(sys.argv[1])
    rows: dict[int, dict[str, object]] = {}
    expected = {}
    with safe_open(folder / "test" / "golden.safetensors", "pt") as golden:
        facts = json.loads(golden.metadata()["golden"])
        for name in golden.keys():  # noqa: SIM118 (no mapping)
            kind, _, rest = name.partition("/")
            if kind == "output":
                expected[rest] = golden.get_tensor(name)
            else:
                number, _, column = rest.partition("/")
                rows.setdefault(int(number), {})[column] = golden.get_tensor(name).numpy()

    load = getattr(transformers, facts["auto_class"]).from_pretrained
    model = load(str(folder), trust_remote_code=True, dtype="auto")
    processor = transformers.AutoImageProcessor.from_pretrained(folder, trust_remote_code=True)
    events = [rows[number] for number in sorted(rows)]
    with torch.no_grad():
        outputs = model.eval()(**processor(events, return_tensors="pt"))
    for name, values in expected.items():
        torch.testing.assert_close(
            outputs[name].float(), values, rtol=facts["tolerance"], atol=facts["tolerance"]
        )
    for task, custom in getattr(model.config, "custom_pipelines", {}).items():
        if facts["auto_class"] in custom["pt"]:
            classify = transformers.pipeline(task, model=str(folder), trust_remote_code=True)
            assert len(classify(events)) == len(events)
    deviation = max(float((outputs[name].float() - values).abs().max()) for name, values in expected.items())
    print(f"{facts['auto_class']} loads without nuzoo, largest deviation {deviation:.1g}")
