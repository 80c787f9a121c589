"""What people do to an incident: each act once, whoever is first, and nothing that was written is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from callops.alerts import watching, working
from callops.alerts.collected import calls_of
from callops.alerts.models import BY_HAND, Incident, IncidentStep
from callops.alerts.working import Refused, Stale
from callops.calls import merging
from callops.core.ids import new_id
from tests.rows import at, make_call, make_line

pytestmark = pytest.mark.django_db
ADA: dict[str, Any] = {"by": "ada", "now": at(100)}
BOB: dict[str, Any] = {"by": "bob", "now": at(110)}


def automatic(**fields: Any) -> Incident:
    known = {"kind": "sip_rejected", "began_at": at(0), "opened_at": at(30), "because": "3 of 3"}
    return Incident.objects.create(**{**known, **fields})


def done(incident: Incident) -> list[tuple[str, str, str]]:
    return list(IncidentStep.objects.filter(incident=incident).values_list("by", "what", "text"))


def test_one_acknowledges_and_the_other_is_told_who_was_first() -> None:
    incident = automatic()

    working.acknowledge(incident.pk, rev=0, **ADA)
    with pytest.raises(Stale, match="ada acknowledged it in the meantime"):
        working.acknowledge(incident.pk, rev=0, **BOB)

    incident.refresh_from_db()
    assert (incident.acknowledged_by, incident.acknowledged_at, incident.rev) == ("ada", at(100), 1)
    assert done(incident) == [("ada", "acknowledged", "")]


def test_whoever_takes_it_acknowledges_it_and_it_can_be_given_back() -> None:
    incident, user = automatic(), User.objects.create_user("ada")

    working.own(incident.pk, rev=0, owner=user, **ADA)
    incident.refresh_from_db()
    assert (incident.owner, incident.acknowledged_by) == (user, "ada")

    working.own(incident.pk, rev=1, owner=None, **BOB)
    incident.refresh_from_db()
    assert (incident.owner, incident.acknowledged_by) == (None, "ada")
    assert [text for _, _, text in done(incident)] == ["ada", "nobody"]


def test_it_is_resolved_with_a_cause_once_and_reopened() -> None:
    incident = automatic()

    with pytest.raises(Refused, match="Choose a cause"):
        working.resolve(incident.pk, rev=0, cause="magic", words="x", **ADA)
    with pytest.raises(Refused, match="Write the cause first"):
        working.resolve(incident.pk, rev=0, cause="openai", words="  ", **ADA)
    working.resolve(incident.pk, rev=0, cause="openai", words="Their region was down.", **ADA)
    with pytest.raises(Stale, match="ada resolved it"):
        working.resolve(incident.pk, rev=1, cause="ours", words="No, us.", **BOB)

    incident.refresh_from_db()
    assert (incident.cause, incident.cause_words, incident.closed_at) == ("openai", "Their region was down.", None)
    working.reopen(incident.pk, rev=1, **BOB)
    incident.refresh_from_db()
    assert (incident.cause, incident.resolved_at) == ("", None)
    assert done(incident)[0] == ("ada", "resolved", "OpenAI: Their region was down.")


def test_an_incident_of_a_person_is_over_when_it_is_resolved_and_is_no_alarm() -> None:
    first = working.open_by_hand(title="Silence", **ADA)
    working.open_by_hand(title="Echo", **ADA)

    assert Incident.objects.filter(kind=BY_HAND).count() == 2
    assert not Incident.objects.still_open().exists()
    working.resolve(first.pk, rev=0, cause="unknown", words="Gone.", **BOB)
    assert Incident.objects.get(pk=first.pk).closed_at == at(110)
    working.reopen(first.pk, rev=1, **BOB)
    assert Incident.objects.get(pk=first.pk).closed_at is None


def test_an_incident_that_is_resolved_while_the_trouble_goes_on_is_closed_by_itself_later() -> None:
    incident = automatic()
    working.resolve(incident.pk, rev=0, cause="openai", words="Their fault.", **ADA)

    watching.look(at(4000))

    assert Incident.objects.get(pk=incident.pk).closed_because
    assert Incident.objects.count() == 1


@pytest.mark.parametrize("text", ["", "  ", "x" * 10_001])
def test_a_note_that_cannot_be_kept_is_refused_with_the_reason(text: str) -> None:
    incident = automatic()

    with pytest.raises(Refused, match="note"):
        working.note(incident.pk, text=text, **ADA)
    assert done(incident) == []


def test_the_calls_are_those_that_failed_alike_meanwhile_and_those_that_were_added() -> None:
    line = make_line()
    alike = {"failure_stage": "sip_rejected", "state": "ended"}
    within, other = make_call(line, id=new_id(at(10)), **alike), make_call(line, id=new_id(at(10)))
    before, after = make_call(line, id=new_id(at(-10)), **alike), make_call(line, id=new_id(at(700)), **alike)
    unlike = make_call(line, id=new_id(at(20)), failure_stage="our_fault")
    incident = automatic(closed_at=at(600))

    def calls() -> set[str]:
        return set(calls_of(incident).values_list("pk", flat=True))

    assert calls() == {within.pk}
    assert working.collect(incident.pk, [other.pk, unlike.pk], **ADA) == 2
    assert working.collect(incident.pk, [other.pk], **ADA) == 0
    assert calls() == {within.pk, other.pk, unlike.pk}
    working.leave_out(incident.pk, within.pk, **ADA)
    working.leave_out(incident.pk, unlike.pk, **ADA)
    assert calls() == {other.pk}
    assert working.collect(incident.pk, [within.pk], **BOB) == 1
    assert calls() == {within.pk, other.pk}
    assert not {before.pk, after.pk} & calls()


def test_more_calls_than_can_be_looked_through_are_refused() -> None:
    with pytest.raises(Refused, match="smaller lots"):
        working.collect(automatic().pk, [str(number) for number in range(501)], **ADA)


def test_two_halves_of_one_incident_may_become_one_call() -> None:
    line = make_line()
    one, other = make_call(line), make_call(line, ai_call_id=None, carrier_sid=None)
    incident = working.open_by_hand(title="Halves", **ADA)
    working.collect(incident.pk, [one.pk, other.pk], **ADA)

    merging.absorb(one.pk, other.pk, now=at(90))
    working.leave_out(incident.pk, one.pk, by="ada", now=at(100) + timedelta(1))

    assert not calls_of(incident).exists()


def test_what_is_already_so_is_not_done_again_even_by_who_looked_again() -> None:
    incident = automatic()
    with pytest.raises(Stale):
        working.reopen(incident.pk, rev=0, **BOB)
    working.acknowledge(incident.pk, rev=0, **ADA)

    with pytest.raises(Stale, match="ada acknowledged it"):
        working.acknowledge(incident.pk, rev=1, **BOB)

    incident.refresh_from_db()
    assert (incident.acknowledged_by, incident.rev) == ("ada", 1)


def test_calls_are_not_added_to_what_was_resolved_meanwhile() -> None:
    incident, call = automatic(), make_call(make_line())
    working.resolve(incident.pk, rev=0, cause="ours", words="A setting.", **ADA)

    with pytest.raises(Refused, match="resolved by ada"):
        working.collect(incident.pk, [call.pk], **BOB)

    assert not incident.collected.exists()


def test_a_note_is_as_long_as_the_browser_counts_it() -> None:
    incident = automatic()

    working.note(incident.pk, text="x\r\n" * 4_999 + "yy", **ADA)

    assert len(done(incident)[0][2]) == 10_000


def test_what_is_open_is_listed_first_the_newest_before_the_older() -> None:
    over = {"closed_at": at(50), "resolved_at": at(60)}
    open_long, goes_on = automatic(), automatic(kind="our_fault", resolved_at=at(60))
    unresolved, past = automatic(kind="our_fault", closed_at=at(50)), automatic(kind="caller_left", **over)

    assert list(Incident.objects.open_first()) == [unresolved, goes_on, open_long, past]
