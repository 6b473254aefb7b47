"""`crm-retention`: tiers, stages and lifetime value from a file of purchases, without a site or a service.

Exit codes: 0 it worked, 2 the input is wrong (each fault on a line of standard error), 1 anything else.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import re
import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import __version__

if TYPE_CHECKING:
	from .files.run import Request

OPTIONAL = {
	"parties": "customers and leads: party, party_name, party_type, since, and any further fields that rules may use",
	"payments": "documents paid in full: party, due_day, paid_day",
	"items": "lines of products bought: party, date, product, amount, discount",
	"interactions": "calls, visits, mails: party, date, direction (In or Out), channel, department, minutes",
	"feedback": "survey answers: party, date, kind (NPS, CSAT, CES), score",
	"cases": "complaints and questions: party, opened, closed, kind (Complaint counts as one)",
	"contracts": "contracts: party, start, end, value",
	"state": "tiers and stages of before: profiles.parquet of the last run",
}
DEFAULT_OUT = "retention-report"
DEMO_FILE = "CDNOW_sample.txt"
DEMO_DAY = datetime.date(1998, 6, 30)
DEMO_COLUMNS = {"party": "1", "day": "3", "amount": "5"}
TO_CALL = 5

ABOUT = """\
Sort customers into tiers and lifecycle stages from what they really bought, see who is about to be lost
and what they are worth, and get a report that says who to call first.
"""
START = """\
begin with:
  crm-retention demo                                       try it on the sample that comes with it
  crm-retention run sales.csv --as-of 2024-12-31 --out results
  crm-retention explain "ACME Ltd" --out results           why this customer stands where he stands
  crm-retention config --out rules.toml                    write the rules to a file, change them, and
  crm-retention run sales.csv --as-of 2024-12-31 --config rules.toml --out results
"""
RUN_ABOUT = """\
Read a file of purchases (CSV or Parquet, a row a purchase), work out signals, lifetime value, scores, tiers and
stages of every customer as of a day, and write them with a report into a folder.
"""
RUN_NOTES = """\
A return or credit note is a row with a negative amount. Rows after the day of --as-of are left out and counted.
Rows of the same customer and document (column "document") count as one purchase. Columns discount, margin,
due_day, paid_day and outstanding are used where they are there.

examples:
  crm-retention run sales.csv --as-of 2024-12-31
  crm-retention run 销售.csv --party-col 客户 --date-col 日期 --amount-col 金额 --as-of 2024-12-31
  crm-retention run sales.csv --as-of 2025-01-31 --state results/profiles.parquet --out results
  crm-retention run sales.csv --parties customers.csv --column parties.party=id --as-of 2024-12-31
"""


def main(arguments: Sequence[str] | None = None) -> int:
	"""Run the command line; returns the exit code."""
	for stream in (sys.stdout, sys.stderr):
		if hasattr(stream, "reconfigure"):
			stream.reconfigure(errors="replace")
	args = make_parser().parse_args(arguments)
	try:
		from .engine.errors import EngineError
		from .files.errors import InputError
	except ImportError as error:
		return _incomplete(error)
	try:
		return int(args.command(args))
	except InputError as error:
		return _wrong(error.messages)
	except EngineError as error:
		return _wrong([str(problem) for problem in error.problems])
	except ImportError as error:
		return _incomplete(error)
	except BrokenPipeError:
		os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
		return 0
	except KeyboardInterrupt:
		print("crm-retention: stopped; earlier results are as they were", file=sys.stderr)
		return 130
	except OSError as error:
		place = f"{error.filename}: " if error.filename else ""
		print(f"crm-retention: {place}{error.strerror or error}", file=sys.stderr)
		return 1


def _wrong(messages: Sequence[str]) -> int:
	for message in messages:
		print(f"crm-retention: {message}", file=sys.stderr)
	return 2


def _incomplete(error: ImportError) -> int:
	if (error.name or "").split(".")[0] == "crm_retention":
		raise error
	print(f"crm-retention: {error}; install it with: pip install 'crm-retention[cli]'", file=sys.stderr)
	return 1


def make_parser() -> argparse.ArgumentParser:
	"""The command line's options and help."""
	shape = argparse.RawDescriptionHelpFormatter
	parser = argparse.ArgumentParser("crm-retention", description=ABOUT, epilog=START, formatter_class=shape)
	parser.add_argument("--version", action="version", version=f"crm-retention {__version__}")
	commands = parser.add_subparsers(required=True, metavar="COMMAND", title="commands")
	run = commands.add_parser(
		"run",
		usage="crm-retention run PURCHASES --as-of DATE [--out DIR] [more options, see below]",
		help="score customers from files",
		description=RUN_ABOUT,
		epilog=RUN_NOTES,
		formatter_class=shape,
	)
	_add_run(run)
	text = "print why a customer has his score, tier and stage, and what would lift him"
	explain = commands.add_parser("explain", help=text, description=text.capitalize() + ".")
	explain.add_argument("party", metavar="CUSTOMER", help="key or name, as in profiles.csv")
	explain.add_argument(
		"--out", type=Path, metavar="DIR", default=Path(DEFAULT_OUT), help="folder of a run (%(default)s)"
	)
	explain.add_argument("--json", action="store_true", help="print everything as JSON")
	explain.set_defaults(command=run_explain)
	text = "run on a public sample of 2,357 customers"
	demo = commands.add_parser(
		"demo", help=text, description=text.capitalize() + " of an online music shop, 1997 to 1998."
	)
	demo.add_argument(
		"--out",
		type=Path,
		metavar="DIR",
		default=Path(DEFAULT_OUT),
		help="folder for the results (%(default)s)",
	)
	demo.set_defaults(command=run_demo)
	text = "print the default rules as TOML, with comments, for --config"
	config = commands.add_parser("config", help=text, description=text.capitalize() + ".")
	config.add_argument("--out", type=Path, metavar="FILE", help="write to a file that does not exist yet")
	config.set_defaults(command=run_config)
	return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
	add = parser.add_argument
	add(
		"purchases",
		type=Path,
		metavar="PURCHASES",
		help="file of purchases: columns party, date, amount, or as named below",
	)
	add("--as-of", type=_day, required=True, metavar="DATE", help="the day to judge from, such as 2024-12-31")
	add(
		"--out",
		type=Path,
		metavar="DIR",
		default=Path(DEFAULT_OUT),
		help="folder for the results (%(default)s)",
	)
	add("--config", type=Path, metavar="FILE", help="rules in TOML; what it leaves out keeps the defaults")
	add("--title", default="", help="heading of the report")
	more = parser.add_argument_group("more files, each optional")
	for name, text in OPTIONAL.items():
		more.add_argument(f"--{name}", type=Path, metavar="FILE", help=text)
	more.add_argument(
		"--table",
		action="append",
		default=[],
		metavar="NAME=FILE",
		help="any other table that your own signals use",
	)
	files = parser.add_argument_group(
		"how the files are written",
		"Found out where not given. --encoding, --delimiter and --date-format: also as RELATION:VALUE for one file.",
	).add_argument
	files(
		"--party-col", metavar="NAME", help="column of the customer in PURCHASES: a name, or a number from 1"
	)
	files("--date-col", metavar="NAME", help="column of the date in PURCHASES")
	files("--amount-col", metavar="NAME", help="column of the amount in PURCHASES")
	files(
		"--column",
		action="append",
		default=[],
		metavar="RELATION.COLUMN=NAME",
		help="any column, such as parties.party=id",
	)
	files(
		"--encoding",
		action="append",
		default=[],
		metavar="NAME",
		help="such as utf-8, gb18030, latin-1, utf-16",
	)
	files("--delimiter", action="append", default=[], metavar="CHAR", help="such as ';' or tab or space")
	files(
		"--date-format",
		action="append",
		default=[],
		metavar="FORMAT",
		help="such as DD/MM/YYYY or %%d/%%m/%%Y",
	)
	files("--decimal-comma", action="store_true", help="1.234,50 instead of 1,234.50")
	files("--no-header", action="store_true", help="PURCHASES begins with data; name columns by number")
	files("--skip-lines", type=int, default=0, metavar="N", help="lines of PURCHASES before its header")
	files("--skip-bad-rows", action="store_true", help="leave out rows that cannot be read, and count them")
	machine = parser.add_argument_group("the machine").add_argument
	machine("--backend", choices=("duckdb", "spark"), default="duckdb", help="where to compute (%(default)s)")
	machine("--memory", metavar="SIZE", help="the most memory to use, such as 4GB")
	machine("--threads", type=int, metavar="N", help="the most threads to use")
	machine("--quiet", action="store_true", help="no progress bar and no summary")
	parser.set_defaults(command=run_files)


def _day(text: str) -> datetime.date:
	digits = re.fullmatch(r"(\d{4})-?(\d{2})-?(\d{2})", text.strip())
	try:
		return datetime.date(*(int(part) for part in digits.groups())) if digits else _refuse(text)
	except ValueError:
		return _refuse(text)


def _refuse(text: str) -> datetime.date:
	raise argparse.ArgumentTypeError(f"{text!r} is not a date; write it as 2024-12-31")


def run_files(args: argparse.Namespace) -> int:
	"""`crm-retention run`."""
	from .files.run import run

	summary = run(make_request(args))
	if not args.quiet:
		print_summary(summary, args.out)
	return 0


def make_request(args: argparse.Namespace) -> Request:
	"""The options of `run` as what to run. Raises InputError and ConfigError."""
	from .files.configuration import load_config
	from .files.errors import InputError
	from .files.options import ReadOptions, column_mapping, per_file
	from .files.run import Request

	files = {"purchases": args.purchases}
	files |= {name: getattr(args, name) for name in OPTIONAL if getattr(args, name)}
	for text in args.table:
		name, equals, file = text.partition("=")
		if (
			not equals
			or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name)
			or name in files
			or name in ("profiles", "changes")
		):
			raise InputError(
				f"--table {text}: write it as NAME=FILE, with a name of letters that is not taken"
			)
		files[name] = Path(file)
	columns = column_mapping(args.column, files)
	for name, chosen in (("party", args.party_col), ("day", args.date_col), ("amount", args.amount_col)):
		if chosen:
			columns.setdefault("purchases", {})[name] = chosen
	given = {
		name: per_file(getattr(args, name), name.replace("_", "-"), files)
		for name in ("encoding", "delimiter", "date_format")
	}
	options = {
		relation: ReadOptions(
			columns=columns.get(relation, {}),
			**{name: values.get(relation, values.get(None)) for name, values in given.items()},
			header=False if args.no_header and relation == "purchases" else None,
			skip_lines=args.skip_lines if relation == "purchases" else 0,
			decimal_comma=args.decimal_comma,
			skip_bad_rows=args.skip_bad_rows,
		)
		for relation in files
	}
	settings = {
		name: getattr(args, name)
		for name in ("as_of", "out", "backend", "memory", "threads", "title", "quiet")
	}
	return Request(files=files, options=options, config=load_config(args.config), **settings)


def run_demo(args: argparse.Namespace) -> int:
	"""`crm-retention demo`."""
	from .files.configuration import load_config
	from .files.options import ReadOptions
	from .files.run import Request, run

	sample = resources.files("crm_retention").joinpath("examples", "cdnow", DEMO_FILE)
	with resources.as_file(sample) as path:
		request = Request(
			files={"purchases": path},
			options={"purchases": ReadOptions(columns=DEMO_COLUMNS)},
			config=load_config(None),
			as_of=DEMO_DAY,
			out=args.out,
			title="CDNOW: who to keep, and who to call first",
		)
		summary = run(request)
	print_summary(summary, args.out)
	return 0


def run_explain(args: argparse.Namespace) -> int:
	"""`crm-retention explain`."""
	from .files.explaining import as_text, explain_party

	found = explain_party(args.out, args.party)
	print(json.dumps(found, indent=2, ensure_ascii=False, default=str) if args.json else as_text(found))
	return 0


def run_config(args: argparse.Namespace) -> int:
	"""`crm-retention config`."""
	from .files.configuration import default_toml
	from .files.errors import InputError

	if not args.out:
		print(default_toml(), end="")
		return 0
	try:
		with args.out.open("x", encoding="utf-8") as file:
			file.write(default_toml())
	except FileExistsError:
		raise InputError(f"{args.out}: is there already, and is left as it is") from None
	print(f"{args.out} written")
	return 0


def print_summary(summary: dict[str, Any], out: Path) -> None:
	"""What a run found, in a few lines: groups, what was left out, whom to call, where the report is."""
	for problem in summary["problems"]:
		print(f"crm-retention: rule not used: {problem}", file=sys.stderr)
	from .report.words import things

	customers = things(summary["counts"]["parties"], "customer")
	print(f"{customers} as of {summary['as_of']}, in {summary['seconds']['total']:.1f} s")
	for kind in ("tiers", "stages"):
		shown = [f"{name or 'none'} {count:,}" for name, count in summary[kind].items() if count]
		print(f"  {kind.capitalize():<7} {' · '.join(shown) or 'none'}")
	for note in summary["notes"]:
		print(f"  Note    {note}")
	if summary["call_first"]:
		print("\nCall first")
	for place, row in enumerate(summary["call_first"][:TO_CALL], 1):
		name = (
			row["party_name"]
			if row["party_name"] == row["party"]
			else f"{row['party_name']} ({row['party']})"
		)
		print(f"  {place}. {name}: {'; '.join(row['reasons'])}; {row['at_risk_text']} at risk")
	print(f"\nReport: {(out / 'report.html').resolve()}")


if __name__ == "__main__":
	sys.exit(main())
