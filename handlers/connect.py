"""`parley connect`: makes the Slack app from the manifest, or brings one up to date, and says what is left
to do by hand.

It needs a configuration token, which may change every app of its person: it comes from SLACK_CONFIG_TOKEN or
is asked for without being shown, and is neither kept nor told.
"""

from __future__ import annotations

import argparse
import getpass
import os
import re
import sys
import warnings
from collections.abc import Iterator

from bot.core.app_manifest import fit_to_settings, list_changes, merge, read_manifest, wants_socket_mode
from bot.core.errors import SetupError, SlackError
from bot.core.settings import Settings
from handlers.http import EVENTS_PATH
from handlers.slack.app_configuration import TOKEN_PAGE, AppConfiguration, open_configuration
from handlers.slack.client import SlackClient, open_slack

TOKEN = "SLACK_CONFIG_TOKEN"  # noqa: S105
ACCESS, REFRESH = "xoxe.xoxp-", "xoxe-"
ASK = f"Configuration token ({ACCESS}…, from {TOKEN_PAGE}, “Your App Configuration Tokens”): "
OUR_APP = re.compile(r"xapp-\d+-(A[A-Z0-9]+)-")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--app",
        metavar="ID",
        default="",
        help="the app to bring up to date (A0123…); else that of the tokens",
    )
    parser.add_argument("--new", action="store_true", help="make another app, whatever the tokens are of")
    parser.add_argument("--yes", action="store_true", help="change the app without asking")


async def run(args: argparse.Namespace, settings: Settings) -> int:
    """Makes or changes the app; 1 when it was to be changed and was not."""
    wanted = fit_to_settings(read_manifest(), settings, events_path=EVENTS_PATH)
    app = "" if args.new else args.app or await find_app(settings)
    async with open_configuration(settings, read_token()) as configuration:
        if not app:
            await configuration.validate(wanted, "")
            app, again = await configuration.create(wanted), False
            print(f"made the app {app}")
        else:
            done, again = await update(configuration, app, wanted, sure=args.yes)
            if not done:
                return 1
    for number, step in enumerate(list_steps(settings, app, again=again), 1):
        print(f"{number}. {step}")
    return 0


async def update(
    configuration: AppConfiguration, app: str, wanted: dict[str, object], *, sure: bool
) -> tuple[bool, bool]:
    """Whether the app is as it should be now, and whether it has to be installed again."""
    existing = await configuration.export(app)
    merged = merge(existing, wanted)
    changes = list_changes(existing, merged)
    if not changes:
        print(f"the app {app} is as it should be")
        return True, False
    await configuration.validate(merged, app)
    print(f"the app {app} would change:", *changes, sep="\n")
    if not (sure or confirm()):
        print("nothing was changed; `parley connect --yes` does it without asking")
        return False, False
    again = await configuration.update(app, merged)
    print("changed")
    return True, again


def confirm() -> bool:
    """Whether somebody at the terminal says yes; nobody there is a no."""
    if not sys.stdin.isatty():
        return False
    try:
        return input("Change it? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def read_token() -> str:
    """The configuration token. SetupError where there is none, or it is one of another kind."""
    token = os.environ.get(TOKEN, "").strip() or _ask_token()
    if token.startswith(REFRESH):
        raise SetupError([f"that is the refresh token; the configuration token begins with {ACCESS}"])
    if not token.startswith(ACCESS):
        raise SetupError([f"a configuration token begins with {ACCESS}; it is made at {TOKEN_PAGE}"])
    return token


def _ask_token() -> str:
    missing = SetupError([f"{TOKEN} is not set, and there is no terminal to ask for it unseen"])
    if not sys.stdin.isatty():
        raise missing
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)  # it would be shown
        try:
            return getpass.getpass(ASK).strip()
        except (EOFError, getpass.GetPassWarning):
            raise missing from None


async def find_app(settings: Settings) -> str:
    """The app that the tokens are of; "" when there are none. SetupError when Slack does not tell."""
    if found := OUR_APP.match(settings.slack_app_token):
        return found[1]
    if not settings.slack_bot_token:
        return ""
    async with open_slack(settings) as client:
        slack = SlackClient(client)
        try:
            bot = (await slack.call("auth.test"))["bot_id"]
            return str((await slack.get("bots.info", bot=bot))["bot"]["app_id"])
        except (SlackError, KeyError) as exc:
            unknown = f"Slack does not say which app SLACK_BOT_TOKEN is of ({exc})"
            raise SetupError([f"{unknown}; name it with --app, or use --new"]) from None


def list_steps(settings: Settings, app: str, *, again: bool) -> Iterator[str]:
    """What is left to do by hand, in the order in which it can be done."""
    pages = f"{TOKEN_PAGE}/{app}"
    file = os.environ.get("PARLEY_ENV_FILE", ".env") or "the environment"
    socket = wants_socket_mode(settings)
    if not settings.slack_bot_token:
        yield (
            f"Install it: {pages}/install-on-team. Put the Bot User OAuth Token (xoxb-…) into {file} as "
            "SLACK_BOT_TOKEN."
        )
    elif again:
        yield f"Install it again, for what it may do has changed: {pages}/install-on-team"
    if socket and not settings.slack_app_token:
        yield (
            f"Make an app-level token with the scope connections:write: {pages}/general, “App-Level Tokens”. "
            f"Put it (xapp-…) into {file} as SLACK_APP_TOKEN."
        )
    if not socket and not settings.slack_signing_secret:
        yield f"Put the Signing Secret of {pages}/general into {file} as SLACK_SIGNING_SECRET."
    if not settings.openai_api_key and not settings.openai_base_url:
        yield f"Put the key of the model API into {file} as OPENAI_API_KEY (or OPENAI_BASE_URL)."
    yield "Run `parley check`, then `parley serve`."
    if not socket:
        yield f"While it runs, have Slack verify the Request URL: {pages}/event-subscriptions"
    yield "In Slack, invite it into a channel (/invite @parley), or write to it directly."
