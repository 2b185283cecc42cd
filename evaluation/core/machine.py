"""What the numbers were measured on: hardware, software and memory, without naming the host."""

from __future__ import annotations

import os
import platform
import resource
import sys
from importlib.metadata import version
from pathlib import Path

import torch

from nuzoo.evaluation.core.results import Machine, Memory

PACKAGES = ("nuzoo", "torch", "transformers", "datasets", "numpy")


def describe_machine(device: torch.device) -> Machine:
    """Describe the processor, the device and the software, for tables of measured times."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return Machine(
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        processor=named[0] if named else platform.processor() or "unknown",
        logical_cores=os.cpu_count(),
        threads=torch.get_num_threads(),
        device=device.type,
        packages={name: version(name) for name in PACKAGES},
        gpu=torch.cuda.get_device_name(device) if device.type == "cuda" else None,
    )


def start_memory_measurement(device: torch.device) -> None:
    """Forget earlier peaks where the device can (CUDA); the process's own peak cannot be reset."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device: torch.device) -> Memory:
    """Measure the peak memory, and say what it counts.

    On CUDA the tensors allocated since `start_memory_measurement`; on CPU the peak resident set
    of the whole process since its start, so with Python, its libraries and the dataset.
    """
    if device.type == "cuda":
        allocated = torch.cuda.max_memory_allocated(device)
        return Memory(mib=allocated / 2**20, counts="CUDA tensors allocated at once")
    unit = 1 if sys.platform == "darwin" else 1024
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return Memory(mib=resident / 2**20, counts="resident set of the whole process")
