"""Finds model servers that run on this machine already, on the port each uses unless configured otherwise."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import ClientError, ClientSession, ClientTimeout

# Source: the default ports in the README of each, read 2026-11-23.
PORTS = {"Ollama": 11434, "LM Studio": 1234, "llama.cpp": 8080}
LOOK_S = 0.5  # a server on this machine answers at once or is not there


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A server that speaks the model API, and the models it offers."""

    name: str
    base_url: str
    models: tuple[str, ...]


async def find_local_servers(ports: dict[str, int] = PORTS) -> list[LocalServer]:
    """Those that answer with a list of models, in the order of `ports`."""
    async with ClientSession(timeout=ClientTimeout(total=LOOK_S), trust_env=False) as session:
        found = await asyncio.gather(*(_look(session, name, port) for name, port in ports.items()))
    return [server for server in found if server]


async def _look(session: ClientSession, name: str, port: int) -> LocalServer | None:
    base_url = f"http://127.0.0.1:{port}/v1"
    try:
        async with session.get(f"{base_url}/models") as answer:
            listed = (await answer.json())["data"]
            return LocalServer(name, base_url, tuple(str(model["id"]) for model in listed))
    except (ClientError, TimeoutError, OSError, ValueError, KeyError, TypeError):
        return None
