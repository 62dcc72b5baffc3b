from __future__ import annotations

import pytest

from bot.conversation.addressing import is_courtesy, read_wish


@pytest.mark.parametrize(
    "text",
    [
        "thanks", "Thanks!", "sure, thanks!", "ok", "OK.", "Okay great", "👍", "👍🏽👍🏽", ":+1:",
        ":tada: :heart:", "thank you so much", "Thanks everyone", "perfect, thank you!", "got it",
        "danke", "Super, danke schön!", "merci beaucoup", "gracias", "ありがとうございます",
        "谢谢", "спасибо", "yes", "Yep, will do", "<@U0BOB> thanks!", "no problem",
        "you’re welcome", "…", "!!!", "sounds good 🎉", "thanks Alice!", "Thank you so much, Zoë Müller",
        "Danke dir, Jean-Luc :pray:", "ok, merci Bob.", "Thanks a lot Alice 🎉", "haha", "Hahaha 😂",
        "lol, ok", "See you there!", "me too", "ok, bye", "no worries",
    ],
)  # fmt: skip
def test_thanks_ok_and_an_emoji_want_no_answer(text: str) -> None:
    assert is_courtesy(text)


@pytest.mark.parametrize(
    "text",
    [
        "thanks, and what about Friday?", "ok?", "", "  ", "?", "why",
        "great idea, how much is it", "yes please do", "no, that is wrong", "ok parley",
        "thanks to whom", "good morning", "hello", "3", "2+2", "50%", "x = y", "the second one",
        "ja, und am Montag", "perfect day for a walk", "nice, can you translate it",
        "thanks summarise", "Thanks Alice, and where is it", "no, Monday", "ok Bob", "Thanks. Monday",
        "Danke, Bob Müller Meier", "Thanks Bob 3", "haha, and on Friday", "see you there?", "lol?",
        "wow, how much is that",
    ],
)  # fmt: skip
def test_whatever_says_more_may_want_one(text: str) -> None:
    assert not is_courtesy(text)


@pytest.mark.parametrize(
    "text", [
        "quiet", "Be quiet, please", "please be quiet in this thread", "Stop answering here!",
        "sei ruhig", "don't reply in this thread", "Silence.",
    ],
)  # fmt: skip
def test_quiet_is_asked_for_in_so_many_words(text: str) -> None:
    assert read_wish(text.replace(", p", " p")) == "quiet"


@pytest.mark.parametrize(
    "text",
    [
        "be quiet about the price",
        "how do I stop answering mails",
        "stop",
        "quietly?",
    ],
)
def test_quiet_is_not_heard_in_a_question(text: str) -> None:
    assert read_wish(text) != "quiet"


def test_speaking_again_and_stopping_are_asked_for_likewise() -> None:
    assert read_wish("You may speak again.") == read_wish("answer here again please") == "speak"
    assert read_wish("Stop!") == read_wish("please stop") == "stop"
    assert read_wish("speak again about the price") == read_wish("stop the server") == read_wish("") == ""
