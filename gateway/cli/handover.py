"""`python -m gateway handover`: writes a sheet for each site."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gateway.cli.inventory import load_or_stop, on_inventory
from gateway.cli.output import SHOWN, print_json, print_problems, say
from gateway.handover import pages, sheet
from gateway.problems import Problem, count, errors
from gateway.rendering import BrokenTemplateError

# So many warnings are printed at most: a thousand sheets may have as many.
_MOST_WARNINGS = 20


@click.command()
@on_inventory
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The folder for the sheets.")
def handover(inventory: str, limit: tuple[str, ...], as_json: bool, out: Path) -> None:
    """Write one sheet per site of INVENTORY for those who set up WeCom, DNS and the load balancer.

    Each sheet is Chinese and English, as Markdown and as HTML; index.html links them all and is left as it is
    with --limit. Certificates and keys are not read. Exit 1 with problems in the inventory or nowhere to write.
    """
    fleet = load_or_stop(inventory, limit, as_json, 1, certificates=False)
    found = sheet.sheets(fleet.hosts)
    # a missing verification file is among the blanks of its sheet
    problems = sorted(problem for problem in fleet.problems if problem.field != "verify")
    if not errors(problems):
        problems += [problem for one in found for problem in one.blanks()]
    written: dict[str, list[str]] = {}
    try:
        if not errors(problems):
            written = {one.domain: [str(path) for path in pages.write(out, pages.render(one))] for one in found}
            if not limit and not pages.write_index(out, found):
                problems.append(Problem("", "", str(out / pages.INDEX), "is another page and stays", "warning"))
    except BrokenTemplateError as error:
        problems = [error.problem]
    except OSError as error:
        problems = [Problem("", "", f"--out {out}", f"cannot be written: {error.strerror}; name another folder")]
    if as_json:
        hosts = {one.domain: [node.name for node in one.hosts] for one in found}
        sheets = [{"domain": domain, "hosts": hosts[domain], "files": files} for domain, files in written.items()]
        print_json({"sheets": sheets, "problems": [problem.as_data() for problem in problems]})
    else:
        print_problems(problems, err=True, most=_MOST_WARNINGS)
        for files in [*written.values()][:SHOWN]:
            click.echo("\n".join(files))
        if len(written) > SHOWN:
            say(f"and {len(written) - SHOWN} more sheets")
        if not errors(problems):
            say(f"{count(len(written), 'sheet')} in {out}")
    if errors(problems):
        sys.exit(1)
