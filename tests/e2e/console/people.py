"""Somebody at the console, in three ways: by mouse, without scripts, and by the keyboard alone.

What a page offers they find by the words that it says, as people do.
"""

from abc import ABC, abstractmethod
from pathlib import Path
from re import Pattern
from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.e2e.console.window import flaws_of

STOPS_MAX = 400  # of the keyboard on a page
PATIENCE = 100  # times that a page is loaded again until it says what is waited for
PAUSE_MS = 100.0
COMES_TO_CONTENT = "one => document.activeElement === document.body && !!one.closest('main')"

expect.set_options(timeout=20_000)  # a busy machine may take longer than the 5 s of its own


class Person(ABC):
    """Somebody before a page. What is said of a field, a button, a link stands on the page."""

    way: str
    how: dict[str, Any] = {}  # noqa: RUF012 - of the window

    def __init__(self, page: Page) -> None:
        self.page = page

    async def go(self, path: str) -> None:
        await self.page.goto(f"/console{path}")

    async def follow(self, name: str | Pattern[str]) -> None:
        await self._leave(self._named("link", name))

    async def press(self, name: str | Pattern[str]) -> None:
        """Press a button that leads to another page."""
        await self._leave(self._named("button", name))

    async def unfold(self, name: str) -> None:
        folded = self.page.locator("summary").get_by_text(name, exact=True)
        await self._press(folded.filter(visible=True).first)

    async def fill(self, label: str, text: str) -> None:
        await self._write(self._field(label), text)

    async def choose(self, label: str, option: str, *, which: int = 0) -> None:
        """:param which: of several fields that are called so."""
        await self._choose(self._field(label, which), option)

    async def tick(self, label: str) -> None:
        """Tick a box, or choose one of several."""
        await self._tick(self._field(label))

    async def untick(self, label: str) -> None:
        await self._untick(self._field(label))

    async def send(self) -> None:
        """Send the form in whose field they are, by the key that does."""
        async with self.page.expect_navigation():
            await self.page.keyboard.press("Enter")

    async def bring(self, label: str, file: Path) -> None:
        """Choose a file."""
        async with self.page.expect_file_chooser() as asked:
            await self._press(self._field(label))
        await (await asked.value).set_files(file)

    async def download(self, role: str, name: str) -> Path:
        """Fetch what a link or a button hands out."""
        async with self.page.expect_download() as fetched:
            await self._press(self._named(role, name))
        return await (await fetched.value).path()

    async def sees(self, text: str) -> None:
        await expect(self._said(text)).to_be_visible()

    async def sees_not(self, text: str) -> None:
        await expect(self._said(text)).to_have_count(0)

    async def sees_soon(self, text: str) -> None:
        """See what the page says by itself after a while."""
        await self.sees(text)

    async def sees_at_last(self, text: str) -> None:
        """Load the page again until it says so."""
        for _ in range(PATIENCE):
            if await self._said(text).count():
                return
            await self.page.wait_for_timeout(PAUSE_MS)
            await self.page.reload()
        await self.sees(text)

    async def sees_no_more(self, text: str) -> None:
        """Load the page again until it does not say so any more."""
        for _ in range(PATIENCE):
            if not await self._said(text).count():
                return
            await self.page.wait_for_timeout(PAUSE_MS)
            await self.page.reload()
        await self.sees_not(text)

    async def is_at(self, heading: str) -> None:
        await expect(self.page.get_by_role("heading", level=1)).to_contain_text(heading)

    async def finds(self, label: str, text: str) -> None:
        """See what stands in a field."""
        await expect(self._field(label)).to_have_value(text)

    async def is_told(self, label: str) -> None:
        """See that a field is marked as wrong."""
        await expect(self._field(label)).to_have_attribute("aria-invalid", "true")

    async def flaws(self) -> list[str]:
        """What is wrong with the page for people who see, hear or move otherwise."""
        return await flaws_of(self.page)

    def _said(self, text: str) -> Locator:
        return self.page.get_by_text(text).filter(visible=True).first

    def _field(self, label: str, which: int = 0) -> Locator:
        return self.page.get_by_label(label, exact=True).filter(visible=True).nth(which)

    def _named(self, role: str, name: str | Pattern[str]) -> Locator:
        found = self.page.get_by_role(role, name=name, exact=True)  # type: ignore[arg-type]
        return found.filter(visible=True).first

    async def _leave(self, thing: Locator) -> None:
        async with self.page.expect_navigation():
            await self._press(thing)

    @abstractmethod
    async def _press(self, thing: Locator) -> None: ...

    @abstractmethod
    async def _write(self, field: Locator, text: str) -> None: ...

    @abstractmethod
    async def _choose(self, field: Locator, option: str) -> None: ...

    @abstractmethod
    async def _tick(self, field: Locator) -> None: ...

    @abstractmethod
    async def _untick(self, field: Locator) -> None: ...


class ByMouse(Person):
    way = "with scripts"

    async def _press(self, thing: Locator) -> None:
        await thing.click()

    async def _write(self, field: Locator, text: str) -> None:
        await field.fill(text)

    async def _choose(self, field: Locator, option: str) -> None:
        await field.select_option(label=option)

    async def _tick(self, field: Locator) -> None:
        await field.check()

    async def _untick(self, field: Locator) -> None:
        await field.uncheck()


class WithoutScripts(ByMouse):
    way = "without scripts"
    how = {"java_script_enabled": False}  # noqa: RUF012

    async def sees_soon(self, text: str) -> None:
        """Nothing changes by itself without them."""
        await self.sees_at_last(text)

    async def flaws(self) -> list[str]:
        """What looks at a page is a script itself: it is given the page as it stands."""
        browser = self.page.context.browser
        assert browser is not None
        async with await browser.new_context(base_url=self.page.url) as context:
            beside = await context.new_page()
            await beside.goto("/console/sign-in")  # whose style sheets are those of the page
            await beside.set_content(await self.page.content())
            return await flaws_of(beside)


class ByKeyboard(Person):
    way = "by the keyboard alone"

    async def _press(self, thing: Locator) -> None:
        await self._reach(thing)
        await self.page.keyboard.press("Enter")

    async def _write(self, field: Locator, text: str) -> None:
        await self._reach(field)
        await self.page.keyboard.press("Control+a")
        await self.page.keyboard.press("Delete")
        await self.page.keyboard.insert_text(text)

    async def _choose(self, field: Locator, option: str) -> None:
        await self._reach(field)
        names = await field.locator("option").all_inner_texts()
        await self.page.keyboard.press("Home")
        for _ in range([name.strip() for name in names].index(option)):
            await self.page.keyboard.press("ArrowDown")

    async def _tick(self, field: Locator) -> None:
        """Of several of which one is chosen, the keyboard stops at that one."""
        name = await field.evaluate("one => one.type === 'radio' ? one.name : ''")
        if not name:
            await self._reach(field)
            await self.page.keyboard.press("Space")
            assert await field.is_checked(), "it was ticked already"
            return
        await self._stop("one => document.activeElement.name === one.name", field)
        while not await field.is_checked():
            await self.page.keyboard.press("ArrowDown")

    async def _untick(self, field: Locator) -> None:
        await self._reach(field)
        await self.page.keyboard.press("Space")
        assert not await field.is_checked(), "it was not ticked"

    async def _reach(self, thing: Locator) -> None:
        """Whoever has just come to a page goes straight to its content."""
        await thing.wait_for()
        if await thing.evaluate(COMES_TO_CONTENT):
            await self.page.keyboard.press("Tab")
            await self.page.keyboard.press("Enter")
        await self._stop("one => document.activeElement === one", thing)

    async def _stop(self, is_there: str, thing: Locator) -> None:
        """Go on from stop to stop until they are there."""
        await thing.wait_for()
        for _ in range(STOPS_MAX):
            if await thing.evaluate(is_there):
                return
            await self.page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard does not come to {thing}")


WAYS: dict[str, type[Person]] = {one.way: one for one in (ByMouse, WithoutScripts, ByKeyboard)}
