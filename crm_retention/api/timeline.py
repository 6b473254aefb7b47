"""A customer or lead in one view, and its timeline across departments; for the desk, phones and other clients."""

from typing import Annotated

from crm_retention.api.endpoint import endpoint
from crm_retention.arguments import Name, Number, Values, Word
from crm_retention.jobs.runs import today
from crm_retention.views import party as party_view
from crm_retention.views import timeline
from crm_retention.views.access import check_party
from crm_retention.views.party import View
from crm_retention.views.timeline import Page


@endpoint()
def get_view(party_type: Name, party: Name) -> View:
	"""What is known and to be done of a party today. See ``views.party.View``. Raises PermissionError."""
	party = check_party(party_type, party)
	return party_view.get_view(party_type, party, today())


@endpoint()
def get_timeline(
	party_type: Name,
	party: Name,
	filters: Values | None = None,
	before: Word | None = None,
	limit: Annotated[int, Number(whole=True)] = 50,
) -> Page:
	"""What happened with a party, newest first: {rows, before}. See ``views.timeline.get_page``.

	``filters``: of (Interaction Log, Touchpoint, Tier Change or Plan Enrollment), kind, channel, department, direction,
	from_date and to_date (days of the user's calendar), only_contacts. ``before`` is that of the page above. Raises
	PermissionError, ValidationError for filters that do not exist.
	"""
	party = check_party(party_type, party)
	return timeline.get_page(party_type, party, filters, before, limit)
