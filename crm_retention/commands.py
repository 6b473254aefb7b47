"""``bench --site SITE retention ...``: the cycle from the command line of a bench."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
import frappe
from frappe.commands import get_site, pass_context


@contextmanager
def connected(context: Any) -> Iterator[None]:
	"""The site of ``--site``, as Administrator."""
	site = get_site(context)
	with frappe.init_site(site):
		frappe.connect()
		frappe.set_user("Administrator")
		yield


@click.group("retention")
def retention() -> None:
	"""Customer tiers, lifecycle stages and care."""


@retention.command("run")
@click.option("--as-of", metavar="YYYY-MM-DD", help="Day of the run; today by default.")
@pass_context
def run(context: Any, as_of: str | None) -> None:
	"""Run the cycle now, in this process, and print what it did."""
	with connected(context):
		_finish(_run("Manual", as_of))


@retention.command("preview")
@click.option("--as-of", metavar="YYYY-MM-DD", help="Day of the preview; today by default.")
@pass_context
def preview(context: Any, as_of: str | None) -> None:
	"""Show who would move from which tier to which; profiles stay as they are."""
	with connected(context):
		doc = _run("Preview", as_of)
		for row in json.loads(doc.preview_result or "{}").get("matrix", ()):
			click.echo(f"{row['from'] or '(none)':>20} -> {row['to'] or '(none)':<20} {row['count']:>8}")
		_finish(doc)


@retention.command("explain")
@click.argument("party")
@click.option("--party-type", default="Customer", show_default=True)
@pass_context
def explain(context: Any, party: str, party_type: str) -> None:
	"""Everything behind a party's profile, as JSON."""
	from crm_retention.api.profile import explain as explain_party

	with connected(context):
		if not frappe.db.exists(party_type, party):
			raise click.ClickException(f"There is no {party_type} {party}.")
		found = explain_party(party_type, party)
		if not found:
			raise click.ClickException(
				f"{party_type} {party} has no profile yet: bench --site SITE retention run"
			)
		click.echo(json.dumps(found, indent=1, default=str, ensure_ascii=False))


@retention.command("fit")
@click.option("--as-of", metavar="YYYY-MM-DD", help="Day of the fit; today by default.")
@pass_context
def fit(context: Any, as_of: str | None) -> None:
	"""Fit the lifetime model and print its parameters; profiles stay as they are."""
	with connected(context):
		doc = _run("Preview", as_of)
		click.echo(doc.lifetime_model or "")
		_finish(doc)


@retention.command("demo-data")
@click.option("--scale", default=1.0, show_default=True, help="Size; 1 is about 200 customers.")
@click.option("--cdnow", is_flag=True, help="Load the CDNOW sample instead of the demo company.")
@click.option(
	"--history/--no-history", default=True, help="Run the cycle as of each of the last twelve months as well."
)
@click.option("--force", is_flag=True, help="Also on a site with invoices of its own.")
@pass_context
def demo_data(context: Any, scale: float, cdnow: bool, history: bool, force: bool) -> None:
	"""Fill the site with a believable company, for trying things out."""
	from crm_retention.demo import create_demo_data, load_cdnow, run_past_cycles

	with connected(context):
		try:
			done = load_cdnow(force=force) if cdnow else create_demo_data(scale=scale, force=force)
		except frappe.ValidationError as error:
			raise click.ClickException(str(error)) from error
		frappe.db.commit()
		if done and history and not cdnow:
			run_past_cycles()
		for name, count in done.items():
			click.echo(f"{name:>24} {count}")
		if cdnow and done:
			click.echo("The sample ends on 1998-06-30: bench --site SITE retention run --as-of 1998-06-30")


def _run(kind: str, as_of: str | None) -> Any:
	from crm_retention.api.cycle import get_day
	from crm_retention.jobs.cycle import preview_job, run_job
	from crm_retention.jobs.runs import create_run

	doc = create_run(kind, get_day(as_of))
	frappe.db.commit()
	(preview_job if kind == "Preview" else run_job)(doc.name)
	return doc.reload()


def _finish(doc: Any) -> None:
	for row in doc.problems:
		click.secho(
			", ".join(filter(None, (row.table, row.row, row.field))) + f": {row.message}",
			fg="yellow",
			err=True,
		)
	if doc.status == "Failed":
		raise click.ClickException(doc.error or "failed")
	if doc.kind != "Preview":
		for row in doc.steps:
			click.echo(f"{row.step:>12} {row.seconds:8.2f} s")
		click.echo(
			f"{doc.name} as of {doc.as_of}: {doc.parties} parties, {doc.created} new, {doc.updated} changed, "
			f"{doc.unchanged} unchanged, {doc.tier_changes} tier and {doc.stage_changes} stage changes"
		)


commands = [retention]
