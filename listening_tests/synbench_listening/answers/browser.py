"""Browser, system and kind of device from what a browser says of itself."""

from __future__ import annotations

import re

# The order matters: most name several others too.
_BROWSERS = (
    ("Edge", r"Edg(?:e|A|iOS)?/(\d+)"),
    ("Opera", r"OPR/(\d+)"),
    ("Samsung Internet", r"SamsungBrowser/(\d+)"),
    ("Firefox", r"(?:Firefox|FxiOS)/(\d+)"),
    ("Chrome", r"(?:Chrome|Chromium|CriOS|HeadlessChrome)/(\d+)"),
    ("Safari", r"Version/(\d+).*Safari/"),
    ("WebKit", r"AppleWebKit/(\d+)"),
)
_SYSTEMS = (
    ("iOS", r"iPhone|iPad|iPod"),
    ("Android", r"Android"),
    ("Windows", r"Windows"),
    ("macOS", r"Mac OS X|Macintosh"),
    ("ChromeOS", r"CrOS"),
    ("Linux", r"Linux|X11"),
)
_TABLET = re.compile(r"iPad|Tablet|Android(?!.*Mobile)")
_PHONE = re.compile(r"iPhone|iPod|Mobile|Windows Phone")

__all__ = ["browser_name", "device_kind", "system_name"]


def browser_name(user_agent: str) -> str:
    """Name and main version such as ``Firefox 140``; empty where it is not known."""
    for name, pattern in _BROWSERS:
        match = re.search(pattern, user_agent)
        if match:
            return f"{name} {match.group(1)}"
    return ""


def system_name(user_agent: str) -> str:
    """``Windows``, ``Android``, ...; empty where it is not known."""
    return next((name for name, pattern in _SYSTEMS if re.search(pattern, user_agent)), "")


def device_kind(user_agent: str) -> str:
    """``phone``, ``tablet`` or ``desktop``; empty where nothing is said."""
    if not user_agent:
        return ""
    if _TABLET.search(user_agent):
        return "tablet"
    return "phone" if _PHONE.search(user_agent) else "desktop"
