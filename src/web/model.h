/*
 * model.h - what pages are made of: plain JSON documents that pass through the doors.
 *
 * The house builds them (house_*.c), pages and faces read them (pages/, faces/); neither knows the
 * other. Times: Unix milliseconds (`*_ms` moments) or milliseconds (durations), health by its wire
 * name, ratios 0..1, null for what is not known. Operators' documents hold everything; in those of
 * the public the fields marked (O) are absent.
 *
 * SITE: the snapshot, published at most once a second
 *	site {name, url, timezone, languages: ["en", "de"], about {LANGUAGE: MARKDOWN, ...},
 *	      simulated: bool, maintenance: exclude|count: in availability, location, version,
 *	      instance (O)}
 *	at_ms, started_ms, revision (grows with each change)
 *	health: the worst of all; counts {operational: 3, ...}
 *	observing {storing: bool, blind: bool, since_ms, why (O)}
 *	components [{id, name, category, region, cloud, health, rule, text (O), since_ms,
 *	      checked_ms | null, stored: bool, evidence: id | null,
 *	      root: id of the component whose outage explains it | null,
 *	      maintenance: id of the event within whose window it lies, "" when that is not
 *	      announced | null, dissent: who sees it worse, a sentence | null, flapping: bool,
 *	      days [90 x {day: days since 1970, s: [seconds in the five states], gap: seconds not
 *	      observed}], oldest first, today last,
 *	      availability {d1, d7, d30, d90: RATIO}}]
 *	      RATIO = {up: 0..1 | null, best, worst, seen: share of the time that was observed}
 *	      `up` is operational+degraded over time that was observed and is known; worst counts
 *	      unseen and unknown time as down, best as up; maintenance is left out of all, or
 *	      down in all, as site.maintenance says
 *	categories [{name, components: [id]}]
 *	events [EVENT, brief]   those under way, worst first, then the newest that are over, <= 50;
 *	upcoming [EVENT, brief]   maintenance and info that are planned, the next first. EVENT is
 *	      event_json() of tell/event.h for the audience, brief: `updates` holds the newest
 *	      alone; in SITE, and nowhere else, it has `earlier` too (events_current())
 *	scenarios [{name, title, cloud, every_ms, component: id | null,
 *	      last {run (O), at_ms, verdict, built_ms} | null}]
 *	possible [{name, title, objects, text}]   shipped scenarios that are not allowed yet: what
 *	      they would make, and the option that allows them
 *	probe_kinds [{kind: endpoint|token|scenario|http|tcp ..., cloud, every_ms, count}]
 *	probes [{name, kind, cloud, component, every_ms, method, target (O)}]
 *	      the first MODEL_PROBES of them: each component's document has its own
 *	worked_on [{probe, event: id, "" when it is not announced}]   probes within declared work
 *	alarms (O) [{name, kind, sent, failed, waiting, trouble | null}]
 *	ingest (O) [{name, points, bad, refused, lost, first_bad}]
 *	outposts (O) [{location, instance, version, heard_ms | null, lag_ms, items, bytes, samples,
 *	      clock_ms, probes, taken, refused, too_old, too_many, lost_notes, blind | null,
 *	      trouble | null}]   who reports here (observe/report/outposts.h)
 *	report (O) {to, trouble | null, taken_at | null, samples, waiting, bytes, too_old, too_many}
 *	      of an instance that is an outpost itself
 *	suspects (O) [{event, components [id], began_ms, taken_over, may_close | null}]   suspect.h
 *	blindness (O) [{what, why, since_ms, event | null}]   what keeps us from seeing now
 *	dashboards (O) [{name, version, sent, failed, waiting, trouble | null}]   of others, told
 *	jobs (O) [{name, every_ms, next_ms, running, open, runs, skips, worst_late_ms,
 *	      why: the last time was skipped | null}]
 *
 * COMPONENT (query "component" {id}): the component as in SITE, and
 *	spans [{id, from_ms, to_ms, health, gap, rule, root | null, maintenance | null, flapping,
 *	      text (O)}] of 90 days, newest first, <= 200
 *	probes [{name, kind, step | null, every_ms, target (O), trend TREND}], at most 60
 *	TREND = {from_ms, to_ms, step_ms, points [{at_ms, n, ok, p50_ms, p95_ms, max_ms}]}; the
 *	      last 24 hours in 10 min steps, less in shorter steps while less was seen; n = 0 where
 *	      nothing was measured
 *
 * AVAILABILITY (query "availability"): components [{id, name, category, health,
 *	days [365 x as above], months [{month: "2026-11", RATIO}] newest first, <= 24,
 *	availability {d1, d7, d30, d90, d365}}],
 *	slos [{name, component, component_name, objective: 0.999, text | null,
 *	      span: rolling day week month quarter year, over_ms: so much of it has passed, good,
 *	      whole, ratio | null, budget_left: 1 all, 0 none, below it overspent | null,
 *	      state: unknown good firing, since_ms, series,
 *	      burn (O) [{long_ms, short_ms, limit, long | null, short | null, firing, severity}]}]
 *
 * RULES (query "rules"; operators): slos as above, rules [{name, component, severity, when, over,
 *	for, recover, minimum, each, text, series, states [{group, component, state: unknown good
 *	firing, since_ms, text, evidence | null}]}]
 *
 * SCENARIO (query "scenario" {name}): as in SITE, and
 *	makes [text], deadline_ms, skipped (O): why the last time was skipped | null
 *	runs [{run (O), at_ms, verdict, built_ms, ended_ms, created, deleted, left,
 *	      cause {step, component, fault, sentence, detail (O)} | null}] newest first, <= 50
 *	steps [{name, component, trend TREND}], whole TREND
 *
 * RUN (query "run" {run}; operators): scenario, cloud, instance, at_ms, ended_ms | null, verdict,
 *	report: as `glasshouse try --json` prints it (steps with start_ms, answer_ms, ready_ms,
 *	critical, fault, request ids, measured with the MATRIX of a mesh ...)
 *
 * LEDGER (query "ledger" {view}; operators): view is FATE:CLOUD:PAGE, FATE one of all, open, or a
 *	fate of `glasshouse ledger`, CLOUD may be empty, PAGE from 1; without a view: all
 *	fate, cloud | null, page, more: bool, clouds [name]
 *	totals {created = deleted + in_use + kept + left + leaked + unsure + needs_admin}, of the
 *	      cloud
 *	rows [as `glasshouse ledger --json`, and created_ms, changed_ms, admin_since_ms | null],
 *	      open ones first, those for an administrator before all, <= 30
 *
 * HOSTS (query "hosts"; operators): where servers of scenarios came up in the last 14 days: more:
 *	there were more than are counted; clouds [{cloud, common: what failures of 24 h have in
 *	common {dimension: host, zone, volume_type, image or flavor, value, failed, came_up: there,
 *	elsewhere: came up} | null, left_out: hosts, nowhere: failures of 24 h before any host was
 *	found, hosts [{host: nova's hostId, name | null, zone | null, last_good_ms | null,
 *	last_good: the last one was, good_24h, failed_24h, median_ms: from the request until ACTIVE, of good ones
 *	| null, days [14 x {day, good, failed}] oldest first, last_failure {at_ms, run, step, fault,
 *	cause | null} | null}] with failures first, <= 200}]. Failures that are not the cloud's
 *	count nowhere
 *
 * CALLS (query "calls" {view}; operators): view is 24h (without one) or 7d, from_ms, to_ms,
 *	waits, calls [{what: wait|call, cloud, service, name, n, errors, min_ms, mean_ms, p50_ms,
 *	      p95_ms, p99_ms, max_ms: of good ones, within 3.1 % | null, faults {FAULT: n},
 *	      trend TREND of the view: steps of 30 min or 2 h}], longest p95_ms first, <= 30 each
 *	more_waits, more_calls: how many are left out, unread: series that could not be read
 *
 * EXPLORE (query "explore" {pattern, series: [texts], from, until, columns}; operators): times as
 *	Graphite's users write them, all of it may be left out
 *	pattern, from, until: as asked, or what stands for it; chosen: series as asked
 *	wrong: what is wrong with the question | null: then nothing is looked for
 *	from_ms, to_ms, step_ms, columns
 *	list [{text, kind, unit, locations: how many, chosen: bool}], <= 200, of what matches in
 *	      order of definition; more: series that match and are not listed
 *	absent: those of `chosen` that there are not
 *	drawn [{text, kind, unit, location, why: it could not be read | null, total POINT,
 *	      points [POINT]}], <= 8: those chosen, else the first that match a pattern; not_drawn
 *	      POINT = {at_ms, n, ok, smoke [7 values: p5, p10, p25, p50, p75, p90, p95], value,
 *	      min, max}; smoke where there are percentiles, else value: the mean, of sums what was
 *	      added a second; none of these where nothing is known
 *
 * ALERTS (query "alerts"; operators): alerts_json() of observe/ingest/alerts.h
 *
 * DOCUMENT (queries "graphite_render" and its neighbours, "blackbox"; operators): what is shown as
 *	it is: status, type: of the content, text. The arguments are those of faces/graphite.c
 *
 * EVENT (query "event" {id}): event_json() for the audience, whole, and
 *	names {ID: name} of all components that it ever touched; one that is gone has its id
 *
 * EVENTS (query "events" {kind, component, from_ms, to_ms, open: bool, skip, limit, whole: bool};
 *	all may be left out): count: how many there are, skip
 *	events [EVENT, brief unless whole]   open ones first, then the newest begin, <= limit or
 *	      MODEL_EVENTS
 *
 * HISTORY (query "history" {view}): view is MONTH:KIND:COMPONENT; what is empty, or left out at its
 *	end, is not asked for: "2026-11", ":maintenance", "2026-11::compute"
 *	month: "2026-11", by begin (UTC), or "": the newest of all; kind, component: id, or null
 *	months ["2026-11"]   in which any event of the audience began, newest first
 *	events [EVENT, brief]   newest begin first, <= MODEL_EVENTS; more: there are older ones
 *	names {ID: name} of all that these touch, and of the component asked for
 *
 * EVIDENCE (query "evidence" {id}): judge_evidence(), and component_name, previous, next: ids of
 *	the verdicts of this component before and after | null
 */
#ifndef WEB_MODEL_H
#define WEB_MODEL_H

#define MODEL_DAYS        90
#define MODEL_SPANS       200
#define MODEL_PROBES      1000
#define MODEL_RUNS        50
#define MODEL_LEDGER      30
#define MODEL_CALLS       30
#define MODEL_HOSTS       200 /* of a cloud */
#define MODEL_HOST_DAYS   14
#define MODEL_POINTS      145
#define MODEL_EVENTS      100 /* of HISTORY and EVENTS */
#define MODEL_EVENTS_SITE 50  /* of SITE, where not more are under way */
#define MODEL_LISTED      200 /* series of EXPLORE, */
#define MODEL_DRAWN       8   /* drawn ones, */
#define MODEL_SMOKE       7   /* percentiles of each point, */
#define MODEL_COLUMNS     400 /* and points at most */

#endif
