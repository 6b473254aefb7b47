"""Whoever sells, logs or works while a run is at work does not wait for it, and the run leaves nothing behind."""

from __future__ import annotations

import threading
import time

import frappe
import pytest
from frappe.utils import add_days, now

from crm_retention.api.plans import get_forecast
from crm_retention.api.profile import explain
from crm_retention.backends.site import get_session, reading_what_is_committed
from crm_retention.capture.sweep import sweep_all
from crm_retention.jobs.limits import limited_statements
from tests.site import care
from tests.site.care import ANN, MONDAY, add_rule, start_plan, step
from tests.site.trade import add_market, get_company, run

pytestmark = pytest.mark.commits
PARTIES, EVERY, MOST = 2_000, 0.05, 1.0
SESSION = ("collation_connection", "tmp_table_size", "max_heap_table_size", "sort_buffer_size")
SESSION += ("tx_isolation", "max_statement_time")


@pytest.fixture(scope="module", autouse=True)
def market(site, leave_site_as_it_was):
	if frappe.db.db_type != "mariadb":
		pytest.skip("elsewhere nobody writes beside a run, or reads lock nothing")
	care.set_up()
	add_market(PARTIES, MONDAY)
	care.configure(fallback_owner=ANN, touchpoints_per_day="")
	frappe.db.set_value("Interaction Source", "Sales Invoice", "enabled", 1)
	add_rule("cap", "Cap", max_contacts="2", window_days=7)
	start_plan("Trial", step(), step("More", every=3, unit="Days"))
	frappe.db.commit()
	assert run(add_days(MONDAY, -7)).status == "Completed"


class Neighbour(threading.Thread):
	"""Somebody at work on a connection of their own; ``waits`` are the seconds that each statement took."""

	def __init__(self) -> None:
		super().__init__(daemon=True)
		conf, kind = frappe.conf, type(frappe.db._conn)
		self.connection = kind(
			host=conf.db_host or "127.0.0.1", port=int(conf.db_port or 3306), database=conf.db_name,
			user=conf.get("db_user") or conf.db_name, password=conf.db_password, autocommit=True,
		)  # fmt: skip
		self.company, self.over = get_company(), threading.Event()
		self.moment = now()  # a thread of its own knows no site
		self.waits: list[tuple[float, str]] = []
		self.errors: list[Exception] = []
		touchpoints = frappe.get_all("Touchpoint", {"status": "Open"}, pluck="name", limit=1_000)
		invoices = frappe.get_all("Sales Invoice", pluck="name", limit=1_000)
		self.rows = list(zip(touchpoints, invoices, strict=False))
		assert len(self.rows) > 500

	def run(self) -> None:
		number = 0
		while not self.over.is_set():
			number += 1
			try:
				self.work(number, *self.rows[number % len(self.rows)])
			except Exception as error:
				self.errors.append(error)
			time.sleep(EVERY)

	def work(self, number: int, touchpoint: str, invoice: str) -> None:
		"""Sell, change a sale, change a touchpoint, log a contact."""
		who = f"Market {number % PARTIES:05d}"
		sale = (f"new-{number}", who, self.moment[:10], 1, self.company, 100)
		self.do(
			"insert into `tabSales Invoice` (name, customer, posting_date, docstatus, company, base_net_total) "
			"values (%s, %s, %s, %s, %s, %s)", *sale,
		)  # fmt: skip
		self.do("update `tabSales Invoice` set remarks = %s where name = %s", str(number), invoice)
		self.do("update `tabTouchpoint` set note = %s where name = %s", str(number), touchpoint)
		self.do(
			"insert into `tabInteraction Log` (name, party_type, party, occurred_on, kind, creation, modified) "
			"values (%s, 'Customer', %s, %s, 'Call', %s, %s)", f"new-{number}", who, self.moment, self.moment, self.moment,
		)  # fmt: skip

	def do(self, statement: str, *values: object) -> None:
		begun = time.perf_counter()
		with self.connection.cursor() as cursor:
			cursor.execute(statement, values)
		self.waits.append((time.perf_counter() - begun, statement[:30]))


def test_nobody_waits_a_second_through_a_run_a_preview_and_a_sweep():
	neighbour = Neighbour()
	neighbour.start()
	begun = time.perf_counter()
	ended = run(MONDAY)
	preview = run(MONDAY, "Preview")
	sweep_all()
	took = time.perf_counter() - begun
	neighbour.over.set()
	neighbour.join(60)
	assert neighbour.errors == []
	longest = max(neighbour.waits)
	print(
		f"longest wait {longest[0]:.3f} s ({longest[1]}) of {len(neighbour.waits)} statements in {took:.1f} s"
	)
	assert (ended.status, preview.status) == ("Completed", "Completed")
	assert ended.touchpoints_created > 0
	assert len(neighbour.waits) > 40
	assert longest[0] < MOST, longest


def test_what_is_read_is_not_locked():
	"""The same without a clock: the run's kind of statement, and another's change of a row that it reads."""
	neighbour = Neighbour()
	invoice = neighbour.rows[0][1]
	with neighbour.connection.cursor() as cursor:
		cursor.execute("set session innodb_lock_wait_timeout = 1")
	with reading_what_is_committed():
		frappe.db.sql("drop temporary table if exists retention_work_probe")
		frappe.db._cursor.execute(
			"create temporary table retention_work_probe as select name, remarks from `tabSales Invoice`"
		)
		neighbour.do("update `tabSales Invoice` set remarks = 'free' where name = %s", invoice)
		frappe.db.rollback()


def test_a_run_puts_back_what_it_set_on_the_connection():
	before = get_session(SESSION)
	assert before["tx_isolation"] == "REPEATABLE-READ"
	for work in (lambda: run(MONDAY), lambda: run(MONDAY, "Preview"), sweep_all):
		work()
		assert get_session(SESSION) == before


def test_a_request_puts_back_what_it_set_on_the_connection():
	before = get_session(SESSION)
	plan = frappe.get_doc("Maintenance Plan", {"plan_family": "Trial"})
	get_forecast(plan.as_dict(convert_dates_to_str=True))
	explain("Customer", "Market 00001")
	assert get_session(SESSION) == before


def test_work_that_fails_puts_it_back_too():
	before = get_session(SESSION)

	def fail():
		with limited_statements(), reading_what_is_committed():
			assert get_session(SESSION) != before
			raise ZeroDivisionError

	with pytest.raises(ZeroDivisionError):
		fail()
	assert get_session(SESSION) == before
