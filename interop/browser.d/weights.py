"""Writes how heavy each page is, and how long the server takes for it: the median of nine, over one connection."""

import os
import platform
import re
import statistics
import sys
import time

from pages import Site, one_of_each

TAKEN = 9
HEAD = """# Pages

How heavy each page is and how long the server takes for it: the median of {taken} requests over one connection, from the
first byte sent to the last received, on {machine}. The registry was filled by `havre seed`{bulk}. First load is the page with
its style sheet, script and drawings, nothing of it compressed; a browser keeps all but the page.

This page is written by `interop/browser weights docs/pages.md`.

| page | who | page, kB | first load, kB | server, ms |
|---|---|---:|---:|---:|
"""


def main():
    host, password = os.environ["BROWSER_REGISTRY"], os.environ["BROWSER_PASSWORD"]
    rows, slow = [], []
    for user in (None, "admin"):
        site = Site(host)
        if user:
            site.sign_in(user, password)
        pages = one_of_each(site.crawl())
        known = {row[0] for row in rows}
        for kind, path in sorted(pages.items()):
            if kind in known:
                continue
            times = []
            for _ in range(TAKEN):
                begun = time.perf_counter()
                _, content = site.get(path)
                times.append((time.perf_counter() - begun) * 1000)
            assets = sum(len(site.get(url)[1]) for url in set(re.findall(r'"(/-/assets/[^"#]+)', content.decode())))
            took = statistics.median(times)
            rows.append((kind, user or "anybody", len(content) / 1000, (len(content) + assets) / 1000, took))
            if took > 50 or len(content) + assets > 102_400:
                slow.append(f"{kind}: {took:.0f} ms, {(len(content) + assets) / 1000:.0f} kB")
    with open("/proc/cpuinfo") as file:
        model = re.search(r"model name\s*: (.*)", file.read())
    machine = f"{os.cpu_count()} cores of {model.group(1).strip() if model else platform.machine()}"
    bulk = os.environ.get("BROWSER_BULK", "")
    with open(sys.argv[1], "w") as file:
        file.write(HEAD.format(taken=TAKEN, machine=machine, bulk=bulk))
        for kind, user, page, first, took in rows:
            file.write(f"| `{kind}` | {user} | {page:.1f} | {first:.1f} | {took:.1f} |\n")
    for page in slow:
        print(f"over the limit: {page}")
    print(f"{len(rows)} pages")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
