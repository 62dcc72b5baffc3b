"""Which addresses are Slack's own, as deliveries name them: the token and our answers go nowhere else."""

from __future__ import annotations

from yarl import URL

from bot.core.settings import SLACK_API_URL

# Source: Slack's documentation of `url_private`: https://docs.slack.dev/reference/objects/file-object
FILE_HOST = "files.slack.com"


def is_slack_address(url: str, api_url: str, *, host: str = FILE_HOST) -> bool:
    """Is that address Slack's, so that it may be sent a token or an answer?

    The one host of Slack's by TLS; beside another API, that API's very address.
    """
    try:
        at, api = URL(url), URL(api_url)
    except ValueError:
        return False
    if at.user is not None or at.password is not None:
        return False
    wanted = (
        ("https", host, 443)
        if api_url.rstrip("/") == SLACK_API_URL.rstrip("/")
        else (api.scheme, api.host, api.port)
    )
    return (at.scheme, at.host, at.port) == wanted
