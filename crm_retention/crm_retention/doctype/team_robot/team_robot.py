from __future__ import annotations

from crm_retention.documents import BoundedDocument


class TeamRobot(BoundedDocument):
	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		enabled: DF.Check
		kind: DF.Literal["WeCom", "DingTalk", "Feishu"]
		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
		robot_name: DF.Data
		secret: DF.Password | None
		url: DF.Password
	# end: auto-generated types
	pass
