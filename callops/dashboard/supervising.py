"""What supervisors do in a running conversation: whisper, say, pause, resume. By POST, with and without htmx."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.views.decorators.http import require_POST

from callops.core.clock import now
from callops.dashboard import access, call_page
from callops.dashboard.commands import page_context
from callops.dashboard.forms import Text
from callops.people.roles import Right
from callops.supervision.commands import MAX_WORDS, NotNow, Unfit, intervene
from callops.supervision.models import Act

TYPED = "typed"
"""The act of a form sent by Enter, without one of its buttons."""


class ActForm(forms.Form):
    """One act; `seen` is how the call stood on the screen, `key` makes a form sent twice one wish."""

    act = forms.ChoiceField(choices=[*Act.choices, (TYPED, "what was typed")])
    key = forms.CharField(max_length=200)
    seen = forms.CharField(max_length=80)
    whisper = Text(required=False, max_length=MAX_WORDS)
    say = Text(required=False, max_length=MAX_WORDS)

    def wish(self) -> dict[str, str]:
        """The act and its words. Enter in a box means that box; with words in both, a button must say which."""
        act = str(self.cleaned_data["act"])
        if act == TYPED:
            filled = [name for name in (Act.WHISPER, Act.SAY) if self.cleaned_data.get(name)]
            if len(filled) > 1:
                raise Unfit("Both boxes have words. Press the button of the one you mean.")
            act = filled[0] if filled else Act.WHISPER
        return {"act": act, "words": str(self.cleaned_data.get(act, ""))}

    def why(self) -> str:
        """What is wrong, in one sentence."""
        return " ".join(str(error) for errors in self.errors.values() for error in errors)


@require_POST
@access.with_right(Right.INTERVENE)
def intervene_in(request: HttpRequest, call_id: str) -> HttpResponse:
    """The act is asked for; 422 when the form is wrong, 409 with the reason when it cannot be done now."""
    call, form = access.call(request, call_id), ActForm(request.POST)
    if not form.is_valid():
        return _answer(request, call.pk, form, problem=form.why(), status=422)
    by, key = access.user_of(request).get_username(), form.cleaned_data["key"]
    try:
        intervene(call=call, by=by, now=now(), key=key, cursor=form.cleaned_data["seen"], **form.wish())
    except Unfit as unfit:
        return _answer(request, call.pk, form, problem=str(unfit), status=422)
    except NotNow as refused:
        return _answer(request, call.pk, form, problem=str(refused), status=409)
    return _answer(request, call.pk, form)


def _answer(request: HttpRequest, call_id: str, form: ActForm, *, problem: str = "", status: int = 200) -> HttpResponse:
    """The desk as it is now: a fragment for htmx, else the page. What was typed stays when it was refused."""
    if not problem and not access.is_htmx(request):
        return HttpResponseRedirect(resolve_url("dashboard:call", call_id), status=303)
    picture = call_page.read(call_id, now=now())
    if picture is None:
        return HttpResponse(status=404)
    typed = {name: form.data.get(name, "") for name in ("whisper", "say")} if problem else {}
    context = {**page_context(request, picture), "act_problem": problem, "typed": typed}
    page = "dashboard/_interventions.html" if access.is_htmx(request) else "dashboard/call.html"
    return render(request, page, context, status=status)
