"""docs/reference/commands.md: every command and option, out of click, pyinfra and the Makefile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from guide import sources
from guide.markdown import code, heading, prose, table
from guide.texts import Texts

_PROGRAM = "python -m gateway"


def page(texts: Texts) -> str:
    """The page in the language of `texts`."""
    return "\n\n".join(_parts(texts)) + "\n"


def _parts(texts: Texts) -> Iterator[str]:
    yield heading(1, texts("Every command and option"))
    yield texts(
        "Run them in the folder that has `deploy.py`, with `.venv` activated. `INVENTORY` is a file like "
        "`inventory/prod.py`."
    )
    yield heading(2, f"`{_PROGRAM}`", "gateway")
    yield texts("Nothing of this changes a host.")
    group = sources.commands()
    yield _options(group.get_params(click.Context(group, **group.context_settings)), texts)
    yield texts("Every command has `-h` too.")
    for name in sorted(group.commands):
        yield from _command(name, group.commands[name], texts)
    yield from _pyinfra(texts)
    yield heading(2, "`make`", "make")
    yield _rows(texts("target"), texts.make, sources.make_targets(), texts)
    yield heading(2, texts("Environment variables"), "variables")
    yield _rows(texts("variable"), texts.variables, texts.variables, texts)


def _command(name: str, command: click.Command, texts: Texts) -> Iterator[str]:
    yield heading(3, f"`{name}`", name)
    usage = " ".join(command.collect_usage_pieces(click.Context(command)))
    yield code(f"{_PROGRAM} {name} {usage}")
    for text, exits in sources.help_paragraphs(command):
        if text:
            yield prose(texts(text))
        if exits:
            yield f"**{texts('Exit code')}**{texts(': ')}{prose(texts(exits))}"
    yield _options(command.params, texts)


def _options(params: Iterable[click.Parameter], texts: Texts) -> str:
    options = [one for one in params if isinstance(one, click.Option)]
    return table((texts("option"), texts("meaning")), [_option(one, texts) for one in options])


def _option(option: click.Option, texts: Texts) -> tuple[str, str]:
    if not option.help:
        raise ValueError(f"{option.opts[0]}: say in its help what it does")
    metavar = "" if option.is_flag else " " + option.make_metavar(click.Context(click.Command("")))
    meaning = [prose(texts(option.help))]
    if option.required:
        meaning.append(texts("Required."))
    if option.multiple and "Repeatable" not in option.help:
        meaning.append(texts("Repeatable."))
    return f"`{', '.join(option.opts)}{metavar}`", texts(" ").join(meaning)


def _pyinfra(texts: Texts) -> Iterator[str]:
    yield heading(2, "`pyinfra`", "pyinfra")
    yield code("pyinfra [OPTIONS] INVENTORY deploy.py\npyinfra [OPTIONS] INVENTORY rollback.py")
    yield texts(
        "`deploy.py` checks the inventory, installs, publishes and activates; `rollback.py` puts the previous release "
        "back. Options stand before the inventory or behind it."
    )
    yield (
        f"**{texts('Exit code')}**{texts(': ')}"
        + texts(
            "0 done; 1 faulty inventory, a host that failed or could not be reached, a certificate that was not "
            "issued; 130 after Ctrl-C. `--dry` exits 0 even when changes are pending."
        )
    )
    unknown = {name.split()[0].rstrip(",") for name in texts.pyinfra} - sources.pyinfra_options()
    if unknown:
        raise ValueError(f"pyinfra has no {', '.join(sorted(unknown))}; see `pyinfra` in guide/texts.toml")
    yield _rows(texts("option"), texts.pyinfra, texts.pyinfra, texts)
    yield texts("All others: `pyinfra --help`. What `--data` allows, for one deploy each:")
    yield _rows(texts("value"), texts.data, [f"{name}=1" for name in sources.data_options()], texts)


def _rows(what: str, meanings: dict[str, str], names: Iterable[str], texts: Texts) -> str:
    """A table of names; each has to have its meaning in guide/texts.toml, and nothing else may stand there."""
    names = list(names)
    if wrong := set(names) ^ meanings.keys():
        raise ValueError(f"guide/texts.toml: {', '.join(sorted(wrong))}: no meaning, or no such {what}")
    return table((what, texts("meaning")), [(f"`{name}`", texts(meanings[name])) for name in names])
