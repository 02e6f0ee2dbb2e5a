"""`python -m gateway explain`: says what a WeCom error, or a message of this program, means."""

from __future__ import annotations

import sys

import click

from gateway.cli.output import print_json
from gateway.messages import explained
from gateway.wecom import explain as wecom

# So many bytes of standard input are read at most.
_MOST_PASTED = 1 << 20


# WeCom's code for "busy" is -1, which must not be taken for an option
@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--json", "as_json", is_flag=True, help="Machine-readable output on standard output.")
@click.argument("answer", nargs=-1, required=True, metavar="CODE-OR-ANSWER")
def explain(answer: tuple[str, ...], as_json: bool) -> None:
    """Say what a WeCom error or a message of this program means, whose side it is on, and what to change.

    Takes an error code (60020), a whole answer, the words of WeCom's console or of a screenshot, or the URL of
    WeCom's error page, in quotation marks; or the code behind a message of this program (WG2041). With - it is read
    from standard input, which keeps tokens out of the shell's history. Nothing secret is repeated.
    """
    pasted = " ".join(answer)
    if pasted == "-":
        pasted = sys.stdin.buffer.read(_MOST_PASTED).decode("utf-8", errors="replace")
    found = wecom.explain(pasted)
    ours = explained.explain(pasted, by_words=not found)
    unknown = explained.unknown(pasted)
    if as_json:
        data = {"errors": [wecom.as_data(one) for one in found], "messages": [one.as_data() for one in ours]}
        print_json(data | {"unknown": unknown})
    else:
        texts = [*(one.as_text() for one in ours), *map(explained.not_known, unknown)]
        texts += [wecom.as_text(one) for one in found]
        click.echo("\n\n".join(texts) or wecom.NOTHING_FOUND)
