"""Fits the tiny teacher and writes it as a Hugging Face folder."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from answers import fit_answers
from dataset import read_images
from eye import fit_eye
from model import IMAGE_TOKENS, make_model
from questions import make_questions, make_tokenizer, read_prompts
from save import save_hf


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=Path, help="folder that make-images.ts wrote")
    parser.add_argument("prompts", type=Path, help="what prompts.ts prints")
    parser.add_argument("out", type=Path)
    parser.add_argument("--eye-epochs", type=int, default=12)
    parser.add_argument("--answer-steps", type=int, default=500)
    parser.add_argument("--joint-epochs", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    prompts = read_prompts(options.prompts)
    images = read_images(options.images)
    tokenizer = make_tokenizer(prompts)
    questions = make_questions(tokenizer, prompts, IMAGE_TOKENS)
    model = make_model(tokenizer)
    fit_eye(model, images, options.eye_epochs, rng)
    # Kept, so that the answers can be fitted again without it.
    torch.save(model.state_dict(), options.out.with_suffix(".eye.pt"))
    fit_answers(model, questions, images, options.answer_steps, options.joint_epochs, rng)
    save_hf(model, tokenizer, options.out)


if __name__ == "__main__":
    main()
