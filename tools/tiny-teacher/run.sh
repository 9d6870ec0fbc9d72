#!/bin/sh
# run.sh WORK [FIXTURE]: all steps from the demo's photos to the GGUF files.
set -eu
here=$(dirname "$0")
work=$1
fixture=${2:-$here/../../test/fixtures/tiny-teacher}
export OMP_NUM_THREADS=1
python=${PYTHON:-python3}
mkdir -p "$work"
node "$here/make-images.ts" "$work/images" 50
node "$here/prompts.ts" > "$work/prompts.json"
"$python" "$here/train.py" "$work/images" "$work/prompts.json" "$work/hf"
"$python" "$here/to_gguf.py" "$work/hf" "$fixture" --half-hf "$fixture/hf"
