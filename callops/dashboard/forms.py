"""What people may type or choose."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from callops.alerts.fates import Fate
from callops.calls.models import Destination, Line
from callops.calls.words import FailureStage, Policy, State
from callops.core.text import WHY_UNFIT, is_storable, storable
from callops.transfers import tolls
from callops.transfers.models import Force, Mechanism

ANY_FAILURE = "any"
MAX_BRIEF = 240
MAX_SEARCH = 300


class Text(forms.CharField):
    """What a person types; a character that cannot be kept is refused in a sentence that says so."""

    default_error_messages: ClassVar = {"null_characters_not_allowed": WHY_UNFIT}


class SearchText(forms.CharField):
    """What is searched for, as it was typed: terms that make no sense are told by the search itself."""

    def run_validators(self, value: Any) -> None:
        """As for any text, without the characters that only a database minds."""
        super().run_validators(storable(value))


class WhereTo(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A destination by its name or, typed ahead, by what it is called on the screen; or an address, which is no row."""

    def to_python(self, value: Any) -> Destination | None:
        """The destination; a label counts when only one has it. A typed address has no primary key."""
        told = str(value or "")
        if not is_storable(told):
            raise forms.ValidationError(WHY_UNFIT)
        labelled = list(Destination.objects.filter(label__iexact=told)[:2])
        if len(labelled) == 1:
            return labelled[0]
        uri = tolls.as_uri(told)
        return Destination(uri=uri) if uri.startswith(("tel:", "sip:")) else super().to_python(told)

    def validate(self, value: Any) -> None:
        """An address is judged when it is asked for (`transfers.tolls`)."""
        if value is None or value.pk is not None:
            super().validate(value)


class TransferForm(forms.Form):
    """Where to send the caller; `key` makes a form sent twice one wish."""

    key = forms.CharField(max_length=200, widget=forms.HiddenInput)
    brief = Text(
        required=False,
        max_length=MAX_BRIEF,
        error_messages={"max_length": f"Give the brief in at most {MAX_BRIEF} characters."},
    )
    """What the human hears before taking the call; nothing: the assistant's own words, or a cold transfer."""
    destination = WhereTo(
        Destination.objects.all(),
        to_field_name="name",
        empty_label=None,
        error_messages={
            "required": "Choose where to send the caller.",
            "invalid_choice": "That destination is not in the directory.",
        },
    )

    def why(self) -> str:
        """What is wrong, in one sentence."""
        return _why(self)


class AgainForm(forms.Form):
    """The same destination once more; `policy` only where a button offers another way."""

    key = forms.CharField(max_length=200, widget=forms.HiddenInput)
    policy = forms.ChoiceField(required=False, choices=[("", "as the line wants it"), *Policy.choices])

    def why(self) -> str:
        """What is wrong, in one sentence."""
        return _why(self)


class BreakerForm(forms.Form):
    """Where a line's breaker should stand, and why."""

    force = forms.ChoiceField(
        choices=Force.choices,
        error_messages={
            "required": "Choose what the breaker should do.",
            "invalid_choice": "That is nothing a breaker can do.",
        },
    )
    why = Text(max_length=300, error_messages={"required": "Say why; whoever comes after you will want to know."})

    def problem(self) -> str:
        """What is wrong, in one sentence."""
        return " ".join(str(error) for errors in self.errors.values() for error in errors)


class LinkForm(forms.Form):
    """Which call has the other half, and why the person thinks so."""

    other = forms.RegexField(
        r"^[0-9a-z]{1,26}$",
        error_messages={
            "required": "Choose the call that has the other half.",
            "invalid": "That is not the id of a call.",
        },
    )
    why = Text(
        required=False, max_length=200, error_messages={"max_length": "Give the reason in at most 200 characters."}
    )

    def why_not(self) -> str:
        """What is wrong, in one sentence."""
        return " ".join(str(error) for errors in self.errors.values() for error in errors)


class HistoryForm(forms.Form):
    """Filters of the history; the address holds them all, and what makes no sense is left out."""

    q = SearchText(required=False, max_length=MAX_SEARCH, strip=True)
    state = forms.ChoiceField(required=False, choices=[("", "any state"), *State.choices])
    line = forms.ModelChoiceField(Line.objects.all(), required=False, empty_label="any line")
    mechanism = forms.ChoiceField(required=False, choices=[("", "any transfer"), *Mechanism.choices])
    stage = forms.ChoiceField(
        required=False, choices=[("", "any end"), (ANY_FAILURE, "any failure"), *FailureStage.choices]
    )
    fate = forms.ChoiceField(required=False, choices=[("", "any caller"), *Fate.choices])
    since = forms.DateTimeField(required=False, widget=forms.HiddenInput)
    until = forms.DateTimeField(required=False, widget=forms.HiddenInput)
    before = forms.RegexField(r"^[0-9a-z]{1,26}$", required=False)
    after = forms.RegexField(r"^[0-9a-z]{1,26}$", required=False)

    def wanted(self) -> dict[str, Any]:
        """Valid filters that were set."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


def _why(form: forms.Form) -> str:
    return " ".join(str(error) for errors in form.errors.values() for error in errors)
