#!/bin/sh
# run.sh PHOTOS WORK ASSETS: all steps from the unpacked photos to the shipped network and its figures.
set -eu
here=$(dirname "$0")
export OMP_NUM_THREADS=1
python=${PYTHON:-python3}
processes=${PROCESSES:-2}
"$python" "$here/photos.py" "$1" "$2" --processes "$processes"
"$python" "$here/cache.py" "$2" --processes "$processes"
"$python" -W ignore "$here/fit.py" "$2" "$2/first" --epochs 3 --processes "$processes"
"$python" "$here/whole_splits.py" "$1" "$2" --processes "$processes"
"$python" -W ignore "$here/versions.py" "$1" "$here/../../demo/photos" "$2/first/model.onnx" "$2/second" --processes "$processes"
"$python" -W ignore "$here/second.py" "$2/second" "$2/first/model.onnx" "$2/edition2"
"$python" -W ignore "$here/third.py" "$2/second" "$2/edition2/model.onnx" "$2/edition2/teacher.json" "$3"
