"""Everything Slack can send us, in one table; manifest.yml declares the same sets, and a test compares them.

A person's posts never get as far as a listener: handlers/intake.py stores and acknowledges them first. A
listener acknowledges, turns the payload into values, calls one service, and shows the result with
handlers/slack/blocks.py.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from handlers.actions import Actions
from handlers.channel import form, workspace
from handlers.channel.listeners import ChannelSettings
from handlers.channel.workspace import WorkspaceSettings
from handlers.commands import Commands
from handlers.fields import blocks as field_blocks
from handlers.fields import review_windows
from handlers.fields import windows as field_windows
from handlers.fields.commands import FieldCommands
from handlers.fields.listeners import FieldActions
from handlers.fields.reading import FieldReadings
from handlers.fields.reviewing import FieldReviews
from handlers.fields.rights import FieldRights
from handlers.guard import blocks as guard_blocks
from handlers.guard.listeners import Verdicts
from handlers.guard.record import GuardRecord
from handlers.home import Home, acknowledge, ignore_event
from handlers.knowledge import blocks as document_blocks
from handlers.knowledge import learning_blocks, windows
from handlers.knowledge.adding import Adding
from handlers.knowledge.commands import KnowledgeCommands
from handlers.knowledge.following import DocumentEvents
from handlers.knowledge.learning import AnswerLearningWindow
from handlers.knowledge.listeners import DocumentActions
from handlers.knowledge.rights import DocumentRights
from handlers.notes import window as note_window
from handlers.notes.listeners import NoteActions
from handlers.shortcuts import Shortcuts
from handlers.slack import blocks, note_question
from handlers.slack.blocks import (
    ASK_FORGET,
    FEEDBACK,
    FOLLOW_UPS,
    FORGET_ALL,
    FORGET_CLIP,
    RETRY,
    SHOULD_ANSWER,
    SHOULD_REFUSE,
)
from handlers.slack.failures import answer_undelivered, report_errors
from handlers.unanswered import blocks as unanswered_blocks
from handlers.unanswered import people, refusal
from handlers.unanswered.people import PeopleActions
from handlers.unanswered.refusal import RefusalActions
from handlers.unanswered.window import UnansweredWindow
from handlers.voice.blocks import EDIT, TRANSLATE
from handlers.voice.listeners import ClipActions
from handlers.voice.modal import EDITED
from handlers.welcome.first_answer import ANSWERING, disclosing
from handlers.welcome.note import OPEN_SETTINGS
from handlers.why import Why

if TYPE_CHECKING:
    from bot.app import Services
    from handlers.adapter import SlackChat
    from handlers.slack.bolt import AsyncApp

Listener = Callable[..., Awaitable[Any]]

# What intake stores: all of them tell of the same posts.
POSTS = ("app_mention", "message.channels", "message.groups", "message.im", "message.mpim")
# What each part of the table needs to be allowed to do; the manifest asks for exactly these.
SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "mpim:read",
    "users:read",
)
# A channel's documents are looked after when one of these comes.
CHANNEL_CHANGES = (
    "channel_archive",
    "channel_unarchive",
    "channel_shared",
    "channel_unshared",
    "group_archive",
    "group_unarchive",
)
ANYTHING = re.compile(".*", re.DOTALL)


def table(services: Services, chat: SlackChat) -> dict[str, dict[str, Listener]]:
    """Every listener by kind and name."""
    settings = ChannelSettings(services, chat)
    everywhere = WorkspaceSettings(services, chat)
    home = Home(services, chat, everywhere)
    actions, clips = Actions(services, chat), ClipActions(services, chat)
    record, learning = GuardRecord(services, chat), AnswerLearningWindow(services, chat)
    verdicts = Verdicts(services, chat, record)
    rights, unanswered = DocumentRights(services, chat), UnansweredWindow(services, chat)
    adding, events = Adding(services, chat, rights), DocumentEvents(services)
    documents = DocumentActions(services, chat, adding, rights)
    notes = NoteActions(services, chat, rights)
    knowledge = KnowledgeCommands(services, adding, rights)
    field_rights = FieldRights(services, chat, rights)
    fields = FieldActions(services, chat, field_rights)
    readings = FieldReadings(services, chat, adding, field_rights)
    reviews = FieldReviews(services, chat, field_rights)
    field_commands = FieldCommands(services, chat, fields, field_rights)
    return {
        "event": {
            "app_home_opened": home.show,
            "app_context_changed": ignore_event,
            "member_joined_channel": ignore_event,  # others; that we came ourselves is for handlers/intake.py
            "agent_session_stopped": home.stop,
            "app_uninstalled": home.note_removal,
            "tokens_revoked": home.note_removal,
            "file_deleted": events.note_file_deleted,
            "file_unshared": events.note_file_unshared,
            "file_change": events.note_file_changed,
            **dict.fromkeys(CHANNEL_CHANGES, events.note_channel),
            "channel_deleted": events.note_channel_deleted,
            "group_deleted": events.note_channel_deleted,
            "channel_id_changed": events.note_channel_id,
            "user_change": events.note_person,
        },
        "command": {
            "/parley": Commands(
                services, chat, settings, knowledge, unanswered, notes, fields=field_commands
            ).parley
        },
        "shortcut": {
            "ask_parley": documents.ask_parley,
            "remember_this": notes.remember_this,
            "forget_thread": Shortcuts(services).forget_thread,
            "quiet_thread": Shortcuts(services).quiet_thread,
            "why": Why(services, chat).show,
        },
        "action": {
            FEEDBACK: actions.feedback,
            RETRY: actions.retry,
            **dict.fromkeys(FOLLOW_UPS, actions.follow_up),
            ASK_FORGET: actions.ask_forget_all,
            FORGET_ALL: actions.forget_all,
            EDIT: clips.edit,
            TRANSLATE: clips.translate,
            FORGET_CLIP: clips.forget,
            SHOULD_ANSWER: verdicts.overrule,
            SHOULD_REFUSE: verdicts.overrule,
            blocks.SETTINGS_OF: settings.open_chosen,
            workspace.OPEN: everywhere.open,
            OPEN_SETTINGS: settings.open_chosen,
            refusal.WANTED: RefusalActions(services, chat).want,
            people.ASK: PeopleActions(services, chat).ask,
            people.THIS_ONE: PeopleActions(services, chat).confirm,
            people.NEWEST: PeopleActions(services, chat).confirm,
            form.OPEN_RECORD: record.open,
            form.OPEN_QUESTIONS: unanswered.open,
            guard_blocks.USE: record.use_version,
            form.OPEN_LEARNING: learning.open,
            learning_blocks.USE: learning.use_version,
            unanswered_blocks.ADD: unanswered.add,
            unanswered_blocks.WRITE: unanswered.write,
            unanswered_blocks.ASK_AGAIN: unanswered.ask_again,
            unanswered_blocks.NOT_OURS: unanswered.close_as_not_ours,
            document_blocks.OPEN: acknowledge,
            document_blocks.REPLACE: documents.replace,
            document_blocks.REMOVE: documents.remove,
            windows.ADD_FILES: documents.add_files,
            windows.ADD_FILES_EVERYWHERE: documents.add_files,
            windows.KEEP_THREAD: documents.keep_thread,
            windows.KEEP_THREAD_EVERYWHERE: documents.keep_thread,
            windows.WRITE: documents.write,
            windows.UPLOAD: documents.upload,
            windows.LIST: documents.show_list,
            windows.EXTRACT: readings.open_extract,
            field_windows.EXTRACT: readings.extract,
            field_windows.DESCRIBE: fields.describe,
            field_windows.CHANGE: fields.change,
            field_windows.REMOVE_FORM: fields.remove,
            field_windows.ROWS: fields.open_rows,
            field_blocks.OPEN_TABLE: fields.open_rows,
            field_windows.EXPORT_CSV: fields.export,
            field_windows.EXPORT_JSONL: fields.export,
            field_blocks.READ_NOW: readings.take_offer,
            field_blocks.NOT_NOW: readings.decline_offer,
            field_blocks.STOP: readings.stop,
            field_blocks.AGAIN: readings.read_again,
            field_blocks.REVIEW: reviews.open_of_card,
            field_windows.REVIEW_ALL: reviews.open_of_form,
            review_windows.TAKE: reviews.take,
            review_windows.MISSING: reviews.take,
            review_windows.TYPE: reviews.type,
            note_window.WRITE_NOTE: notes.write,
            note_question.EDIT_NOTE: notes.edit,
            note_question.ERASE_NOTE: notes.erase,
            note_question.STILL_RIGHT: notes.still_right,
            blocks.UNDO_NOTE: notes.undo,
            blocks.NEW_HOLDS: notes.keep_new,
            blocks.OLD_HOLDS: notes.keep_old,
            blocks.BOTH_HOLD: notes.keep_both,
        },
        "view": {
            EDITED: clips.correct,
            form.FORM: settings.save,
            workspace.FORM: everywhere.save,
            note_window.NOTE_FORM: notes.save,
            windows.TEXT_FORM: documents.save_text,
            windows.FILE_FORM: documents.save_files,
            field_windows.FORM: fields.save,
            review_windows.TYPED_FORM: reviews.save_typed,
        },
    }


def register(app: AsyncApp, services: Services, chat: SlackChat) -> None:
    """Binds the table to Bolt; catch-alls last, so that Slack never sees a delivery fail for want of a
    listener."""
    app.error(answer_undelivered)
    for kind, listeners in table(services, chat).items():
        for name, listener in listeners.items():
            safe = report_errors(listener)
            if kind in ANSWERING:
                safe = disclosing(safe, services.disclosures)
            getattr(app, kind)(name)(safe)
    for kind in ("event", "command", "shortcut", "action", "view", "options"):
        getattr(app, kind)(ANYTHING)(acknowledge)
