"""Turn released weights of Panda or PoLAr-MAE into a model of nuzoo: safetensors, processor and card.

Of Panda (DeepLearnPhysics/Panda): panda_base.pth, panda_semantic.pth, panda_particle.pth,
panda_interaction.pth, and files of its pre-training, of whose student it takes the backbone. Of PoLAr-MAE
(the release "weights" of github.com/DeepLearnPhysics/PoLAr-MAE): polarmae_pretrain.ckpt, with its decoder;
mae_pretrain.ckpt, of which it takes the encoder; and {mae,polarmae}_{fft,peft}_segsem[_10k].ckpt. And the
folders (model.safetensors, config.json) of DeepLearnPhysics' repositories Panda-Base, Panda-Semantic,
Panda-Particle, Panda-Interaction, PoLAr-MAE-Pretrain and PoLAr-MAE-Semantic. Sizes are read from the
tensors. A tensor that is missing, not read, or of another shape is an error. A .pth or .ckpt is read without
running anything that it names; one that names more than tensors and plain data is refused.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from nuzoo.commands.inputs import check_apart, check_files
from nuzoo.files.output_folder import check_output
from nuzoo.files.plain_text import counted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("source", type=Path, metavar="FILE", help=".pth, .ckpt, .safetensors, or its folder")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, a new one")


def begin(args: argparse.Namespace) -> str:
    """Refuse what the arguments alone show to be wrong; give the first word of the command."""
    check_files([args.source])
    check_apart(args.out, [args.source])
    check_output(args.out)
    return f"converting {args.source} into {args.out}"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from nuzoo.hub.model.converted_weights import convert_released

    made = convert_released(args.source, args.out)
    if made.left:
        print(f"left: {counted(len(made.left), 'tensor')} of {made.left_are}")
    if not made.settings_known:
        print("the file tells no settings: what tensors do not tell is as published")
    parameters = f"{made.model.num_parameters():,} parameters"
    print(f"{type(made.model).__name__}, {parameters}, loaded again and equal: {args.out}")
    return 0
