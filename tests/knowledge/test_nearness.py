"""Signs in memory are searched by several threads, while documents are forgotten."""

from __future__ import annotations

import pytest

from bot.knowledge import vectors
from bot.knowledge.vectors import NearnessSearch
from storage.knowledge.vectors import EmbeddedDocument


class ForgottenMeanwhile(list[int]):
    """The chunks of a document; all documents are forgotten when somebody counts these."""

    near: NearnessSearch

    def __len__(self) -> int:
        for key in list(self.near._codes):
            self.near.forget(key.id)
        return super().__len__()


@pytest.mark.parametrize("most", [1, 1_000])
def test_a_document_that_is_forgotten_while_others_are_counted(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(vectors, "_KEPT_CODES", most)
    near = NearnessSearch()
    for id in ("a", "b", "c"):
        chunks = ForgottenMeanwhile([1, 2])
        chunks.near = near
        near._codes[EmbeddedDocument(id, "e", 2)] = vectors._Codes(chunks, [0, 0])
    near._drop_others([], 5)
    assert near._codes == {}
