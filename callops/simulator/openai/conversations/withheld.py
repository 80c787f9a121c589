"""A long English conversation of about three minutes, with a caller who withholds the number."""

from callops.simulator.openai.script import Assistant, Caller, Interrupts, Leaves, Line

WITHHELD_LONG: tuple[Line, ...] = (
    Assistant("Northline Energy, this is Nora. How can I help you today?", asked=True),
    Caller("Hello. I'd rather not give my name, I just have a few questions about solar panels."),
    Assistant(
        "That's perfectly fine, you don't need to tell me who you are. What would you like to know about solar panels?"
    ),
    Caller("We own a small terraced house, and the roof faces south west. Is it worth it at all?"),
    Assistant(
        "South west is a good direction. A roof of that kind usually gives about nine tenths of what a "
        "roof to the south "
        "would give. For a small terraced house six to eight panels fit, and they cover roughly a third "
        "of what a family "
        "of three uses in a year."
    ),
    Caller("And what happens to the power we don't use ourselves, around noon for example?"),
    Assistant(
        "It flows into the grid, and we pay you for every kilowatt hour. The rate is fixed on the day "
        "you sign up and "
        "stays the same for fifteen years. You see both directions on your monthly statement."
    ),
    Caller("Do I need a new meter for that? Ours is one of the old black ones with a wheel."),
    Assistant(
        "Yes, you would get a meter that counts both ways. We fit it free of charge when the panels are "
        "connected, "
        "it takes less than an hour, and the power is off for about ten minutes while"
    ),
    Interrupts("Hold on, who does the fitting, you or the company that sells the panels?", after_s=6.5),
    Assistant(
        "We do the meter, and only the meter. The panels, the cables and the inverter are the work of "
        "the installer you "
        "choose. Once they are finished they send us a form, and our fitter comes within two weeks."
    ),
    Caller("All right. And a battery in the cellar, would you recommend that?"),
    Assistant(
        "It depends on when you are at home. If most of your washing and cooking happens in the evening, "
        "a small battery "
        "helps a lot. If somebody is at home during the day, the panels alone often do. I can't tell you "
        "a price, "
        "because we don't sell batteries ourselves."
    ),
    Caller("That's refreshingly honest. Is there anything I should ask the installer?"),
    Assistant(
        "Three things. Ask who registers the panels, ask how long the inverter is under guarantee, and "
        "ask for the yield "
        "they expect in December, not only in June."
    ),
    Caller("December, good point. I'll write that down."),
    Assistant("Take your time. Shall I tell you where to find the form for the feed-in rate?"),
    Caller("Yes, please, but without my needing an account."),
    Assistant(
        "You find it on our web site under Solar, first steps. It opens without an account, and you can print it."
    ),
    Caller("Wonderful. You have been very helpful, thank you."),
    Assistant("It was a pleasure. Enjoy the sunshine, and goodbye."),
    Caller("Goodbye."),
    Leaves(),
)
