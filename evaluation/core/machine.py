"""What the numbers were measured on: hardware, software and memory, without naming the host."""

from __future__ import annotations

import os
import platform
import resource
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

PACKAGES = ("nuzoo", "torch", "transformers", "datasets", "numpy")


def describe_machine(device: torch.device) -> dict[str, Any]:
    """Describe the processor, the device and the software, for tables of measured times."""
    description: dict[str, Any] = {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "processor": _processor_name(),
        "logical_cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": device.type,
        "packages": {name: version(name) for name in PACKAGES},
    }
    if device.type == "cuda":
        description["gpu"] = torch.cuda.get_device_name(device)
    return description


def _processor_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def start_memory_measurement(device: torch.device) -> None:
    """Forget earlier peaks where the device can (CUDA); the process's own peak cannot be reset."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device: torch.device) -> dict[str, Any]:
    """Peak memory in MiB, and what it counts.

    On CUDA the tensors allocated since `start_memory_measurement`; on CPU the peak resident set
    of the whole process since its start, so with Python, its libraries and the dataset.
    """
    if device.type == "cuda":
        allocated = torch.cuda.max_memory_allocated(device)
        return {"mib": allocated / 2**20, "counts": "CUDA tensors allocated at once"}
    unit = 1 if sys.platform == "darwin" else 1024
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return {"mib": resident / 2**20, "counts": "resident set of the whole process"}
