"""How far a run is: datasets, fits that are unusable, the time it took and has left.

It follows Snakemake's log records, and looks into what the jobs of packs leave behind while they
run. A terminal shows it below Snakemake's bars; elsewhere it is printed now and then.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from clustrategy.core.counted import counted
from clustrategy.runtime.work import Work
from clustrategy.study.packs import Pack, Tally, receipt, tally

MAKING, AUDITING, OTHERS = "simulate_fit_score", "audit_shards", "others"
"""The rules whose jobs carry packs, and all others."""

PARTS = {MAKING: 10, AUDITING: 5, OTHERS: 5}
"""At how many parts of its way each is printed."""

OTHER_SECONDS = 3.0
"""What a job without a pack takes, until one is done."""

EVERY = 2.0
"""Seconds between looks at jobs that run."""

SAID = "clustrategy_said"
"""The attribute of a log record that holds a function, which says how far the run is."""


@dataclass
class _Packs:
    """The packs of one rule, and how far they are.

    Attributes
    ----------
    folder : str
        Where their receipts are.
    packs : mapping of str to Pack
    planned, done : int
        Datasets.
    seconds, seconds_done : float
        CPU time, estimated.
    statuses : Counter
        Of the fits that are made.
    known : dict of str to Tally
        What was last heard of each.
    """

    folder: str = ""
    packs: Mapping[str, Pack] = field(default_factory=dict)
    planned: int = 0
    seconds: float = 0.0
    done: int = 0
    seconds_done: float = 0.0
    statuses: Counter[str] = field(default_factory=Counter)
    known: dict[str, Tally] = field(default_factory=dict)

    @classmethod
    def of(cls, work: Work) -> _Packs:
        planned = sum(pack.datasets for pack in work.packs.values())
        return cls(work.folder, work.packs, planned, work.seconds)

    def look(self, name: str) -> None:
        """See how far a pack is; while a job starts again, what was known stays."""
        before, found = self.known.get(name, Tally()), tally(receipt(self.folder, name))
        more = found.datasets - before.datasets
        if more <= 0:
            return
        self.known[name] = found
        self.done += more
        self.seconds_done += self.packs[name].seconds * more / self.packs[name].datasets
        self.statuses.update(found.statuses)
        self.statuses.subtract(before.statuses)


@dataclass
class _Jobs:
    """The jobs of one rule, or of all without packs.

    Attributes
    ----------
    running : dict of int to (str, float)
        By Snakemake's number: the pack, empty where there is none, and when it began.
    ended : int
        How many were done.
    spent : float
        The seconds that those took which run no more.
    """

    running: dict[int, tuple[str, float]] = field(default_factory=dict)
    ended: int = 0
    spent: float = 0.0

    def busy(self, now: float) -> float:
        """Return the seconds that all have taken."""
        return self.spent + sum(now - start for _, start in self.running.values())


class Progress(logging.Filter):
    """Follows a run by the log records that pass, all of which it lets pass.

    Parameters
    ----------
    usable : collection of str
        The statuses of fits that are usable.
    now : callable
        A clock, in seconds.
    """

    def __init__(
        self, usable: Collection[str] = (), now: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._usable = usable
        self._now = now
        self._start = now()
        self._packs = {MAKING: _Packs(), AUDITING: _Packs()}
        self._jobs = {rule: _Jobs() for rule in PARTS}
        self._steps = (0, 0)
        self._parts = dict.fromkeys(PARTS, 0)
        self._lock = threading.RLock()

    def follow(self, work: Work, rule: str) -> None:
        """Take in the packs that a run has to make, and look at them as long as they are made.

        Parameters
        ----------
        work : Work
        rule : str
            Whose jobs carry the packs.
        """
        if not (work.missing or work.stale):
            return
        with self._lock:
            is_first = self._phase == OTHERS
            self._packs[rule] = _Packs.of(work)
        if is_first:
            threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while self._phase != OTHERS:
            time.sleep(EVERY)
            self.look()

    def look(self) -> None:
        """See how far the jobs are that run."""
        with self._lock:
            for rule, packs in self._packs.items():
                for pack, _ in self._jobs[rule].running.values():
                    packs.look(pack)
            self._print()

    def filter(self, record: logging.LogRecord) -> bool:
        """Note which jobs begin and end, and say it where no terminal shows it."""
        fields = record.__dict__
        with self._lock:
            match fields.get("event"):
                case "run_info":
                    self._start = self._now()
                    self._steps = 0, fields["stats"]["total"]
                    fields[SAID] = self.said
                case "job_info":
                    self._begin(fields["jobid"], fields["rule_name"], fields["wildcards"])
                case "job_finished":
                    self._end(fields["job_id"], done=True)
                case "job_error":
                    self._end(fields["jobid"], done=False)
                case "progress":
                    self._steps = fields["done"], fields["total"]
                    self._print()
        return True

    def _begin(self, job: int, rule: str, wildcards: Mapping[str, Any]) -> None:
        pack = wildcards.get("pack", "")
        if rule not in self._packs or pack not in self._packs[rule].packs:
            rule, pack = OTHERS, ""
        self._jobs[rule].running[job] = pack, self._now()

    def _end(self, job: int, *, done: bool) -> None:
        for rule, jobs in self._jobs.items():
            if job in jobs.running:
                pack, start = jobs.running.pop(job)
                jobs.spent += self._now() - start
                jobs.ended += done
                if pack:
                    self._packs[rule].look(pack)

    def _counts(self, rule: str) -> tuple[int, int]:
        """Return how many datasets of a rule's packs, or steps, are done and planned."""
        if rule == OTHERS:
            return self._steps
        return self._packs[rule].done, self._packs[rule].planned

    @property
    def _phase(self) -> str:
        """What is being made: the first of which something is left."""
        unfinished = (rule for rule, packs in self._packs.items() if packs.done < packs.planned)
        return next(unfinished, OTHERS)

    def _print(self) -> None:
        """Print what is new enough, where there is no terminal."""
        if sys.stderr.isatty():
            return
        new = [rule for rule in PARTS if self._advances(rule)]
        datasets = [rule for rule in new if rule != OTHERS]
        for rule in datasets or (new if self._phase == OTHERS else []):
            stamp = time.strftime("%H:%M:%S")
            print(f"{stamp}  {self._words(rule)}", file=sys.stderr, flush=True)

    def _advances(self, rule: str) -> bool:
        """Say whether another part of the way is behind since this was last asked."""
        done, planned = self._counts(rule)
        before, self._parts[rule] = self._parts[rule], PARTS[rule] * done // max(planned, 1)
        return self._parts[rule] > before

    def said(self) -> str:
        """Say how far the run is."""
        with self._lock:
            return self._words(self._phase)

    def _words(self, rule: str) -> str:
        done, planned = self._counts(rule)
        noun = "step" if rule == OTHERS else "dataset"
        share = 100 * done // planned if planned else 0
        words = [f"{done:,} of {counted(planned, noun)} done ({share} %)"]
        if rule == AUDITING:
            words[0] = f"audit: {words[0]}"
        elif rule == MAKING and (statuses := self._packs[rule].statuses):
            unusable = sum(n for status, n in statuses.items() if status not in self._usable)
            words.append(f"{unusable:,} of {counted(statuses.total(), 'fit')} unusable")
        words.append(f"{_clock(self._now() - self._start)} elapsed")
        left = self._left()
        if left >= 1:
            words.append(f"about {_clock(_rounded(left))} left")
        return ", ".join(words)

    def _left(self) -> float:
        """Estimate the seconds that are left, 0 where nothing is known yet.

        What is left of the estimated CPU time takes as long as what is done has taken, rule by
        rule, and as many jobs go on beside each other as have done so far.
        """
        now = self._now()
        elapsed = now - self._start
        left, any_done = 0.0, False
        for rule, jobs in self._jobs.items():
            if rule == OTHERS:
                done, planned = self._other_seconds()
                spent = jobs.spent
            else:
                done, planned = self._packs[rule].seconds_done, self._packs[rule].seconds
                spent = jobs.busy(now)
            any_done |= done > 0
            left += (planned - done) * (spent / done if done else 1.0)
        if not any_done or elapsed <= 0:
            return 0.0
        busy = sum(jobs.busy(now) for jobs in self._jobs.values())
        return left / max(busy / elapsed, 1.0)

    def _other_seconds(self) -> tuple[float, float]:
        """Return the estimated CPU time of steps without packs, of those done and of all."""
        done, total = self._steps
        for rule, packs in self._packs.items():
            done, total = done - self._jobs[rule].ended, total - len(packs.packs)
        return OTHER_SECONDS * done, OTHER_SECONDS * total


def _rounded(seconds: float) -> float:
    """Round a time that is not known exactly: to 5 seconds, above two minutes to minutes."""
    unit = 5 if seconds < 120 else 60
    return max(unit, unit * round(seconds / unit))


def _clock(seconds: float) -> str:
    """Write a time as m:ss or h:mm:ss."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
