"""The pages of a registry as they hang together: signing in without a browser, and following every link."""

import collections
import html.parser
import http.client
import re
import urllib.parse

MOST_PAGES = 400
ENDS = ("/-/sign-out",)


class Links(html.parser.HTMLParser):
    """The links of a page, and the token of its forms."""

    def __init__(self):
        super().__init__()
        self.found = []
        self.csrf = ""

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "a" and attributes.get("href", "").startswith("/"):
            self.found.append(attributes["href"].split("#")[0])
        if tag == "input" and attributes.get("name") == "csrf":
            self.csrf = attributes.get("value", "")


class Site:
    """A registry, and who looks at it."""

    def __init__(self, host, language="en"):
        self.host = host
        self.language = language
        self.cookies = {}
        self.connection = http.client.HTTPConnection(host, timeout=20)

    def request(self, method, path, fields=None):
        """One request; keeps cookies, follows nothing."""
        headers = {"Accept": "text/html", "Accept-Language": self.language}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = None
        if fields is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Sec-Fetch-Site"] = "same-origin"
            body = urllib.parse.urlencode(fields)
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.split(";")[0]
                if "Max-Age=0" in value:
                    del self.cookies[key]
        return answer, content

    def get(self, path):
        return self.request("GET", path)

    def sign_in(self, name, password):
        answer, _ = self.request("POST", "/-/sign-in", {"name": name, "password": password})
        if answer.status != 303:
            raise SystemExit(f"{name} cannot sign in: {answer.status}")

    def crawl(self, first="/"):
        """Follows every link once; returns what was found: path, status, content, and from where."""
        waiting = collections.deque([(first, "")])
        seen, shapes, found = {first}, collections.Counter(), []
        while waiting and len(found) < MOST_PAGES:
            path, source = waiting.popleft()
            # Many pages of one kind say little more than two.
            if shapes[shape(path)] >= 3:
                continue
            shapes[shape(path)] += 1
            answer, content = self.get(path)
            kind = answer.getheader("Content-Type", "")
            found.append((path, answer.status, content, source))
            if answer.status in (301, 303):
                content = f'<a href="{answer.getheader("Location")}">'.encode()
            elif not kind.startswith("text/html"):
                continue
            links = Links()
            links.feed(content.decode())
            for link in links.found:
                if link not in seen and not link.startswith(("/-/assets/", "/v2", "/api/")) and link not in ENDS:
                    seen.add(link)
                    waiting.append((link, path))
        return found


def shape(path):
    """What kind of page a path is of: the pattern of its route, and the names of its parameters."""
    path, _, query = path.partition("?")
    path = urllib.parse.unquote(path)
    name, separator, rest = path.partition("/-/")
    if name == "":
        shown = path if separator else "/"
    else:
        name = "/{namespace}" if name.count("/") == 1 else "/{repository}"
        rest = re.sub(r"sha(256|512):[0-9a-f]+", "{digest}", rest)
        rest = re.sub(r"^tags/(?!delete$)[^/]+", "tags/{tag}", rest)
        rest = re.sub(r"^(teams|robots|roles)/(?!new$)[^/]+", r"\1/{name}", rest)
        shown = name + (f"/-/{rest}" if separator else "")
    keys = sorted({pair.split("=")[0] for pair in query.split("&") if pair} - {"next", "done"})
    return shown + (f"?{'&'.join(keys)}" if keys else "")


def one_of_each(found):
    """One page of each kind that was found whole, by the kind."""
    pages = {}
    for path, status, content, _ in found:
        if status == 200 and content.lstrip()[:9].lower() == b"<!doctype":
            pages.setdefault(shape(path), path)
    return pages
