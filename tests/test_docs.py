"""The documents say what the code does: every setting, word, fact, scenario and knob has its row, and no row is stale.

A failure prints the row that is missing, ready to be put into the table and finished.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from django.db.models import TextChoices
from prometheus_client.parser import text_string_to_metric_families

from callops.calls import words
from callops.core import clock, metrics
from callops.core.beats import ENGINE, OPENAI_WEBHOOK
from callops.core.models import Beat, Counter
from callops.dashboard.phrases import CALL_CHIPS, OUTCOME_CHIPS
from callops.simulator.openai.conversations import CONVERSATIONS
from callops.simulator.scenario import Scenario
from callops.simulator.scenarios import SCENARIOS
from callops.site import doctor, environment, gauges
from callops.transfers.evidence import WITNESSES
from callops.transfers.models import Mechanism, Outcome, State, TransferAttempt, Witness
from callops.transfers.verdict import FactKind
from tests.need import REQUIRE_ALL
from tests.rows import make_attempt, make_call, make_line

ROOT = Path(__file__).resolve().parent.parent
SETTINGS, VERDICTS, SIMULATOR, RUNNING = (
    ROOT / "docs" / f"{name}.md" for name in ("settings", "verdicts", "simulator", "running")
)
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md"))

WORDS: dict[str, type[TextChoices]] = {
    "Mechanism": Mechanism,
    "Outcome": Outcome,
    "Transfer state": State,
    "Policy": words.Policy,
    "Witness": Witness,
    "Call state": words.State,
    "AI session": words.Session,
    "Joined by": words.Method,
    "Joined how surely": words.Confidence,
    "Failure stage": words.FailureStage,
    "Ended by": words.EndedBy,
}
"""The tables of verdicts.md by their headings."""
CHIPS: dict[type[TextChoices], Mapping[str, Any]] = {Outcome: OUTCOME_CHIPS, words.State: CALL_CHIPS}
"""Where the page has a word of its own instead of the label."""

Row = list[str]


def table(page: Path, heading: str) -> list[Row]:
    """The rows of the table under this heading, as cells; fails when there is none."""
    section = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", page.read_text(), re.MULTILINE | re.DOTALL)
    assert section, f"{at(page)} has no heading '## {heading}'"
    lines = [line for line in section[1].splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    assert len(rows) > 2, f"{at(page)} has no table under '## {heading}'"
    uneven = [row for row in rows if len(row) != len(rows[0])]
    assert not uneven, f"{at(page)}, '{heading}': rows with another number of cells than the heading: {uneven}"
    return rows[2:]


def at(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def coded(cell: str) -> str:
    """The first word in backticks; the whole cell when there is none."""
    found = re.search(r"`([^`]+)`", cell)
    return found[1] if found else cell


def by_name(page: Path, heading: str, *, column: int = 0) -> dict[str, Row]:
    """The rows by the coded word of one column; fails for a word that has two rows."""
    rows = table(page, heading)
    names = [coded(row[column]) for row in rows]
    twice = sorted({name for name in names if names.count(name) > 1})
    assert not twice, f"{at(page)}, '{heading}': two rows for {twice}"
    return dict(zip(names, rows, strict=True))


def complain(page: Path, heading: str, wanted: Mapping[str, str], found: Collection[str]) -> None:
    """Every wanted name has a row, and every row a wanted name; `wanted` holds a row to start from."""
    missing = [row for name, row in wanted.items() if name not in found]
    stale = [name for name in found if name not in wanted]
    told = [f"lacks the row:\n    {row}" for row in missing] + [f"has a row nobody knows any more: {n}" for n in stale]
    assert not told, "\n".join(f"{at(page)}, '{heading}', {what}" for what in told)


def variables() -> set[str]:
    """Every variable that the environment's module knows or reads."""
    read = set(re.findall(r'\benv\.\w+\(\s*"([A-Z][A-Z0-9_]*)"', inspect.getsource(environment)))
    assert read >= set(environment.DEFAULTS), "environment.py no longer reads with env.…(NAME): mend this test"
    return read | {*environment.DEFAULTS, *environment.CREDENTIALS, *environment.SECRETS}


def setting_row(name: str) -> str:
    default = f"`{environment.DEFAULTS[name]}`" if name in environment.DEFAULTS else "none"
    file = f"`{name}_FILE`" if name in environment.SECRETS else "no"
    return f"| `{name}` | {default} | what it means | what it should look like | {file} |"


def test_every_setting_has_a_row_and_no_row_names_an_unknown_one() -> None:
    complain(
        SETTINGS, "Variables", {name: setting_row(name) for name in sorted(variables())}, by_name(SETTINGS, "Variables")
    )


def test_variables_that_are_not_for_people_stand_apart() -> None:
    wanted = {name: setting_row(name) for name in (environment.DEMO_MARK, REQUIRE_ALL)}

    complain(SETTINGS, "Not for an installation", wanted, by_name(SETTINGS, "Not for an installation"))


def test_the_defaults_of_the_settings_are_those_of_the_code() -> None:
    for name, row in by_name(SETTINGS, "Variables").items():
        if name in environment.DEFAULTS:
            assert row[1] == f"`{environment.DEFAULTS[name]}`", f"{at(SETTINGS)}: default of {name} is {row[1]}"
        else:
            assert not re.fullmatch(r"`[^`]*`", row[1]), f"{at(SETTINGS)}: {name} has no default, but says {row[1]}"


def test_the_settings_say_which_variables_may_be_given_as_a_file_and_which_are_needed() -> None:
    for name, row in by_name(SETTINGS, "Variables").items():
        file = f"`{name}_FILE`" if name in environment.SECRETS else "no"
        assert row[4] == file, f"{at(SETTINGS)}: the last cell of {name} should be {file}"
        needed = name in environment.CREDENTIALS or name == "SECRET_KEY"
        assert ("**needed**" in row[2]) == needed, f"{at(SETTINGS)}: {name} should {'' if needed else 'not '}be needed"


def test_the_guide_for_running_lists_every_setting_once() -> None:
    listed = [name for row in table(RUNNING, "Settings") for name in re.findall(r"`([A-Z_]+)`", row[1])]

    assert sorted(listed) == sorted(variables())


@pytest.mark.django_db
def test_every_metric_is_explained_with_its_labels_and_none_that_is_not_there() -> None:
    Beat.objects.create(name=f"{ENGINE}one", at=clock.now(), says=dict.fromkeys(gauges.LOADS, 1))
    Beat.objects.create(name=OPENAI_WEBHOOK, at=clock.now())
    Counter.objects.create(name="refused.twilio_form", count=1, last_at=clock.now())
    TransferAttempt.objects.filter(pk=make_attempt(make_call(make_line())).pk).update(mechanism="refer")
    shown = list(text_string_to_metric_families(metrics.text().decode()))
    labels = {
        sample.name: sorted(sample.labels)
        for family in shown
        for sample in family.samples
        if not sample.name.startswith("process_")
    }

    wanted = {name: f"| `{name}` | {' '.join(f'`{one}`' for one in words)} | … |" for name, words in labels.items()}
    found = {name: row for name, row in by_name(RUNNING, "Metrics").items() if name.startswith("callops_")}
    complain(RUNNING, "Metrics", wanted, found)
    for name, row in found.items():
        assert re.findall(r"`(\w+)`", row[1]) == labels[name], f"{at(RUNNING)}: the labels of {name} are {labels[name]}"
        assert len(row[2]) > 10, f"{at(RUNNING)}: {name} is not explained"


def test_every_line_of_doctor_is_explained() -> None:
    source = inspect.getsource(doctor)
    said = set(re.findall(r'Finding\(\s*"([^"]+)"', source)) | {
        "OpenAI",
        "Twilio",
        "Twilio's requests",
        "OpenAI's webhooks",
    }
    listed = [name for row in table(RUNNING, "What doctor says") for name in re.findall(r"`([^`]+)`", row[0])]

    assert len(said) > 10
    assert said | {"OPENAI_API_KEY"} == set(listed)


@pytest.mark.parametrize("heading", WORDS)
def test_every_word_on_the_page_is_explained(heading: str) -> None:
    choices = WORDS[heading]
    said = {value: label for value, label in choices.choices if value}
    said |= {value: chip.word for value, chip in CHIPS.get(choices, {}).items()}
    rows = by_name(VERDICTS, heading, column=1)

    complain(
        VERDICTS, heading, {value: f"| {word} | `{value}` | what it means |" for value, word in said.items()}, rows
    )
    for value, row in rows.items():
        shown = row[0].strip("*")
        assert shown == said[value], f"{at(VERDICTS)}, '{heading}': the page says {said[value]!r}, not {shown!r}"


def test_every_fact_stands_with_its_witness() -> None:
    witness = {kind.value: WITNESSES.get(kind, Witness.CARRIER) for kind in FactKind}
    rows = by_name(VERDICTS, "Facts")

    wanted = {
        kind: f"| `{kind}` | {word.label}, `{word.value}` | what was said | what it proves |"
        for kind, word in witness.items()
    }
    complain(VERDICTS, "Facts", wanted, rows)
    for kind, row in rows.items():
        begins = f"{witness[kind].label}, `{witness[kind].value}`"
        assert row[1].startswith(begins), f"{at(VERDICTS)}: the witness of {kind} is {begins}, not {row[1]}"


def test_no_document_speaks_of_a_fact_that_cannot_be() -> None:
    known = {kind.value for kind in FactKind}
    for heading in ("Mechanism", "Outcome"):
        for row in table(VERDICTS, heading):
            named = set(re.findall(r"`([a-z_]+)`", row[3]))
            assert named <= known, f"{at(VERDICTS)}, '{heading}', {coded(row[1])}: no such fact: {named - known}"


def test_every_scenario_is_listed_with_its_description() -> None:
    rows = by_name(SIMULATOR, "Scenarios")
    wanted = {name: f"| `{name}` | {told.description} |" for name, told in SCENARIOS.items()}

    complain(SIMULATOR, "Scenarios", wanted, rows)
    for name, row in rows.items():
        assert row[1] == SCENARIOS[name].description, f"{at(SIMULATOR)}: the row should be:\n    {wanted[name]}"


def test_every_knob_of_a_scenario_is_listed_with_its_default_and_its_words() -> None:
    rows = by_name(SIMULATOR, "Knobs")
    defaults = {field.name: f"`{json.dumps(field.default)}`" for field in dataclasses.fields(Scenario)}
    hints = get_type_hints(Scenario)

    complain(
        SIMULATOR, "Knobs", {name: f"| `{name}` | {value} | what it does |" for name, value in defaults.items()}, rows
    )
    for name, row in rows.items():
        assert row[1] == defaults[name], f"{at(SIMULATOR)}: the default of {name} is {defaults[name]}, not {row[1]}"
        if name != "second_human":  # refers to the words of `human`
            lacking = [word for word in literals(hints[name]) if f"`{word}`" not in row[2]]
            assert not lacking, f"{at(SIMULATOR)}: the row of {name} lacks the words {lacking}"


def literals(hint: Any) -> tuple[str, ...]:
    return get_args(hint) if get_origin(hint) is not None and isinstance(get_args(hint)[0], str) else ()


def test_every_conversation_is_listed() -> None:
    wanted = {name: f"| `{name}` | what is said |" for name in CONVERSATIONS}

    complain(SIMULATOR, "Conversations", wanted, by_name(SIMULATOR, "Conversations"))


def links(page: Path) -> Iterator[str]:
    """The files of ours that a page points at, as written."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(<?([^)>\s]+)", text):
        if not re.match(r"[a-z][a-z0-9+.-]*:|#|//", target):
            yield target


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", *PAGES])
def test_every_link_points_at_a_file_that_is_there(name: str) -> None:
    page = ROOT / name

    for target in links(page):
        assert (page.parent / target.partition("#")[0]).exists(), f"{name} points at {target}, which does not exist"
