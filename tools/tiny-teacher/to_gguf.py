"""Writes the fitted teacher for llama.cpp: model.gguf (qwen2) and mmproj.gguf (InternVL)."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray
from transformers import AutoTokenizer, InternVLForConditionalGeneration

Tensors = dict[str, NDArray[np.float32]]


def add(writer: gguf.GGUFWriter, name: str, tensor: NDArray[np.float32], half: bool) -> None:
    """Matrices as f16 where asked; llama.cpp wants vectors as f32."""
    wide = tensor.ndim < 2 or "position_embd" in name or not half
    writer.add_tensor(name, np.ascontiguousarray(tensor, dtype=np.float32 if wide else np.float16))


def finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def describe(writer: gguf.GGUFWriter, half: bool) -> None:
    writer.add_name("LEAF tiny teacher")
    writer.add_license("apache-2.0")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16 if half else gguf.LlamaFileType.ALL_F32)


def write_text(weights: Tensors, config: Any, tokenizer: Any, file: Path, half: bool) -> None:
    text = config.text_config
    writer = gguf.GGUFWriter(file, "qwen2")
    describe(writer, half)
    writer.add_context_length(text.max_position_embeddings)
    writer.add_embedding_length(text.hidden_size)
    writer.add_block_count(text.num_hidden_layers)
    writer.add_feed_forward_length(text.intermediate_size)
    writer.add_head_count(text.num_attention_heads)
    writer.add_head_count_kv(text.num_key_value_heads)
    writer.add_layer_norm_rms_eps(text.rms_norm_eps)
    writer.add_rope_freq_base(text.rope_parameters["rope_theta"])
    bpe = json.loads(tokenizer.backend_tokenizer.to_str())
    tokens = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    special = {token["content"] for token in bpe["added_tokens"]}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(
        [gguf.TokenType.CONTROL if token in special else gguf.TokenType.NORMAL for token in tokens]
    )
    writer.add_token_merges([" ".join(merge) for merge in bpe["model"]["merges"]])
    writer.add_bos_token_id(text.bos_token_id)
    writer.add_eos_token_id(text.eos_token_id)
    writer.add_pad_token_id(text.pad_token_id)
    writer.add_add_bos_token(False)
    writer.add_chat_template(tokenizer.chat_template)

    def put(name: str, source: str) -> None:
        add(writer, name, weights[source], half)

    put("token_embd.weight", "model.language_model.embed_tokens.weight")
    put("output_norm.weight", "model.language_model.norm.weight")
    put("output.weight", "lm_head.weight")
    for i in range(text.num_hidden_layers):
        block, layer = f"blk.{i}", f"model.language_model.layers.{i}"
        put(f"{block}.attn_norm.weight", f"{layer}.input_layernorm.weight")
        put(f"{block}.ffn_norm.weight", f"{layer}.post_attention_layernorm.weight")
        for letter in "qkv":
            for kind in ("weight", "bias"):
                put(f"{block}.attn_{letter}.{kind}", f"{layer}.self_attn.{letter}_proj.{kind}")
        put(f"{block}.attn_output.weight", f"{layer}.self_attn.o_proj.weight")
        for name in ("gate", "up", "down"):
            put(f"{block}.ffn_{name}.weight", f"{layer}.mlp.{name}_proj.weight")
    finish(writer)


def write_vision(weights: Tensors, config: Any, processor: dict[str, Any], file: Path, half: bool) -> None:
    vision = config.vision_config
    writer = gguf.GGUFWriter(file, "clip")
    writer.add_type("mmproj")
    describe(writer, half)
    writer.add_clip_has_vision_encoder(True)
    writer.add_clip_projector_type("internvl")
    writer.add_vision_projection_dim(config.text_config.hidden_size)
    writer.add_vision_image_size(vision.image_size[0])
    writer.add_vision_patch_size(vision.patch_size[0])
    writer.add_vision_embedding_length(vision.hidden_size)
    writer.add_vision_feed_forward_length(vision.intermediate_size)
    writer.add_vision_block_count(vision.num_hidden_layers)
    writer.add_vision_head_count(vision.num_attention_heads)
    writer.add_vision_attention_layernorm_eps(vision.layer_norm_eps)
    writer.add_vision_use_gelu(True)
    writer.add_vision_projector_scale_factor(round(1 / config.downsample_ratio))
    writer.add_vision_image_mean(processor["image_mean"])
    writer.add_vision_image_std(processor["image_std"])
    # One tile: an image of the tile's size is seen as it is.
    writer.add_uint32("clip.vision.preproc_min_tiles", 1)
    writer.add_uint32("clip.vision.preproc_max_tiles", 1)

    def put(name: str, source: str) -> None:
        add(writer, name, weights[source], half)

    tower = "model.vision_tower"
    add(writer, "v.class_embd", weights[f"{tower}.embeddings.cls_token"].reshape(-1), half)
    # llama.cpp puts the class token behind the patches and reads the positions in that order.
    positions = np.roll(weights[f"{tower}.embeddings.position_embeddings"][0], -1, axis=0)
    add(writer, "v.position_embd.weight", positions, half)
    for kind in ("weight", "bias"):
        put(f"v.patch_embd.{kind}", f"{tower}.embeddings.patch_embeddings.projection.{kind}")
        for number, part in ((0, "layer_norm"), (1, "linear_1"), (3, "linear_2")):
            put(f"mm.model.mlp.{number}.{kind}", f"model.multi_modal_projector.{part}.{kind}")
    names = {
        "ln1": "layernorm_before",
        "ln2": "layernorm_after",
        "attn_q": "attention.q_proj",
        "attn_k": "attention.k_proj",
        "attn_v": "attention.v_proj",
        "attn_out": "attention.projection_layer",
        "ffn_up": "mlp.fc1",
        "ffn_down": "mlp.fc2",
    }
    for i in range(vision.num_hidden_layers):
        block, layer = f"v.blk.{i}", f"{tower}.encoder.layer.{i}"
        for ours, theirs in names.items():
            for kind in ("weight", "bias"):
                put(f"{block}.{ours}.{kind}", f"{layer}.{theirs}.{kind}")
        put(f"{block}.ls1.weight", f"{layer}.lambda_1")
        put(f"{block}.ls2.weight", f"{layer}.lambda_2")
    finish(writer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hf", type=Path, help="folder that train.py wrote")
    parser.add_argument("out", type=Path)
    parser.add_argument("--f32", action="store_true", help="twice as large, nearer to PyTorch")
    parser.add_argument("--half-hf", type=Path, help="write the Hugging Face folder there too, in f16")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    model = InternVLForConditionalGeneration.from_pretrained(options.hf)
    tokenizer = AutoTokenizer.from_pretrained(options.hf)
    processor = json.loads((options.hf / "preprocessor_config.json").read_text())
    weights = {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()}
    half = not options.f32
    write_text(weights, model.config, tokenizer, options.out / "model.gguf", half)
    write_vision(weights, model.config, processor, options.out / "mmproj.gguf", half)
    if options.half_hf:
        model.half().save_pretrained(options.half_hf)
        tokenizer.save_pretrained(options.half_hf)
        shutil.copy(options.hf / "preprocessor_config.json", options.half_hf)


if __name__ == "__main__":
    main()
