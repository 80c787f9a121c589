"""A call beside a good one: which steps are missing, and which took longer."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from callops.calls.models import Call
from callops.calls.words import State
from callops.core.clock import now
from callops.core.text import storable
from callops.dashboard import access, wording
from callops.reports.comparing import Align, anchor, compare
from callops.reports.gathering import gather
from callops.reports.masking import masked
from callops.reports.record import CallRecord
from callops.transfers.models import Mechanism, Outcome

ALIGNS = {Align.ACCEPT: "the accept", Align.TRANSFER: "the wish to transfer"}
PROVEN = (Mechanism.REFER, Mechanism.REDIRECT, Mechanism.DIAL_ACTION)


@never_cache
@require_safe
@access.signed_in
def compare_page(request: HttpRequest, call_id: str) -> HttpResponse:
    """This call and the one of `?with=`, or the newest good one of its line, laid on the moment of `?align=`."""
    call = access.call(request, call_id)
    wanted = storable(request.GET.get("with", "")).strip()
    other = access.call(request, wanted) if wanted else good_call(call)
    mine = _record(call)
    align = _align(request.GET.get("align", ""), mine)
    theirs = _record(other) if other else None
    named = (("this call", mine), ("the other", theirs))
    context = {
        "call": call,
        "other": other,
        "wanted": wanted,
        "align": align.value,
        "aligns": [(each.value, words) for each, words in ALIGNS.items()],
        "unaligned": [name for name, one in named if one and not anchor(one, align)],
        "pairs": _shown(mine, theirs, align) if theirs else [],
    }
    return render(request, "dashboard/compare.html", context)


def good_call(call: Call) -> Call | None:
    """The newest other call of the line that went well: moved by a proven way when this one was to be moved."""
    well = Call.objects.filter(state=State.ENDED, failure_stage="", incomplete=False)
    calls = well.filter(line=call.line).exclude(pk=call.pk)
    if call.transfers.exists():
        calls = calls.filter(transfers__outcome=Outcome.CONNECTED, transfers__mechanism__in=PROVEN)
    else:
        calls = calls.filter(answered_at__isnull=False)
    return calls.newest_first().select_related("line").first()


def _record(call: Call) -> CallRecord:
    return masked(gather(call, at=now(), pulse=False), numbers=True)


def _align(told: str, mine: CallRecord) -> Align:
    """What was asked for, else the wish to transfer when there was one."""
    if told in set(Align):
        return Align(told)
    return Align.TRANSFER if anchor(mine, Align.TRANSFER) else Align.ACCEPT


def _shown(mine: CallRecord, theirs: CallRecord, align: Align) -> list[dict[str, object]]:
    return [
        {"pair": pair, "words": wording.sentence(row.kind, row.body), "seq": pair.mine.seq if pair.mine else 0}
        for pair in compare(mine, theirs, align)
        if (row := pair.row)
    ]
