"""The targets that Havre sets itself, and how far it is from each. Nothing fails when one is missed."""

from dataclasses import dataclass

from .measures import gc, lists, push


@dataclass(frozen=True)
class Verdict:
    """One target beside what was seen."""

    work: str
    target: str
    seen: str
    outcome: str


class Judge:
    """Compares the subject's medians with the others'."""

    def __init__(self, sections, subject):
        """Takes the sections by name and the name of the peer that is judged."""
        self._sections = sections
        self._subject = subject
        self._verdicts = []

    def verdicts(self):
        """Every target whose measure was run."""
        self._verdicts = []
        self._pull()
        self._push()
        self._manifests()
        self._token()
        self._small_pushes()
        self._lists()
        self._gc()
        self._startup()
        self._memory()
        return self._verdicts

    def _median(self, section, key, peer):
        return self._sections[section].median(key, peer) if section in self._sections else None

    def _reference(self):
        """The reference implementation in this run: its current line, else its previous one."""
        current = any("distribution" in section.peers() for section in self._sections.values())
        return "distribution" if current else "distribution2"

    def _add(self, work, target, seen, bound, at_most, form):
        """Adds a verdict; `form` turns a number into text."""
        if seen is None or bound is None:
            self._verdicts.append(Verdict(work, target, "–", "not measured"))
            return
        met = seen <= bound if at_most else seen >= bound
        away = abs(seen / bound - 1) if bound else 0
        direction = "above" if seen > bound else "below"
        missed = f"missed: {away:.{0 if away >= 0.01 else 1}%} {direction} {form(bound)}"
        self._verdicts.append(Verdict(work, target, form(seen), "**met**" if met else missed))

    def _at_most_times(self, work, section, key, peer, factor):
        """The subject costs at most `factor` times what the peer costs."""
        mine, other = self._median(section, key, self._subject), self._median(section, key, peer)
        ratio = mine / other if mine is not None and other else None
        self._add(work, f"≤ {factor:g} × {peer}", ratio, factor, True, _times)

    def _times_less(self, work, section, key, peer, factor):
        """The peer costs at least `factor` times what the subject costs."""
        mine, other = self._median(section, key, self._subject), self._median(section, key, peer)
        ratio = other / mine if mine and other is not None else None
        self._add(work, f"≥ {factor:g} × less than {peer}", ratio, factor, False, _times)

    def _times_more(self, work, section, key, peer, factor, subject=None):
        """The subject does at least `factor` times what the peer does."""
        mine, other = self._median(section, key, subject or self._subject), self._median(section, key, peer)
        ratio = mine / other if mine is not None and other else None
        self._add(work, f"≥ {factor:g} × {peer}", ratio, factor, False, _times)

    def _beside(self, work, section, keys, peer, bound, at_most=True):
        """What one server does in one case is at most, or at least, `bound` times what it does in another."""
        mine, other = (self._median(section, key, peer) for key in keys)
        ratio = mine / other if mine is not None and other else None
        self._add(work, f"{'≤' if at_most else '≥'} {bound:g} ×", ratio, bound, at_most, _times)

    def _own(self, section):
        """The engines that the subject was measured on, with what the page calls them."""
        measured = self._sections[section].peers() if section in self._sections else []
        return [(name, note) for name, note in ((self._subject, ""), (f"{self._subject}-postgres", ", PostgreSQL"))
                if name in measured]

    def _pull(self):
        if "pull" not in self._sections:
            return
        for key, client in (("cpu", "curl"), ("own_cpu", "own client")):
            work = f"pull, server CPU per GB, {client}"
            self._at_most_times(work, "pull", key, "nginx", 1.2)
            self._times_less(work, "pull", key, self._reference(), 4)
            self._times_less(work, "pull", key, "zot", 4)

    def _push(self):
        if "push" not in self._sections:
            return
        for mode in push.MODES:
            key = f"{mode}_rate"
            mine, reference, hashing, writing = (
                self._median("push", key, peer)
                for peer in (self._subject, self._reference(), push.HASH, push.WRITE))
            known = None not in (mine, reference, hashing, writing)
            bound = min(1.8 * reference, 0.8 * min(hashing, writing)) if known else None
            target = f"≥ the lesser of 1.8 × {self._reference()} and 0.8 × the slower limit"
            self._add(f"durable push of a large blob, {mode}", target, mine if known else None, bound, False, _rate)

    def _manifests(self):
        if "manifests" not in self._sections:
            return
        for method in ("get", "head"):
            work = f"{method.upper()} manifest by tag"
            self._times_less(f"{work}, server CPU", "manifests", f"{method}_cpu", self._reference(), 8)
            self._times_less(f"{work}, server CPU", "manifests", f"{method}_cpu", "zot", 3)
            self._times_more(f"{work}, per second", "manifests", f"{method}_rate", self._reference(), 8)
            self._times_more(f"{work}, per second", "manifests", f"{method}_rate", "zot", 3)
            self._at_most_times(f"{work}, p99", "manifests", f"{method}_p99", "nginx", 3)
            if "havre-postgres" in self._sections["manifests"].peers():
                self._times_more(f"{work}, PostgreSQL, per second", "manifests", f"{method}_rate",
                                 self._reference(), 2, subject="havre-postgres")

    def _small_pushes(self):
        for name, keys in (("images", ("monolithic_rate", "docker_rate")), ("mix", ("push_rate", "both_rate"))):
            section = self._sections.get(name)
            for metric in section.metrics if section else []:
                if metric.key in keys:
                    self._times_more(metric.title, name, metric.key, "zot", 2)
        section = self._sections.get("zb")
        for metric in section.metrics if section else []:
            if metric.key.startswith("Push") and not metric.key.endswith("p99"):
                self._times_more(f"zb, {metric.title}", "zb", metric.key, "zot", 2)

    def _token(self):
        for peer, engine in self._own("token"):
            work = f"GET manifest by tag with a token, beside anonymous{engine}"
            self._beside(f"{work}, server CPU", "token", ("token_cpu", "anonymous_cpu"), peer, 1.15)
            self._beside(f"{work}, per second", "token", ("token_rate", "anonymous_rate"), peer, 0.85, at_most=False)

    def _lists(self):
        for peer, engine in self._own("lists"):
            for key, title in lists.PAGES.items():
                self._beside(f"{title}, large beside small{engine}", "lists",
                             (f"{key}_large_time", f"{key}_small_time"), peer, 1.5)

    def _gc(self):
        for peer, engine in self._own("gc"):
            for work in gc.WORKS:
                for step, title in gc.STEPS.items():
                    for quantile in ("p50", "p99"):
                        self._beside(f"{work} beside {title}, {quantile}{engine}", "gc",
                                     (f"{work}_{step}_{quantile}", f"{work}_{gc.QUIET}_{quantile}"), peer, 1.2)

    def _startup(self):
        section = self._sections.get("startup")
        if section:
            full = next(metric for metric in section.metrics if metric.key == "full")
            self._add(f"start to ready, {full.title}", "≤ 100 ms",
                      self._median("startup", "full", self._subject), 100, True, lambda value: f"{value:.0f} ms")

    def _memory(self):
        if "memory" not in self._sections:
            return
        for key, work, bound in (("idle", "idle", 25), ("pull", "64 parallel pulls", 150),
                                 ("push", "64 parallel pushes", 150)):
            self._add(f"resident memory, {work}", f"≤ {bound} MB", self._median("memory", key, self._subject), bound,
                      True, lambda value: f"{value:.0f} MB")


def _times(value):
    return f"{value:.2f} ×" if value < 10 else f"{value:.1f} ×"


def _rate(value):
    return f"{value:.0f} MB/s"
