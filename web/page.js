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
