"""What a browser calls itself, shortened to what people recognise: Chrome（Windows）. Never kept in full."""

#: In this order: Edge calls itself Chrome too, and Chrome Safari.
BROWSERS = (("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("CriOS", "Chrome"), ("Safari", "Safari"))
SYSTEMS = (
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def browser_name(user_agent: str) -> str:
    """Browser and system; empty when neither is known."""
    browser, system = _known(BROWSERS, user_agent), _known(SYSTEMS, user_agent)
    return f"{browser}（{system}）" if browser and system else browser or system


def _known(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for part, name in names if part in user_agent), "")
