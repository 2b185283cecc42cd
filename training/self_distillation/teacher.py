"""The teacher of a self-distillation: a network whose weights follow those of the student, slowly."""

from copy import deepcopy
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

TEACHER_FILE = "teacher.safetensors"
"""In a checkpoint."""


def teacher_of(student: nn.Module) -> nn.Module:
    """Make a teacher that is as the student is: it has no gradients, and is never in training mode."""
    return deepcopy(student).requires_grad_(False).eval()


@torch.no_grad()
def follow(teacher: nn.Module, student: nn.Module, momentum: float) -> None:
    """Move each weight of the teacher to `momentum` times itself plus 1 - `momentum` times the student's."""
    for weight, learnt in zip(teacher.parameters(), student.parameters(), strict=True):
        weight.lerp_(learnt, 1 - momentum)


def save_teacher(teacher: nn.Module, folder: Path) -> None:
    """Write the weights of the teacher into a checkpoint."""
    save_file(
        {name: value.contiguous() for name, value in teacher.state_dict().items()}, folder / TEACHER_FILE
    )


def load_teacher(teacher: nn.Module, folder: Path) -> None:
    """Read the weights of the teacher from a checkpoint, all of them."""
    teacher.load_state_dict(load_file(folder / TEACHER_FILE))
