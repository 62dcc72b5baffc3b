from __future__ import annotations

import pytest

from handlers.slack.links import list_addresses


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        (
            "see https://Example.com/X?y=1#z. And http://evil.test:80 and https://[broken",
            {"example.com/X?y=1#z", "example.com/", "evil.test:80/"},
        ),
        (
            "(https://a.test/b_(c)) “docs.test/x?y”",
            {"a.test/b_(c)", "a.test/", "docs.test/x?y", "docs.test/"},
        ),
        ("Ann.Lee+x@Mail.Test, not @ann or v1.2", {"ann.lee+x@mail.test"}),
        ("看看docs.test/你好。", {"docs.test/", "docs.test/你好"}),
    ],
)
def test_addresses_are_those_that_a_person_wrote_and_the_front_pages_of_their_hosts(
    text: str, addresses: set[str]
) -> None:
    assert addresses <= set(list_addresses(text))
    assert not {"v1.2/", "ann.lee+x/"} & set(list_addresses(text))
