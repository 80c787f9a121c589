"""Where a caller may be sent: `tel:` with an E.164 number, or `sip:user@host` with parameters, and nothing else."""

import re

MAX_URI = 255

_TEL = re.compile(r"tel:(\+[1-9][0-9]{4,14})")
_USER = r"[A-Za-z0-9+._~!$&'()*=%-]{1,128}"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
_SIP = re.compile(rf"sip:{_USER}@{_HOST}(?:;[A-Za-z0-9_.!%*+~-]+(?:=[A-Za-z0-9_.!%*+~:-]+)?)*")
_ESCAPED_CONTROL = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff])")


def tel_number(uri: str) -> str | None:
    """The E.164 number of a `tel:` URI; None for anything else."""
    found = _TEL.fullmatch(uri)
    return found[1] if found else None


def is_sip(uri: str) -> bool:
    """Whether this is a `sip:` URI without headers, brackets or hidden control characters."""
    return _SIP.fullmatch(uri) is not None and _ESCAPED_CONTROL.search(uri) is None


def checked(uri: str) -> str:
    """The URI itself; raises `ValueError` unless it is `tel:+E164` or `sip:user@host` below 255 characters.

    Twilio's limits are 256 for `Refer-To` and 255 for a SIP URI; `sips:` is not supported (contract Twilio 2.3, 2.4).
    """
    if len(uri) >= MAX_URI:
        raise ValueError(f"a target URI must stay below {MAX_URI} characters, this one has {len(uri)}")
    if tel_number(uri) is None and not is_sip(uri):
        raise ValueError(f"a target must be tel:+E164 or sip:user@host, not {uri!r:.80}")
    return uri
