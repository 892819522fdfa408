"""``traffic-siamese completion``: a shell that knows the commands, and a model's names."""

from __future__ import annotations

import click

from traffic_siamese.cli.manual import Manual
from traffic_siamese.cli.options import common_options, json_option
from traffic_siamese.cli.output import print_json

_PROGRAM = "traffic-siamese"
_VARIABLE = "_TRAFFIC_SIAMESE_COMPLETE"
_SHELLS = ("bash", "zsh", "fish")


@click.command(cls=Manual, answer={"shell": "Its name.", "script": "What to evaluate in it."})
@click.argument("shell", type=click.Choice(_SHELLS))
@json_option
@common_options
def command(shell: str, as_json: bool) -> None:
    """Print the script that lets SHELL complete commands, options and names.

    Commands, options and files are completed; with --model on the line, also the faults that
    ``faults show``, ``rename`` and ``remove`` take, and the networks for --network.

    \b
    bash:  add the first line of the example to ~/.bashrc
    zsh:   the same with zsh, in ~/.zshrc, below compinit
    fish:  write the script to ~/.config/fish/completions/traffic-siamese.fish

    \b
    Example:
      eval "$(traffic-siamese completion bash)"
      traffic-siamese completion fish
    """
    script = completion_script(shell)
    if as_json:
        print_json({"shell": shell, "script": script})
        return
    click.echo(script, nl=False)


def completion_script(shell: str) -> str:
    """Return click's script for a shell."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"click knows no completion for {shell}.")
    root = click.get_current_context().find_root().command
    complete = found(root, {}, _PROGRAM, _VARIABLE)
    return complete.source_template % complete.source_vars()
