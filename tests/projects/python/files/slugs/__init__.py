"""Makes names for addresses."""
import re
import sys


def slug(text: str) -> str:
    """Lower case, and one dash for whatever is neither letter nor digit."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())


def main() -> None:
    print(slug(" ".join(sys.argv[1:])))
