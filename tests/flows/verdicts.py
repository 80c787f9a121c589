"""What the record of a call may say, worked out from the stage's own record of its caller and from nothing else."""

from __future__ import annotations

from tests.flows.cast import TRUNK, Part
from tests.flows.stories import Json, Story

UNSAID: set[str | None] = {None}

LEAVERS = ("caller_hangs_up_while_ringing", "ghost")
"""Scenarios whose callers leave while the AI is still being dialled."""


def faults_of(part: Part, told: Story, call: Json) -> list[str]:
    """Everything that is wrong with how this call ended, in words; empty when it is right."""
    found = []
    stages, enders = stages_of(part, told), enders_of(part, told)
    if call["state"] != "ended":
        found.append(f"the record says {call['state']}")
    if call["ai"]["session"] not in ("none", "closed"):
        found.append(f"the session is {call['ai']['session']}")
    if call["failure_stage"] not in stages:
        found.append(f"failure_stage {call['failure_stage']}, not {sorted(map(str, stages))}")
    if call["ended_by"] not in enders:
        found.append(f"ended_by {call['ended_by']}, not {sorted(enders)}")
    if not was_served(part, told):
        found.append("the caller was lost")
    return found + transfer_faults(told, call)


def was_served(part: Part, told: Story) -> bool:
    """The caller reached the AI or a human, or left by himself."""
    return told.reached_ai or told.reached_human or hung_up(part, told)


def hung_up(part: Part, told: Story) -> bool:
    """The caller left by himself; `redirect_gone` lets him leave in the very moment of the redirect."""
    return told.hung_up or (part.scenario == "redirect_gone" and told.caller["status"] == "completed")


def enders_of(part: Part, told: Story) -> set[str]:
    """Who may be said to have ended the call."""
    if part.line == TRUNK:
        return {"caller", "human", "unknown", "carrier"}
    if hung_up(part, told):
        return {"caller"} if told_of_leaving(told) else {"caller", "unknown", "carrier"}
    if told.heard_an_apology:
        return {"unknown", "carrier"}
    if told.reached_human:
        return {"human"}
    return {"assistant"} if 200 in told.asked("hangup") else {"unknown", "carrier"}


def told_of_leaving(told: Story) -> bool:
    """Whether the carrier's own request said that the caller is gone, and was answered."""
    return any(
        entry["kind"] == "webhook"
        and entry["purpose"] == "action_ignored"
        and entry["params"].get("CallStatus") in ("completed", "no-answer")
        and (entry.get("status") or 500) < 300
        for entry in told.told["twilio"]
    )


def stages_of(part: Part, told: Story) -> set[str | None]:
    """At which stage the first dial of the AI failed, if it did.

    Where the AI was heard after all, a word about the earlier try that came too late may be left out; and where it
    was heard while we never got in, both that and the failure are true; of an answer that no request told us of,
    we cannot know. A webhook that comes after the refusal may be answered before we hear of that refusal.
    """
    calls = [entry["call_id"] for entry in told.openai("invite")]
    if not calls or part.line == TRUNK:
        return UNSAID
    mine = [entry for entry in told.told["openai"] if entry.get("call_id") == calls[0]]
    kinds = [entry["kind"] for entry in mine]
    if "sideband.open" in kinds:  # on a slow machine it opens although the caller left meanwhile: both are true then
        return {*UNSAID, "caller_left"} if part.scenario in LEAVERS else UNSAID
    if "sip.answered" in kinds:
        unheard_of = {"caller_left"} if part.scenario == "callbacks_all_lost" else set()
        return {None, "accepted_but_dead", *unheard_of}
    late = {"accept_refused"} if part.scenario == "webhook_late" else set()
    return {_stage_of_the_dead(part, mine, kinds), *late, *(UNSAID if told.reached_ai else ())}


def _stage_of_the_dead(part: Part, mine: list[Json], kinds: list[str]) -> str:
    """The stage at which a dial failed that was never answered."""
    if part.scenario in LEAVERS:
        return "caller_left"
    over = next((entry["how"] for entry in mine if entry["kind"] == "sip.over"), "")
    if "webhook.sent" not in kinds or announced_too_late(mine):
        return "sip_rejected" if over.startswith("refused") else "webhook_missing"
    return "accept_refused" if part.scenario in ("accept_404", "accept_429", "accept_500") else "accepted_but_dead"


def announced_too_late(mine: list[Json]) -> bool:
    """The dialog was over before the webhook left."""
    order = [entry["kind"] for entry in mine if entry["kind"] in ("webhook.sent", "sip.over")]
    return order[:1] == ["sip.over"]


def transfer_faults(told: Story, call: Json) -> list[str]:
    """No transfer is open, and none claims a human whom the stage did not connect."""
    found = [f"a transfer is {each['state']}" for each in call["transfers"] if each["state"] != "settled"]
    connected = [each for each in call["transfers"] if each["outcome"] == "connected"]
    if connected and not told.reached_human:
        found.append("a transfer says connected and no human was")
    return found
