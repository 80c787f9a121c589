"""An incident's page: what people do there, who may, and that nothing typed or said runs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from markdown_it import MarkdownIt

from callops.alerts import working
from callops.alerts.models import Incident, IncidentCall, IncidentStep
from callops.audit.models import Entry
from callops.calls import commands
from callops.calls.models import MergedCall
from callops.core.clock import now
from callops.people.models import Team
from callops.people.roles import Role
from tests.dashboard.conftest import MakeCall
from tests.dashboard.test_history import client_of
from tests.rows import make_attempt, make_line

pytestmark = pytest.mark.django_db
HOSTILE = (
    "<script>alert(1)</script> [x](javascript:alert(1)) ![i](https://example.com/i.png) "
    "<img src=x onerror=alert(1)>\n\n"
    "\u202eright to left\u202c 👍 `code` | # not a heading\n\n    <b>block</b>\n\n[a]: javascript:alert(2)\n\n[a]"
)


def incident(**fields: object) -> Incident:
    known = {"kind": "sip_rejected", "began_at": now(), "opened_at": now(), "because": "3 of 3 calls failed."}
    return Incident.objects.create(**{**known, **fields})


def act(client: Client, of: Incident, **told: object) -> int:
    return client.post(f"/incidents/{of.pk}/act", told).status_code


def test_an_incident_is_acknowledged_owned_noted_and_resolved(desk: Client, supervisor: User) -> None:
    one = incident()

    assert act(desk, one, act="acknowledge", rev=0) == 303
    assert act(desk, one, act="own", rev=1, owner=supervisor.username) == 303
    assert act(desk, one, act="note", text="It is **OpenAI**.") == 303
    assert act(desk, one, act="resolve", rev=2, cause="openai", text="Their region.") == 303

    page = desk.get(f"/incidents/{one.pk}/").text
    assert "It is <strong>OpenAI</strong>." in page
    assert "Their region." in page
    assert ">Acknowledge<" not in page and ">Reopen<" in page
    assert set(Entry.objects.filter(verb="work on incident").values_list("detail__act", flat=True)) == {
        *("acknowledge", "own", "note", "resolve")
    }


def test_who_was_overtaken_is_told_by_whom_and_keeps_what_was_typed(desk: Client, supervisor: User) -> None:
    one = incident()
    act(desk, one, act="acknowledge", rev=0)
    other = client_of("bob", Role.ANALYST)

    answer = other.post(f"/incidents/{one.pk}/act", {"act": "resolve", "rev": 0, "cause": "ours", "text": "Long words"})

    assert answer.status_code == 409
    assert f"{supervisor.username} acknowledged it in the meantime" in answer.text
    assert ">Long words</textarea>" in answer.text
    assert Incident.objects.get().resolved_at is None


@pytest.mark.parametrize(
    "told",
    [
        {"act": "dance"},
        {"act": "acknowledge"},
        {"act": "note", "text": ""},
        {"act": "note", "text": "x" * 10_001},
        {"act": "own", "rev": 0, "owner": "nobody-known"},
        {"act": "resolve", "rev": 0, "cause": "magic", "text": "x"},
        {"act": "acknowledge", "rev": -1},
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_changes(desk: Client, told: dict[str, object]) -> None:
    one = incident()

    answer = desk.post(f"/incidents/{one.pk}/act", told)

    assert answer.status_code == 422
    assert 'class="problem" role="alert"' in answer.text
    assert not IncidentStep.objects.exists()


def test_a_note_of_a_megabyte_is_refused_at_the_door(desk: Client) -> None:
    one = incident()

    assert act(desk, one, act="note", text="x" * 1_000_000) == 413
    assert not IncidentStep.objects.exists()


def test_a_call_and_all_that_a_search_finds_are_added(desk: Client, make_call: MakeCall) -> None:
    line = make_line()
    first, second, other = (make_call(line=line, incomplete=each) for each in (True, True, False))
    make_attempt(first)

    made = desk.post(f"/calls/{other.pk}/collect", {"title": "Holes", "incident": ""})
    one = Incident.objects.get()
    desk.post("/incidents/collect", {"incident": one.pk, "query": "?q=is%3Aincomplete"})

    assert made.headers["Location"] == f"/incidents/{one.pk}/"
    assert set(IncidentCall.objects.values_list("call", flat=True)) == {first.pk, second.pk, other.pk}
    desk.post(f"/incidents/{one.pk}/act", {"act": "leave_out", "call": other.pk})
    page = desk.get(f"/incidents/{one.pk}/")
    assert [call.pk for call in page.context["calls"]] == sorted((first.pk, second.pk), reverse=True)
    assert desk.post(f"/calls/{other.pk}/collect", {"title": " "}).status_code == 422


def test_chosen_calls_of_a_page_are_added(desk: Client, make_call: MakeCall) -> None:
    first, second, other = (make_call() for _ in range(3))

    page = desk.get("/calls/").text
    made = desk.post("/incidents/chosen", {"call": [first.pk, second.pk], "title": "Holes", "incident": ""})

    boxes = [f'<input type="checkbox" name="call" value="{call.pk}" form="choose">' for call in (first, second, other)]
    assert all(box in page for box in boxes)
    assert '<form id="choose" method="post" action="/incidents/chosen">' in page
    assert made.headers["Location"] == f"/incidents/{Incident.objects.get().pk}/"
    assert set(IncidentCall.objects.values_list("call", flat=True)) == {first.pk, second.pk}
    assert Entry.objects.get(verb="add calls to incident").detail["call"] == f"{first.pk}, {second.pk}"


def test_choosing_nothing_or_too_little_a_title_is_told_and_the_choice_stays(desk: Client, make_call: MakeCall) -> None:
    call = make_call()

    nothing = desk.post("/incidents/chosen", {"title": "Holes", "query": "?q=555"})
    untitled = desk.post("/incidents/chosen", {"title": " ", "call": call.pk, "query": "?q=555"})

    assert (nothing.status_code, untitled.status_code) == (422, 422)
    assert "Choose the calls first" in nothing.text
    assert 'href="/calls/?q=555"' in nothing.text
    assert f'<input type="hidden" name="call" value="{call.pk}">' in untitled.text
    assert not Incident.objects.exists()


def test_a_chosen_call_that_became_part_of_another_counts_as_that_one(desk: Client, make_call: MakeCall) -> None:
    whole = make_call()
    MergedCall.objects.create(former_id="01former", call=whole)

    desk.post("/incidents/chosen", {"call": ["01former", whole.pk], "title": "Holes"})

    assert list(IncidentCall.objects.values_list("call", flat=True)) == [whole.pk]


@pytest.mark.parametrize("bad", ["nothing", "\0", "x" * 100])
def test_a_chosen_call_that_is_none_is_not_found(desk: Client, make_call: MakeCall, bad: str) -> None:
    assert desk.post("/incidents/chosen", {"call": [make_call().pk, bad], "title": "Holes"}).status_code == 404
    assert not Incident.objects.exists()


def test_nobody_chooses_calls_of_other_lines_or_without_the_right(make_call: MakeCall) -> None:
    hidden, ada = make_call(line=make_line(name="Other")), client_of("ada", Role.SUPERVISOR)
    team = Team.objects.create(name="mine")
    team.lines.add(make_line(name="Mine", number="+15550109"))
    team.members.add(User.objects.get(username="ada"))
    viewer = client_of("eve", Role.VIEWER)

    assert ada.post("/incidents/chosen", {"call": hidden.pk, "title": "Holes"}).status_code == 404
    assert viewer.post("/incidents/chosen", {"call": hidden.pk, "title": "Holes"}).status_code == 403
    assert 'type="checkbox" name="call"' not in viewer.get("/calls/").text


@pytest.mark.parametrize(
    ("query", "why"), [("", "Search or filter first"), ("?q=refer%3Aunsen", "unsen"), ("?before=1", "first")]
)
def test_a_search_that_finds_more_than_was_meant_adds_nothing(
    desk: Client, make_call: MakeCall, query: str, why: str
) -> None:
    make_call()

    answer = desk.post("/incidents/collect", {"title": "Too many", "query": query})

    assert answer.status_code == 422
    assert why in answer.text
    assert not Incident.objects.exists()


def test_marks_of_its_calls_stand_on_the_page(desk: Client, make_call: MakeCall) -> None:
    call = make_call()
    commands.mark(call=call, by="ada", text="<i>here</i> it began", now=now())
    desk.post(f"/calls/{call.pk}/collect", {"title": "Marked"})

    page = desk.get(f"/incidents/{Incident.objects.get().pk}/").text

    assert "&lt;i&gt;here&lt;/i&gt; it began" in page


def test_nothing_that_was_typed_runs_on_the_page_or_breaks_the_post_mortem(desk: Client, make_call: MakeCall) -> None:
    call = make_call(line=make_line(name="<b>line</b> | [x](javascript:1)"), failure_stage="sip_rejected")
    commands.mark(call=call, by="ada", text=HOSTILE[:400], now=now())
    desk.post("/incidents/new", {"title": "<script>alert(1)</script> | # \u202e x"})
    one = Incident.objects.get()
    desk.post(f"/calls/{call.pk}/collect", {"incident": one.pk})
    act(desk, one, act="note", text=HOSTILE)
    act(desk, one, act="resolve", rev=0, cause="unknown", text=HOSTILE)

    page = desk.get(f"/incidents/{one.pk}/").text
    report = desk.get(f"/incidents/{one.pk}/post-mortem.md").text

    for text in (page, MarkdownIt("commonmark", {"html": False}).enable("table").render(report)):
        assert "<script>alert" not in text
        assert 'href="javascript' not in text
        assert "<img src=x" not in text
    assert "example.com/i.png" not in page.split('class="rendered"')[1].split("</div>")[0]
    assert "\u202e" not in report
    headings = [line for line in report.splitlines() if line.startswith("#")]
    assert headings[1:] == ["## What happened", "## Cause", "## Calls (1)", "## Notes"]


def test_the_post_mortem_has_who_did_what_when_and_masks_numbers_for_nobody_who_may_read_them(
    desk: Client, make_call: MakeCall
) -> None:
    one = incident(began_at=now() - timedelta(minutes=10), failed=3, calls=9)
    call = make_call(failure_stage="sip_rejected", from_number="+15550141")
    act(desk, one, act="note", text="First\n\n- a list")
    act(desk, one, act="resolve", rev=0, cause="twilio", text="A trunk.")

    answer = desk.get(f"/incidents/{one.pk}/post-mortem.md")

    text = answer.text
    assert answer.headers["Content-Type"].startswith("text/markdown")
    assert "# Incident" in text and "OpenAI refuses calls before its webhook" in text
    assert f"/calls/{call.pk}/)" in text and "`+15550141`" in text
    assert "**Twilio.**" in text and "> - a list" in text
    assert "3 of the 9 calls" in text


def test_people_of_a_team_see_incidents_with_calls_of_theirs_and_no_call_of_others(make_call: MakeCall) -> None:
    mine, other = make_line(name="Mine"), make_line(name="Other", number="+15550109")
    ada, root = client_of("ada", Role.SUPERVISOR), client_of("root", Role.ADMINISTRATOR)
    team = Team.objects.create(name="mine")
    team.lines.add(mine)
    team.members.add(User.objects.get(username="ada"))
    theirs, hidden = make_call(line=mine), make_call(line=other)
    root.post(f"/calls/{hidden.pk}/collect", {"title": "Hidden"})
    root.post(f"/calls/{hidden.pk}/collect", {"title": "Both"})
    both = Incident.objects.get(title="Both")
    root.post(f"/calls/{theirs.pk}/collect", {"incident": both.pk})

    shown = ada.get(f"/incidents/{both.pk}/")

    assert [call.pk for call in shown.context["calls"]] == [theirs.pk]
    assert ada.get(f"/incidents/{Incident.objects.get(title='Hidden').pk}/").status_code == 404
    assert [each.title for each in ada.get("/incidents/?show=all").context["incidents"]] == ["Both"]
    assert ada.post(f"/incidents/{both.pk}/act", {"act": "leave_out", "call": hidden.pk}).status_code == 404


def test_a_call_of_another_team_is_not_even_named_among_what_was_done(make_call: MakeCall) -> None:
    mine, other = make_line(name="Mine"), make_line(name="Other", number="+15550109")
    ada, root = client_of("ada", Role.SUPERVISOR), client_of("root", Role.ADMINISTRATOR)
    team = Team.objects.create(name="mine")
    team.lines.add(mine)
    team.members.add(User.objects.get(username="ada"))
    theirs, hidden = make_call(line=mine), make_call(line=other)
    root.post(f"/calls/{theirs.pk}/collect", {"title": "Both"})
    one = Incident.objects.get()
    root.post(f"/calls/{hidden.pk}/collect", {"incident": one.pk})
    act(root, one, act="leave_out", call=hidden.pk)

    for path in ("", "live", "post-mortem.md"):
        told = ada.get(f"/incidents/{one.pk}/{path}").text
        assert hidden.pk not in told and theirs.pk in told
        assert hidden.pk in root.get(f"/incidents/{one.pk}/{path}").text


def test_what_is_refused_leaves_no_incident_behind(
    desk: Client, make_call: MakeCall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "MOST_CALLS", 1)
    for _ in range(2):
        make_call(incomplete=True)

    answer = desk.post("/incidents/collect", {"title": "Many", "query": "?q=is%3Aincomplete"})

    assert answer.status_code == 422
    assert not Incident.objects.exists()


def test_a_number_in_a_note_is_masked_for_who_may_not_read_numbers(desk: Client) -> None:
    one = incident()
    act(desk, one, act="note", text="Call +15550141 back, and `+15550142`.")

    told = client_of("eve", Role.VIEWER).get(f"/incidents/{one.pk}/").text

    assert "15550141" in desk.get(f"/incidents/{one.pk}/").text
    assert "1555014" not in told


def test_a_viewer_reads_and_does_nothing(make_call: MakeCall) -> None:
    one, viewer = incident(), client_of("eve", Role.VIEWER)

    page = viewer.get(f"/incidents/{one.pk}/").text

    assert "Acknowledge<" not in page and "<textarea" not in page
    assert act(viewer, one, act="acknowledge", rev=0) == 403


def test_the_list_shows_who_sees_to_what(desk: Client, supervisor: User) -> None:
    one, two = incident(), incident(kind="our_fault", resolved_at=now(), resolved_by="bob", closed_at=now())
    act(desk, one, act="own", rev=0, owner=supervisor.username)

    def listed(show: str) -> set[int]:
        return {each.pk for each in desk.get(f"/incidents/?show={show}").context["incidents"]}

    assert listed("mine") == {one.pk}
    assert listed("unresolved") == {one.pk}
    assert listed("all") == {one.pk, two.pk}
    assert f'href="/incidents/{one.pk}/"' in desk.get("/incidents/").text
