"""What people wrote does not keep the number of a caller who was erased."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from callops.alerts import working
from callops.alerts.models import Incident, IncidentStep
from callops.audit import chain
from callops.audit.models import Entry
from callops.custody import erasing, holding
from callops.custody.forgetting import GONE
from callops.custody.scrubbing import ERASED, scrub_written
from callops.finding.models import SavedView
from callops.transfers.models import Approval, BreakerAct
from tests.rows import NOON, at, make_call, make_line

pytestmark = pytest.mark.django_db
NUMBER = "+493012345678"
WHO: dict[str, Any] = {"by": "ada", "now": NOON}


def ended_call() -> Any:
    return make_call(make_line(), from_number=NUMBER, state="ended", ended_at=at(60))


@pytest.mark.parametrize(
    "written",
    [
        "+493012345678",
        "493012345678",
        "00493012345678",
        "+49 30 12345678",
        "+49 (0)30 1234 5678",
        "+49 (30) 1234-5678",
        "0049 30/123 456 78",
        "030 12345678",
        "(030) 123 456 78",
        "030/12345678",
        "3012345678",
        "+49\u00a030\u00a012345678",
        "+49.30.1234.5678",
        "+49 30 1234\u20115678",
    ],
)
def test_a_number_is_found_however_a_person_spaced_it(written: str) -> None:
    assert scrub_written(f"He called from {written}, at 12:30.", NUMBER) == f"He called from {ERASED}, at 12:30."
    assert scrub_written(written, NUMBER) == ERASED


@pytest.mark.parametrize(
    "other",
    [
        "+49 30 12345679",
        "+49 30 123456789",
        "+44 30 12345678",
        "0044 3012345678",
        "CA3012345678",
        "at 12:30, 1234 calls in 5678 s",
        "17 23 30 12 34",
        "",
    ],
)
def test_what_only_looks_like_it_stays(other: str) -> None:
    assert scrub_written(other, NUMBER) == other


@given(st.text(st.sampled_from("+0349125678 ()-/.x")))
def test_what_was_scrubbed_once_is_clean(text: str) -> None:
    once = scrub_written(text, NUMBER)

    assert scrub_written(once, NUMBER) == once


def test_notes_titles_causes_views_and_reasons_lose_the_number() -> None:
    call = ended_call()
    user = User.objects.create_user("ada")
    one = working.open_by_hand(title="+49 30 12345678 hears nothing", **WHO)
    working.note(one.pk, text="- 030 12345678 called **twice**\n- so did +44 20 7946 0000", **WHO)
    working.resolve(one.pk, rev=0, cause="ours", words="Only 4930 1234 5678.", **WHO)
    SavedView.objects.create(by=user, name="030-12345678", query="?q=%2B49+30+12345678&state=ended", made_at=NOON)
    SavedView.objects.create(by=user, name="Lost", query="?fate=lost&q=%22a+b%22", made_at=NOON)
    BreakerAct.objects.create(line=call.line, at=NOON, by="ada", force="open", why=f"as {NUMBER} said")

    report = erasing.erase(NUMBER, by="nora", now=at(99))

    one.refresh_from_db()
    assert (one.title, one.cause_words) == (f"{ERASED} hears nothing", f"Only {ERASED}.")
    notes = list(IncidentStep.objects.values_list("what", "text"))
    assert ("noted", f"- {ERASED} called **twice**\n- so did +44 20 7946 0000") in notes
    assert ("resolved", f"our own software or settings: Only {ERASED}.") in notes
    assert set(SavedView.objects.values_list("name", "query")) == {
        (ERASED, f"?q={ERASED}&state=ended"),
        ("Lost", "?fate=lost&q=%22a+b%22"),
    }
    assert BreakerAct.objects.get().why == f"as {ERASED} said"
    told = {what: count for what, count in report.counts.items() if ":" in what}
    assert sum(told.values()) == 7
    assert told["incident step: text"] == 2


def test_two_views_that_become_alike_are_still_two() -> None:
    ended_call()
    user = User.objects.create_user("ada")
    for name in ("030 12345678", "+49 30 12345678", NUMBER):
        SavedView.objects.create(by=user, name=name, query="?q=x", made_at=NOON)

    erasing.erase(NUMBER, by="nora", now=at(99))

    names = list(SavedView.objects.values_list("name", flat=True))
    assert len(set(names)) == 3
    assert all(name.startswith(ERASED) and "345678" not in name for name in names)


def test_a_dry_run_says_what_people_wrote_and_changes_nothing() -> None:
    ended_call()
    working.open_by_hand(title=f"{NUMBER} hears nothing", **WHO)
    out = StringIO()

    call_command("erase_caller", NUMBER, "--dry-run", stdout=out)

    assert "incident: title: 1" in out.getvalue()
    assert Incident.objects.get().title == f"{NUMBER} hears nothing"


def test_while_a_call_of_the_caller_is_on_hold_what_people_wrote_stays_and_the_report_says_so() -> None:
    call = ended_call()
    holding.place(call, why="The court asked.", by="ada", now=NOON)
    working.open_by_hand(title=f"{NUMBER} hears nothing", **WHO)
    out = StringIO()

    with pytest.raises(CommandError, match="Not everything"):
        call_command("erase_caller", NUMBER, stdout=out)

    assert Incident.objects.get().title == f"{NUMBER} hears nothing"
    assert "Left, because of the hold: notes, titles and views" in out.getvalue()


def test_the_audit_keeps_what_was_searched_for_stays_whole_and_the_report_says_so(admin_client: Client) -> None:
    ended_call()
    admin_client.post("/incidents/new", {"title": f"{NUMBER} hears nothing"})
    out = StringIO()

    call_command("erase_caller", NUMBER, stdout=out)

    assert any(NUMBER in str(entry.detail) for entry in Entry.objects.all())
    assert chain.first_fault() is None
    assert "The audit is not touched: it is only added to" in out.getvalue()
    assert NUMBER not in admin_client.get("/incidents/?show=all").text


def test_a_brief_that_waits_for_a_second_person_goes_with_what_was_said() -> None:
    call = ended_call()
    known = {"call": call, "uri": "tel:+15550111", "asked_by": "ada", "asked_at": NOON}
    Approval.objects.create(id="1", summary="Her knee hurts.", **known)

    erasing.erase(NUMBER, by="nora", now=at(99))

    assert Approval.objects.get().summary == GONE
