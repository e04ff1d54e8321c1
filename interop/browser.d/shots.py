"""Takes a picture of every page: light and dark, at three widths, in both languages; fails where one overflows."""

import os
import pathlib
import re
import sys

from driver import Browser
from pages import Site, one_of_each

WIDTHS = (390, 820, 1440)
WIDER = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"


def pages_of(host, user, password):
    site = Site(host)
    if user:
        site.sign_in(user, password)
    pages = one_of_each(site.crawl())
    if not user:
        for path in ("/-/sign-in", "/-/sign-up", "/-/account/reset", "/nowhere/at/all", "/-/search?q=zzzzzz"):
            pages.setdefault(path, path)
    return pages


def main():
    host, password = os.environ["BROWSER_REGISTRY"], os.environ["BROWSER_PASSWORD"]
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    only = os.environ.get("BROWSER_ONLY", "")
    wide = []
    for user in (None, "admin"):
        pages = {kind: path for kind, path in pages_of(host, user, password).items() if only in kind}
        for language in ("en", "fr"):
            with Browser(language=language) as browser:
                if user:
                    browser.open(f"http://{host}/-/sign-in")
                    browser.find("#name").type(user)
                    browser.find("#password").type(password)
                    browser.find("main form button[type=submit]").click()
                    browser.until(lambda: not browser.url.endswith("/-/sign-in"), "signing in")
                for kind, path in sorted(pages.items()):
                    browser.open(f"http://{host}{path}")
                    for dark in (False, True):
                        browser.dark(dark)
                        for width in WIDTHS:
                            browser.size(width, 900)
                            plain = re.sub(r"[^a-z0-9]+", "-", kind.lower()).strip("-") or "home"
                            name = f"{plain}.{user or 'anybody'}.{language}.{'dark' if dark else 'light'}.{width}.png"
                            browser.screenshot(folder / name)
                            if not dark and browser.run(WIDER) > 0:
                                wide.append(f"{kind} at {width} ({language})")
        print(f"{len(pages)} pages for {user or 'anybody'}")
    for page in wide:
        print(f"wider than the window: {page}")
    return 1 if wide else 0


if __name__ == "__main__":
    sys.exit(main())
