"""Answers what clients send over the sideband (contract OpenAI 4.7); what is wrong comes back as an `error` event."""

from __future__ import annotations

from collections.abc import Callable

from callops.simulator.openai import answers, client_events, ids
from callops.simulator.openai.cues import Json, Score
from callops.simulator.openai.floor import Floor
from callops.simulator.openai.ledger import server_event
from callops.simulator.openai.render import Speech
from callops.simulator.openai.schema import Invalid
from callops.simulator.openai.session import changed
from callops.simulator.openai.session_schema import check_session

MessageTaken = Callable[[Json], None]
Refused = Callable[[str, Invalid], None]


class Desk:
    """Takes client events of one call, whichever sideband they come from."""

    def __init__(self, *, floor: Floor, score: Score, refused: Refused) -> None:
        self.floor = floor
        self.score = score
        self._refused = refused
        self._untold: tuple[str, bool] | None = None
        """The tool whose outcome the assistant has not spoken of yet, and whether it succeeded."""
        self._note = ""
        """What the assistant was told by a system message and has not spoken of yet."""
        self._verbs: dict[str, MessageTaken] = {
            "session.update": self._update_session,
            "conversation.item.create": self._create_item,
            "conversation.item.retrieve": self._retrieve_item,
            "conversation.item.truncate": self._truncate_item,
            "conversation.item.delete": self._delete_item,
            "response.create": self._respond,
            "response.cancel": self._cancel,
            "output_audio_buffer.clear": self._clear_output,
            "input_audio_buffer.clear": self._clear_input,
            "input_audio_buffer.append": self._no_sound,
            "input_audio_buffer.commit": self._no_sound,
        }

    def take(self, frame: str) -> None:
        """Do what a text frame asks; an `error` event says what was wrong with it."""
        try:
            message = client_events.read(frame)
            self._verbs[message["type"]](message)
        except Invalid as error:
            self._refused(frame, error)
            self.floor.say(_error(error, client_events.sender_id(frame)))

    def _update_session(self, message: Json) -> None:
        session = self.floor.session
        given = check_session(message["session"], session["model"])
        if given.get("model", session["model"]) != session["model"]:
            raise Invalid("The model of a running session cannot change.", code="invalid_value", param="session.model")
        voice = given.get("audio", {}).get("output", {}).get("voice", session["audio"]["output"]["voice"])
        if voice != session["audio"]["output"]["voice"] and self.floor.has_spoken:
            words = "Cannot update a conversation's voice if assistant audio is present."
            raise Invalid(words, code="cannot_update_voice", param="session.audio.output.voice")
        if session["tracing"] is not None and given.get("tracing", session["tracing"]) != session["tracing"]:
            raise Invalid("Tracing cannot change once it is set.", code="invalid_value", param="session.tracing")
        self._claim("session")
        self.floor.session = changed(session, given)
        self.floor.say(server_event("session.updated", session=self.floor.session))

    def _create_item(self, message: Json) -> None:
        item = {"id": message["item"].get("id") or ids.fresh("item_"), **message["item"]}
        previous = message.get("previous_item_id")
        if self.floor.knows(item["id"]):
            raise Invalid.wrong_value("item.id", f"an item with the id '{item['id']}' exists already.")
        if previous not in (None, "root") and not self.floor.knows(previous):
            raise _not_found("previous_item_id", previous)
        if item["type"] == "function_call_output":
            self._take_output(item)
        elif item["type"] == "message":
            item = {"status": "completed", **item}
            if item["role"] == "system":
                self._claim("system")
                self._note = " ".join(part["text"] for part in item["content"])
        self.floor.echo(item, previous)

    def _take_output(self, item: Json) -> None:
        call = self.floor.ledger.find_call(item["call_id"])
        if call is None:
            words = f"Tool call ID '{item['call_id']}' not found in conversation."
            raise Invalid(words, code="invalid_tool_call_id", param=None)
        self._untold = (call["name"], answers.succeeded(item["output"]))
        self._claim("output", item["call_id"])

    def _retrieve_item(self, message: Json) -> None:
        self.floor.say(server_event("conversation.item.retrieved", item=self._item(message)))

    def _truncate_item(self, message: Json) -> None:
        item = self._item(message)
        if item.get("role") != "assistant" or message["content_index"] >= max(1, len(item["content"])):
            raise Invalid.wrong_value("item_id", "only the sound of an assistant's message can be truncated.")
        keys = ("item_id", "content_index", "audio_end_ms")
        self.floor.say(server_event("conversation.item.truncated", **{key: message[key] for key in keys}))

    def _delete_item(self, message: Json) -> None:
        self._item(message)
        self.floor.say(server_event("conversation.item.deleted", item_id=message["item_id"]))

    def _item(self, message: Json) -> Json:
        item = self.floor.ledger.items.get(message["item_id"])
        if item is None:
            raise _not_found("item_id", message["item_id"])
        return item

    def _respond(self, message: Json) -> None:
        wish = message.get("response", {})
        apart = wish.get("conversation") == "none"
        active = self.floor.ledger.active
        if active is not None and not apart:
            raise Invalid(
                f"Conversation already has an active response in progress: {active.id}. "
                "Wait until the response is finished before creating a new one.",
                code="conversation_already_has_active_response",
                param=None,
            )
        words = answers.exact_words(wish.get("instructions"))
        if apart:
            words = words or answers.summary(list(self.floor.ledger.items.values()))
        words = words or self._next_words(wish)
        if words is not None:
            modalities = wish.get("output_modalities", self.floor.session["output_modalities"])
            written = modalities == ["text"]
            self.floor.speak(Speech(words=words, written=written, apart=apart, metadata=wish.get("metadata")))

    def _next_words(self, wish: Json) -> str | None:
        """What to say now, or None when the score's own next line answers this request."""
        untold, self._untold = self._untold, None
        note, self._note = self._note, ""
        gate = self.score.claim("response", now_s=self.floor.now_s())
        if gate is not None:
            fits = gate.tool is None or untold is None or untold[1]
            gate.settle(claimed=fits, metadata=wish.get("metadata"))
            if fits:
                return None
        if untold is not None:
            return answers.after_tool(*untold, self.score.language)
        if (ok := answers.transfer_told(note)) is not None:
            return answers.after_tool("transfer_call", ok, self.score.language)
        if self.floor.dropped_words:
            return self.floor.dropped_words.pop(0)
        return answers.SPARE[self.score.language]

    def _cancel(self, message: Json) -> None:
        active = self.floor.ledger.active
        if active is None or message.get("response_id", active.id) != active.id:
            words = "Cancellation failed: no active response found"
            raise Invalid(words, code="response_cancel_not_active", param=None)
        self.floor.break_off("client_cancelled")

    def _clear_output(self, message: Json) -> None:
        self.floor.hush()

    def _clear_input(self, message: Json) -> None:
        self.floor.say(server_event("input_audio_buffer.cleared"))

    def _no_sound(self, message: Json) -> None:
        raise Invalid("The caller's audio comes from the SIP call.", code="invalid_value", param="type")

    def _claim(self, kind: str, call_id: str | None = None) -> None:
        if gate := self.score.claim(kind, now_s=self.floor.now_s(), call_id=call_id):
            gate.settle(claimed=True)


def _not_found(param: str, item_id: object) -> Invalid:
    words = f"Item with item_id '{item_id}' not found."
    return Invalid(words, code="item_not_found", param=param)


def _error(error: Invalid, sender_id: str | None) -> Json:
    said = {"type": "invalid_request_error", "code": error.code, "message": error.message, "param": error.param}
    return server_event("error", error={**said, "event_id": sender_id})
