"""The directory file: what it brings about, and how its faults are told."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from callops.calls.directory import DirectoryError, load
from callops.calls.models import Destination, Line
from callops.calls.toml_places import find_places

EXAMPLE = """\
[[lines]]
number = "+15550100"                 # the number callers dial (E.164)
name = "Northline support"
topology = "twiml"                   # "twiml" or "trunk"
transfer_policy = "refer_then_redirect"   # or "redirect_only", "refer_only"
refer_target = "tel"                 # "tel" or "sip": how the REFER names the destination
fallback = "frontdesk"               # destination for callers the AI never got to
model = "gpt-realtime-2.1"
voice = "marin"
instructions = "You are Nora, the phone assistant of Northline Energy."
greeting = "Greet the caller and ask how you can help."

[[destinations]]
name = "frontdesk"                   # the word the assistant's transfer tool may use
label = "Front desk"
uri = "tel:+15550111"                # tel: or sip:
next = "oncall"                      # tried when this one does not answer; optional
# screen = true                      # whoever answers must press 1 first: a mailbox never takes the caller

[[destinations]]
name = "oncall"
label = "On call"
uri = "tel:+15550112"
"""
LINE = '[[lines]]\nnumber = "+15550100"\nname = "Northline"\n'
DESK = '[[destinations]]\nname = "frontdesk"\nlabel = "Front desk"\nuri = "tel:+15550111"\n'

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "directory.toml"


def refused(file: Path, text: str) -> list[tuple[int, str]]:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DirectoryError) as caught:
        load(file)
    return [(problem.line, problem.why) for problem in caught.value.problems]


def test_the_example_of_the_documentation_is_loaded_whole(file: Path) -> None:
    file.write_text(EXAMPLE, encoding="utf-8")

    said = load(file)

    assert said == [
        "Added destination frontdesk (tel:+15550111).",
        "Added destination oncall (tel:+15550112).",
        "Added line +15550100 (Northline support).",
    ]
    line = Line.objects.get(number="+15550100")
    assert line.fallback == Destination.objects.get(name="frontdesk")
    assert line.fallback.next == Destination.objects.get(name="oncall")
    assert (line.topology, line.transfer_policy, line.refer_target) == ("twiml", "refer_then_redirect", "tel")
    assert line.greeting == "Greet the caller and ask how you can help."
    assert line.refer_deadline_s is None


def test_a_screened_destination_is_one_only_when_the_file_says_so(file: Path) -> None:
    file.write_text(DESK, encoding="utf-8")
    load(file)
    assert not Destination.objects.get().screen

    file.write_text(DESK + "screen = true\n", encoding="utf-8")

    assert load(file) == ["Changed destination frontdesk: screen from false to true."]
    assert Destination.objects.get().screen
    assert load(file) == []


@pytest.mark.parametrize("value", ['"yes"', "1", "[]"])
def test_screen_is_true_or_false_and_nothing_else(file: Path, value: str) -> None:
    ((line, why),) = refused(file, f"{DESK}screen = {value}\n")

    assert line == 5
    assert why.startswith("screen must be true or false, not ")


def test_loading_twice_changes_nothing(file: Path) -> None:
    file.write_text(EXAMPLE, encoding="utf-8")
    load(file)
    before = [*Line.objects.values(), *Destination.objects.values()]

    assert load(file) == []
    assert [*Line.objects.values(), *Destination.objects.values()] == before


def test_each_changed_row_is_told_in_a_sentence(file: Path) -> None:
    file.write_text(EXAMPLE, encoding="utf-8")
    load(file)
    changed = (
        EXAMPLE.replace('"marin"', '"cedar"').replace("You are Nora", "You are Ada").replace('next = "oncall"', "")
    )
    file.write_text(changed.replace('fallback = "frontdesk"', "refer_deadline_s = 6"), encoding="utf-8")

    said = load(file)

    desk, line = said
    assert desk == "Changed destination frontdesk: next from oncall to none."
    assert line == (
        "Changed line +15550100: refer_deadline_s from none to 6, fallback from frontdesk to none, "
        "voice from marin to cedar, instructions rewritten."
    )
    assert load(file) == []


def test_rows_the_file_does_not_name_stay(file: Path) -> None:
    file.write_text(EXAMPLE, encoding="utf-8")
    load(file)
    file.write_text('[[destinations]]\nname="night"\nlabel="Night"\nuri="sip:night@example.com"\nnext="oncall"\n')

    assert load(file) == ["Added destination night (sip:night@example.com)."]
    assert Line.objects.count() == 1
    assert Destination.objects.count() == 3


def test_a_line_needs_no_more_than_number_and_name(file: Path) -> None:
    file.write_text(LINE, encoding="utf-8")

    load(file)

    line = Line.objects.get()
    assert (line.model, line.voice, line.topology) == ("gpt-realtime-2.1", "marin", "twiml")


@pytest.mark.parametrize(
    "uri",
    ["tel:+15550111", "tel:+441154960123", "sip:desk@example.com", "sip:+15550111@pbx.example.com:5061;transport=tls"],
)
def test_addresses_of_both_kinds_are_taken(file: Path, uri: str) -> None:
    file.write_text(DESK.replace("tel:+15550111", uri), encoding="utf-8")

    load(file)

    assert Destination.objects.get().uri == uri


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        (LINE + 'colour = "red"\n', 4, "colour"),
        ("[settings]\nx = 1\n" + LINE, 1, "settings"),
        ("version = 1\n\n" + LINE, 1, "version"),
        ('[[lines]]\nnumber = "+15550100"\n', 1, '"name" is missing'),
        ('[[lines]]\nname = "Northline"\n', 1, '"number" is missing'),
        ('[[destinations]]\nname = "a"\nlabel = "A"\n', 1, '"uri" is missing'),
        ('[[destinations]]\nname = "a"\nuri = "tel:+15550111"\n', 1, '"label" is missing'),
        (LINE.replace("+15550100", "5550100"), 2, "E.164"),
        (LINE.replace("+15550100", "+1 555 0100"), 2, "E.164"),
        (LINE.replace("+15550100", "+1555010"), 2, None),
        (LINE.replace("+15550100", "+155501"), 2, "E.164"),
        (LINE.replace("+15550100", "+1555010012345678"), 2, "E.164"),
        (LINE.replace("+15550100", "+05550100"), 2, "E.164"),
        (LINE.replace('"+15550100"', "15550100"), 2, "text in quotes"),
        (LINE.replace('"Northline"', '"  "'), 3, "empty"),
        (LINE.replace("Northline", "n" * 121), 3, "121 characters"),
        (LINE.replace("Northline", "a\\u0000b"), 3, "NUL"),
        (LINE + 'topology = "sip"\n', 4, "twiml, trunk"),
        (LINE + 'transfer_policy = "redirect"\n', 4, "redirect_only"),
        (LINE + 'refer_target = "tel:"\n', 4, "tel, sip"),
        (LINE + "refer_deadline_s = 0.4\n", 4, "0.5 to 60"),
        (LINE + "refer_deadline_s = 61\n", 4, "0.5 to 60"),
        (LINE + 'refer_deadline_s = "4"\n', 4, "number of seconds"),
        (LINE + "refer_deadline_s = true\n", 4, "number of seconds"),
        (LINE + "refer_deadline_s = nan\n", 4, "number of seconds"),
        (LINE + 'fallback = "nobody"\n', 4, "nobody"),
        (LINE + DESK + DESK, 9, "stands on line 5"),
        (LINE + LINE, 5, "stands on line 2"),
        (DESK + 'next = "nobody"\n', 5, "nobody"),
        (DESK + 'next = "frontdesk"\n', 5, "circle"),
        (DESK.replace("tel:+15550111", "tel:15550111"), 4, "neither"),
        (DESK.replace("tel:+15550111", "+15550111"), 4, "neither"),
        (DESK.replace("tel:+15550111", "sip:example.com"), 4, "neither"),
        (DESK.replace("tel:+15550111", "https://example.com"), 4, "neither"),
        (DESK.replace("frontdesk", "front desk"), 2, "one word"),
        ("lines = 5\n", 1, "[[lines]]"),
        ('[lines]\nnumber = "+15550100"\n', 1, "[[lines]]"),
        (LINE + "[lines.extra]\nx = 1\n", 4, "extra"),
        (LINE + "name = \n", 4, "not TOML"),
        (LINE + 'name = "again"\n', 4, "not TOML"),
        (LINE + 'greeting = """Hello\nthere', 5, "not TOML"),
    ],
)
def test_a_fault_is_told_with_its_line_and_changes_nothing(file: Path, text: str, line: int, word: str | None) -> None:
    if word is None:
        file.write_text(text, encoding="utf-8")
        assert len(load(file)) == 1, "seven digits are the fewest"
        return

    (told, why), *others = refused(file, text)

    assert (told, others) == (line, [])
    assert word in why
    assert not Line.objects.exists()
    assert not Destination.objects.exists()


def test_every_fault_of_a_file_is_told_at_once_in_the_order_of_its_lines(file: Path) -> None:
    text = EXAMPLE.replace("+15550100", "15550100").replace('"twiml"  ', '"wifi"  ').replace("tel:+15550112", "oncall")

    assert [line for line, _ in refused(file, text)] == [2, 4, 23]


def test_a_circle_is_told_once_wherever_it_closes(file: Path) -> None:
    text = EXAMPLE + 'next = "frontdesk"\n'

    assert refused(file, text) == [(17, "next goes round in a circle: frontdesk to oncall to frontdesk")]


def test_a_circle_through_an_earlier_file_is_seen(file: Path) -> None:
    file.write_text(EXAMPLE, encoding="utf-8")
    load(file)

    text = '[[destinations]]\nname = "oncall"\nlabel = "On call"\nuri = "tel:+15550112"\nnext = "frontdesk"\n'

    assert refused(file, text) == [(5, "next goes round in a circle: oncall to frontdesk to oncall")]


def test_a_way_that_leads_into_a_circle_is_not_the_circle(file: Path) -> None:
    text = EXAMPLE.replace('name = "frontdesk"', 'name = "day"').replace('"frontdesk"', '"day"') + 'next = "oncall"\n'

    assert refused(file, text) == [(24, "next goes round in a circle: oncall to oncall")]


def test_text_that_looks_like_toml_inside_a_string_does_not_shift_the_lines(file: Path) -> None:
    text = (
        LINE
        + 'greeting = """\n[[lines]]\nvoice = "x"\n# no "comment\n"""\n[[ "lines" ]]\r\nnumber = "12"\nname = \'Two\'\n'
    )

    assert [line for line, _ in refused(file, text)] == [10]


def test_rows_written_inline_are_read_and_blamed_on_their_array(file: Path) -> None:
    file.write_text('lines = [\n  { number = "+15550100", name = "Northline" },\n]\n', encoding="utf-8")
    assert load(file) == ["Added line +15550100 (Northline)."]

    assert refused(file, '# first\nlines = [\n  { number = "12", name = "Northline" },\n]\n')[0][0] == 2


def test_bytes_that_are_not_utf_8_are_told_with_their_line(file: Path) -> None:
    file.write_bytes(LINE.encode() + b'greeting = "\xff"\n')

    with pytest.raises(DirectoryError, match="line 4: the file is not UTF-8 text"):
        load(file)


def test_places_of_keys_after_arrays_and_quoted_names_are_found() -> None:
    places = find_places('[[lines]]\nx = [\n  "a]",\n  \'b[\', # c]\n]\n"name" = "n"\n[[lines]]\ny.z = 1\n')

    assert places.line("lines", 0, "name") == 6
    assert places.line("lines", 1) == 7
    assert places.line("lines", 1, "y") == 8
    assert places.line("lines", 1, "absent") == 7
    assert places.line("absent") == 1


def test_the_command_says_what_changed_and_that_nothing_did(file: Path) -> None:
    file.write_text(EXAMPLE, encoding="utf-8")
    first, second = StringIO(), StringIO()

    call_command("load_directory", file, stdout=first)
    call_command("load_directory", str(file), stdout=second)

    assert "Added line +15550100 (Northline support)." in first.getvalue()
    assert second.getvalue().startswith("Nothing changed")


def test_the_command_names_the_file_and_the_line_of_every_fault(file: Path) -> None:
    file.write_text(EXAMPLE.replace("+15550100", "15550100").replace("voice", "voize"), encoding="utf-8")

    with pytest.raises(CommandError) as caught:
        call_command("load_directory", file)

    assert f"{file}, line 2: " in str(caught.value)
    assert f"{file}, line 9: " in str(caught.value)
    assert caught.value.returncode == 1
    assert not Line.objects.exists()


def test_the_command_says_when_there_is_no_such_file(file: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("load_directory", file)


@pytest.mark.parametrize("value", ['"card"', '["card", "names"]', "true"])
def test_what_is_redacted_are_words_of_a_list_and_nothing_else(file: Path, value: str) -> None:
    ((_, why),) = refused(file, f'[[lines]]\nnumber = "+15550100"\nname = "Support"\nredact = {value}\n')

    assert why.startswith('redact must be a list of these words, or an empty one: "card", ')


def test_a_line_redacts_what_its_file_says_and_the_usual_when_it_says_nothing(file: Path) -> None:
    row = '[[lines]]\nnumber = "+15550100"\nname = "Support"\n'
    file.write_text(row)
    load(file)
    assert Line.objects.get().redact == ["card", "national_id", "email"]
    file.write_text(f"{row}redact = []\n")

    assert load(file) == ["Changed line +15550100: redact from ['card', 'national_id', 'email'] to []."]
    assert Line.objects.get().redact == []
