"""A script: load a repository as those do who have no nuzoo, and recompute its golden outputs.

Usage: python -I load_without_nuzoo.py FOLDER ALIVE. It prints the largest deviation, or ends with an error;
and it ends when the file descriptor ALIVE does, which is when the process that started it is dead.
"""

import json
import os
import sys
from pathlib import Path
from threading import Thread
from typing import Any

if __name__ == "__main__":
    Thread(target=lambda: os.read(int(sys.argv[2]), 1) or os._exit(1), daemon=True).start()
    sys.modules["nuzoo"] = None  # type: ignore[assignment]  # importing it fails from here on

    import torch
    import transformers
    from safetensors import safe_open

    folder = Path(sys.argv[1])
    expected = {}
    with safe_open(folder / "test" / "golden.safetensors", "np") as golden:
        facts = json.loads(golden.metadata()["golden"])
        rows: dict[int, dict[str, Any]] = dict(enumerate(facts.get("other_columns", [])))
        for name in golden.keys():  # noqa: SIM118 (no mapping)
            kind, _, rest = name.partition("/")
            if kind == "output":
                expected[rest] = torch.from_numpy(golden.get_tensor(name))
            else:
                number, _, column = rest.partition("/")
                rows.setdefault(int(number), {})[column] = golden.get_tensor(name)

    load = getattr(transformers, facts["auto_class"]).from_pretrained
    model = load(str(folder), trust_remote_code=True, dtype="auto")
    processor = transformers.AutoProcessor.from_pretrained(folder, trust_remote_code=True)
    events = [rows[number] for number in sorted(rows)]
    with torch.no_grad():
        outputs = model.eval()(**processor(events))
    deviation = 0.0
    for name, values in expected.items():
        found = outputs[name].float()
        if values.dim():
            found = found[:: max(1, -(-len(found) // max(1, len(values))))]
        torch.testing.assert_close(found, values, rtol=facts["tolerance"], atol=facts["tolerance"])
        deviation = max(deviation, float((found - values).abs().max()) if values.numel() else 0.0)
    for task, custom in getattr(model.config, "custom_pipelines", {}).items():
        if facts["auto_class"] in custom["pt"]:
            ask = transformers.pipeline(task, model=str(folder), trust_remote_code=True)
            assert len(ask(events)) == len(events), f"{task} gives other numbers of results than of events"
    print(f"{facts['auto_class']} loads without nuzoo, largest deviation {deviation:.1g}")
