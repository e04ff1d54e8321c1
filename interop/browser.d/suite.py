"""What people do with the pages, in a real browser: each test is a function, told by its first line."""

import email
import email.policy
import glob
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
import traceback

from driver import Browser, Failed
from pages import Site, one_of_each

HOST = os.environ["BROWSER_REGISTRY"]
PASSWORD = os.environ["BROWSER_PASSWORD"]
DATA = os.environ["BROWSER_DATA"]
BASE = f"http://{HOST}"
# axe-core's rules for WCAG 2.2 AA and its best practices.
AXE = "axe.run(document, {resultTypes: ['violations']}).then(arguments[arguments.length - 1])"


def expect(condition, what):
    if not condition:
        raise Failed(what)


def sign_in(browser, name="admin", password=PASSWORD):
    browser.open(f"{BASE}/-/sign-in")
    browser.find("#name").type(name)
    browser.find("#password").type(password)
    browser.find("main form button[type=submit]").click()
    browser.until(lambda: "/-/sign-in" not in browser.url, "signing in")


def refused(browser):
    """What the browser refused or failed to load."""
    return [entry for entry in browser.errors() if "favicon" not in entry]


def links_lead_somewhere():
    """every link leads to a page, for who is not signed in and for an administrator"""
    for user in (None, "admin"):
        site = Site(HOST)
        if user:
            site.sign_in(user, PASSWORD)
        found = site.crawl()
        expect(len(one_of_each(found)) >= (8 if user is None else 20), f"{user} finds {len(found)} pages only")
        for path, status, _, source in found:
            # Who is not signed in is told so.
            fine = (200, 301, 303) if user else (200, 301, 303, 401, 404)
            expect(status in fine, f"{source} links to {path}, which answers {status}")
            expect(status < 500, f"{path} answers {status}")


def keys_are_not_shown():
    """no page shows the name of a text in place of the text, in either language"""
    keys = set()
    here = os.path.dirname(os.path.abspath(__file__))
    for file in glob.glob(f"{here}/../../locales/en/*.ftl"):
        with open(file) as text:
            keys.update(re.findall(r"^([a-z][a-z0-9-]*-[a-z0-9-]*) =", text.read(), re.MULTILINE))
    for language in ("en", "fr"):
        site = Site(HOST, language)
        site.sign_in("admin", PASSWORD)
        for path, _, content, _ in site.crawl():
            shown = set(re.findall(r">\s*([a-z][a-z0-9-]*-[a-z0-9-]*)\s*<", content.decode(errors="replace")))
            expect(not shown & keys, f"{path} shows {shown & keys}")


def accessible():
    """axe-core finds nothing on any page, light and dark, on a phone and on a wide window"""
    with open(os.environ["BROWSER_AXE"]) as file:
        axe = file.read()
    violations = []
    for user in (None, "admin"):
        site = Site(HOST)
        if user:
            site.sign_in(user, PASSWORD)
        pages = one_of_each(site.crawl())
        for path in ("/-/sign-in", "/-/sign-up", "/nowhere/at/all"):
            if not user:
                pages[path] = path
        with Browser() as browser:
            if user:
                sign_in(browser)
            for kind, path in sorted(pages.items()):
                browser.open(BASE + path)
                for width, dark in ((1280, False), (390, True)):
                    browser.size(width, 900)
                    browser.dark(dark)
                    browser.run(axe + "\nreturn true")
                    for violation in browser.run_async(AXE)["violations"]:
                        node = violation["nodes"][0]
                        violations.append(f"{kind} ({width}): {violation['id']}: {node['html'][:160]}")
                wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
                if browser.run(wide) > 0:
                    violations.append(f"{kind}: wider than a phone")
    for violation in violations:
        print(f"#   {violation}")
    expect(not violations, f"{len(violations)} violations")


def without_scripts():
    """everything works without scripts: signing in, choosing colours and language, searching, signing out"""
    with Browser(scripts=False) as browser:
        sign_in(browser)
        expect("admin" in browser.text(), "the name is not shown")
        browser.find("footer select[name=theme] option[value=dark]").click()
        browser.find("footer select[name=lang] option[value=fr]").click()
        browser.find("footer .preferences button").click()
        browser.find("html[data-theme=dark][lang=fr]")
        browser.find("header input[name=q]").type("shop\ue007")
        browser.until(lambda: "/-/search" in browser.url, "searching")
        expect("acme/shop/api" in browser.text(), "acme/shop/api is not found")
        browser.link("acme/shop/api").click()
        browser.until(lambda: browser.url.endswith("/acme/shop/api"), "going to the repository")


def by_keyboard():
    """signing in takes the keyboard alone, and what has the focus is seen"""
    with Browser() as browser:
        browser.open(f"{BASE}/-/sign-in")
        browser.keys("\ue004")
        expect(browser.run("return document.activeElement.classList.contains('skip')"), "the first stop is not the skip link")
        browser.keys("\ue007")
        for _ in range(12):
            browser.keys("\ue004")
            name = browser.run("return document.activeElement.name || ''")
            outline = "const s = getComputedStyle(document.activeElement); return s.outlineStyle !== 'none' || s.boxShadow !== 'none'"
            expect(browser.run(outline), f"{browser.run('return document.activeElement.outerHTML')[:120]} does not show its focus")
            if name == "name":
                browser.keys("admin\ue004")
                expect(browser.run("return document.activeElement.name") == "password", "the password does not follow the name")
                browser.keys(PASSWORD + "\ue007")
                browser.until(lambda: "/-/sign-in" not in browser.url, "signing in")
                return
        raise Failed("the form is not reached")


def scripts_help():
    """commands are copied, suggestions come while typing, colours change without loading; the policy refuses nothing"""
    with Browser() as browser:
        browser.open(f"{BASE}/acme/shop/api")
        browser.command("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
        browser.find("button[data-copy]").click()
        browser.until(lambda: browser.find("#announce").property("textContent") != "", "saying that it was copied")
        copied = browser.run_async("navigator.clipboard.readText().then(arguments[0])")
        expect(copied.startswith("docker pull "), f"{copied!r} was copied")
        browser.find("header input[name=q]").type("shop")
        browser.find("header [role=listbox] [role=option]")
        browser.keys("\ue015\ue007")
        browser.until(lambda: "/acme/shop" in browser.url or "/-/search" in browser.url, "going to a suggestion")
        browser.run("document.querySelector('footer select[name=theme]').value = 'dark';"
                    "document.querySelector('footer select[name=theme]').dispatchEvent(new Event('change', {bubbles: true}))")
        browser.find("html[data-theme=dark]")
        expect(not refused(browser), f"the browser complains: {refused(browser)}")


def mail_to(address, seconds=10):
    """The link in the newest mail to an address; mails are files here."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for path in sorted(glob.glob(f"{DATA}/mail/*"), key=os.path.getmtime, reverse=True):
            with open(path, "rb") as file:
                message = email.message_from_binary_file(file, policy=email.policy.default)
            body = message.get_body(("plain",))
            link = re.search(r"http://\S+/-/account/\S+", body.get_content()) if body else None
            if link and address in message["To"]:
                return link.group(0)
        time.sleep(0.1)
    raise Failed(f"no mail to {address} came")


def push(name, secret, image, folder):
    """Pushes a small image with a real client."""
    layer = os.path.join(folder, "layer.tar")
    with tarfile.open(layer, "w") as archive:
        entry = tarfile.TarInfo("hello")
        entry.size = 5
        archive.addfile(entry, io.BytesIO(b"hello"))
    environment = {**os.environ, "DOCKER_CONFIG": folder}
    for command in (
        ["crane", "auth", "login", HOST, "-u", name, "-p", secret, "--insecure"],
        ["crane", "append", "--insecure", "-f", layer, "-t", f"{HOST}/{image}"],
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        expect(done.returncode == 0, f"{command[1]}: {done.stderr[-300:]}")


def from_sign_up_to_deleting(language):
    name, password = f"lea-{language}", "correct-horse-battery-staple"
    address = f"{name}@example.org"
    with Browser(language=language) as browser, tempfile.TemporaryDirectory() as folder:
        browser.open(f"{BASE}/-/sign-up")
        browser.find(f"html[lang={language}]")
        for field, value in (("name", name), ("email", address), ("password", password)):
            browser.find(f"#{field}").type(value)
        browser.find("main form button[type=submit]").click()
        browser.open(mail_to(address))
        browser.find("#password").type(password)
        browser.find("main form button[type=submit]").click()
        browser.until(lambda: "/-/account/verify" not in browser.url, "verifying the address")
        if not browser.find_all("header details.menu bdi"):
            sign_in(browser, name, password)
        browser.open(f"{BASE}/-/account/tokens/new")
        browser.find("#name").type("laptop")
        browser.find("main form button[type=submit]").click()
        secret = browser.find(".secret pre code").text.strip()
        expect(secret.startswith("havre_"), "no secret is shown")
        image = f"{name}/first/app"
        push(name, secret, f"{image}:1.0.0", folder)
        browser.open(f"{BASE}/{name}")
        browser.link(image).click()
        browser.until(lambda: browser.url.endswith(image), "going to the repository")
        expect(f"{HOST}/{image}:1.0.0" in browser.find("main").text, "the command to pull is not shown")
        browser.open(f"{BASE}/{image}/-/tags")
        digest = browser.find("main .digest a").attribute("href")
        browser.open(f"{BASE}{digest}" if digest.startswith("/") else digest)
        expect("linux" in browser.find("main").text or "sha256" in browser.find("main").text, "the image is not shown")
        browser.open(f"{BASE}/{image}/-/tags/delete?tag=1.0.0")
        browser.find("main form.danger-zone")
        for field in browser.find_all("main form.danger-zone input[data-typed]"):
            field.type(field.attribute("data-typed"))
        browser.find("main form.danger-zone button.danger").click()
        browser.until(lambda: "/tags/delete" not in browser.url, "deleting the tag")
        browser.open(f"{BASE}/{image}/-/tags")
        expect("1.0.0" not in browser.find("main").text, "the tag is still there")
        expect(not refused(browser), f"the browser complains: {refused(browser)}")


def from_sign_up_to_deleting_in_english():
    """in English: sign-up, mail, token, push, browsing, deleting"""
    from_sign_up_to_deleting("en")


def from_sign_up_to_deleting_in_french():
    """in French: sign-up, mail, token, push, browsing, deleting"""
    from_sign_up_to_deleting("fr")


TESTS = [
    from_sign_up_to_deleting_in_english,
    from_sign_up_to_deleting_in_french,
    links_lead_somewhere,
    keys_are_not_shown,
    without_scripts,
    by_keyboard,
    scripts_help,
    accessible,
]


def main():
    failed = 0
    wanted = sys.argv[1:]
    for test in TESTS:
        if wanted and test.__name__ not in wanted:
            continue
        begun = time.monotonic()
        try:
            test()
            print(f"ok - {test.__doc__} ({time.monotonic() - begun:.0f} s)")
        except Exception as error:  # noqa: BLE001
            failed += 1
            print(f"not ok - {test.__doc__}\n#   {error}")
            if not isinstance(error, Failed):
                traceback.print_exc()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
