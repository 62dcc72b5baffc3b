"""Entries of the audit list as events for a SIEM, in the form of OCSF and without anybody's words.

Each is an event of the class Entity Management. What OCSF has no place for is under `unmapped`, with all that
the seal is made of: whoever keeps the events can check the chain without us (docs/operating.md says how).
Source: OCSF 1.3.0, https://schema.ocsf.io/1.3.0/classes/entity_management
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

from bot import VERSION
from bot.privacy.settings_log import ACT as SETTING
from storage.audit import AuditEntry

OCSF_VERSION = "1.3.0"
CATEGORY, CLASS = 3, 3004
CREATE, READ, UPDATE, DELETE, OTHER = 1, 2, 3, 4, 99
ACTIVITIES = {CREATE: "Create", READ: "Read", UPDATE: "Update", DELETE: "Delete", OTHER: "Other"}
# Each act (storage/audit.py): what it is in OCSF, and the type of what it was done to.
EVENTS: dict[str, tuple[int, str]] = {
    "setting": (UPDATE, "setting"),
    "channel setting": (UPDATE, "channel"),
    "workspace setting": (UPDATE, "workspace"),
    "budget set": (CREATE, "budget"),
    "budget raised": (UPDATE, "budget"),
    "budget removed": (DELETE, "budget"),
    "owner named": (UPDATE, "channel"),
    "owner dismissed": (UPDATE, "channel"),
    "digest on": (UPDATE, "user"),
    "digest off": (UPDATE, "user"),
    "policy set": (UPDATE, "channel policy"),
    "policy removed": (DELETE, "channel policy"),
    "example added": (CREATE, "guard example"),
    "examples added": (CREATE, "guard example"),
    "verdict overturned": (UPDATE, "guard verdict"),
    "version trained": (CREATE, "guard version"),
    "version used": (UPDATE, "guard version"),
    "question closed": (UPDATE, "guard question"),
    "question wanted": (UPDATE, "guard question"),
    "people asked": (UPDATE, "guard question"),
    "answer confirmed": (UPDATE, "guard question"),
    "questions asked again": (UPDATE, "guard question"),
    "question answered": (UPDATE, "guard question"),
    "forgot thread": (DELETE, "conversation"),
    "forgot person": (DELETE, "user"),
    "forgot workspace": (DELETE, "workspace"),
    "forgot clip": (DELETE, "message"),
    "forgot message": (DELETE, "message"),
    "document added": (CREATE, "document"),
    "document removed": (DELETE, "document"),
    "note dated": (UPDATE, "document"),
    "form saved": (UPDATE, "form of fields"),
    "form removed": (DELETE, "form of fields"),
    "value reviewed": (UPDATE, "value of a field"),
    "retention": (DELETE, "rows"),
    "replayed": (UPDATE, "job"),
    "discarded": (DELETE, "job"),
    "looked at": (READ, "report"),
    "looks missed": (OTHER, "report"),
    "told of AI": (OTHER, "user"),
    "not told of AI": (OTHER, "user"),
}
INFORMATIONAL, CRITICAL = (1, "Informational"), (5, "Critical")
# Settings in the operator's own words, and any other whose value could hold some.
FREE_TEXT = frozenset(
    [
        "PARLEY_PERSONA",
        "PARLEY_WRITING",
        "PARLEY_TOP_INSTRUCTION",
        "PARLEY_DISCLOSURE",
        "PARLEY_STOP",
        "PARLEY_SPEECH_VOCABULARY",
        "PARLEY_MODEL_PARAMETERS",
    ]
)
_NO_PROSE = re.compile(r"[\w.,:;/*@+=%~-]*")


def to_event(entry: AuditEntry, before: str) -> dict[str, Any]:
    """The event of one entry; `before` is the seal of the entry before it."""
    activity, kind = EVENTS.get(entry.act, (OTHER, "unknown"))
    detail = _wordless(entry)
    return _event(activity, INFORMATIONAL) | {
        "time": round(entry.at * 1000),
        "message": entry.act,
        "metadata": _metadata() | {"uid": entry.seal, "sequence": entry.seq, "tenant_uid": entry.team},
        "actor": {"user": {"uid": entry.person}} if entry.person else {"app_name": "Parley"},
        "entity": {"type": kind, "uid": entry.about},
        "unmapped": {
            "act": entry.act,
            "team": entry.team,
            "person": entry.person,
            "about": entry.about,
            "detail": detail,
            "detail_is_digest": detail != entry.detail,
            "at": entry.at,
            "seal": entry.seal,
            "previous_seal": before,
        },
    }


def tampering_event(problem: str, *, at: float) -> dict[str, Any]:
    """That the list is not as it was written."""
    return _event(OTHER, CRITICAL) | {
        "time": round(at * 1000),
        "message": problem,
        "metadata": _metadata(),
        "actor": {"app_name": "Parley"},
        "entity": {"type": "audit list", "uid": "audit"},
        "unmapped": {"act": "list changed"},
    }


def _event(activity: int, severity: tuple[int, str]) -> dict[str, Any]:
    return {
        "category_uid": CATEGORY,
        "category_name": "Identity & Access Management",
        "class_uid": CLASS,
        "class_name": "Entity Management",
        "activity_id": activity,
        "activity_name": ACTIVITIES[activity],
        "type_uid": CLASS * 100 + activity,
        "severity_id": severity[0],
        "severity": severity[1],
    }


def _metadata() -> dict[str, Any]:
    product = {"name": "Parley", "vendor_name": "Parley", "version": VERSION}
    return {"version": OCSF_VERSION, "log_name": "audit", "product": product}


def _wordless(entry: AuditEntry) -> str:
    """The detail; of a setting that may hold words, a digest that tells whether it is the same."""
    if entry.act != SETTING or (entry.about not in FREE_TEXT and _NO_PROSE.fullmatch(entry.detail)):
        return entry.detail
    return f"sha256:{sha256(entry.detail.encode('utf-8', 'surrogatepass')).hexdigest()}"
