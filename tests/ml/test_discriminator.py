"""What the trainable classifiers promise: good where it counts, calibrated, the same every time."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ml import answer_classifier, classification_report, discriminator
from bot.ml.answer_classifier import Pair
from bot.ml.answer_features import Collection, features
from bot.ml.calibration import ErrorCosts, find_cheapest, platt, quantile
from bot.ml.classification_report import class_report, report
from bot.ml.discriminator import Example, Training, train
from bot.ml.features import Vocabulary, strip_invisible
from bot.ml.lexicon import text_vector
from tests.support.guard_rows import KINDS, TopicSplit, article_splits, pairs, topic_split


@pytest.fixture(scope="module")
def split() -> TopicSplit:
    return topic_split("kitchen_and_dining", 150, 0)


@pytest.fixture(scope="module")
def trained(split: TopicSplit) -> Training:
    return train([Example(r.texts[0], r.label) for r in split.training])


def area(trained: Training, split: TopicSplit, kind: str) -> float:
    rows = split.test(kind)
    p = [trained.discriminator.probability(r.texts[0]) for r in rows]
    return classification_report.auroc([r.label for r in rows], p) or 0.0


def test_topics_never_seen_and_out_of_scope_are_told_apart(trained: Training, split: TopicSplit) -> None:
    assert area(trained, split, "unseen") > 0.97
    assert area(trained, split, "out of scope") > 0.98


def test_forty_five_examples_already_tell_most(split: TopicSplit) -> None:
    few = topic_split("kitchen_and_dining", 45, 0)
    assert area(train([Example(r.texts[0], r.label) for r in few.training], folds=3), few, "unseen") > 0.93


def test_threshold_lets_about_as_many_pass_as_it_says(trained: Training, split: TopicSplit) -> None:
    line = trained.discriminator.lines.threshold
    passed = sum(trained.discriminator.probability(t) >= line for t in split.test_on) / len(split.test_on)
    assert 0.9 <= passed <= 1.0


def test_held_out_probabilities_are_worse_than_those_of_rows_it_has_seen(
    trained: Training, split: TopicSplit
) -> None:
    labels = [r.label for r in split.training]
    seen = [trained.discriminator.probability(r.texts[0]) for r in split.training]
    assert (classification_report.auroc(labels, trained.held_out) or 0) < (
        classification_report.auroc(labels, seen) or 0
    )


def test_the_lines_stand_in_order(trained: Training) -> None:
    lines = trained.discriminator.lines
    assert 0 < lines.low <= lines.threshold <= lines.high < 1


def test_a_model_read_back_gives_the_same_probability(trained: Training, split: TopicSplit) -> None:
    again = discriminator.load(discriminator.dump(trained.discriminator))
    for text in [*split.test_on[:20], *split.unseen[:20]]:
        assert again.probability(text) == pytest.approx(trained.discriminator.probability(text), abs=1e-3)


def test_the_same_examples_give_the_same_model() -> None:
    examples = [Example(r.texts[0], r.label) for r in topic_split("travel", 15, 0).training]
    assert discriminator.dump(train(examples, folds=2).discriminator) == discriminator.dump(
        train(examples, folds=2).discriminator
    )


def test_too_few_examples_are_said_so() -> None:
    with pytest.raises(ValueError, match="at least 5"):
        train([Example(f"message {i}", i < 4) for i in range(20)])


def test_a_costly_wrong_refusal_lowers_the_threshold() -> None:
    examples = [Example(r.texts[0], r.label) for r in topic_split("travel", 45, 0).training]
    careful = train(examples, folds=3, costs=ErrorCosts(20, 1)).discriminator.lines.threshold
    harsh = train(examples, folds=3, costs=ErrorCosts(1, 20)).discriminator.lines.threshold
    assert careful < harsh


def test_sentence_vectors_decide_where_words_cannot() -> None:
    chance = random.Random(1)
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]

    def example(on: bool) -> Example:
        return Example(" ".join(chance.sample(words, 3)), on, (1.0, 0.0) if on else (0.0, 1.0))

    model = train([example(i % 2 == 0) for i in range(60)], folds=3).discriminator
    assert model.uses_vectors
    assert model.probability("alpha beta gamma", (1.0, 0.0)) > 0.8
    assert model.probability("alpha beta gamma", (0.0, 1.0)) < 0.2
    again = discriminator.load(discriminator.dump(model))
    assert again.probability("alpha beta", (1.0, 0.0)) > 0.8


# Features


@given(st.text(max_size=300))
def test_any_text_has_features_of_bounded_length(text: str) -> None:
    vocabulary = Vocabulary.of(["the cat sat on the mat", "a dog sat on a log"])
    positions, values = vocabulary.features(text)
    assert len(positions) == len(values) == len(set(positions))
    assert all(0 <= at < vocabulary.size for at in positions)
    assert math.sqrt(sum(v * v for v in values)) <= 2.0 + 1e-9  # three blocks of length 1 and the bias


@given(st.text(alphabet="abc \U000e0041\u200b\u202e\ufe0f", max_size=60))
def test_characters_nobody_sees_change_nothing(text: str) -> None:
    seen = "".join(c for c in text if c in "abc ")
    assert strip_invisible(text) == seen
    vocabulary = Vocabulary.of(["abc cab", "bac abc"])
    assert vocabulary.features(text) == vocabulary.features(seen)


def test_words_of_like_meaning_lie_close() -> None:
    def near(a: str, b: str) -> float:
        return sum(x * y for x, y in zip(text_vector(a), text_vector(b), strict=True))

    assert near("i want a refund", "money back please") > near("i want a refund", "book a flight") + 0.2
    assert near("qwxz", "refund") == 0


# Calibration and the report


def test_platt_recovers_the_curve_that_made_the_labels() -> None:
    chance = random.Random(7)
    scores = [chance.gauss(0, 2) for _ in range(4_000)]
    labels = [chance.random() < 1 / (1 + math.exp(-(1.5 * s - 0.5))) for s in scores]
    curve = platt(scores, labels)
    assert curve.slope == pytest.approx(1.5, abs=0.15)
    assert curve.offset == pytest.approx(-0.5, abs=0.15)
    assert classification_report.calibration_error(labels, [curve(s) for s in scores]) < 0.03


@given(st.lists(st.tuples(st.floats(-50, 50), st.booleans()), min_size=2, max_size=60))
def test_a_calibrated_probability_keeps_the_order_of_scores(rows: list[tuple[float, bool]]) -> None:
    curve = platt([s for s, _ in rows], [y for _, y in rows])
    scores = sorted(s for s, _ in rows)
    stated = [curve(s) for s in scores]
    assert stated == sorted(stated)
    assert all(0 <= p <= 1 for p in stated)


def test_quantile_of_many_values_is_that_of_their_population() -> None:
    chance = random.Random(3)
    assert quantile([chance.gauss(0, 1) for _ in range(20_000)], 0.05) == pytest.approx(-1.645, abs=0.08)


@given(
    st.lists(st.tuples(st.integers(-5, 5), st.booleans()), min_size=1, max_size=40),
    st.floats(0.1, 10),
    st.floats(0.1, 10),
)
def test_cheapest_threshold_is_at_most_the_cost_of_any_other(
    rows: list[tuple[int, bool]], refused: float, answered: float
) -> None:
    scores, labels = [float(s) for s, _ in rows], [y for _, y in rows]

    def cost(threshold: float) -> float:
        return sum(
            (refused if y else 0) if s < threshold else (0 if y else answered)
            for s, y in zip(scores, labels, strict=True)
        )

    chosen = cost(find_cheapest(scores, labels, ErrorCosts(refused, answered)))
    assert chosen <= min(map(cost, [*scores, *(s + 0.5 for s in scores)])) + 1e-6


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=40))
def test_auroc_is_the_share_of_pairs_in_the_right_order(rows: list[tuple[bool, int]]) -> None:
    on, off = [s for y, s in rows if y], [s for y, s in rows if not y]
    found = classification_report.auroc([y for y, _ in rows], [float(s) for _, s in rows])
    if not on or not off:
        assert found is None
        return
    assert found == pytest.approx(sum((a > b) + (a == b) / 2 for a in on for b in off) / len(on) / len(off))


def test_report_counts_what_a_reader_would_count() -> None:
    labels = [True, True, True, False, False]
    found = report(labels, [0.9, 0.8, 0.2, 0.7, 0.1], threshold=0.5, betas=(1.0, 2.0))
    assert found.accuracy == pytest.approx(3 / 5)
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == found.realised_tpr == pytest.approx(2 / 3)
    assert found.refusal_precision == found.refusal_recall == pytest.approx(1 / 2)
    assert found.f_beta == {"1": pytest.approx(2 / 3), "2": pytest.approx(2 / 3)}
    assert found.auroc == pytest.approx(5 / 6)
    assert found.fpr_at_95_tpr == pytest.approx(1 / 2)


def test_classes_beyond_those_stated_are_refused() -> None:
    assert class_report(["a", "b", "c"], ["a", "b", "b"], n_classes=3).accuracy == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="3 classes"):
        class_report(["a", "b", "c"], ["a", "b", "b"], n_classes=2)


# Answerability


def test_a_wrong_passage_is_told_from_the_right_one() -> None:
    training, test = next(iter(article_splits()))
    training, test = training[::16], test[::16]
    taught = Collection(p["context"] for p in training)
    asked = Collection(p["context"] for p in test)
    for kind, least in zip(KINDS, (0.97, 0.93, 0.75, 0.55), strict=True):
        rows = [Pair(r.texts[0], r.texts[1], r.label) for r in pairs(training, kind)]
        head = answer_classifier.load(answer_classifier.dump(answer_classifier.train(rows, taught).head))
        judged = pairs(test, kind)
        stated = [head.probability(r.texts[1], r.texts[0], asked) for r in judged]
        assert (classification_report.auroc([r.label for r in judged], stated) or 0) > least, kind


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_question_and_passage_have_as_many_features_as_any_other(question: str, context: str) -> None:
    collection = Collection(["A passage about Warsaw."])
    row = features(question, context, collection)
    assert len(row) == len(features("Where is Warsaw?", "Warsaw is in Poland.", collection))
    assert all(math.isfinite(x) for x in row)


def test_pairs_of_one_label_cannot_train_a_head() -> None:
    pairs_of_one = [Pair("Warsaw is in Poland.", f"Where is {i}?", True) for i in range(20)]
    with pytest.raises(ValueError, match="some answerable and some not"):
        answer_classifier.train(pairs_of_one, Collection([]))


def test_a_head_tells_by_meaning_what_words_do_not() -> None:
    taught = [
        Pair(f"Warsaw is in Poland, says {n}.", "Where is it?", n % 2 == 0, float(n % 2 == 0))
        for n in range(40)
    ]
    collection = Collection(pair.context for pair in taught)
    head = answer_classifier.train(taught, collection, embedder="some model").head
    head = answer_classifier.load(answer_classifier.dump(head))
    near, far = (
        head.probability("Where is it?", "Warsaw is in Poland.", collection, nearness=nearness)
        for nearness in (1.0, 0.0)
    )
    assert head.embedder == "some model"
    assert near > 0.5 > far
