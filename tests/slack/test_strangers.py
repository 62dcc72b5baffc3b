"""Who belongs to another company, as far as Slack tells."""

from __future__ import annotations

from typing import Any

import pytest

from bot.core.settings import Settings
from bot.sandbox.slack.server import FakeSlack
from handlers.slack.client import SlackClient, open_slack
from handlers.slack.permissions import Permissions

ELSEWHERE = {"team_id": "T0OTHER001"}
SIBLING = {**ELSEWHERE, "enterprise_user": {"enterprise_id": "E0ORG00001"}}
THEIR_ORGANISATION = {**ELSEWHERE, "enterprise_user": {"enterprise_id": "E0OTHER001"}}


@pytest.mark.parametrize(
    ("organisation", "person", "stranger"),
    [
        ("", {"team_id": "T0TEAM0001"}, False),
        ("", {}, False),
        ("", {"team_id": "T0TEAM0001", "is_stranger": True}, True),
        ("", ELSEWHERE, True),
        ("", SIBLING, True),
        ("", {**ELSEWHERE, "enterprise_user": {"enterprise_id": ""}}, True),
        ("E0ORG00001", SIBLING, False),
        ("E0ORG00001", {"team_id": "E0ORG00001"}, False),
        ("E0ORG00001", ELSEWHERE, True),
        ("E0ORG00001", THEIR_ORGANISATION, True),
    ],
)
async def test_whose_home_is_elsewhere_is_a_stranger(
    organisation: str, person: dict[str, Any], stranger: bool
) -> None:
    async with open_slack(Settings()) as web:
        slack = SlackClient(web)
        slack.team, slack.organisation = "T0TEAM0001", organisation
        assert await slack.is_stranger(person) is stranger


async def test_until_slack_says_who_we_are_nobody_is_of_ours() -> None:
    async with FakeSlack() as fake:
        settings = Settings(slack_bot_token=fake.bot_token, slack_api_url=fake.api_url)
        async with open_slack(settings) as web:
            permissions = Permissions(SlackClient(web))
            fake.faults.add("auth.test", status=503)
            assert await permissions.is_outsider(fake.user("bob"))
            assert not await permissions.is_outsider(fake.user("bob"))
