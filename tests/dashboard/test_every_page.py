"""What holds on every page: times, language, headings, a way past the bar. New pages are walked by themselves."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from callops.people.roles import Role
from tests.dashboard.browser import VOID
from tests.people.test_table import TABLE, House, client_of

FILES = ("api/", "metrics", "healthz", "readyz")
NO_PAGES = {
    *("calls/<str:call_id>/cost", "palette/", "calls/complete", "calls/export.csv", "calls/export.json"),
    "transfers/figures.csv",
    *("incidents/<int:incident_id>/live", "incidents/<int:incident_id>/post-mortem.md"),
    *("calls/<str:call_id>/report/<str:name>", "calls/<str:call_id>/evidence.zip"),
}
"""Pieces of pages, and files."""
PAGES = [path for method, path in TABLE if method == "GET" and not path.startswith(FILES) and path not in NO_PAGES]
CLOCK = re.compile(r"\b[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\b")
AS_IT_CAME = {"pre", "textarea", "svg", "script", "style"}
"""Evidence and files: UTC, and said so."""
SAID_TO_BE_UTC = {"because", "end-why", "rendered", "first", "tl-times"}
"""Sentences in which the server wrote the time, with a remark that it is UTC."""


class Seen(HTMLParser):
    """The times of a page, its headings, and clocks that stand outside of a `<time>`."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str]]] = []
        self.times: list[dict[str, str]] = []
        self.headings: list[int] = []
        self.bare: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        if tag == "time":
            self.times.append(named)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append((tag, named))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Opens nothing."""

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        tags = {tag for tag, _ in self.open}
        classes = {name for _, named in self.open for name in named.get("class", "").split()}
        if CLOCK.search(data) and not tags & (AS_IT_CAME | {"time"}) and not classes & SAID_TO_BE_UTC:
            self.bare.append(data.strip())


def page(path: str) -> str:
    """The page as an administrator reads it; that of sign-in as anybody does."""
    answer = client_of("nobody" if path == "login/" else Role.ADMINISTRATOR).get(House().fill(path))
    assert answer.status_code == 200 and "<html" in answer.content.decode()
    return answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
def test_every_time_is_local_with_utc_on_hover(path: str) -> None:
    seen = Seen(page(path))

    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", each["datetime"]) for each in seen.times)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d [\d:]+ UTC", each["title"]) for each in seen.times)
    assert seen.bare == []


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_a_language_a_way_past_the_bar_and_headings_in_order(path: str) -> None:
    text = page(path)
    seen = Seen(text)

    assert '<html lang="en">' in text
    assert '<a class="skip" href="#main">' in text and '<main id="main"' in text
    assert seen.headings[0] == 1 and seen.headings.count(1) == 1
    assert all(below <= above + 1 for above, below in zip(seen.headings, seen.headings[1:], strict=False))


def test_a_clock_outside_of_a_time_is_noticed() -> None:
    assert Seen("<p>It rang 12:00:01</p>").bare == ["It rang 12:00:01"]
    assert Seen('<p><time datetime="x">12:00:01</time></p>').bare == []
