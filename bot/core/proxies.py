"""Which proxy the environment names for a host: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, as other programs read
them.

Looked up when a connection pool is opened. aiohttp's own `trust_env` reads the environment and `.netrc` in a
thread for every request, which costs more than the request.
"""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def find_proxy(url: str, *, any_scheme: bool = False) -> str | None:
    """The address of the proxy for an address; None to go there directly. `any_scheme`: ALL_PROXY counts."""
    parts, proxies = urlsplit(url), getproxies()
    named = proxies.get(parts.scheme) or (any_scheme and proxies.get("all")) or ""
    host = parts.hostname or ""
    if not named or proxy_bypass(host) or proxy_bypass(f"{host}:{parts.port}"):
        return None
    return named if "://" in named else f"http://{named}"
