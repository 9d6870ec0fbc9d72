// A lock as text: one block a package, its requirement and its hashes.

/** @param {string} lock @returns {string[]} */
export function blocksOf(lock) {
  return lock
    .split(/\n(?=\S)/)
    .map((block) => block.trimEnd())
    .filter((block) => /^[A-Za-z0-9]/.test(block));
}

/** @param {string} block */
export function nameOf(block) {
  return (/^[A-Za-z0-9._-]+/.exec(block)?.[0] ?? "").toLowerCase().replace(/[._-]+/g, "-");
}

/** Whether only PyTorch's CUDA build for Linux needs it. @param {string} block */
export function cudaOnly(block) {
  return /^(nvidia-|cuda-|triton$)/.test(nameOf(block)) && /sys_platform == 'linux'/.test(block);
}
