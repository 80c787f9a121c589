"""Conversations in German and in Spanish."""

from callops.simulator.openai.script import Assistant, Caller, Leaves, Line

GERMAN_MOVE: tuple[Line, ...] = (
    Assistant("Northline Energy, guten Tag, hier ist Nora. Was kann ich für Sie tun?", asked=True),
    Caller("Guten Tag, ich ziehe zum ersten Juli um und möchte meinen Strom mitnehmen."),
    Assistant("Sehr gern. Wohin ziehen Sie, und kennen Sie schon die Nummer des neuen Zählers?"),
    Caller("In die Lindenstraße vierzehn. Die Zählernummer habe ich leider noch nicht."),
    Assistant(
        "Das macht nichts, die Nummer bekommen Sie bei der Übergabe der Wohnung. "
        "Ich merke den Umzug zum ersten Juli vor. Lesen Sie bitte am Tag des Auszugs den alten Zähler ab."
    ),
    Caller("Und was ist mit meinem Abschlag, bleibt der gleich?"),
    Assistant("Der Abschlag bleibt zunächst gleich. Nach drei Monaten passen wir ihn an Ihren neuen Verbrauch an."),
    Caller("Prima, dann weiß ich Bescheid. Vielen Dank und auf Wiederhören."),
    Assistant("Gern geschehen. Alles Gute für den Umzug, auf Wiederhören."),
    Leaves(),
)

SPANISH_OUTAGE: tuple[Line, ...] = (
    Assistant("Northline Energy, buenas tardes, le atiende Nora. ¿En qué puedo ayudarle?", asked=True),
    Caller("Buenas tardes, estamos sin luz en toda la calle desde hace media hora."),
    Assistant("Lo siento mucho. ¿Me dice en qué calle vive, por favor?"),
    Caller("En la calle de los Olmos, cerca de la farmacia."),
    Assistant(
        "Gracias. Veo una avería en esa zona. El equipo ya está en camino, "
        "y la luz debería volver antes de las siete de la tarde."
    ),
    Caller("¿Y me pueden avisar cuando esté arreglado?"),
    Assistant("Claro que sí, le mandamos un mensaje a este número en cuanto vuelva la luz."),
    Caller("Perfecto, muchas gracias. Hasta luego."),
    Assistant("A usted. Hasta luego."),
    Leaves(),
)
