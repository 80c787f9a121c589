"""English conversations in which the assistant uses a tool or the caller a keypad."""

from callops.simulator.openai.script import Assistant, Caller, Keys, Leaves, Line, Then

DTMF_MENU: tuple[Line, ...] = (
    Assistant(
        "Welcome to Northline Energy. For a meter reading press one, for your bill press two, or just "
        "tell me what you need.",
        asked=True,
    ),
    Keys("1"),
    Caller("I pressed one, I have a meter reading for you.", pause_s=0.8),
    Assistant("Lovely. Please key in the five digits on your meter, and then the hash key."),
    Keys("40718#"),
    Caller("There you go, four zero seven one eight.", pause_s=0.8),
    Assistant("Thank you. Forty thousand seven hundred and eighteen is noted as of today. Is there anything else?"),
    Caller("No, that's it. Have a nice day."),
    Assistant("You too. Goodbye."),
    Leaves(),
)

ASKS_FOR_PERSON: tuple[Line, ...] = (
    Assistant("Northline Energy, this is Nora. How can I help you today?", asked=True),
    Caller("Hello, no offence, but I'd rather talk to a real person."),
    Assistant("None taken. May I tell them in a word what it is about?"),
    Caller("My neighbour's contract landed on my name, and I've been writing to you for weeks."),
    Assistant(
        "I'm sorry you had to wait that long. I'll put you through to the front desk now, please stay on the line.",
        tool="transfer_call",
        arguments={
            "destination": "frontdesk",
            "reason": "caller asks for a person",
            "summary": "A neighbour's contract was booked on the caller's name; letters went unanswered for weeks.",
        },
    ),
    Then("The front desk is being called for you."),
)

EMPTY_PROMISE: tuple[Line, ...] = (
    Assistant("Northline Energy, this is Nora. How can I help you today?", asked=True),
    Caller("Hello, could I talk to somebody about my contract?"),
    Assistant("Of course. I'll put you through to the front desk now, please stay on the line."),
    Leaves(pause_s=120.0),
)

GOODBYE: tuple[Line, ...] = (
    Assistant("Northline Energy, this is Nora. How can I help you today?", asked=True),
    Caller("Hi, I only want to check that my payment arrived, customer number two two one zero."),
    Assistant("One moment, please.", tool="lookup_payment", arguments={"account_last4": "2210"}),
    Then("Yes, your payment arrived yesterday and your account is settled. Is there anything else?"),
    Caller("No, that's all. Thanks a lot, goodbye."),
    Assistant(
        "Thank you for calling Northline Energy. Goodbye.",
        tool="end_call",
        arguments={"reason": "the caller said goodbye"},
    ),
)
