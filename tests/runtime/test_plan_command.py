"""`clustrategy plan`, as a shell calls it."""

import numpy as np
import pandas as pd
import pytest
import yaml

from clustrategy import plan
from clustrategy.planning.asked import schema
from clustrategy.runtime.command_line import main
from clustrategy.runtime.commands.plan import plan as command

DESCRIBED = [
    "--rows",
    "8",
    "--icc",
    "0.1",
    "--effect",
    "1.2",
    "--sims",
    "100",
    "--strategy",
    "two-stage",
]


def said(capsys, *arguments):
    main(["plan", *arguments])
    return capsys.readouterr().out


def refused(*arguments):
    with pytest.raises(SystemExit) as caught:
        main(["plan", *arguments])
    return str(caught.value.code)


def test_it_prints_what_python_says_and_writes_files(tmp_path, capsys):
    out = [str(tmp_path / f"plan.{ending}") for ending in ("csv", "md", "html")]
    files = [word for file in out for word in ("--out", file)]
    figures = ["--figures", str(tmp_path / "figures")]
    text = said(capsys, *DESCRIBED, "--clusters", "6:14", *files, *figures)
    same = plan(rows=8, icc=0.1, effect=1.2, sims=100, strategies="two-stage", clusters=(6, 14))
    assert text == f"{same}\n"
    table = pd.read_csv(out[0])
    assert table["strategy"].tolist() == ["two-stage"]
    assert table["power"].tolist() == pytest.approx(same.table()["power"].tolist())
    assert (tmp_path / "plan.md").read_text().startswith(f"# {same.words.title}\n")
    assert same.words.title in (tmp_path / "plan.html").read_text()
    assert (tmp_path / "figures" / "power_by_clusters.png").stat().st_size > 10_000


def test_a_config_says_the_same_and_options_go_before_it(tmp_path, capsys):
    path = tmp_path / "plan.yaml"
    config = {"rows": 8, "icc": 0.1, "effect": 1.2, "sims": 100, "strategies": ["two-stage"]}
    path.write_text(yaml.safe_dump({**config, "clusters": 8}))
    by_config = said(capsys, str(path))
    assert by_config == said(capsys, *DESCRIBED, "--clusters", "8")
    assert said(capsys, str(path), "--clusters", "9") == said(capsys, *DESCRIBED, "--clusters", "9")


def test_a_table_whose_clusters_are_resampled(tmp_path, capsys):
    rng = np.random.default_rng(1)
    school = np.repeat(np.arange(8), 5)
    data = pd.DataFrame({"school": school, "new": school % 2, "score": rng.normal(size=40)})
    data.to_csv(tmp_path / "pupils.csv")
    text = said(
        capsys,
        *["--like", str(tmp_path / "pupils.csv"), "score ~ new", "--cluster", "school"],
        *["--effect", "1", "--clusters", "8", "--sims", "100", "--strategy", "two-stage"],
    )
    assert "The effect is that of new: 1 in" in " ".join(text.split())
    like = str(tmp_path / "pupils.csv")
    sentence = refused("--like", like, "score ~ old", "--cluster", "school", "--effect", "1")
    assert "no column" in sentence


def test_refusals_are_one_sentence(tmp_path):
    assert refused("--rows", "8", "--icc", "0.1") == "clustrategy: the plan lacks the key 'effect'"
    bad = tmp_path / "plan.yaml"
    bad.write_text("rows: 8\nicc: 2\neffect: 1\n")
    assert refused(str(bad)) == f"clustrategy: {bad}: icc must be less than 1, found 2"
    assert refused(*DESCRIBED, "--out", "plan.docx").startswith("clustrategy: plan.docx: the name")


def test_a_range_is_one_or_two_whole_numbers(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["plan", *DESCRIBED, "--clusters", "8:9:10"])
    assert caught.value.code == 2
    assert "neither a whole number nor two of them as in 10:80" in capsys.readouterr().err


def test_options_and_keys_of_a_config_are_the_same():
    options = {option.name for option in command.params} - {"config", "outs", "figures"}
    assert options | {"formula"} == set(schema()["properties"])
