"""What a new site and the command line start with: tiers, stages and scorecards, in one place.

The shape is that of ``engine.config.parse``; what the engine does not read (colours, ways of care) is for
forms and stands in ``ABOUT``. An installation copies these rows; from then on they belong to the admin.
"""

from __future__ import annotations

from typing import Any

DEFAULTS: dict[str, Any] = {
	"scorecards": [
		{
			"name": "Customer Value",
			"purpose": "value",
			"criteria": [
				{"signal": "monetary_12m", "weight": 35, "direction": "higher"},
				{"signal": "frequency", "weight": 25, "direction": "higher"},
				{"signal": "recency_days", "weight": 20, "direction": "lower"},
				{"signal": "lifetime_value", "weight": 15, "direction": "higher"},
				{"signal": "product_breadth", "weight": 5, "direction": "higher"},
			],
		},
		{
			"name": "Customer Health",
			"purpose": "health",
			"criteria": [
				{
					"signal": "overdue_ratio",
					"weight": 30,
					"method": "bands",
					"direction": "lower",
					"bands": [
						{"start": None, "end": 1, "score": 100},
						{"start": 1, "end": 1.5, "score": 75},
						{"start": 1.5, "end": 2.5, "score": 40},
						{"start": 2.5, "end": 4, "score": 15},
						{"start": 4, "end": None, "score": 0},
					],
				},
				{
					"signal": "recency_days",
					"weight": 25,
					"method": "bands",
					"direction": "lower",
					"bands": [
						{"start": None, "end": 90, "score": 100},
						{"start": 90, "end": 180, "score": 70},
						{"start": 180, "end": 365, "score": 35},
						{"start": 365, "end": None, "score": 0},
					],
				},
				{
					"signal": "probability_alive",
					"weight": 15,
					"method": "bands",
					"bands": [
						{"start": None, "end": 0.2, "score": 0},
						{"start": 0.2, "end": 0.5, "score": 30},
						{"start": 0.5, "end": 0.8, "score": 65},
						{"start": 0.8, "end": None, "score": 100},
					],
				},
				{
					"signal": "trend",
					"weight": 10,
					"method": "bands",
					"bands": [
						{"start": None, "end": -0.5, "score": 0},
						{"start": -0.5, "end": -0.1, "score": 40},
						{"start": -0.1, "end": 0.1, "score": 70},
						{"start": 0.1, "end": None, "score": 100},
					],
				},
				{
					"signal": "open_complaints",
					"weight": 10,
					"method": "bands",
					"direction": "lower",
					"bands": [
						{"start": None, "end": 1, "score": 100},
						{"start": 1, "end": 2, "score": 30},
						{"start": 2, "end": None, "score": 0},
					],
				},
				{
					"signal": "nps",
					"weight": 10,
					"method": "bands",
					"bands": [
						{"start": None, "end": 7, "score": 0},
						{"start": 7, "end": 9, "score": 60},
						{"start": 9, "end": None, "score": 100},
					],
				},
			],
		},
	],
	"tiers": [
		{"name": "Potential", "rank": 1},
		{
			"name": "Regular",
			"rank": 2,
			"min_score": 35,
			"margin": 5,
			"min_stay_days": 30,
			"conditions": [["purchases", ">", 0]],
		},
		{
			"name": "High Value",
			"rank": 3,
			"min_score": 70,
			"margin": 5,
			"min_stay_days": 90,
			"conditions": [["purchases", ">", 0]],
		},
	],
	# Tried in this order; the first whose conditions all hold is the party's stage.
	"stages": [
		{"name": "Potential", "order": 10, "conditions": [["last_purchase", "is not set"]]},
		{
			"name": "Won Back",
			"order": 20,
			"conditions": [
				["previous_stage", "in", ["Dormant", "Lost", "Won Back"]],
				["recency_days", "<=", 60],
			],
		},
		{"name": "Lost", "order": 30, "conditions": [["recency_days", ">=", 730]]},
		{"name": "Dormant", "order": 40, "conditions": [["recency_days", ">=", 365]]},
		{
			"name": "At Risk",
			"order": 50,
			"conditions": [["overdue_ratio", ">", 2], ["recency_days", ">=", 45], ["frequency", ">=", 2]],
		},
		{
			"name": "Loyal",
			"order": 60,
			"conditions": [["frequency", ">=", 5], ["tenure_days", ">=", 180], ["health", ">=", 60]],
		},
		{"name": "Active", "order": 70, "conditions": [["frequency", ">=", 1]]},
		{"name": "Converted", "order": 80, "conditions": [["frequency", "=", 0]]},
	],
}

ABOUT: dict[str, dict[str, dict[str, str]]] = {
	"tiers": {
		"High Value": {
			"way_of_care": "Own plan and regular conversations",
			"frequency": "Monthly",
			"personal_measures": "Custom events, dedicated adviser, 1:1 consulting",
			"colour": "#C0942E",
		},
		"Regular": {
			"way_of_care": "Automated touches and feedback collection",
			"frequency": "Quarterly",
			"personal_measures": "Personal product recommendations",
			"colour": "#2E7DC0",
		},
		"Potential": {
			"way_of_care": "Education and growth plan",
			"frequency": "Weekly",
			"personal_measures": "Industry insight",
			"colour": "#6BA368",
		},
	},
	"stages": {
		"Potential": {
			"main_actions": "Education, content",
			"data_to_collect": "Lead tracking",
			"activation": "Invitations that follow behaviour",
			"colour": "#8FA3AD",
		},
		"Converted": {
			"main_actions": "Fast response, own contact",
			"data_to_collect": "Orders",
			"activation": "New products",
			"colour": "#4C9AA8",
		},
		"Active": {
			"main_actions": "Deep conversations, co-creation",
			"data_to_collect": "Behaviour",
			"activation": "Regular visits",
			"colour": "#2E7DC0",
		},
		"Loyal": {
			"main_actions": "VIP care, wider cooperation",
			"data_to_collect": "Satisfaction surveys",
			"activation": "Invitation to co-create",
			"colour": "#3F9142",
		},
		"At Risk": {
			"main_actions": "Personal call, needs diagnosis",
			"data_to_collect": "Reason for the silence, open cases",
			"activation": "Listening visit",
			"colour": "#D9822B",
		},
		"Dormant": {
			"main_actions": "Needs diagnosis, exclusive events",
			"data_to_collect": "Changes at the customer",
			"activation": "Wake-up with insight before any discount",
			"colour": "#9C6ADE",
		},
		"Lost": {
			"main_actions": "Exit conversation, learn the reason",
			"data_to_collect": "Reason of loss",
			"activation": "Occasional news worth reading",
			"colour": "#C0392B",
		},
		"Won Back": {
			"main_actions": "Welcome back, own contact",
			"data_to_collect": "What brought them back",
			"activation": "Early second purchase",
			"colour": "#17A589",
		},
	},
}
