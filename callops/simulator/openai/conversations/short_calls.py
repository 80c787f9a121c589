"""Short English conversations: a bill, a silent caller, a silent assistant, an impatient caller."""

from callops.simulator.openai.script import Assistant, Caller, Idles, Interrupts, Leaves, Line

BILLING_SHORT: tuple[Line, ...] = (
    Assistant("Northline Energy, this is Nora. How can I help?", asked=True),
    Caller("Hi, my May bill looks twice as high as usual."),
    Assistant(
        "I can see why. May holds two readings, because April was only estimated. Your June bill will be "
        "back to normal."
    ),
    Caller("Ah, that makes sense. Thank you, bye."),
    Assistant("You're welcome. Goodbye."),
    Leaves(),
)

SILENT_CALLER: tuple[Line, ...] = (
    Assistant("Northline Energy, this is Nora. How can I help you today?", asked=True),
    Idles("Are you still there? Take your time, I'm listening."),
    Idles("I can't hear anything on the line. If you can hear me, please call us back. Goodbye for now."),
    Leaves(pause_s=12.0),
)

SILENT_ASSISTANT: tuple[Line, ...] = (
    Assistant("Northline Energy, this is Nora. How can I help you today?", asked=True),
    Caller("Hi, can you tell me when my meter will be read?"),
    Leaves(pause_s=120.0),
)

BARGE_IN: tuple[Line, ...] = (
    Assistant("Northline Energy, this is Nora. How can I help you today?", asked=True),
    Caller("I'd like to know which tariff would suit me best."),
    Assistant(
        "Gladly. We have three tariffs at the moment. The first one is called Steady, with a fixed price "
        "for two years, "
        "and the second one is called Breeze, where the price follows the wind on the market hour by hour"
    ),
    Interrupts("Sorry, just tell me the cheapest one, please.", after_s=2.6),
    Assistant("Of course. With about three thousand kilowatt hours a year, Steady is the cheapest for you."),
    Interrupts("Great, that's all I wanted to hear. Send me the papers, would you?", after_s=4.8),
    Assistant("I'll send the papers to the address we have on file today. Thank you for calling."),
    Caller("Thanks, bye.", pause_s=0.6),
    Assistant("Goodbye."),
    Leaves(),
)
