"""llama.cpp's own OpenAI-compatible server in this process: serve.py MODEL.gguf MMPROJ.gguf PORT."""

from __future__ import annotations

import argparse
import signal
import threading

import xllamacpp


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("mmproj")
    parser.add_argument("port", type=int, help="0 takes a free one")
    parser.add_argument("--parallel", type=int, default=2)
    options = parser.parse_args()
    parameters = xllamacpp.CommonParams()
    parameters.model.path, parameters.mmproj.path = options.model, options.mmproj
    parameters.hostnames, parameters.port = ["127.0.0.1"], options.port
    parameters.model_alias = {"tiny-teacher"}
    parameters.n_ctx, parameters.n_parallel = 1024 * options.parallel, options.parallel
    # So small a model loses more by waiting for a second thread than it wins.
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.n_gpu_layers = 0
    parameters.warmup = parameters.fit_params = False
    server = xllamacpp.Server(parameters)
    print(f"listening on {server.listening_address}", flush=True)
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    while not stop.wait(0.5):
        pass


if __name__ == "__main__":
    main()
