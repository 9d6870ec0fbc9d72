#!/bin/sh
# All that wants a GPU to be known, as one JSON document: bench/gpu/run.sh [--size tiny|full] [--out FILE] [--only NAME …]
# PYTHON or LEAF_PYTHON names the interpreter. What it lacks comes along as wheels, without a package index: beforehand, elsewhere,
# `pip download --no-deps -d bench/gpu/wheels msgspec` (and onnxscript, onnx-ir, ml-dtypes where they are missing too).
set -eu
cd "$(dirname "$0")/../.."
python="${PYTHON:-${LEAF_PYTHON:-python3}}"
site=""
if [ -n "$(ls bench/gpu/wheels/*.whl 2>/dev/null || true)" ]; then
  site="$(mktemp -d)"
  "$python" -m pip install -q --no-index --no-deps --no-compile --target "$site" bench/gpu/wheels/*.whl
fi
export PYTHONPATH="src/python${site:+:$site}${PYTHONPATH:+:$PYTHONPATH}" TOKENIZERS_PARALLELISM=false HF_HUB_OFFLINE=1
exec "$python" bench/gpu/bench.py "$@"
