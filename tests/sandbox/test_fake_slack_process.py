"""The fake Slack runs as a process of its own and ends politely."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request


def test_it_says_where_it_is_and_ends_on_sigterm() -> None:
    command = [sys.executable, "-m", "bot.sandbox.slack.process", "--no-rate-limits"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        at = json.loads(process.stdout.readline())
        request = urllib.request.Request(
            at["api_url"] + "auth.test", headers={"Authorization": f"Bearer {at['bot_token']}"}
        )
        with urllib.request.urlopen(request) as answer:
            assert json.load(answer)["team_id"] == at["team"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
