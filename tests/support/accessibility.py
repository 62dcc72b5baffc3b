"""What axe finds on a page."""

from __future__ import annotations

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page


async def check_accessibility(page: Page) -> None:
    """No finding of axe that it calls serious or critical."""
    results = await Axe().run(page, options={"resultTypes": ["violations"]})
    found = [
        f"{v['id']}: {node['target']} {node['failureSummary']}"
        for v in results.response["violations"]
        if v["impact"] in ("serious", "critical")
        for node in v["nodes"]
    ]
    assert found == []
