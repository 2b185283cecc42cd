"""Files with the layout of those of PoLAr-MAE: names and shapes of its code and of pimm, random numbers."""

import torch

from .released_panda import filled, linear

WIDTH, EMBEDDING, PLACES, DEPTH, DECODER_DEPTH, HEAD = 24, 8, 4, 3, 2, 16
PUBLISHED = {"width": 384, "embedding": 128, "depth": 12}


def convolution(name, inputs, outputs, bias=True):
    return {f"{name}.weight": (outputs, inputs, 1)} | ({f"{name}.bias": (outputs,)} if bias else {})


def batch_norm(name, width):
    return {f"{name}.{kind}": (width,) for kind in ("weight", "bias", "running_mean", "running_var")}


def token_norm(name, width):
    return {f"{name}.gamma": (1, 1, width), f"{name}.beta": (1, 1, width)}


def point_net(name, channels, width, embedding):
    wide = 4 * embedding
    return {
        **convolution(f"{name}.first_conv.0", channels, embedding, bias=False),
        **batch_norm(f"{name}.first_conv.1", embedding),
        **convolution(f"{name}.first_conv.3", embedding, 2 * embedding),
        **convolution(f"{name}.second_conv.0", wide, wide, bias=False),
        **batch_norm(f"{name}.second_conv.1", wide),
        **convolution(f"{name}.second_conv.3", wide, width),
    }


def blocks(name, number, width):
    shapes = {}
    for block in (f"{name}.{index}" for index in range(number)):
        shapes |= token_norm(f"{block}.norm1", width) | token_norm(f"{block}.norm2", width)
        shapes |= linear(f"{block}.attn.qkv", width, 3 * width) | linear(f"{block}.attn.proj", width, width)
        shapes |= linear(f"{block}.mlp.fc1", width, 4 * width) | linear(f"{block}.mlp.fc2", 4 * width, width)
    return shapes


def encoder(width=WIDTH, embedding=EMBEDDING, depth=DEPTH):
    return {
        **point_net("encoder.tokenizer.embedding", 4, width, embedding),
        **linear("encoder.pos_embed.pos_enc.0", 3, embedding),
        **linear("encoder.pos_embed.pos_enc.2", embedding, width),
        **blocks("encoder.transformer.blocks", depth, width),
    }


def decoder(width=WIDTH, places=PLACES, depth=DECODER_DEPTH):
    return {
        **blocks("decoder.transformer.blocks", depth, width),
        **token_norm("decoder.transformer.norm", width),
        **convolution("increase_dim", width, 4 * places),
        "mask_token": (width,),
    }


def energies(width=WIDTH, embedding=EMBEDDING, places=PLACES):
    return {
        **point_net("equivariant_patch_encoder", 3, width, embedding),
        **linear("equivariant_patch_encoder.position_encoder.time_embed.1", 2 * embedding, 2 * embedding),
        **convolution("energy_decoder", 2 * width, places),
    }


def head(classes=4, width=WIDTH, hidden=HEAD):
    return {
        **convolution("upsampler.mlp_convs.0", 3 + width, width, bias=False),
        **convolution("upsampler.mlp_convs.1", width, width, bias=False),
        **batch_norm("upsampler.mlp_bns.0", width),
        **batch_norm("upsampler.mlp_bns.1", width),
        **convolution("seg_head.conv1", 3 * width, hidden, bias=False),
        **batch_norm("seg_head.bn1", hidden),
        **convolution("seg_head.conv2", hidden, hidden // 2, bias=False),
        **batch_norm("seg_head.bn2", hidden // 2),
        **convolution("seg_head.conv3", hidden // 2, classes),
        "loss_func.weight": (classes,),
    }


def published(kind):
    """Shapes of the published files: "pretrain" and "segsem"."""
    if kind == "segsem":
        return encoder(**PUBLISHED) | head(width=384, hidden=512)
    return encoder(**PUBLISHED) | decoder(384, 32, 4) | energies(384, 128, 32)


def numbers(shapes):
    """Random tensors; variances are above 0."""
    return {
        name: tensor.abs() + 0.5 if name.endswith("running_var") else tensor
        for name, tensor in filled(shapes).items()
    }


PIMM = (
    ("encoder.tokenizer.", ""),
    ("encoder.pos_embed.", "pos_embed."),
    ("encoder.transformer.", "encoder."),
    ("decoder.transformer.", "decoder."),
    ("position_encoder.", "pos_enc."),
)


def by_pimm(tensors):
    """The same tensors by pimm's names; its semantic network has a buffer, and no weights of a loss."""
    named = {}
    for name, tensor in tensors.items():
        for theirs, pimms in PIMM:
            name = name.replace(theirs, pimms)
        named[name] = tensor
    if named.pop("loss_func.weight", None) is not None:
        named["center"] = torch.full((3,), 384.0)
    return named


TRANSFORMER = {"num_heads": 3, "add_pos_at_every_layer": True, "drop_path_rate": 0.2, "attn_drop_rate": 0}
TOKENISER = {"group_max_points": PLACES, "group_upscale_points": 16, "context_length": 64}


def lightning_settings(**changed):
    """Arguments of a network as PyTorch Lightning's command line keeps them."""
    arguments = {
        "num_channels": 4,
        "voxel_size": 5.0,
        "tokenizer_kwargs": {**TOKENISER, "group_radius": 4 / (768 * 3**0.5 / 2)},
        "transformer_kwargs": {"postnorm": False, **TRANSFORMER},
    }
    return {
        "encoder": {"class_path": "polarmae.layers.encoder.TransformerEncoder", "init_args": arguments},
        "seg_head_fetch_layers": [0, 2],
        "transformation_center": [384, 384, 384],
        "transformation_scale_factor": "${eval:'1 / 665'}",
        "_instantiator": "pytorch_lightning.cli.instantiate_module",
        **changed,
    }


def pimm_settings(**changed):
    """Arguments of a network as pimm keeps them."""
    return {
        "type": "PoLArMAE-SemSeg",
        "voxel_size": 5,
        "scale": 1 / (768 * 3**0.5 / 2),
        "center": [384.0, 384.0, 384.0],
        "tokenizer_kwargs": TOKENISER,
        "transformer_kwargs": TRANSFORMER,
        **changed,
    }
