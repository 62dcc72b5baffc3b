"""Rebuild bot/ml/lexicon.bin from all-MiniLM-L6-v2: `python -m tests.ml.make_lexicon`, with local embeddings
installed.

About five minutes of one core. Only for the day when the model or the number of axes changes.
"""

from __future__ import annotations

import re
import zlib

import numpy as np

from bot.ml.lexicon import _FILE, DIMENSIONS
from bot.ml.minilm import MiniLM


def main() -> None:
    model = MiniLM.load()
    words = [(w, i) for w, i in model.vocabulary() if re.fullmatch(r"[a-z]+|[0-9]+", w)]
    words.sort(key=lambda pair: pair[1])  # the model's vocabulary stands in order of frequency
    ids = np.array([i for _, i in words])
    vectors = np.concatenate([model.words(ids[at : at + 512]) for at in range(0, len(ids), 512)])
    vectors -= vectors.mean(0)
    axes = np.linalg.svd(vectors, full_matrices=False)[2][:DIMENSIONS]
    weight = np.log(ids - ids.min() + 2).clip(1)  # a rare word says more about the subject than a common one
    table = vectors @ axes.T * weight[:, None]
    rows = np.clip(np.round(table / np.quantile(np.abs(table), 0.9995) * 127), -127, 127).astype(np.int8)
    names = "\n".join(word for word, _ in words).encode("ascii")
    _FILE.write_bytes(zlib.compress(names + b"\n\n" + rows.tobytes(), 9))


if __name__ == "__main__":
    main()
