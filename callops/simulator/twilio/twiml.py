"""Reading TwiML: XML to verbs, as strict as the real interpreter (contract Twilio 1.2 and 3.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

from callops.simulator.twilio.schema import ELEMENTS, FLAGS, METHODS, TEXT_URLS, URLS, WHOLE_NUMBERS


class TwimlError(Exception):
    """A document that cannot be fetched or run; `code` is Twilio's (12100, 12200, 12300, 15004, 112xx)."""

    def __init__(self, code: int, text: str, url: str = "") -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.url = url


@dataclass(frozen=True, slots=True)
class Verb:
    """One element of a valid document, its URLs already absolute."""

    name: str
    attributes: Mapping[str, str]
    text: str = ""
    children: tuple[Verb, ...] = ()

    def get(self, attribute: str, default: str = "") -> str:
        """The attribute as written."""
        return self.attributes.get(attribute, default)

    def whole(self, attribute: str, default: int) -> int:
        """The attribute as a whole number."""
        return int(self.attributes.get(attribute, default))

    def flag(self, attribute: str) -> bool:
        """Whether the attribute says `true`."""
        return self.attributes.get(attribute) == "true"

    def method(self, attribute: str = "method") -> str:
        """GET or POST; POST when not written."""
        return self.attributes.get(attribute, "POST").upper()


def parse(text: str, base: str | None) -> tuple[Verb, ...]:
    """The verbs of a document; `base` is its URL, None for inline TwiML, whose URLs must be absolute (15004)."""
    if "<!DOCTYPE" in text:
        raise TwimlError(12100, "Document parse failure: a document type is not allowed")
    try:
        root = ElementTree.fromstring(text.strip())  # noqa: S314 - the app's own, and without entities
    except ElementTree.ParseError as error:
        raise TwimlError(12100, f"Document parse failure: {error}") from error
    if root.tag != "Response":
        raise TwimlError(12200, f"Schema validation: root is {root.tag}, not Response")
    return _verb(root, base).children


def _verb(element: ElementTree.Element, base: str | None) -> Verb:
    rule = ELEMENTS.get(element.tag)
    if rule is None:
        raise TwimlError(12200, f"Schema validation: unknown element {element.tag}")
    attributes = {name: _attribute(element.tag, name, value, base) for name, value in element.attrib.items()}
    text = "".join(element.itertext()) if element.tag == "Say" else _own_text(element)
    if text.strip() and not rule.text:
        raise TwimlError(12200, f"Schema validation: {element.tag} may not hold text")
    if element.tag in TEXT_URLS and text.strip():
        text = resolve(text.strip(), base)
    for child in element:
        if child.tag not in rule.children:
            raise TwimlError(12200, f"Schema validation: {child.tag} is not allowed in {element.tag}")
    children = () if element.tag == "Say" else tuple(_verb(child, base) for child in element)
    return Verb(element.tag, attributes, text.strip(), children)


def _own_text(element: ElementTree.Element) -> str:
    return (element.text or "") + "".join(child.tail or "" for child in element)


def _attribute(tag: str, name: str, value: str, base: str | None) -> str:
    if name not in ELEMENTS[tag].attributes:
        raise TwimlError(12200, f"Schema validation: attribute {name} is not allowed in {tag}")
    if name in METHODS and value.upper() not in ("GET", "POST"):
        raise TwimlError(12200, f"Schema validation: {name} of {tag} is {value!r}, not GET or POST")
    if name in FLAGS and value not in ("true", "false"):
        raise TwimlError(12200, f"Schema validation: {name} of {tag} is {value!r}, not true or false")
    low, high = WHOLE_NUMBERS.get((tag, name), (None, None))
    if low is not None and high is not None and not (value.isdecimal() and low <= int(value) <= high):
        raise TwimlError(12200, f"Schema validation: {name} of {tag} is {value!r}, not in {low} to {high}")
    return resolve(value, base) if name in URLS else value


def resolve(url: str, base: str | None) -> str:
    """The absolute URL; relative ones are legal only where the document has a URL of its own (15004)."""
    absolute = url if base is None else urljoin(base, url)
    if urlsplit(absolute).scheme not in ("http", "https", "ws", "wss"):
        raise TwimlError(15004, f"Invalid URL format: {url!r} is relative in an inline document")
    return absolute
