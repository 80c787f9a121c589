"""What an administrator keeps for the desk: whispers that are often needed, and what models cost from a day on."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from callops.calls.words import Topology
from callops.canary.models import Canary
from callops.dashboard import access
from callops.dashboard.forms import Text
from callops.people.roles import Right
from callops.supervision.models import Preset, Price

PRICES = (
    "text_in",
    "text_cached",
    "text_out",
    "audio_in",
    "audio_cached",
    "audio_out",
    "image_in",
    "image_cached",
    "per_minute",
)


class PresetForm(forms.ModelForm):  # type: ignore[type-arg]
    """A whisper with the title under which it is offered."""

    class Meta:
        model = Preset
        fields = ("title", "words")
        field_classes: ClassVar = {"title": Text, "words": Text}


class CanaryForm(forms.ModelForm):  # type: ignore[type-arg]
    """How a line is tested; saving it again for the same line changes it."""

    def clean(self) -> dict[str, Any]:
        """A loop-back answers by itself: nobody presses 1 there. And a line does not call itself."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        destination, line = cleaned.get("destination"), cleaned.get("line")
        if destination is not None and destination.screen:
            self.add_error("destination", "Whoever answers there has to press 1; a test call presses nothing.")
        if line is not None and line.topology == Topology.TRUNK:
            self.add_error("line", "A trunk line cannot be called by Twilio's API like this.")
        if line is not None and cleaned.get("from_number") == line.number:
            self.add_error("from_number", "A line cannot call itself; take another number of the account.")
        return cleaned

    class Meta:
        model = Canary
        fields = ("line", "destination", "from_number", "every_minutes", "longest_s", "is_on")
        labels: ClassVar = {
            "destination": "Loop-back destination",
            "from_number": "Called from",
            "every_minutes": "Every … minutes",
            "longest_s": "Over after … seconds",
            "is_on": "On",
        }
        field_classes: ClassVar = {"from_number": Text}


class PriceForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a model costs from a day on; what is left out costs nothing."""

    from_day = forms.DateField(label="From day", widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in PRICES:
            self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        """Nothing typed is zero; a negative price is none."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in PRICES:
            value = cleaned.get(name) or 0
            if value < 0:
                self.add_error(name, "A price is not below zero.")
            cleaned[name] = value
        return cleaned

    class Meta:
        model = Price
        fields = ("model", "from_day", *PRICES)
        field_classes: ClassVar = {"model": Text}


@never_cache
@require_http_methods(["GET", "POST"])
@access.with_right(Right.KEEP_DESK)
def page(request: HttpRequest) -> HttpResponse:
    """Presets and prices as they are; a new one is added by POST, and a price that was is never changed."""
    about = request.POST.get("about", "")
    preset = PresetForm(request.POST if about == "preset" else None, prefix="preset")
    price = PriceForm(request.POST if about == "price" else None, prefix="price")
    tested = Canary.objects.filter(line=_line(request)).first() if about == "canary" else None
    canary = CanaryForm(request.POST if about == "canary" else None, prefix="canary", instance=tested)
    form = {"preset": preset, "price": price, "canary": canary}.get(about)
    if form is not None and form.is_valid():
        form.save()
        return HttpResponseRedirect(resolve_url("dashboard:desk_settings"), status=303)
    context = {
        "presets": Preset.objects.all(),
        "prices": Price.objects.all(),
        "canaries": Canary.objects.select_related("line", "destination"),
        "preset": preset,
        "price": price,
        "canary": canary,
    }
    return render(request, "dashboard/desk_settings.html", context, status=422 if form is not None else 200)


def _line(request: HttpRequest) -> int | None:
    told = request.POST.get("canary-line", "")
    return int(told) if told.isascii() and told.isdecimal() and len(told) < 10 else None


@require_POST
@access.with_right(Right.KEEP_DESK)
def forget_preset(request: HttpRequest, preset_id: int) -> HttpResponse:
    """The preset is not offered any more; forgetting it twice changes nothing."""
    Preset.objects.filter(pk=preset_id).delete()
    return HttpResponseRedirect(resolve_url("dashboard:desk_settings"), status=303)
