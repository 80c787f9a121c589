"""Links to the wall, made and revoked by people who may act; and the wall itself, for whoever has one."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from callops.core.clock import now
from callops.core.config import config
from callops.core.ids import new_token
from callops.dashboard import access, wall
from callops.dashboard.forms import Text
from callops.dashboard.models import WallLink
from callops.people.roles import Right
from callops.people.standing import standing_of

LASTS = {"8": "8 hours", "24": "1 day", "168": "7 days", "720": "30 days"}
MOST = 20
"""Links of one person that are good at the same time."""


class LinkForm(forms.Form):
    """A link's name, and how long it is good."""

    name = Text(max_length=60, label="Where it hangs")
    hours = forms.ChoiceField(choices=list(LASTS.items()), label="Good for")


@never_cache
@require_http_methods(["GET", "POST"])
@access.with_right(Right.ACT)
def links(request: HttpRequest) -> HttpResponse:
    """The links of the person who asks; a new one's address is shown once."""
    form = LinkForm(request.POST or None)
    if not form.is_valid():
        return _page(request, form, status=422 if form.is_bound else 200)
    if sum(link.is_good(now()) for link in _own(request)) >= MOST:
        form.add_error(None, f"You have {MOST} links that are good. Revoke one first.")
        return _page(request, form, status=422)
    key = new_token()
    WallLink.objects.create(
        by=access.user_of(request),
        name=form.cleaned_data["name"],
        key_hash=_hash(key),
        made_at=now(),
        expires_at=now() + timedelta(hours=int(form.cleaned_data["hours"])),
    )
    return _page(request, LinkForm(), made=config().public_url + resolve_url("dashboard:wall", key))


@require_POST
@access.with_right(Right.ACT)
def revoke(request: HttpRequest, link_id: int) -> HttpResponse:
    """The link opens nothing any more; administrators revoke everybody's."""
    known = WallLink.objects.all() if access.may(request, Right.ADMINISTER) else _own(request)
    link = get_object_or_404(known, pk=link_id)
    WallLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=now())
    return HttpResponseRedirect(resolve_url("dashboard:walls"), status=303)


@never_cache
@require_safe
def show(request: HttpRequest, key: str) -> HttpResponse:
    """The wall, for whoever has a good link of somebody who may act."""
    link = WallLink.objects.select_related("by").filter(key_hash=_hash(key)).first()
    standing = standing_of(link.by) if link else None
    if link is None or not link.is_good(now()) or standing is None or not standing.may(Right.ACT):
        return render(request, "dashboard/wall_gone.html", status=404)
    return render(request, "dashboard/wall.html", {"wall": wall.read(now(), standing.scope), "link": link})


def _page(request: HttpRequest, form: LinkForm, *, made: str = "", status: int = 200) -> HttpResponse:
    shown = WallLink.objects.select_related("by") if access.may(request, Right.ADMINISTER) else _own(request)
    good = [link for link in shown if link.is_good(now())]
    return render(request, "dashboard/walls.html", {"form": form, "links": good, "made": made}, status=status)


def _own(request: HttpRequest) -> QuerySet[WallLink]:
    return WallLink.objects.filter(by=access.user_of(request))


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
