#!/bin/sh
# run.sh PHOTOS WORK ASSETS: all steps from the unpacked photos to the shipped network.
set -eu
here=$(dirname "$0")
export OMP_NUM_THREADS=1
python=${PYTHON:-python3}
"$python" "$here/photos.py" "$1" "$2"
"$python" "$here/cache.py" "$2"
"$python" -W ignore "$here/fit.py" "$2" "$3" --epochs 3
