"""Touchpoint types, occasions, contact rules and plans of a new site. From then on they belong to the admin.

No step sends by itself: the first letter to a customer is one that somebody has read.
"""

from __future__ import annotations

import json
from typing import Any

import frappe

from crm_retention.setup import approval
from crm_retention.setup.letters import LETTERS

Row = dict[str, Any]

TYPES: tuple[Row, ...] = (
	{"type_name": "Care Call", "channel": "Phone", "interaction_kind": "Call", "minutes": 20, "priority": 50},
	{"type_name": "Visit", "channel": "Visit", "interaction_kind": "Visit", "minutes": 90, "priority": 60},
	{
		"type_name": "Satisfaction Check",
		"channel": "Phone",
		"interaction_kind": "Call",
		"minutes": 10,
		"priority": 45,
	},
	{
		"type_name": "Product Recommendation",
		"nature": "Offer",
		"channel": "Email",
		"interaction_kind": "Email",
		"minutes": 10,
		"priority": 20,
	},
	{
		"type_name": "Industry Insight",
		"nature": "Message",
		"channel": "Email",
		"interaction_kind": "Email",
		"minutes": 5,
		"priority": 10,
	},
	{
		"type_name": "Birthday Greeting",
		"nature": "Greeting",
		"channel": "Phone",
		"interaction_kind": "Call",
		"minutes": 5,
		"priority": 30,
	},
	{
		"type_name": "Festival Greeting",
		"nature": "Greeting",
		"channel": "Email",
		"interaction_kind": "Email",
		"minutes": 5,
		"priority": 15,
	},
	{
		"type_name": "Renewal Talk",
		"channel": "Meeting",
		"interaction_kind": "Meeting",
		"minutes": 45,
		"priority": 80,
	},
	{
		"type_name": "Welcome Call",
		"channel": "Phone",
		"interaction_kind": "Call",
		"minutes": 20,
		"priority": 70,
	},
	{
		"type_name": "Wake-Up Call",
		"channel": "Phone",
		"interaction_kind": "Call",
		"minutes": 25,
		"priority": 55,
	},
	{
		"type_name": "Listening Visit",
		"channel": "Visit",
		"interaction_kind": "Visit",
		"minutes": 90,
		"priority": 55,
	},
	{
		"type_name": "Invitation to Co-Create",
		"channel": "Meeting",
		"interaction_kind": "Meeting",
		"minutes": 60,
		"priority": 40,
	},
	{
		"type_name": "Complaint Follow-Up",
		"nature": "Notice",
		"channel": "Phone",
		"interaction_kind": "Call",
		"minutes": 20,
		"priority": 100,
	},
	{
		"type_name": "Price or Service Notice",
		"nature": "Notice",
		"channel": "Email",
		"interaction_kind": "Email",
		"minutes": 15,
		"priority": 90,
	},
	{
		"type_name": "Promise",
		"nature": "Notice",
		"interaction_kind": "Note",
		"minutes": 15,
		"priority": 95,
	},
)

OCCASIONS: tuple[Row, ...] = (
	{"occasion_name": "New Year", "kind": "Fixed Date", "month": 1, "day": 1},
	{"occasion_name": "Spring Festival", "kind": "Lunar Date", "month": 1, "day": 1},
	{"occasion_name": "Mid-Autumn Festival", "kind": "Lunar Date", "month": 8, "day": 15},
	{
		"occasion_name": "End of Contract",
		"kind": "Date Field",
		"document_type": "Contract",
		"party_field": "party_name",
		"date_field": "end_date",
		"every_year": 0,
		"lead_days": 60,
	},
	{
		"occasion_name": "Price or Service Change",
		"kind": "Fixed Date",
		"month": 1,
		"day": 1,
		"lead_days": 60,
		"note": "Set this to the day of your next change, then submit the plan Advance Notice for that year.",
	},
)

RULES: tuple[Row, ...] = (
	{
		"rule_name": "A No Counts",
		"kind": "Consent",
		"action": "Drop",
		"sequence": 10,
		"because": "The customer does not want to be contacted in this way.",
	},
	{
		"rule_name": "No Offers After a Complaint",
		"kind": "Cool-Down",
		"action": "Drop",
		"sequence": 20,
		"nature": "Offer",
		"case_kind": "Complaint",
		"cool_down_days": 14,
		"because": "A complaint is open, or was until a few days ago: first the answer, then the next offer.",
	},
	{
		"rule_name": "No Greetings During a Dispute",
		"kind": "Cool-Down",
		"action": "Drop",
		"sequence": 30,
		"nature": "Greeting",
		"case_kind": "Complaint",
		"cool_down_days": 0,
		"because": "A cheerful greeting in the middle of a dispute does harm.",
	},
	{
		"rule_name": "Two Contacts a Week",
		"kind": "Cap",
		"action": "Postpone",
		"sequence": 40,
		"max_contacts": "2",
		"window_days": 7,
		"because": "This customer has heard from us often enough these days.",
	},
	{
		"rule_name": "No Messages at Night",
		"kind": "Quiet Hours",
		"action": "Postpone",
		"sequence": 50,
		"only_messages": 1,
		"from_time": "20:00:00",
		"to_time": "08:00:00",
		"because": "Messages go out during the day.",
	},
	{
		"rule_name": "No Messages at Weekends",
		"kind": "Quiet Days",
		"action": "Postpone",
		"sequence": 60,
		"only_messages": 1,
		"weekdays": "Saturday, Sunday",
		"because": "Messages go out on working days.",
	},
)

IN_BUSINESS = ("Converted", "Active", "Loyal", "At Risk", "Won Back")
LUNAR_COUNTRIES = ("China", "Hong Kong", "Macao", "Taiwan", "Singapore", "Malaysia")


def get_docs() -> list[Row]:
	"""The defaults as documents, those that others link to first."""
	docs = [{"doctype": "Touchpoint Type", **row} for row in TYPES]
	docs += [{"doctype": "Care Occasion", **row} for row in OCCASIONS]
	docs += [{"doctype": "Contact Rule", **row} for row in RULES]
	docs += [{"doctype": "Email Template", **row} for row in LETTERS]
	docs += [get_plan(row) for row in (*PLANS, get_greetings())]
	return [*docs, *approval.get_docs()]


def get_plan(row: Row) -> Row:
	"""A plan as a document, submitted unless it is a draft."""
	plan = {key: value for key, value in row.items() if key not in ("tiers", "stages", "steps", "signals")}
	signals = [["Retention Profile", *condition] for condition in row.get("signals", ())]
	return {
		"doctype": "Maintenance Plan",
		"name": f"{row['title']} v1",
		"docstatus": 1,
		**plan,
		"tiers": [{"tier": name} for name in row.get("tiers", ())],
		"stages": [{"stage": name} for name in row.get("stages", ())],
		"signal_conditions_json": json.dumps(signals),
		"steps": [{"owner_rule": "Account Manager", **step} for step in row["steps"]],
	}


def get_greetings() -> Row:
	"""Greetings at New Year, and where people keep the Chinese calendar at its festivals."""
	occasions = ["New Year"]
	if frappe.db.get_single_value("System Settings", "country") in LUNAR_COUNTRIES:
		occasions += ["Spring Festival", "Mid-Autumn Festival"]
	return make_greetings(occasions)


def make_greetings(occasions: list[str]) -> Row:
	"""The plan that greets at some occasions."""
	return {
		"title": "Season's Greetings",
		"priority": 5,
		"tiers": ("High Value", "Regular"),
		"stages": IN_BUSINESS,
		"steps": [
			{
				"step_name": name,
				"touchpoint_type": "Festival Greeting",
				"timing": "Occasion",
				"occasion": name,
				"offset_days": -3,
				"email_template": "Care: Festival Greeting",
				"instructions": "A few words of your own; no advertising.",
			}
			for name in occasions
		],
	}


def on_event(name: str, touchpoint_type: str, event: str, days: int = 0, **more: Any) -> Row:
	"""A step that follows an event, so many days after it."""
	step = {"step_name": name, "touchpoint_type": touchpoint_type, "timing": "Event", "event": event}
	return {**step, "offset_days": days, **more}


def every(number: int, unit: str, name: str, touchpoint_type: str, **more: Any) -> Row:
	"""A step that returns."""
	step = {"step_name": name, "touchpoint_type": touchpoint_type, "timing": "Every"}
	return {**step, "every": number, "unit": unit, **more}


def ahead(days: int, name: str, **more: Any) -> Row:
	"""A step before the day of a price rise or a changed service."""
	change = {"timing": "Occasion", "occasion": "Price or Service Change", "offset_days": -days}
	return {"step_name": name, "touchpoint_type": "Price or Service Notice", **change, **more}


PLANS: tuple[Row, ...] = (
	{
		"title": "High Value Care",
		"priority": 30,
		"tiers": ("High Value",),
		"stages": IN_BUSINESS,
		"hours_per_party": 20,
		"steps": (
			every(
				1,
				"Months",
				"Monthly Conversation",
				"Care Call",
				instructions="How is business? What changes at their side? Which promise of ours is open?",
			),
			every(
				1,
				"Quarters",
				"Consulting Visit",
				"Visit",
				service_level_days=10,
				instructions="One subject chosen by the customer, prepared with our specialist.",
			),
			every(
				12,
				"Months",
				"Invitation to Co-Create",
				"Invitation to Co-Create",
				service_level_days=14,
				email_template="Care: Invitation to Co-Create",
				instructions="Invite them to a product or service decision of ours.",
			),
		),
	},
	{
		"title": "Regular Care",
		"priority": 20,
		"tiers": ("Regular",),
		"stages": IN_BUSINESS,
		"hours_per_party": 2,
		"steps": (
			every(
				1,
				"Quarters",
				"Feedback",
				"Satisfaction Check",
				service_level_days=7,
				instructions="What went well, what did not, what is missing? Whatever is open becomes a promise.",
			),
			every(
				1,
				"Quarters",
				"Personal Recommendation",
				"Product Recommendation",
				service_level_days=7,
				email_template="Care: Product Recommendation",
				instructions="One product that fits what they bought, with the reason why.",
			),
		),
	},
	{
		"title": "Potential Growth",
		"priority": 10,
		"tiers": ("Potential",),
		"stages": ("Potential", *IN_BUSINESS),
		"hours_per_party": 5,
		"steps": (
			every(
				1,
				"Weeks",
				"Industry Insight",
				"Industry Insight",
				service_level_days=5,
				email_template="Care: Industry Insight",
				instructions=(
					"Something worth reading for their trade. With a letter that is right for everybody, a new "
					"version of the plan may send it by itself."
				),
			),
			every(
				1,
				"Quarters",
				"Growth Conversation",
				"Care Call",
				service_level_days=10,
				instructions="Where do they want to be in a year, and what could we do for it?",
			),
		),
	},
	{
		"title": "Welcome",
		"priority": 40,
		"signals": (["tenure_days", "<=", 120],),
		"steps": (
			on_event(
				"Welcome Call",
				"Welcome Call",
				"First Purchase",
				1,
				service_level_days=2,
				instructions="Say thanks, name the person who is there for them, ask what they expect.",
			),
			on_event(
				"First Experience",
				"Satisfaction Check",
				"First Purchase",
				14,
				instructions="Did everything arrive and work? Solve at once what did not.",
			),
			on_event(
				"What Else Helps",
				"Product Recommendation",
				"First Purchase",
				45,
				service_level_days=7,
				email_template="Care: Product Recommendation",
			),
		),
	},
	{
		"title": "Wake-Up",
		"priority": 25,
		"stages": ("At Risk", "Dormant"),
		"steps": (
			on_event(
				"Needs Diagnosis",
				"Wake-Up Call",
				"Stage Entered",
				1,
				event_value="At Risk",
				service_level_days=5,
				instructions="Ask before you offer: what has changed at their side, people and growth included?",
			),
			on_event(
				"Wake-Up Call",
				"Wake-Up Call",
				"Stage Entered",
				1,
				event_value="Dormant",
				service_level_days=7,
				instructions="Needs diagnosis: why did they stop, and what would they need today?",
			),
			on_event(
				"Something Worth Reading",
				"Industry Insight",
				"Stage Entered",
				14,
				event_value="Dormant",
				service_level_days=7,
				email_template="Care: Industry Insight",
				instructions="Insight before any discount.",
			),
			on_event(
				"Listening Visit",
				"Listening Visit",
				"Stage Entered",
				30,
				event_value="Dormant",
				service_level_days=14,
				instructions="Listen. Bring no offer, take home what we did wrong and what they plan.",
			),
		),
	},
	{
		"title": "Contract Renewal",
		"priority": 50,
		"signals": (["days_to_contract_end", "<=", 120],),
		"steps": (
			on_event(
				"Look Back Together",
				"Satisfaction Check",
				"Contract End",
				-90,
				service_level_days=10,
				instructions="What did the contract bring them? Collect what must be better before the talk.",
			),
			on_event(
				"Renewal Talk",
				"Renewal Talk",
				"Contract End",
				-60,
				service_level_days=10,
				email_template="Care: Contract Renewal",
				instructions="Results in figures, their plans for the next term, our proposal.",
			),
			on_event(
				"Open Points",
				"Care Call",
				"Contract End",
				-30,
				service_level_days=5,
				instructions="Only what is still open; close it or say when.",
			),
		),
	},
	{
		"title": "Complaint Follow-Up",
		"priority": 60,
		"steps": (
			on_event(
				"First Answer",
				"Complaint Follow-Up",
				"Complaint Opened",
				service_level_days=1,
				instructions="Who takes care of it, and by when they hear from us again. Make it a promise.",
			),
			on_event(
				"Is It Solved?",
				"Complaint Follow-Up",
				"Complaint Closed",
				3,
				service_level_days=3,
				instructions="Ask whether it is solved in the customer's eyes; tell what we changed.",
			),
			on_event(
				"Talk to the Dissatisfied",
				"Complaint Follow-Up",
				"Detractor Feedback",
				service_level_days=2,
				instructions="Thank for the frankness, find the reason, agree on one improvement.",
			),
		),
	},
	{
		"title": "Advance Notice",
		"priority": 70,
		"docstatus": 0,
		"stages": IN_BUSINESS,
		"description": (
			"<p>For a price rise or a changed service. Set the day on the occasion Price or Service Change, "
			"fill the reasons and figures into the two templates, let the plan start and end around that day, "
			"and submit it.</p>"
		),
		"steps": (
			ahead(
				60,
				"Announcement with Reason and Figures",
				service_level_days=5,
				email_template="Care: Advance Notice",
				instructions="Why it changes, from when, and what it means for this customer in figures.",
			),
			ahead(
				45,
				"Personal Talk",
				touchpoint_type="Care Call",
				service_level_days=7,
				instructions="Open channel: take every question, log it, answer within a day.",
			),
			ahead(
				30,
				"Reminder and Goodwill",
				service_level_days=5,
				email_template="Care: Reminder of a Change",
				instructions="A gesture of goodwill: old terms for orders until the day, or an extra service.",
			),
			ahead(
				-14,
				"After the Change",
				touchpoint_type="Satisfaction Check",
				service_level_days=7,
				instructions="How did it land? What must we put right?",
			),
		),
	},
)
