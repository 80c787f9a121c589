"""Addresses of the pages (interface.md section 6)."""

from __future__ import annotations

from django.urls import path

from callops.dashboard import (
    audit_page,
    breakers,
    commands,
    compare_page,
    desk_settings,
    evidence_pages,
    first_run,
    palette,
    replay_page,
    reporting,
    revealing,
    sign_in,
    supervising,
    timeline_page,
    views,
    wall_pages,
)

app_name = "dashboard"

urlpatterns = [
    path("login/", sign_in.sign_in, name="login"),
    path("logout/", sign_in.sign_out, name="logout"),
    path("", views.board_page, name="board"),
    path("simulated-call", first_run.simulated_call, name="simulated_call"),
    path("calls/", views.history_page, name="history"),
    path("calls/<str:call_id>/", views.call, name="call"),
    path("calls/<str:call_id>/transfer", commands.transfer, name="transfer"),
    path("calls/<str:call_id>/transfers/<str:transfer_id>/cancel", commands.cancel_transfer, name="cancel"),
    path("calls/<str:call_id>/transfers/<str:transfer_id>/again", commands.retry, name="retry"),
    path("calls/<str:call_id>/approvals/<str:approval_id>", commands.decide, name="decide"),
    path("calls/<str:call_id>/hangup", commands.hangup, name="hangup"),
    path("calls/<str:call_id>/report/", reporting.report_page, name="report"),
    path("calls/<str:call_id>/report/<str:name>", reporting.report_file, name="report_file"),
    path("calls/<str:call_id>/evidence.zip", evidence_pages.evidence_zip, name="evidence_zip"),
    path("calls/<str:call_id>/compare/", compare_page.compare_page, name="compare"),
    path("calls/<str:call_id>/replay/", replay_page.replay_page, name="replay"),
    path("calls/<str:call_id>/timeline/", timeline_page.timeline_page, name="timeline"),
    path("calls/<str:call_id>/timeline/<int:seq>", timeline_page.fact, name="fact"),
    path("calls/<str:call_id>/reveal/<int:turn_id>", revealing.reveal, name="reveal"),
    path("calls/<str:call_id>/mark", palette.mark, name="mark"),
    path("calls/<str:call_id>/cost", views.cost, name="cost"),
    path("calls/<str:call_id>/intervene", supervising.intervene_in, name="intervene"),
    path("callbacks/", views.call_backs_page, name="call_backs"),
    path("callbacks/<int:task_id>/done", commands.call_back_done, name="call_back_done"),
    path("calls/<str:call_id>/link", commands.link, name="link"),
    path("desk/", desk_settings.page, name="desk_settings"),
    path("desk/presets/<int:preset_id>/forget", desk_settings.forget_preset, name="forget_preset"),
    path("transfers/", views.transfers_page, name="transfers"),
    path("transfers/lines/<int:line_id>/breaker", breakers.force, name="breaker"),
    path("palette/", palette.find, name="palette"),
    path("wall/", wall_pages.links, name="walls"),
    path("wall/<int:link_id>/revoke", wall_pages.revoke, name="revoke_wall"),
    path("wall/<str:key>/", wall_pages.show, name="wall"),
    path("audit/", audit_page.page, name="audit"),
    path("incidents/", views.incidents_page, name="incidents"),
]
