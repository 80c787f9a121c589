"""What people may ask of a call itself."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from callops.calls import timeline
from callops.calls.kinds import Kind
from callops.calls.models import Call
from callops.calls.words import EndedBy, Lane


class AlreadyOver(Exception):
    """The call has ended; there is nothing to hang up."""


MAX_MARK = 500
"""Characters of a remark on a moment."""


@transaction.atomic
def mark(*, call: Call, by: str, text: str, now: datetime) -> None:
    """The moment is on the timeline with who marked it and why; also of a call that is over."""
    body = {"by": by, "text": text[:MAX_MARK]}
    timeline.append(call, at=now, kind=Kind.OPERATOR_MARKED, lane=Lane.OPERATOR, body=body)


@transaction.atomic
def hang_up(*, call: Call, asked_by: str, now: datetime) -> Call:
    """The wish to end both legs is on the timeline; the engine carries it out. Asking again changes nothing."""
    locked = Call.objects.select_for_update().get(pk=call.pk)
    if locked.is_over:
        raise AlreadyOver("This call is already over.")
    if not locked.end_wish:
        locked.end_wish = EndedBy.OPERATOR
        locked.save(update_fields=["end_wish"])
        timeline.append(locked, at=now, kind=Kind.OPERATOR_HANGUP, lane=Lane.OPERATOR, body={"by": asked_by})
    return locked
