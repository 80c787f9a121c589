"""`manage.py hold CALL --why "…"`: nothing of the call is deleted until `--lift`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from callops.calls.models import Call
from callops.core import clock
from callops.custody import holding
from callops.custody.models import Hold


class Command(BaseCommand):
    """Places or lifts a legal hold, or lists those that stand."""

    help = (
        "Keeps everything of one call from being deleted, by the clocks and by erasures. Without CALL: lists the holds."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("call", nargs="?", metavar="CALL", help="the call's id, or any id it has at a provider")
        parser.add_argument("--why", default="", help="the reason, which is kept")
        parser.add_argument("--by", default="command line", help="who asked for it")
        parser.add_argument("--lift", action="store_true", help="the hold is over")

    def handle(self, *args: Any, call: str | None, why: str, by: str, lift: bool, **options: Any) -> None:
        if call is None:
            self._list()
            return
        found = Call.objects.known_as(call).first() or Call.objects.filter(carrier_sid=call).first()
        found = found or Call.objects.filter(ai_call_id=call).first()
        if found is None:
            raise CommandError(f"There is no call {call}. Its id is in the address of its page.")
        if lift:
            lifted = holding.lift(found, by=by, now=clock.now())
            self.stdout.write(f"The hold on {found.pk} is lifted." if lifted else f"No hold stood on {found.pk}.")
        elif not why.strip():
            raise CommandError('A hold needs its reason: --why "…".')
        else:
            holding.place(found, why=why.strip(), by=by, now=clock.now())
            self.stdout.write(f"{found.pk} is on hold: nothing of it is deleted.")

    def _list(self) -> None:
        standing = Hold.objects.standing()
        for hold in standing:
            self.stdout.write(f"{hold.call_id}  {hold.placed_at:%Y-%m-%d}  {hold.placed_by}: {hold.why}")
        if not standing:
            self.stdout.write("No call is on hold.")
