"""How servers that others wrote differ from OpenAI's: what they lack, how they refuse, which forms they heed.

Seen at llama.cpp's server of October 2026 (the tests in tests/models ask one) and read in vLLM's source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.sandbox.model.rules import PARAMETERS, ModelCard, ModelRefusal


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kind of server. `lacks`: its missing endpoints; `lenient`: parameters that it does not know are
    passed over; `forms`: of such a server, the parameters by which a form is asked for, by endpoint."""

    name: str
    lacks: frozenset[str] = frozenset()
    lenient: bool = False
    forms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def understand(self, endpoint: str, body: dict[str, Any]) -> dict[str, Any]:
        """The request as such a server reads it: what it does not know is passed over, and a form that it
        heeds stands where OpenAI's has it."""
        if not self.lenient:
            return body
        kept = {name: value for name, value in body.items() if name in PARAMETERS[endpoint] - _FORMS}
        given = next((body[name] for name in self.forms.get(endpoint, ()) if body.get(name)), None)
        if given is None:
            return kept
        if endpoint == "responses":
            return kept | {"text": given}
        named = given if "json_schema" in given else {"type": "json_schema", "json_schema": {"schema": given}}
        return kept | {"response_format": named}

    def heeds_form(self, understood: Mapping[str, Any]) -> bool:
        """Whether the answer to this request can be nothing but JSON."""
        return self.lenient and not _FORMS.isdisjoint(understood)

    def check_endpoint(self, endpoint: str) -> None:
        if endpoint in self.lacks:
            raise ModelRefusal(404, "File Not Found", code=None, type="not_found_error")

    def check_context(
        self, endpoint: str, body: Mapping[str, Any], card: ModelCard, prompt: int, limit: int
    ) -> None:
        """Refuses what is too long for the model, in this server's words; `limit` 0 means the card's."""
        limit = limit or card.context_tokens
        wanted = body.get("max_tokens") or body.get("max_completion_tokens") or 0
        if self.name == "llama.cpp":
            if prompt > limit:
                raise _refuse_like_llama(prompt, limit)
        elif prompt + wanted > limit:
            if self.name == "vllm":
                raise _refuse_like_vllm(prompt, wanted, limit)
            param = {"responses": "input", "completions": "prompt"}.get(endpoint, "messages")
            message = (
                f"This model's maximum context length is {limit} tokens. However, you requested "
                f"{prompt + wanted} tokens ({prompt} in the messages, {wanted} in the completion). "
                "Please reduce the length of the messages or completion."
            )
            raise ModelRefusal(400, message, code="context_length_exceeded", param=param)


_FORMS = frozenset(["json_schema", "response_format", "text"])  # by which a form is asked for
OPENAI = Dialect("openai")
LLAMA_CPP = Dialect(
    "llama.cpp",
    lacks=frozenset(["decisions", "moderations", "images/generations", "embeddings"]),
    lenient=True,
    forms={"completions": ("json_schema",), "chat/completions": ("response_format",)},
)
VLLM = Dialect(
    "vllm",
    lacks=frozenset(["decisions", "moderations", "images/generations"]),
    lenient=True,
    forms={
        "completions": ("response_format",),
        "chat/completions": ("response_format",),
        "responses": ("text",),
    },
)
# A server that takes whatever is asked, and heeds no form.
DEAF = Dialect("deaf", lenient=True)


def _refuse_like_llama(prompt: int, limit: int) -> ModelRefusal:
    said = f"request ({prompt} tokens) exceeds the available context size ({limit} tokens), try increasing it"
    refusal = ModelRefusal(400, said, code=None, type="exceed_context_size_error")
    refusal.error |= {"code": 400, "n_prompt_tokens": prompt, "n_ctx": limit}
    return refusal


def _refuse_like_vllm(prompt: int, wanted: int, limit: int) -> ModelRefusal:
    said = (
        f"This model's maximum context length is {limit} tokens. However, you requested {wanted} output "
        f"tokens and your prompt contains at least {prompt} input tokens, for a total of at least "
        f"{prompt + wanted} tokens. Please reduce the length of the input prompt or the number of requested "
        "output tokens."
    )
    refusal = ModelRefusal(400, said, code=None, type="BadRequestError")
    refusal.error |= {"code": 400}
    return refusal
