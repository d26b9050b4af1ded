"""`clustrategy completion`: what completes the command in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what completes the command in a shell.

    \b
    Examples (put the line into the file that your shell reads first):
      eval "$(clustrategy completion bash)"              # ~/.bashrc
      eval "$(clustrategy completion zsh)"               # ~/.zshrc
      clustrategy completion fish | source               # ~/.config/fish/config.fish
    """
    found = get_completion_class(shell)
    assert found is not None
    whole = ctx.find_root().command
    click.echo(found(whole, {}, "clustrategy", "_CLUSTRATEGY_COMPLETE").source())
