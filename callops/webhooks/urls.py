"""The addresses others call. People configure `/twiml/inbound` and `/webhooks/openai`; the rest we hand out.

Three more are of use when they are configured: `/twiml/status`, `/twiml/debugger`, and on a trunk
`/twiml/inbound?mode=recovery` as its disaster recovery URL.
"""

from __future__ import annotations

from django.urls import include, path

from callops.webhooks import arrival, carrier, debugger, openai, screening, transfer

carrier_urls = [
    path("inbound", arrival.inbound, name="inbound"),
    path("rung", arrival.rung, name="rung"),
    path("status", carrier.status, name="status"),
    path("debugger", debugger.alert, name="debugger"),
    path("calls/<slug:token>/dial-ended", carrier.dial_ended, name="dial_ended"),
    path("calls/<slug:token>/leg", carrier.leg, name="leg"),
    path("calls/<slug:token>/refer", carrier.refer, name="refer"),
    path("calls/<slug:token>/rescue-leg", carrier.rescue_leg, name="rescue_leg"),
    path("calls/<slug:token>/rescue-ended", carrier.rescue_ended, name="rescue_ended"),
    path("calls/<slug:token>/rescue-screen", screening.rescue_question, name="rescue_screen"),
    path("calls/<slug:token>/rescue-pressed", screening.rescue_pressed, name="rescue_pressed"),
    path("transfers/<slug:token>", transfer.fetched, name="transfer"),
    path("transfers/<slug:token>/leg", transfer.human_leg, name="human_leg"),
    path("transfers/<slug:token>/ended", transfer.human_ended, name="human_ended"),
    path("transfers/<slug:token>/screen", screening.question, name="screen"),
    path("transfers/<slug:token>/pressed", screening.pressed, name="pressed"),
]

urlpatterns = [
    path("twiml/", include((carrier_urls, "twiml"))),
    path("webhooks/openai", openai.receive, name="openai_webhook"),
]
