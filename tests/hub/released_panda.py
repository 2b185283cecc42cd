"""Files with the layout of those that Panda released: names and shapes of its code, random numbers."""

import torch

DEPTHS, CHANNELS = (2, 1, 1), (16, 32, 48)
DECODER_DEPTHS, DECODER_CHANNELS = (1, 2), (32, 16)
RATIO = 2

PUBLISHED = ((3, 3, 3, 9, 3), (48, 96, 192, 384, 512), 4)
PUBLISHED_DECODER = ((2, 2, 2, 2), (64, 96, 192, 384))
"""Depths, widths, and the hidden width of perceptrons in units of theirs."""


def linear(name, inputs, outputs):
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def norm(name, width):
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def block(name, width, ratio=RATIO):
    return {
        f"{name}.cpe.0.weight": (width, 3, 3, 3, width),
        f"{name}.cpe.0.bias": (width,),
        **linear(f"{name}.cpe.1", width, width),
        **norm(f"{name}.cpe.2", width),
        **norm(f"{name}.norm1.0", width),
        f"{name}.ls1.0.gamma": (width,),
        **linear(f"{name}.attn.qkv", width, 3 * width),
        **linear(f"{name}.attn.proj", width, width),
        **norm(f"{name}.norm2.0", width),
        f"{name}.ls2.0.gamma": (width,),
        **linear(f"{name}.mlp.0.fc1", width, ratio * width),
        **linear(f"{name}.mlp.0.fc2", ratio * width, width),
    }


def encoder(depths=DEPTHS, channels=CHANNELS, ratio=RATIO):
    shapes = linear("embedding.stem.linear", 4, channels[0]) | norm("embedding.stem.norm", channels[0])
    for stage, (depth, width) in enumerate(zip(depths, channels, strict=True)):
        if stage:
            shapes |= linear(f"enc.enc{stage}.down.proj", channels[stage - 1], width)
            shapes |= norm(f"enc.enc{stage}.down.norm.0", width)
        for number in range(depth):
            shapes |= block(f"enc.enc{stage}.block{number}", width, ratio)
    return shapes


def decoder(depths=DECODER_DEPTHS, widths=DECODER_CHANNELS, channels=CHANNELS, ratio=RATIO):
    shapes = {}
    for stage, (depth, width) in enumerate(zip(depths, widths, strict=True)):
        coarser = [*widths[1:], channels[-1]][stage]
        up = f"dec.dec{stage}.up"
        shapes |= linear(f"{up}.proj.0", coarser, width) | norm(f"{up}.proj.1", width)
        shapes |= linear(f"{up}.proj_skip.0", channels[stage], width) | norm(f"{up}.proj_skip.1", width)
        for number in range(depth):
            shapes |= block(f"dec.dec{stage}.block{number}", width, ratio)
    return shapes


def perceptron(name, inputs, hidden, outputs):
    return linear(f"{name}.fc1", inputs, hidden) | linear(f"{name}.fc2", hidden, outputs)


def query_block(name, width, ratio):
    shapes = linear(f"{name}.self_attn.q", width, width) | linear(f"{name}.self_attn.kv", width, 2 * width)
    for layer in ("self_attn.proj", *(f"cross_attn.{part}_proj" for part in "qkv"), "cross_attn.proj"):
        shapes |= linear(f"{name}.{layer}", width, width)
    for layer in ("norm1", "norm_kv", "norm2", "norm3"):
        shapes |= norm(f"{name}.{layer}", width)
    shapes |= perceptron(f"{name}.mask_mlp", width, width, width)
    return shapes | perceptron(f"{name}.mlp", width, ratio * width, width)


def query_decoder(features, classes, deep, queries=5, width=32, depth=2, ratio=RATIO):
    shapes = {f"query_{name}.weight": (queries, width) for name in ("feat", "embed")}
    shapes |= linear("pos_emb.0", 3, width) | linear("pos_emb.2", width, width)
    for number in range(depth):
        shapes |= query_block(f"blocks.{number}", width, ratio)
    shapes |= norm("final_norm", width)
    shapes |= linear("stuff_head.0", features, width) | linear("stuff_head.2", width, 1)
    if deep:
        shapes |= perceptron("cls_pred", width, width, classes + 1)
        shapes |= perceptron("full_point_proj", features, width, width)
    else:
        shapes |= linear("cls_pred", width, classes + 1) | linear("full_point_proj", features, width)
    return {f"decoder.{name}": shape for name, shape in shapes.items()}


def filled(shapes):
    generator = torch.Generator().manual_seed(len(shapes))
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def base():
    """Tensors of the file of the backbone alone."""
    return filled(encoder() | {"embedding.mask_token": (1, CHANNELS[0])})


def semantic(classes=5):
    """Tensors of the network for semantic segmentation."""
    head = linear("seg_head", DECODER_CHANNELS[0], classes)
    return filled({f"backbone.{name}": shape for name, shape in (encoder() | decoder()).items()} | head)


def detector(instances="particle"):
    """Tensors of the network that finds particles, or interactions."""
    deep = instances == "particle"
    decoder = query_decoder(sum(CHANNELS), classes=6 if deep else 2, deep=deep)
    return filled({f"backbone.{name}": shape for name, shape in encoder().items()} | decoder)


def detector_settings(instances="particle", **changed):
    """Arguments of such a network, as its file holds them."""
    return {
        "num_classes": 6 if instances == "particle" else 2,
        "full_in_channels": sum(CHANNELS),
        "hidden_channels": 32,
        "num_heads": 2,
        "num_queries": 5,
        "depth": 2,
        "mlp_ratio": float(RATIO),
        "qkv_bias": True,
        "layer_scale": None,
        "pre_norm": True,
        "pos_emb": True,
        "query_type": "learned",
        "use_stuff_head": True,
        "stuff_classes": [5] if instances == "particle" else [0],
        "mlp_point_proj": instances == "particle",
        "supervise_attn_mask": True,
        "backbone": settings(enc_mode=True),
        **changed,
    }


def pretraining():
    """Tensors of a file of the pre-training: student, heads and teacher."""
    student = {f"backbone.{name}": shape for name, shape in encoder().items()}
    student["backbone.embedding.mask_token"] = (1, CHANNELS[0])
    student |= linear("mask_head.mlp.0", 80, 8) | linear("unmask_head.mlp.0", 80, 8)
    both = {
        f"module.{who}.{name}": shape for who in ("student", "teacher") for name, shape in student.items()
    }
    return filled(both)


def settings(**changed):
    """Arguments of Panda's backbone, as its files hold them."""
    return {
        "in_channels": 4,
        "order": ("hilbert", "hilbert-trans", "z", "z-trans"),
        "stride": (2, 2),
        "enc_depths": DEPTHS,
        "enc_channels": CHANNELS,
        "enc_num_head": (1, 2, 3),
        "enc_patch_size": (32, 32, 32),
        "dec_num_head": (2, 1),
        "dec_patch_size": (32, 32),
        "mlp_ratio": RATIO,
        "drop_path": 0.3,
        "layer_scale": 1e-5,
        "enable_rpe": False,
        "enable_flash": True,
        "shuffle_orders": True,
        **changed,
    }
