"""A notebook open in JupyterLab, as a student sees it: run a cell, write into it, look at what comes out."""

import json
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page


class NotebookPage:
    """A lesson's notebook in a fresh page; cells are found by exercise name through the notebook file itself."""

    def __init__(self, browser: Browser, url: str, path: Path) -> None:
        self.cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        self.page: Page = browser.new_page(viewport={"width": 1280, "height": 1000})
        self.page.goto(f"{url}/lab/tree/{path.name}?reset", timeout=90_000)
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=90_000)
        self.page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']", timeout=90_000)

    def index(self, role: str, name: str | None = None) -> int:
        """The place of the cell with this role and name."""
        for place, cell in enumerate(self.cells):
            own = cell["metadata"].get("effkit", {})
            if own.get("role") == role and name in (None, own.get("name")):
                return place
        raise LookupError(f"no {role} cell named {name}")

    def cell(self, index: int) -> Locator:
        """The cell at this place."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(index)

    def run(self, index: int) -> Locator:
        """Run one cell as a student does (click, Shift+Enter) and wait until the kernel is idle; returns its output."""
        cell = self.cell(index)
        if self.cells[index]["cell_type"] != "code":
            return cell
        prompt = cell.locator(".jp-InputPrompt").first
        before = prompt.inner_text()
        cell.scroll_into_view_if_needed()
        for _ in range(5):
            cell.locator(".cm-content").first.click()
            self.page.keyboard.press("Shift+Enter")
            if self._within(prompt, before, 10):
                break  # otherwise the kernel was not connected yet and JupyterLab dropped the request
        self.page.wait_for_function(
            "([prompt, before]) => /^\\[\\d+\\]:$/.test(prompt.innerText.trim()) && prompt.innerText !== before",
            arg=[prompt.element_handle(), before], timeout=120_000)
        return cell.locator(".jp-OutputArea-output")

    def _within(self, prompt: Locator, before: str, seconds: int) -> bool:
        """Does the prompt change within this time?"""
        for _ in range(seconds * 10):
            if prompt.inner_text() != before:
                return True
            self.page.wait_for_timeout(100)
        return False

    def write(self, index: int, source: str) -> None:
        """Replace a cell's text by `source`, with the keyboard."""
        editor = self.cell(index).locator(".cm-content").first
        editor.click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(source)

    def close(self) -> None:
        """Close the page."""
        self.page.close()
