"""Write a trained network in a form that needs neither nuzoo nor torch: ONNX, for C++ and onnxruntime.

The file takes batches of any number of events. It is written only if onnxruntime gives what torch gives,
within 1e-4, on example events. Its metadata hold, as JSON under the key `nuzoo`, what is needed to make its
inputs and to read its outputs: units, views, sizes, scale, re-binning, normalisation, classes, temperature,
and the steps in words. Needs `pip install 'nuzoo[onnx]'`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from nuzoo.command_parser import CommandLineError

FORMATS = {"onnx": ".onnx"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--model", required=True, help="model folder or repository")
    parser.add_argument("--format", choices=FORMATS, default="onnx", help="default: onnx")
    parser.add_argument("--out", type=Path, default=Path("model.onnx"), help="file (default: model.onnx)")


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from nuzoo.files.output_folder import check_output

    if args.out.suffix != (suffix := FORMATS[args.format]):
        raise CommandLineError(f"{args.out}: expected a name ending in {suffix}")
    check_output(args.out.parent)

    from nuzoo.hub.model.onnx_file import check_packages, export_onnx
    from nuzoo.pipelines.loading import load_model

    check_packages()
    print(f"exporting {args.model}", flush=True)
    model, processor = load_model(args.model)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    print(export_onnx(model, processor, args.out))
    print(f"{model.config.model_type} for batches of any size: {args.out}")
    return 0
