/* Times are UTC on the page; where there is a script they are also told in the reader's zone. */
(function () {
	"use strict";
	var lang = document.documentElement.lang;
	var day, clock;
	/* day before month, as the page writes it */
	lang = lang === "en" ? "en-GB" : lang;
	try {
		day = new Intl.DateTimeFormat(lang, {day: "numeric", month: "short", year: "numeric"});
		clock = new Intl.DateTimeFormat(lang, {hour: "2-digit", minute: "2-digit",
			hour12: false, timeZoneName: "short"});
	} catch (e) {
		return;
	}
	document.querySelectorAll("time[datetime]").forEach(function (t) {
		var at = new Date(t.getAttribute("datetime"));
		if (isNaN(at) || at.getTimezoneOffset() === 0)
			return;
		t.title = t.textContent;
		t.textContent = day.format(at) + ", " + clock.format(at);
	});
})();

/* Dragging over a picture of /explore asks for that time; the links beside it do without. */
(function () {
	"use strict";
	document.querySelectorAll("svg[data-from]").forEach(function (svg) {
		var from = Number(svg.getAttribute("data-from")), to = Number(svg.getAttribute("data-to"));
		var picked = null, start = 0;

		function share(e) {
			var box = svg.getBoundingClientRect();
			return Math.min(1, Math.max(0, (e.clientX - box.left) / box.width));
		}
		function drop() {
			if (picked)
				picked.remove();
			picked = null;
		}

		svg.classList.add("zoom");
		svg.addEventListener("pointerdown", function (e) {
			if (e.button !== 0 || e.pointerType === "touch") /* a finger scrolls */
				return;
			e.preventDefault();
			drop();
			start = share(e);
			picked = document.createElementNS(svg.namespaceURI, "rect");
			picked.setAttribute("class", "picked");
			picked.setAttribute("y", "16");
			picked.setAttribute("height", "160");
			picked.setAttribute("width", "0");
			svg.appendChild(picked);
			svg.setPointerCapture(e.pointerId);
		});
		svg.addEventListener("pointermove", function (e) {
			var now = share(e);
			if (!picked)
				return;
			picked.setAttribute("x", Math.min(start, now) * 100 + "%");
			picked.setAttribute("width", Math.abs(now - start) * 100 + "%");
		});
		svg.addEventListener("pointercancel", drop);
		document.addEventListener("keydown", function (e) {
			if (e.key === "Escape")
				drop();
		});
		svg.addEventListener("pointerup", function (e) {
			var end = share(e), wide = Math.abs(end - start) > 0.01, url = new URL(location.href);
			if (!picked)
				return;
			drop();
			if (!wide)
				return;
			url.searchParams.set("from", Math.floor((from + Math.min(start, end) * (to - from)) / 1000));
			url.searchParams.set("until", Math.ceil((from + Math.max(start, end) * (to - from)) / 1000));
			location.href = url.href;
		});
	});
})();

/* What a picture of /explore says at the pointer, from the document that it was drawn of; the table
 * below it says the same without. */
(function () {
	"use strict";
	var twin = document.getElementById("twin"), asked = null;
	var lang = document.documentElement.lang;
	if (!twin || !window.fetch || !window.Intl)
		return;
	var when = new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, {day: "numeric", month: "short",
		hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false, timeZoneName: "short"});
	var number = new Intl.NumberFormat(lang, {maximumSignificantDigits: 4});

	/* Once, and of the very time that is drawn. */
	function ask(svg) {
		if (!asked) {
			var url = new URL(twin.href);
			url.searchParams.set("from", Math.floor(svg.getAttribute("data-from") / 1000));
			url.searchParams.set("until", Math.ceil(svg.getAttribute("data-to") / 1000));
			asked = fetch(url.href).then(function (answer) {
				return answer.ok ? answer.json() : {drawn: []};
			}).catch(function () {
				asked = null; /* the next movement tries again */
				return {drawn: []};
			});
		}
		return asked;
	}
	function words(text, values) {
		return text.replace(/%(\d)/g, function (all, n) { return values[n - 1]; });
	}
	function say(series, at) {
		var point = null;
		series.points.forEach(function (p) {
			if (p.at_ms <= at)
				point = p;
		});
		if (!point)
			return "";
		var value = point.smoke ? point.smoke[3] : point.value, time = when.format(point.at_ms);
		if (!point.n || value === undefined || value === null)
			return words(twin.getAttribute("data-unread"), [time]);
		return words(twin.getAttribute("data-read"), [time,
			number.format(value) + (series.unit ? " " + series.unit : "") + (series.kind === "sum" ? "/s" : ""),
			number.format(point.n), number.format(point.n - point.ok)]);
	}

	document.querySelectorAll("svg[data-drawn]").forEach(function (svg) {
		var place = svg.parentNode.querySelector(".reading"), share = null;

		svg.addEventListener("pointermove", function (e) {
			var box = svg.getBoundingClientRect();
			share = (e.clientX - box.left) / box.width;
			ask(svg).then(function (doc) {
				var series = doc.drawn[svg.getAttribute("data-drawn")];
				if (share !== null && series)
					place.textContent = say(series, doc.from_ms + share * (doc.to_ms - doc.from_ms));
			});
		});
		svg.addEventListener("pointerleave", function () {
			share = null;
			place.textContent = "";
		});
	});
})();
