"""Writes a tiny random multimodal model for llama.cpp: Qwen2 and an InternVL projector, under 1 MB.

Its answers mean nothing, but its vocabulary, chat template, images and probabilities are real. Rating words
are lifted so that they hold most of the probability. usage: python make_tiny_model.py FOLDER [seed]
"""

import sys
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

RATINGS = ["Excellent", "Good", "Fair", "Poor", "Bad"]
WORDS = [*RATINGS, *(word.lower() for word in RATINGS), "image", "quality", "rate", "the"]
# "Superb" is two tokens, "Su" and "perb", as in many vocabularies.
PARTS = ["Su", "perb"]
LIFTED = {"Excellent": 6.0, "Good": 6.5, "Fair": 7.5, "Poor": 8.0, "Bad": 6.5, "Su": 7.0, "perb": 7.0}
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<img>", "</img>", "<IMG_CONTEXT>"]
CHAT = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for c in m['content'] %}"
    "{% if c['type'] == 'text' %}{{ c['text'] }}{% else %}<IMG_CONTEXT>{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def byte_characters() -> list[str]:
    """The 256 bytes as GPT-2's byte-level BPE writes them."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    names = {byte: chr(byte) for byte in printable} | {byte: chr(256 + i) for i, byte in enumerate(others)}
    return [names[byte] for byte in range(256)]


def vocabulary() -> tuple[list[str], list[str]]:
    """Tokens and merges."""
    tokens, merges = byte_characters(), []

    def merge(left: str, right: str) -> None:
        if left + right not in tokens:
            tokens.append(left + right)
        if f"{left} {right}" not in merges:
            merges.append(f"{left} {right}")

    for word in WORDS + PARTS:
        for i in range(1, len(word)):
            merge(word[:i], word[i])
    for word in WORDS:
        merge("\u0120", word)
    return tokens, merges


class Weights:
    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def normal(self, *shape: int, scale: float | None = None) -> Array:
        values = self.rng.standard_normal(shape) * (scale or shape[-1] ** -0.5)
        return values.astype(np.float32)


def ones(n: int) -> Array:
    return np.ones(n, np.float32)


def zeros(n: int) -> Array:
    return np.zeros(n, np.float32)


HIDDEN = 64


def write_text_model(path: Path, weights: Weights) -> None:
    layers, heads, kv_heads, feed_forward = 2, 4, 2, 128
    tokens, merges = vocabulary()
    all_tokens = tokens + SPECIAL
    ids = {token: i for i, token in enumerate(all_tokens)}
    types = [gguf.TokenType.NORMAL] * len(tokens) + [gguf.TokenType.CONTROL] * len(SPECIAL)
    w = gguf.GGUFWriter(path, "qwen2")
    w.add_name("tiny-random-teacher")
    w.add_context_length(8192)
    w.add_embedding_length(HIDDEN)
    w.add_block_count(layers)
    w.add_feed_forward_length(feed_forward)
    w.add_head_count(heads)
    w.add_head_count_kv(kv_heads)
    w.add_layer_norm_rms_eps(1e-6)
    w.add_rope_freq_base(1e6)
    w.add_file_type(gguf.LlamaFileType.ALL_F32)
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("qwen2")
    w.add_token_list(all_tokens)
    w.add_token_types(types)
    w.add_token_merges(merges)
    w.add_bos_token_id(ids["<|endoftext|>"])
    w.add_eos_token_id(ids["<|im_end|>"])
    w.add_pad_token_id(ids["<|endoftext|>"])
    w.add_add_bos_token(False)
    w.add_chat_template(CHAT)

    # Dimension 0 of the residual stream is a constant that nothing writes to; it lifts some tokens' logits.
    embedding = weights.normal(len(all_tokens), HIDDEN, scale=1.0)
    embedding[:, 0] = 3.0
    output = weights.normal(len(all_tokens), HIDDEN, scale=0.12)
    output[:, 0] = 0
    for token, lift in LIFTED.items():
        output[ids[token], 0] = lift
    w.add_tensor("token_embd.weight", embedding)
    w.add_tensor("output_norm.weight", ones(HIDDEN))
    w.add_tensor("output.weight", output)
    head = HIDDEN // heads
    for layer in range(layers):
        name = f"blk.{layer}."
        w.add_tensor(name + "attn_norm.weight", ones(HIDDEN))
        w.add_tensor(name + "ffn_norm.weight", ones(HIDDEN))
        for part, rows in (("q", heads), ("k", kv_heads), ("v", kv_heads)):
            w.add_tensor(f"{name}attn_{part}.weight", weights.normal(rows * head, HIDDEN))
            w.add_tensor(f"{name}attn_{part}.bias", zeros(rows * head))
        for part, columns, scale in (("attn_output", heads * head, 0.3), ("ffn_down", feed_forward, None)):
            back = weights.normal(HIDDEN, columns, scale=scale)
            back[0] = 0
            w.add_tensor(f"{name}{part}.weight", back)
        for part in ("ffn_gate", "ffn_up"):
            w.add_tensor(f"{name}{part}.weight", weights.normal(feed_forward, HIDDEN))
    finish(w)


def write_projector(path: Path, weights: Weights) -> None:
    image, patch, width, layers, feed_forward, shuffle = 56, 14, 32, 2, 64, 2
    patches = (image // patch) ** 2
    w = gguf.GGUFWriter(path, "clip")
    w.add_string("general.type", "mmproj")
    w.add_file_type(gguf.LlamaFileType.ALL_F32)
    w.add_clip_has_vision_encoder(True)
    w.add_clip_projector_type("internvl")
    w.add_vision_projection_dim(HIDDEN)
    w.add_vision_image_size(image)
    w.add_vision_patch_size(patch)
    w.add_vision_embedding_length(width)
    w.add_vision_feed_forward_length(feed_forward)
    w.add_vision_block_count(layers)
    w.add_vision_head_count(2)
    w.add_vision_attention_layernorm_eps(1e-6)
    w.add_vision_use_gelu(True)
    w.add_vision_projector_scale_factor(shuffle)
    w.add_vision_image_mean([0.485, 0.456, 0.406])
    w.add_vision_image_std([0.229, 0.224, 0.225])
    w.add_uint32("clip.vision.preproc_min_tiles", 1)
    w.add_uint32("clip.vision.preproc_max_tiles", 4)
    w.add_tensor("v.class_embd", weights.normal(width, scale=0.5))
    w.add_tensor("v.patch_embd.weight", weights.normal(width, 3, patch, patch, scale=0.05))
    w.add_tensor("v.patch_embd.bias", zeros(width))
    w.add_tensor("v.position_embd.weight", weights.normal(patches + 1, width, scale=0.2))
    for layer in range(layers):
        name = f"v.blk.{layer}."
        for part in ("ln1", "ln2"):
            w.add_tensor(f"{name}{part}.weight", ones(width))
            w.add_tensor(f"{name}{part}.bias", zeros(width))
        for part in ("ls1", "ls2"):
            w.add_tensor(f"{name}{part}.weight", ones(width))
        for part in ("attn_q", "attn_k", "attn_v", "attn_out"):
            w.add_tensor(f"{name}{part}.weight", weights.normal(width, width))
            w.add_tensor(f"{name}{part}.bias", zeros(width))
        for part, rows, columns in (("ffn_up", feed_forward, width), ("ffn_down", width, feed_forward)):
            w.add_tensor(f"{name}{part}.weight", weights.normal(rows, columns))
            w.add_tensor(f"{name}{part}.bias", zeros(rows))
    shuffled = width * shuffle * shuffle
    bias = zeros(HIDDEN)
    bias[0] = 3.0
    w.add_tensor("mm.model.mlp.0.weight", ones(shuffled))
    w.add_tensor("mm.model.mlp.0.bias", zeros(shuffled))
    w.add_tensor("mm.model.mlp.1.weight", weights.normal(HIDDEN, shuffled))
    w.add_tensor("mm.model.mlp.1.bias", zeros(HIDDEN))
    w.add_tensor("mm.model.mlp.3.weight", weights.normal(HIDDEN, HIDDEN, scale=0.5))
    w.add_tensor("mm.model.mlp.3.bias", bias)
    finish(w)


def finish(w: gguf.GGUFWriter) -> None:
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def main() -> None:
    folder = Path(sys.argv[1])
    weights = Weights(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    write_text_model(folder / "tiny.gguf", weights)
    write_projector(folder / "mmproj-tiny.gguf", weights)


if __name__ == "__main__":
    main()
