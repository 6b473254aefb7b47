"""The lifetime model against published figures and against an independent implementation of it."""

import datetime
import warnings
from importlib.util import find_spec
from pathlib import Path

import duckdb
import numpy as np
import pytest

import crm_retention
from crm_retention.backends.duckdb import DuckDBBackend
from crm_retention.engine import lifetime
from crm_retention.engine.config import LifetimeSettings
from crm_retention.engine.lifetime import (
	BgNbd,
	FitError,
	GammaGamma,
	fit,
	fit_bgnbd,
	fit_gamma_gamma,
	month_ends,
	predictions,
)
from tests.support.cycles import bought, run, run_on

CALIBRATED = datetime.date(1997, 9, 30)
SAMPLE = Path(crm_retention.__file__).parent / "examples" / "cdnow" / "CDNOW_sample.txt"
ON = {"lifetime": {"enabled": True}}


def cdnow(path, party, day, amount, skip=0):
	"""A backend over a CDNOW file of fixed-width columns, named by their places."""
	connection = duckdb.connect()
	fields = "regexp_extract_all(trim(line), '[^ ]+')"
	connection.execute(
		f"""
		CREATE TABLE purchases AS
		SELECT {fields}[{party}] AS party, strptime({fields}[{day}], '%Y%m%d')::DATE AS day,
			{fields}[{amount}]::DOUBLE AS amount
		FROM read_csv(?, columns = {{'line': 'VARCHAR'}}, header = false, delim = '~', skip = {skip})
		""",
		[str(path)],
	)
	return DuckDBBackend(connection)


@pytest.fixture(scope="module")
def sample():
	return run_on(cdnow(SAMPLE, 1, 3, 5), ON, CALIBRATED)


def test_bgnbd_of_the_cdnow_sample_is_the_published_one(sample):
	# Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way, table 2
	model = sample.result.model.bgnbd
	assert model.n == 2357
	assert (round(model.r, 3), round(model.alpha, 3)) == (0.243, 4.414)
	assert (round(model.a, 3), round(model.b, 3)) == (0.793, 2.426)
	assert round(model.log_likelihood, 1) == -9582.4


def test_gamma_gamma_of_the_cdnow_sample_is_the_published_one(sample):
	# Fader and Hardie (2013), The Gamma-Gamma Model of Monetary Value, section 4
	model = sample.result.model.gamma_gamma
	assert model.n == 946
	assert (round(model.p, 2), round(model.q, 2), round(model.v, 2)) == (6.25, 3.74, 15.44)


def test_expected_purchases_of_the_published_example():
	# Fader, Hardie and Lee (2005), note on their spreadsheet: x = 2, t_x = 30.43, T = 38.86, 39 weeks ahead
	model = BgNbd(0.243, 4.414, 0.793, 2.426, 0.0, 0)
	x, t_x, age = (np.array([value]) for value in (2.0, 30.43, 38.86))
	assert model.expected_purchases(39.0, x, t_x, age) == pytest.approx([1.226], abs=5e-4)


def test_expected_value_of_the_published_example():
	# Fader and Hardie (2013), section 4: the population's mean is p v / (q - 1)
	model = GammaGamma(6.25, 3.74, 15.44, 0.0, 0)
	assert model.expected_value(0, 0.0) == pytest.approx(35.2, abs=0.05)
	assert model.expected_value(1e9, 50.0) == pytest.approx(50.0, abs=1e-3)


@pytest.fixture(scope="module")
def master():
	"""The whole CDNOW file, as the package lifetimes carries it, at the end of its 18 months."""
	folder = Path(find_spec("lifetimes").submodule_search_locations[0]) / "datasets"
	return run_on(cdnow(folder / "CDNOW_master.txt", 1, 2, 4, skip=1), ON, datetime.date(1998, 6, 30))


@pytest.fixture(scope="module")
def peer(master):
	"""lifetimes with the parameters fitted here, and its summary of the same purchases."""
	with warnings.catch_warnings():
		warnings.simplefilter("ignore")
		import pandas
		from lifetimes import BetaGeoFitter, GammaGammaFitter
		from lifetimes.utils import summary_data_from_transaction_data

		rows = master.backend.query("SELECT party, day, amount FROM purchases")
		frame = pandas.DataFrame(rows, columns=["party", "day", "amount"])
		frame["day"] = pandas.to_datetime(frame["day"])
		summary = summary_data_from_transaction_data(frame, "party", "day", "amount", "1998-06-30")
	ours = master.result.model
	bgnbd, gamma_gamma = BetaGeoFitter(), GammaGammaFitter()
	bgnbd.params_ = pandas.Series({name: getattr(ours.bgnbd, name) for name in ("r", "alpha", "a", "b")})
	gamma_gamma.params_ = pandas.Series({name: getattr(ours.gamma_gamma, name) for name in "pqv"})
	return summary.sort_index(), bgnbd, gamma_gamma


def of_everyone(outcome, name):
	return np.array([outcome.profiles[party][name] for party in sorted(outcome.profiles)], dtype=float)


def test_every_customer_of_cdnow_is_summed_up_as_by_lifetimes(master, peer):
	summary, _, _ = peer
	assert len(summary) == len(master.profiles) == 23_570
	assert list(summary.index) == sorted(master.profiles)
	assert np.array_equal(of_everyone(master, "frequency"), summary["frequency"])
	assert np.array_equal(of_everyone(master, "tenure_days"), summary["T"])
	recency = of_everyone(master, "tenure_days") - of_everyone(master, "recency_days")
	assert np.array_equal(recency, summary["recency"])
	assert of_everyone(master, "repeat_value") == pytest.approx(
		summary["monetary_value"].where(summary["frequency"] > 0).to_numpy(), abs=1e-6, nan_ok=True
	)


def test_probability_alive_of_every_customer_is_that_of_lifetimes(master, peer):
	summary, bgnbd, _ = peer
	expected = bgnbd.conditional_probability_alive(
		summary["frequency"], summary["recency"] / 7, summary["T"] / 7
	)
	assert of_everyone(master, "probability_alive") == pytest.approx(np.asarray(expected), abs=1e-6)


@pytest.mark.parametrize("days", [30, 90, 365])
def test_expected_purchases_of_every_customer_are_those_of_lifetimes(master, peer, days):
	summary, bgnbd, _ = peer
	expected = bgnbd.conditional_expected_number_of_purchases_up_to_time(
		days / 7, summary["frequency"], summary["recency"] / 7, summary["T"] / 7
	)
	assert of_everyone(master, f"expected_purchases_{days}d") == pytest.approx(np.asarray(expected), abs=2e-6)


def test_expected_value_of_every_customer_is_that_of_lifetimes(master, peer):
	summary, _, gamma_gamma = peer
	expected = gamma_gamma.conditional_expected_average_profit(
		summary["frequency"], summary["monetary_value"]
	)
	worthless = (summary["frequency"] > 0) & (
		summary["monetary_value"] <= 0
	)  # the model takes values above zero
	assert 0 < worthless.sum() < 50
	found = of_everyone(master, "expected_value")
	assert np.isnan(found[worthless]).all()
	assert found[~worthless] == pytest.approx(np.asarray(expected)[~worthless], abs=1e-5)


def test_the_fit_is_at_least_as_likely_as_that_of_lifetimes(master, peer):
	summary, _, _ = peer
	from lifetimes import BetaGeoFitter

	with warnings.catch_warnings():
		warnings.simplefilter("ignore")
		theirs = BetaGeoFitter().fit(summary["frequency"], summary["recency"] / 7, summary["T"] / 7)
	ours = master.result.model.bgnbd

	def log_likelihood(r, alpha, a, b):
		columns = (summary["frequency"], summary["recency"] / 7, summary["T"] / 7, np.ones(len(summary)))
		arrays = [np.asarray(column, dtype=float) for column in columns]
		return -len(summary) * theirs._negative_log_likelihood(np.log([r, alpha, a, b]), *arrays, 0.0)

	assert ours.log_likelihood == pytest.approx(log_likelihood(ours.r, ours.alpha, ours.a, ours.b), rel=1e-9)
	assert ours.log_likelihood >= log_likelihood(*theirs.params_[["r", "alpha", "a", "b"]]) - 1e-3
	for name in ("r", "alpha", "a", "b"):
		assert getattr(ours, name) == pytest.approx(theirs.params_[name], rel=1e-2)


def simulated(r, alpha, a, b, n=4000):
	"""frequency, recency and age in weeks of customers who behave as BG/NBD says, from fixed quantiles."""
	random = np.random.default_rng(5)
	rate = random.gamma(r, 1 / alpha, n)
	leaving = random.beta(a, b, n)
	age = random.uniform(40, 80, n)
	x, t_x = np.zeros(n), np.zeros(n)
	for index in range(n):
		now = 0.0
		while True:
			now += random.exponential(1 / rate[index])
			if now > age[index]:
				break
			x[index], t_x[index] = x[index] + 1, now
			if random.random() < leaving[index]:
				break
	return x, t_x, age


def test_grouping_customers_changes_nothing():
	rows = np.round(np.stack(simulated(0.5, 6.0, 0.8, 3.0)))
	single = fit_bgnbd(*rows)
	unique, counts = np.unique(rows, axis=1, return_counts=True)
	assert len(counts) < rows.shape[1]
	grouped = fit_bgnbd(*unique, counts)
	for name in ("r", "alpha", "a", "b", "log_likelihood"):
		assert getattr(single, name) == pytest.approx(getattr(grouped, name), rel=1e-4)


def test_the_fit_finds_the_parameters_that_made_the_data():
	model = fit_bgnbd(*simulated(0.5, 6.0, 0.8, 3.0))
	found = (model.r, model.alpha, model.a, model.b)
	assert found == pytest.approx((0.5, 6.0, 0.8, 3.0), rel=0.25)


@pytest.mark.parametrize("noise", [1e-15, 1e-13])
def test_the_last_bits_of_sums_change_no_digit_of_the_parameters(monkeypatch, noise):
	"""Where a search ends hangs on the machine; what is fitted does not."""
	frequency, recency, age = simulated(0.8, 6.0, 1.2, 3.0, n=400)
	repeated = frequency > 0
	values = np.random.default_rng(5).gamma(6, 5, len(frequency))[repeated]

	def shaken(build, rng):
		def objective(*data):
			plain = build(*data)

			def with_noise(theta):
				value, gradient = plain(theta)
				return value * (1 + noise * rng.standard_normal()), gradient + noise * rng.standard_normal(
					len(theta)
				)

			return with_noise

		return objective

	found = set()
	builders = {name: getattr(lifetime, name) for name in ("_bgnbd_objective", "_gamma_gamma_objective")}
	for seed in range(4):
		for name, build in builders.items():
			monkeypatch.setattr(lifetime, name, shaken(build, np.random.default_rng(seed)))
		model, worth = fit_bgnbd(frequency, recency, age), fit_gamma_gamma(frequency[repeated], values)
		found.add((model.r, model.alpha, model.a, model.b, worth.p, worth.q, worth.v))
	assert len(found) == 1


def test_probability_alive_falls_with_silence_and_is_one_without_a_repeat():
	model = BgNbd(0.243, 4.414, 0.793, 2.426, 0.0, 0)
	x, t_x, age = np.full(40, 3.0), np.full(40, 20.0), 20.0 + np.arange(40)
	alive = model.probability_alive(x, t_x, age)
	assert np.all(np.diff(alive) < 0)
	assert model.probability_alive(np.zeros(3), np.zeros(3), np.array([1.0, 50.0, 500.0])).tolist() == [
		1,
		1,
		1,
	]


@pytest.mark.parametrize("a", [0.5, 1.0, 1.0 + 1e-12, 2.0, 30.0])
@pytest.mark.parametrize("x", [0.0, 1.0, 40.0, 3000.0])
def test_expected_purchases_are_finite_and_grow_with_time(a, x):
	model = BgNbd(0.4, 5.0, a, 3.0, 0.0, 0)
	arrays = (np.array([x]), np.array([100.0 if x else 0.0]), np.array([110.0]))
	found = [float(model.expected_purchases(weeks, *arrays)[0]) for weeks in (1e-9, 1, 10, 100)]
	assert np.isfinite(found).all()
	assert found[0] == pytest.approx(0, abs=1e-6)
	assert found == sorted(found)
	assert found[2] <= 10 * (0.4 + x) / (5.0 + 110.0) + 1e-6  # never more than without any dropout


SETTINGS = LifetimeSettings()
TRIPLE = {"frequency": [2], "recency": [40], "age": [80], "n": [1]}


def test_discounted_purchases_discount_each_month_at_its_end():
	model = BgNbd(0.243, 4.414, 0.793, 2.426, 0.0, 0)
	triple = {name: np.array(values) for name, values in TRIPLE.items()}
	settings = LifetimeSettings(horizon_days=75, discount_rate=0.21)
	arrays = (np.array([2.0]), np.array([40 / 7]), np.array([80 / 7]))
	upto = [0.0, *(float(model.expected_purchases(days / 7, *arrays)[0]) for days in (30, 60, 75))]
	expected = sum((upto[i] - upto[i - 1]) / 1.21 ** (end / 365) for i, end in ((1, 30), (2, 60), (3, 75)))
	assert predictions(model, triple, settings)["discounted_purchases"] == pytest.approx([expected], abs=1e-6)


def test_without_a_discount_the_lifetime_is_the_horizon():
	model = BgNbd(0.243, 4.414, 0.793, 2.426, 0.0, 0)
	triple = {name: np.array(values) for name, values in TRIPLE.items()}
	found = predictions(model, triple, LifetimeSettings(horizon_days=365, discount_rate=0.0))
	assert found["discounted_purchases"] == pytest.approx(found["expected_purchases_365d"], abs=2e-6)


@pytest.mark.parametrize(
	("horizon", "ends"), [(30, [30]), (29, [29]), (31, [30, 31]), (90, [30, 60, 90]), (1, [1])]
)
def test_months_of_a_horizon(horizon, ends):
	assert month_ends(horizon) == ends


def test_lifetime_value_is_expected_value_times_discounted_purchases(sample):
	rows = list(sample.profiles.values())[:50]
	model, value = sample.result.model.bgnbd, sample.result.model.gamma_gamma
	for row in rows:
		x, age = row["frequency"], row["tenure_days"]
		triple = {"frequency": [x], "recency": [age - row["recency_days"]], "age": [age], "n": [1]}
		counts = predictions(model, {key: np.array(one) for key, one in triple.items()}, SETTINGS)
		worth = value.expected_value(x, row["repeat_value"] or 0.0)
		assert row["expected_value"] == pytest.approx(worth, abs=1e-5)
		assert row["lifetime_value"] == pytest.approx(worth * counts["discounted_purchases"][0], abs=1e-3)


MODEL_FIELDS = (
	"probability_alive",
	"expected_purchases_30d",
	"expected_purchases_90d",
	"expected_purchases_365d",
	"expected_value",
	"lifetime_value",
)


def columns(**values):
	return {name: np.array(array) for name, array in values.items()}


NO_VALUES = columns(frequency=[], value=[], n=[])


@pytest.mark.parametrize(
	("triple", "value", "reason"),
	[
		(columns(frequency=[], recency=[], age=[], n=[]), NO_VALUES, "0 parties with a purchase"),
		(columns(frequency=[0], recency=[0], age=[9], n=[49]), NO_VALUES, "at least 50 are needed"),
		(
			columns(frequency=[0, 1], recency=[0, 3], age=[9, 9], n=[90, 19]),
			NO_VALUES,
			"19 parties bought again",
		),
		# everybody alike: nothing tells rate from dropout
		(columns(frequency=[3], recency=[30], age=[40], n=[500]), NO_VALUES, "BG/NBD: "),
	],
)
def test_data_that_cannot_carry_the_model_say_so(triple, value, reason):
	model = fit(triple, value, SETTINGS)
	assert model.bgnbd is None
	assert model.gamma_gamma is None
	assert reason in " ".join(model.reasons)
	assert model.as_dict()["reasons"] == list(model.reasons)


def test_values_that_all_are_one_leave_no_gamma_gamma():
	with pytest.raises(FitError):
		fit_gamma_gamma(np.array([1.0, 2.0, 3.0]), np.array([20.0, 20.0, 20.0]), np.array([500.0] * 3))


def test_too_few_customers_leave_the_fields_empty_and_nothing_else_fails():
	outcome = run({"purchases": [bought("A", 9), bought("A", 1), bought("B", 2)]}, ON)
	assert outcome.result.model.bgnbd is None
	assert outcome.profiles["A"]["frequency"] == 1
	for name in MODEL_FIELDS:
		assert outcome.profiles["A"][name] is None


def test_a_party_without_a_purchase_has_no_prediction():
	backend = cdnow(SAMPLE, 1, 3, 5)
	backend.execute("CREATE TABLE parties AS SELECT DISTINCT party FROM purchases UNION ALL SELECT 'nobody'")
	outcome = run_on(backend, ON, CALIBRATED)
	assert [outcome.profiles["nobody"][name] for name in MODEL_FIELDS] == [None] * len(MODEL_FIELDS)
	assert outcome.result.model.bgnbd.n == 2357


def test_gamma_gamma_alone_may_fail():
	backend = cdnow(SAMPLE, 1, 3, 5)
	backend.execute("UPDATE purchases SET amount = 10")
	outcome = run_on(backend, ON, CALIBRATED)
	assert outcome.result.model.bgnbd is not None
	assert outcome.result.model.gamma_gamma is None
	assert any(reason.startswith("Gamma-Gamma: ") for reason in outcome.result.model.reasons)
	row = next(iter(outcome.profiles.values()))
	assert row["probability_alive"] is not None
	assert row["lifetime_value"] is None


def test_the_model_can_be_switched_off():
	outcome = run({"purchases": [bought("A", 9)]}, {"lifetime": {"enabled": False}})
	assert outcome.result.model.reasons == ("switched off",)
