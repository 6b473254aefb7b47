"""Email Templates of a new site: short letters to start from, with ``party_name`` filled in."""

from __future__ import annotations

from typing import Any

import frappe

LETTERS: tuple[dict[str, Any], ...] = (
	{
		"name": "Care: Industry Insight",
		"subject": "Worth reading for {{ party_name }}",
		"response": (
			"<p>Dear {{ party_name }},</p>"
			"<p>each week we pick one thing from your trade that is worth ten minutes. This week:</p>"
			"<p><b>[The finding in one sentence]</b><br>[What it means in practice, in two or three sentences]</p>"
			"<p>If you see it differently, or want to know how others handle it, just reply to this mail.</p>"
		),
	},
	{
		"name": "Care: Product Recommendation",
		"subject": "A thought for {{ party_name }}",
		"response": (
			"<p>Dear {{ party_name }},</p>"
			"<p>going by what you use already, this may help you: <b>[product]</b>. "
			"The reason I think of you: [reason].</p>"
			"<p>Shall I send a sample or call you with the details? If it does not fit, tell me why: "
			"then my next suggestion will be a better one.</p>"
		),
	},
	{
		"name": "Care: Festival Greeting",
		"subject": "Best wishes to {{ party_name }}",
		"response": (
			"<p>Dear {{ party_name }},</p>"
			"<p>thank you for the trust of the past months. We wish you and your team happy and restful days.</p>"
			"<p>If anything is urgent over the holidays, this is how you reach us: [name, number].</p>"
		),
	},
	{
		"name": "Care: Invitation to Co-Create",
		"subject": "Your view counts, {{ party_name }}",
		"response": (
			"<p>Dear {{ party_name }},</p>"
			"<p>we are deciding about [subject], and you know better than we do how it is used. "
			"May we show you the draft and hear what you would change? One hour, on [date], with [name].</p>"
			"<p>You will see afterwards what became of each of your points.</p>"
		),
	},
	{
		"name": "Care: Contract Renewal",
		"subject": "Our contract: what it brought, and what comes next",
		"response": (
			"<p>Dear {{ party_name }},</p>"
			"<p>our contract ends in about two months. Before that I would like to look back with you: "
			"what was agreed, what was done, what was missing. I bring the figures.</p>"
			"<p>Which of these days suits you: [date], [date] or [date]?</p>"
		),
	},
	{
		"name": "Care: Advance Notice",
		"subject": "A change from [date], and why",
		"response": (
			"<p>Dear {{ party_name }},</p>"
			"<p>from [date] on, [what changes]. You hear it from us first, and early enough to plan.</p>"
			"<p><b>The reason:</b> [reason, with the figures behind it]</p>"
			"<p><b>What it means for you:</b> [your present terms] become [your new terms]; "
			"on the volume of the past year that is [amount].</p>"
			"<p>I will call you in the next two weeks. Until then, ask me anything: [name, number].</p>"
		),
	},
	{
		"name": "Care: Reminder of a Change",
		"subject": "Reminder: the change from [date]",
		"response": (
			"<p>Dear {{ party_name }},</p>"
			"<p>in a month, on [date], [what changes], as announced in my letter of [date].</p>"
			"<p>To make it easier: [gesture, such as the old terms for orders until then].</p>"
			"<p>Is a question still open? Reply to this mail, or call me: [number].</p>"
		),
	},
)


def delete_letters() -> None:
	"""Delete the letters that this app brought, whatever became of them."""
	for letter in LETTERS:
		frappe.delete_doc(
			"Email Template", letter["name"], force=True, ignore_permissions=True, ignore_missing=True
		)
