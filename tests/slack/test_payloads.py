"""Which workspace a delivery is about, in every shape in which Slack says it."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.slack.payloads import file_from, is_external, team_of

ALICE = {"id": "U1", "team_id": "T1"}
ORGANISATION = {"enterprise": {"id": "E1", "name": "Acme"}, "is_enterprise_install": True}
IN_NO_WORKSPACE = [{}, {"team": None}, {"team": {}}, {"team": {"id": None}}]


@pytest.mark.parametrize("named", IN_NO_WORKSPACE)
@pytest.mark.parametrize(
    "body",
    [
        {"type": "block_actions", "user": ALICE, "message": {"ts": "1.0", "team": "T1"}},
        {"type": "block_actions", "user": ALICE, "view": {"team_id": "T1", "app_installed_team_id": "E1"}},
        {"type": "view_submission", "user": ALICE, "view": {"app_installed_team_id": "E1"}},
        {"type": "view_submission", "user": {"id": "U1"}, "view": {"team_id": "T1"}},
        {"type": "message_action", "user": ALICE, "message": {"ts": "1.0"}},
        {"type": "shortcut", "user": ALICE},
    ],
)
def test_what_is_pressed_and_sent_in_an_organisation_belongs_to_the_persons_workspace(
    body: dict[str, Any], named: dict[str, Any]
) -> None:
    assert team_of(ORGANISATION | named | body) == "T1"


@pytest.mark.parametrize(
    "body",
    [
        {"team_id": "T1", "authorizations": [{"enterprise_id": "E1", "team_id": None}]},
        {"team_id": None, "authorizations": [{"enterprise_id": "E1", "team_id": "T1"}]},
        {"authorizations": [{"team_id": "T1"}], "enterprise_id": "E1"},
        {"team_id": None, "authorizations": [], "event": {"type": "message", "team": "T1"}},
        {"team_id": None, "authorizations": None, "event": {"type": "app_mention", "user_team": "T1"}},
        {"team_id": "T1", "enterprise_id": "E1", "command": "/parley"},
        {"team": "T1"},
    ],
)
def test_an_event_or_a_command_names_its_workspace(body: dict[str, Any]) -> None:
    assert team_of(body) == "T1"


@pytest.mark.parametrize(
    "body",
    [
        {"team_id": None, "enterprise_id": "E1"},
        {"team_id": "", "enterprise_id": "E1"},
        {"team": None, "enterprise": {"id": "E1"}, "user": {"id": "U1"}},
        {"team": None, "enterprise": "E1"},
        {"team_id": "E1"},
        {"team": {"id": "T1", "enterprise_id": "E1"}, "user": ALICE}
        | {"team": {"enterprise_id": "E1"}, "user": {}},
        {"authorizations": [{"enterprise_id": "E1", "team_id": None}]},
    ],
)
def test_where_no_workspace_is_named_it_is_the_organisation(body: dict[str, Any]) -> None:
    assert team_of(body) == "E1"


def test_a_window_that_another_company_opened_is_of_the_workspace_that_has_the_app() -> None:
    view = {"app_installed_team_id": "T1", "team_id": "T2"}
    assert team_of({"team": {"id": "T2"}, "user": {"id": "U2", "team_id": "T2"}, "view": view}) == "T1"


@pytest.mark.parametrize(
    "body", [{}, {"team": 7}, {"user": "U1"}, {"view": None, "event": []}, {"team_id": 7}]
)
def test_what_has_another_shape_belongs_to_no_workspace(body: dict[str, Any]) -> None:
    assert team_of(body) == ""


def test_people_of_the_same_organisation_are_not_of_another_company() -> None:
    body = {"team_id": "T1", "authorizations": [{"enterprise_id": "E1", "team_id": None}]}
    assert not is_external(body, {"user_team": "E1"}, "T1")
    assert not is_external(body | {"enterprise_id": "E1"}, {"user_team": "T1", "source_team": "E1"}, "T1")
    assert is_external(body, {"user_team": "T9"}, "T1")


def test_a_file_is_called_by_a_name_in_which_nothing_is_hidden() -> None:
    for field in ("name", "title"):
        found = file_from({"id": "F1", field: "invoice\u202efdp.exe\n<!channel>"})
        assert found.name == "invoice\\u202efdp.exe\\n<!channel>"
