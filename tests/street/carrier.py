"""The carrier and OpenAI's leg for one call, exact to contract Twilio 2.2, 2.3, 3.2, 3.3 and moved one step at a time.

Nothing happens by itself: a walk says who does what next. Every request of the carrier waits in `queue` until the walk
delivers it, as a real signed request to our doors; what is answered decides what the caller hears next.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from xml.etree import ElementTree

from django.http import HttpResponse

from callops.core import clock
from tests.rows import CALLER, NOON, OUR_NUMBER
from tests.street.legs import (
    AI_RING_S,
    PAUSE_S,
    RING_S,
    Child,
    Delivery,
    Dial,
    Doing,
    Hold,
    Over,
    Seen,
    Wait,
    attempt_of,
    dials,
    outcome,
)
from tests.webhooks.carrier import ask

CALLER_SID = "CA" + "1" * 32
TICK = timedelta(milliseconds=1)


class Street:
    """One caller's leg at the carrier, with an explicit clock."""

    def __init__(self, *, number_status: bool = False, action_after_refer: bool = False) -> None:
        self.now: datetime = NOON
        self.status = "ringing"
        self.doing: Doing = Wait("")
        self.queue: list[Delivery] = []
        self.refers_out = 0
        """REFERs that OpenAI was asked for and that may still leave."""
        self.seen = Seen()
        self.number_status = number_status
        self.action_after_refer = action_after_refer
        self._made = 0

    def rings(self) -> None:
        """The caller rings; the first document is answered."""
        self._steer("inbound", "/twiml/inbound", {"CallStatus": "ringing"})

    def ai_answers(self) -> str:
        """The AI's leg is up and bridged, and the caller's leg is answered; the leg's name."""
        dial = self._dial("ai")
        dial.child.bridged, self.status = True, "in-progress"
        self._leg(dial.child, "in-progress")
        return dial.child.sid

    def human_rings(self) -> None:
        self._leg(self._dial("human").child, "ringing")

    def human_answers(self) -> None:
        """The human is bridged with the caller; a REFER's AI leg is ended now."""
        dial = self._dial("human")
        dial.child.bridged = True
        self.seen.bridged.append((attempt_of(dial), dial.way, dial.child.sid))
        self._leg(dial.child, "in-progress")
        if dial.held is not None:
            self._end_child(dial.held.child)
            if self.action_after_refer:
                self._ignored_action(dial.held)
            dial.held = None

    def child_ends(self, status: str) -> None:
        """The dialled leg ends by itself, answered or not: the next one is rung, or the dial is over."""
        dial = self._dial()
        self._end_child(dial.child, status)
        if dial.following and not dial.child.bridged:
            self._ring(dial, dial.following.pop(0))
        else:
            self._dial_over(dial)

    def held_ai_ends(self) -> None:
        """The AI hangs up while a REFER's human is being rung: there is nobody to go back to."""
        assert isinstance(self.doing, (Dial, Wait)) and self.doing.held is not None
        self._end_child(self.doing.held.child)

    def refer_arrives(self) -> None:
        """The carrier received a REFER on the AI's leg and asks `referUrl`; the AI stays connected meanwhile."""
        dial = self._dial("ai")
        self.refers_out -= 1
        dial.referring = True
        target = {"ReferTransferTarget": "<tel:+15550111>"}
        self._steer("referUrl", dial.refer_url, target, way="refer", held=dial)

    def caller_hangs_up(self, why: str = "caller") -> None:
        """The caller's leg is over with everything it dialled; a dial's `action` is told, its answer is not used."""
        before, self.status = self.doing, "completed"
        self._over(why)
        for dial in dials(before):
            self._end_child(dial.child)
        if isinstance(before, Dial):
            self._ignored_action(before)

    def pause_ends(self) -> None:
        """The hold of a bridge document is over and its `<Redirect>` is followed."""
        assert isinstance(self.doing, Hold)
        self._steer("document", self.doing.url, {}, way=self.doing.way)

    # What the engine may ask of the carrier.

    def redirect(self, url: str) -> None:
        """`Url` was taken for the caller's leg: its dial ends, `action` is told of it, then the document is fetched."""
        before = self.doing
        for dial in dials(before):
            self._end_child(dial.child)
        told = isinstance(before, Dial) and not before.referring
        after = self._ignored_action(before) if told else ""
        self._steer("document", url, {}, way="redirect", after=after)

    def refer_leaves(self) -> None:
        """OpenAI took a REFER: from now on it may arrive, soon, late or never."""
        self.refers_out += 1

    def end_leg(self, sid: str) -> None:
        """`Status=completed` on one leg: the caller's ends all, a child's leaves the caller to `action`."""
        if sid == CALLER_SID:
            self.caller_hangs_up("operator")
        elif isinstance(self.doing, Dial) and self.doing.child.sid == sid:
            self.child_ends("completed")
        else:
            self.held_ai_ends()

    def end_ai(self) -> None:
        """OpenAI ended its leg."""
        if isinstance(self.doing, Dial) and self.doing.child.role == "ai":
            self.child_ends("completed")
        else:
            self.held_ai_ends()

    def ai_is_up(self) -> bool:
        """Whether an AI leg is answered, with the caller or held."""
        return any(dial.child.role == "ai" and dial.child.status == "in-progress" for dial in dials(self.doing))

    def status_of(self, sid: str) -> str:
        """The leg as `GET Calls/{sid}` tells it."""
        if sid == CALLER_SID:
            return self.status
        found = [dial.child.status for dial in dials(self.doing) if dial.child.sid == sid] or ["completed"]
        return "in-progress" if found[0] == "initiated" else found[0]

    # Deliveries.

    def deliverable(self) -> list[Delivery]:
        """Requests that may be made now, oldest first."""
        waiting = {delivery.token for delivery in self.queue}
        return [delivery for delivery in self.queue if delivery.after not in waiting]

    def deliver(self, delivery: Delivery, *, lose_answer: bool = False) -> None:
        """The request is made; when its answer is lost on the way the carrier makes the same request again."""
        with clock.standing_at(self.now):
            response = ask(delivery.url, delivery=delivery.token, **delivery.params)
        self.seen.note(delivery)
        if lose_answer:
            delivery.heard = False
            return
        self.queue.remove(delivery)
        if delivery.steers and isinstance(self.doing, Wait) and self.doing.token == delivery.token:
            self._hear(response, delivery, self.doing.held)
        elif not delivery.steers:
            assert response.status_code in (200, 204), (delivery.label, response.status_code)

    def _hear(self, response: HttpResponse, delivery: Delivery, held: Dial | None) -> None:
        """The answer is run: the first verb that keeps the caller decides."""
        if response.status_code != 200:
            self._back_to(held, f"answer {response.status_code} to {delivery.label}")
            return
        root = ElementTree.fromstring(response.content.decode())
        verbs = {verb.tag: verb for verb in root}
        if "Dial" in verbs:
            self._run_dial(verbs["Dial"], delivery, held)
        elif "Redirect" in verbs:
            url = (verbs["Redirect"].text or "").strip()
            self.doing = Hold(self.now + timedelta(seconds=PAUSE_S), url, "dial_action")
        elif "Say" in verbs:
            self.caller_hangs_up("apology")
        elif "Hangup" in verbs:
            self.caller_hangs_up("goodbye")
        else:
            self._back_to(held, f"an empty document from {delivery.label}")

    def _run_dial(self, verb: ElementTree.Element, delivery: Delivery, held: Dial | None) -> None:
        first, *following = [self._child(noun) for noun in verb]
        dial = Dial(
            child=first,
            action=verb.attrib["action"],
            refer_url=verb.attrib.get("referUrl", ""),
            rings_until=self.now,
            way=delivery.way,
            following=following,
            held=held if held is not None and not held.child.is_over else None,
        )
        self._ring(dial, first)

    def _child(self, noun: ElementTree.Element) -> Child:
        self._made += 1
        is_ai = noun.tag == "Sip" and "X-Callops-Ref" in (noun.text or "")
        return Child(f"CA{self._made:032x}", "ai" if is_ai else "human", noun.attrib["statusCallback"])

    def _ring(self, dial: Dial, child: Child) -> None:
        dial.child, self.doing = child, dial
        dial.rings_until = self.now + timedelta(seconds=AI_RING_S if child.role == "ai" else RING_S)
        if child.role == "human":
            self.seen.dialled.append((attempt_of(dial), dial.way, child.sid))
            if "/transfers/" not in child.status_url:
                self.seen.rescues.add(child.sid)

    # What follows from all that.

    def _dial(self, role: str = "") -> Dial:
        assert isinstance(self.doing, Dial) and role in ("", self.doing.child.role)
        return self.doing

    def _dial_over(self, dial: Dial) -> None:
        """The dial's `action` takes the caller on, unless a REFER held an AI leg that is still there."""
        if dial.held is not None and not dial.held.child.is_over:
            self._ignored_action(dial)
            self._back_to(dial.held, "")
            return
        way = dial.way if dial.child.role == "human" else "dial_action"
        self._steer(f"action of {dial.child.role}", dial.action, outcome(dial.child), way=way)

    def _back_to(self, held: Dial | None, why: str) -> None:
        """A REFER that led nowhere gives the caller back to the AI; otherwise the caller is lost."""
        if held is not None and not held.child.is_over:
            held.referring = False
            self.doing = held
        elif held is not None:
            self._dial_over(held)
        else:
            self.caller_hangs_up(f"lost: {why}")

    def _over(self, why: str) -> None:
        self.doing = Over(why)
        if self.number_status:
            self._later(Delivery("number completed", "/twiml/status", self._about(), self._token()))

    def _ignored_action(self, dial: Dial) -> str:
        """The interrupted dial's `action` is requested and its answer dropped (contract Twilio 3.2); its token."""
        return self._later(
            Delivery(
                f"action of {dial.child.role}, ignored",
                dial.action,
                {**self._about(), **outcome(dial.child)},
                self._token(),
                steers=True,
            )
        )

    def _end_child(self, child: Child, status: str = "completed") -> None:
        if not child.is_over:
            answered = child.status == "in-progress"
            self._leg(child, status if answered or status != "completed" else "canceled")

    def _leg(self, child: Child, status: str) -> None:
        """The leg's status callback is on its way; such callbacks steer nothing and come in any order."""
        child.status = status
        child.sequence += 1
        params = {
            "CallSid": child.sid,
            "ParentCallSid": CALLER_SID,
            "CallStatus": status,
            "SequenceNumber": str(child.sequence),
        }
        self._later(Delivery(f"{child.role} {status}", child.status_url, params, self._token()))

    def _steer(
        self, label: str, url: str, more: dict[str, str], *, way: str = "", after: str = "", held: Dial | None = None
    ) -> None:
        """The caller waits for the answer to this request."""
        token = self._token()
        self.doing = Wait(token, held)
        self._later(Delivery(label, url, {**self._about(), **more}, token, way=way, steers=True, after=after))

    def _later(self, delivery: Delivery) -> str:
        self.queue.append(delivery)
        return delivery.token

    def _about(self) -> dict[str, str]:
        return {"CallSid": CALLER_SID, "From": CALLER, "To": OUR_NUMBER, "CallStatus": self.status}

    def _token(self) -> str:
        self._made += 1
        return f"token-{self._made}"
