"""The command `clustrategy`, as a shell calls it: what it answers, refuses and explains."""

from __future__ import annotations

import os
import pydoc
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from snakemake.cli import get_argument_parser as argument_parser

import clustrategy
from clustrategy.runtime.command_line import SHORT, main
from clustrategy.steps.provenance import COMMAND
from clustrategy.strategies.own_files import load_files
from clustrategy.study.config import load, validate
from clustrategy.study.study import Study
from tests.conftest import REPO
from tests.evaluation.test_sample_size import pilot  # noqa: F401
from tests.material import sleepstudy
from tests.own_strategies import FILE, between

GOAL = "sims per cell for a Monte Carlo standard error of 0.005 of"


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: Any = None) -> str:
    """Run a command that ends with an exit code, or a sentence; return what it printed."""
    if code is None:
        main(arguments)
        return capsys.readouterr().out
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    if isinstance(code, str):
        assert str(caught.value.code).startswith(f"clustrategy: {code}")
    else:
        assert caught.value.code == code
    both = capsys.readouterr()
    return both.out + both.err


def test_how_many_sims(pilot, capsys):  # noqa: F811
    sims = ("sims", "--mcse", "0.005", "--of")
    assert said(capsys, *sims, "coverage") == f"1,900 {GOAL} coverage\n"
    lines = said(capsys, *sims, "bias", "--pilot", pilot).splitlines()
    assert lines[0].split() == ["strategy", "term", "worst", "cell", "bias", "mcse", "n", "sims"]
    assert lines[2].split() == ["A", "IV1", "clusters=20", "0.1", "0.2", "100", "160,000"]
    assert lines[-1] == f"160,000 {GOAL} bias, by the worst of them"
    said(capsys, *sims, "bias", code="the sims for bias need an 'sd'")


def test_how_many_sims_a_verdict_takes(capsys):
    assert said(capsys, "sims", "--of", "verdict") == (
        "3,800 sims per cell for a strategy that keeps its level to be found safe in the one cell "
        "with probability 0.99\n"
    )
    found = said(capsys, "sims", "--of", "verdict", "--cells", "45", "--probability", "0.5")
    assert found.startswith("3,500 sims per cell") and "all of 45 cells with" in found


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["verdict", "--mcse", "0.1"], "--of verdict does not take --mcse"),
        (["verdict", "--sd", "0.1"], "--of verdict does not take --sd"),
        (["verdict", "--pilot", "p.parquet"], "--of verdict does not take --pilot"),
        (["verdict", "--cells", "0"], 2),
        (["coverage", "--mcse", "0.1", "--cells", "3"], "--of coverage does not take --cells"),
        (["coverage"], "--of coverage needs --mcse"),
        (["bias", "--mcse", "-1"], 2),
        (["bias", "--mcse", "0.1", "--alpha", "3"], 2),
        (["bias", "--mcse", "0.1", "--sd", "1", "--alpha", "0.01"], 2),
    ],
)
def test_what_does_not_go_together(arguments, code, capsys):
    said(capsys, "sims", "--of", *arguments, code=code)


@pytest.mark.parametrize("name", SHORT)
def test_the_help_of_a_command_begins_with_what_it_does_and_has_an_example(name, capsys):
    found = said(capsys, name, "--help")
    assert " ".join(found.split()).split("] ", 1)[-1] and SHORT[name] in " ".join(found.split())
    assert "Example" in found and f"clustrategy {name}" in found.split("Example", 1)[1]


def test_the_help_lists_the_commands_and_the_exit_codes(capsys):
    found = said(capsys, "--help")
    assert all(f"  {name} " in found for name in SHORT)
    assert all(f"\n    {code} " in found for code in (0, 1, 2, 130))
    assert said(capsys, "--version") == f"clustrategy, version {clustrategy.__version__}\n"
    assert "No such command 'analyse'" in said(capsys, "analyse", code=2)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_names_the_command(shell, capsys):
    found = said(capsys, "completion", shell)
    assert "_CLUSTRATEGY_COMPLETE" in found and "clustrategy" in found


def test_what_needs_no_numbers_imports_none():
    code = (
        "import sys; from clustrategy.runtime.command_line import main; main(['--help']); "
        "sys.exit(' '.join({'numpy', 'pandas', 'snakemake', 'scipy'} & set(sys.modules)) or 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_a_reader_that_stops_sees_no_traceback():
    command = f'"{sys.executable}" -m clustrategy sims --help | true; echo "${{PIPESTATUS[0]}}"'
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert run.stderr == "" and run.stdout.strip() in ("0", "1")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_output_that_cannot_be_written_is_one_sentence():
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "clustrategy", "completion", "zsh"]
        run = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert run.stderr == "clustrategy: the output: No space left on device\n"
    assert run.returncode == 1


def test_an_interrupt_has_its_code_and_no_words(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("clustrategy.evaluation.sample_size.sims_for_verdict", interrupted)
    assert said(capsys, "sims", "--of", "verdict", code=130).strip() == ""


@pytest.mark.parametrize(
    ("typed", "found"),
    [(["ana"], ["analyze"]), (["study", "--co"], ["--cores"]), (["completion", "f"], ["fish"])],
)
def test_completion_completes(typed, found, monkeypatch, capsys):
    monkeypatch.setenv("_CLUSTRATEGY_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", " ".join(["clustrategy", *typed]))
    monkeypatch.setenv("COMP_CWORD", str(len(typed)))
    words = said(capsys, code=0).splitlines()
    assert words == [f"plain,{word}" for word in found]


def test_init_writes_a_config_that_runs_and_changes_nothing(tmp_path, capsys):
    folder = tmp_path / "my study"
    found = said(capsys, "init", str(folder))
    config = load(folder / "config.yaml")
    assert found.endswith(f"clustrategy study '{folder / 'config.yaml'}'\n")
    assert config["study"] == "my-study"
    Study.from_config(config, [str(folder / "config.yaml")])
    assert (folder / "profiles/slurm/config.yaml").exists()
    (folder / "config.yaml").write_text("mine")
    said(capsys, "init", str(folder), code=f"{folder / 'config.yaml'} is there already")
    assert (folder / "config.yaml").read_text() == "mine"
    said(capsys, "init", str(folder / "config.yaml"), code=f"{folder / 'config.yaml'} is a file")


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("123", "123"),
        ("1e5", "1e5"),
        ("null", "null"),
        ("0x1f", "0x1f"),
        ("2024_05", "2024-05"),
        ("Größe", "Gr-e"),
        ("___", "study"),
        ("a" * 99 + ".b", "a" * 99),
    ],
)
def test_init_names_a_study_as_configs_may(folder, name, tmp_path, capsys):
    said(capsys, "init", str(tmp_path / folder))
    assert load(tmp_path / folder / "config.yaml")["study"] == name
    assert validate(load(tmp_path / folder / "config.yaml"), [])["study"] == name


def test_a_profile_that_init_writes_works_from_any_folder(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said(capsys, "init", "it's: mine")
    folder = Path("it's: mine/profiles")
    profile = yaml.safe_load((folder / "cluster-generic/config.yaml").read_text())
    program, script = shlex.split(profile["cluster-generic-status-cmd"])
    assert (program, Path(script)) == ("sh", tmp_path / folder / "cluster-generic/slurm-status.sh")
    assert Path(script).exists()
    for name in ("slurm", "cluster-generic"):
        text = (folder / name / "config.yaml").read_text()
        assert f"study it's: mine/config.yaml -- --profile it's: mine/profiles/{name}" in text
        assert "snakemake --profile" not in text


@pytest.mark.parametrize("folder", ["/dev/null/x", "a" * 300])
def test_a_folder_that_cannot_be_written_is_one_sentence(folder, capsys):
    said(capsys, "init", folder, code=f"{folder}: could not be written to (")


def test_the_template_names_every_key_with_its_default():
    text = (REPO / "config/template.yaml").read_text(encoding="utf-8")
    full = Study.from_config(load(str(REPO / "config/template.yaml"))).config
    left_out = {"sims_per_shard", "student"}  # for few, and in config/README.md
    for key in full.keys() - left_out:
        assert f"{key}:" in text, key
    # What is commented out has the values that hold without it.
    shown = {"csv", "keep_datasets", "figures", "performance", "worked_example"}
    lines = [
        line.removeprefix("# ").split(" #")[0] for line in text.splitlines() if line[:2] == "# "
    ]
    for line in lines:
        key = line.partition(":")[0]
        if key in shown:
            value = yaml.safe_load(line)[key]
            held = full[key]
            assert held == value or {name: held[name] for name in value} == value, key
            shown.remove(key)
    assert not shown


@pytest.fixture
def handed_over(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    """What `study` has become, call by call, without becoming it."""
    called: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda program, command: called.append([program, *command]))
    monkeypatch.setenv(COMMAND, "")
    yield called


def test_a_study_hands_over_to_snakemake(handed_over):
    main(["study", "a.yaml", "b b.yaml", "--cores", "3", "--", "results/x.csv", "--dry-run"])
    main(["study"])
    ((program, *whole), (_, *least)) = handed_over
    assert program == whole[0] == sys.executable and whole[1:3] == ["-m", "snakemake"]
    parse = argument_parser().parse_args
    found, bare = parse(whole[3:]), parse(least[3:])
    for one in (found, bare):
        assert Path(one.snakefile) == REPO / "Snakefile"
        assert Path(one.workflow_profile) == REPO / "profiles/default"
    assert found.configfile == [Path("a.yaml"), Path("b b.yaml")]
    assert (found.cores, found.dryrun, found.targets) == (3, True, ["results/x.csv"])
    # Then the profile's, which takes all.
    assert (bare.cores, bare.configfile, bare.targets) == (None, [], set())


def test_a_study_tells_its_provenance_the_command_as_it_was_typed(handed_over):
    main(["study", "my study.yaml", "--cores", "3", "--", "--dry-run"])
    assert os.environ[COMMAND] == "clustrategy study 'my study.yaml' --cores 3 -- --dry-run"
    main(["study"])
    assert os.environ[COMMAND] == "clustrategy study"


@pytest.mark.parametrize("cores", ["0", "-1", "two", "1.5", ""])
def test_cores_that_would_wait_for_ever_are_refused(cores, handed_over, capsys):
    assert "neither a number from 1" in said(capsys, "study", "--cores", cores, code=2)
    assert not handed_over


def test_an_option_of_snakemake_before_the_dashes_is_explained(handed_over, capsys):
    assert "Options of Snakemake stand behind '--'" in said(capsys, "study", "--dry-run", code=2)
    assert not handed_over


def test_verdicts_of_a_file(tmp_path, capsys):
    table = pd.DataFrame(
        {
            "method": ["A"] * 400 + ["B"] * 400,
            "estimate": ([0.5] * 3 + [0.1] * 397) + ([0.5] * 60 + [0.1] * 340),
            "std_error": 0.2,
        }
    )
    table.to_csv(tmp_path / "estimates.csv", index=False)
    call = ("verdicts", str(tmp_path / "estimates.csv"), "--truth", "0", "--by", "method")
    found = said(capsys, *call)
    assert "conservative" in found and "liberal" in found
    for ending in ("csv", "parquet", "md", "html"):
        out = tmp_path / f"verdicts.{ending}"
        assert said(capsys, *call, "--out", str(out)) == ""
        assert "conservative" in out.read_text(errors="replace")
    found = pd.read_csv(tmp_path / "verdicts.csv")
    rates = found[found["measure"] == "false_positive_rate"].set_index("method")
    np.testing.assert_allclose(rates.loc[["A", "B"], "value"], [3 / 400, 60 / 400])
    said(capsys, *call, "--out", "verdicts.doc", code="verdicts.doc: the name of a file must end")
    said(capsys, "verdicts", str(tmp_path / "estimate.csv"), code=str(tmp_path))


def test_analyze_a_file(tmp_path, capsys):
    sleepstudy().to_csv(tmp_path / "sleep.csv", index=False)
    call = ("analyze", str(tmp_path / "sleep.csv"), "Reaction ~ Days", "--cluster", "Subject")
    found = said(capsys, *call)
    assert found.startswith("Reaction ~ Days, by Subject\n\nGo by OLS CR2")
    assert "- Days: 10.5 [7.2, 13.7], p < 0.001, by OLS CR2." in found
    outs = [str(tmp_path / f"sleep.{ending}") for ending in ("parquet", "MD")]
    said(capsys, *call, "--strategy", "ols", "--out", outs[0], "--out", outs[1])
    table = pd.read_parquet(outs[0])
    np.testing.assert_allclose(table["estimate"], [251.405104848485, 10.467285959596], rtol=1e-12)
    assert Path(outs[1]).read_text().startswith("# Reaction ~ Days, by Subject\n")


def test_analyze_by_a_strategy_of_ones_own(tmp_path, capsys):
    sleepstudy().to_csv(tmp_path / "sleep.csv", index=False)
    (tmp_path / FILE).write_text(between())
    call = ("analyze", str(tmp_path / "sleep.csv"), "Reaction ~ 1", "--cluster", "Subject")
    own = ("--strategies-from", str(tmp_path / FILE))
    try:
        assert "298.5" in said(capsys, *call, *own, "--strategy", "between")
    finally:
        load_files(())  # What is registered here is not for other tests.
    assert "needs --strategy" in said(capsys, *call, *own, code=2)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["Reaction ~ Day", "--cluster", "Subject"], "did you mean 'Days'"),
        (["Reaction ~ Days", "--cluster", "subject"], "did you mean 'Subject'"),
        (["Reaction ~ Days"], "does not say what the clusters are"),
        (["Reaction ~ Days", "--cluster", "Subject", "--weights", "Days"], "weights: no strategy"),
        (["Reaction ~ Days", "--cluster", "Subject", "--strategy", "olds"], "did you mean 'ols'"),
        (["Reaction ~ Days", "--cluster", "Subject", "--out", "a.doc"], "must end in one of"),
        (["Reaction ~ Days + (1 | Subject", "--cluster", "Subject"], "that is no bar of random"),
    ],
)
def test_what_analyze_refuses_is_one_sentence(arguments, sentence, tmp_path, capsys):
    sleepstudy().to_csv(tmp_path / "sleep.csv", index=False)
    with pytest.raises(SystemExit) as caught:
        main(["analyze", str(tmp_path / "sleep.csv"), *arguments])
    text = str(caught.value.code)
    assert text.startswith("clustrategy: ") and sentence in text and "\n" not in text
    assert capsys.readouterr().out == ""


def test_the_package_shows_its_public_names_alone():
    assert sorted(dir(clustrategy)) == sorted([*clustrategy.__all__, "__version__"])
    page = pydoc.plain(pydoc.render_doc(clustrategy))
    for name in clustrategy.__all__:
        assert getattr(clustrategy, name).__doc__
        assert f" {name}(" in page
    assert (Path(clustrategy.__file__).parent / "py.typed").exists()
