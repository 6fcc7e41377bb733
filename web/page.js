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
