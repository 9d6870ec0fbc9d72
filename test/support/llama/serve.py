"""llama.cpp's own OpenAI-compatible server, in this process. usage: python serve.py FOLDER PORT"""

import signal
import sys
from pathlib import Path

import xllamacpp

folder, port = Path(sys.argv[1]), int(sys.argv[2])
parameters = xllamacpp.CommonParams()
parameters.model.path = str(folder / "tiny.gguf")
parameters.mmproj.path = str(folder / "mmproj-tiny.gguf")
parameters.hostnames, parameters.port = ["127.0.0.1"], port
parameters.model_alias = {"tiny-teacher"}
parameters.n_ctx, parameters.n_parallel = 4096, 2
# One thread: more would wait for each other in busy loops.
parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
parameters.n_gpu_layers = 0
parameters.warmup = parameters.fit_params = False
server = xllamacpp.Server(parameters)
print("ready", server.listening_address, flush=True)
signal.pause()
