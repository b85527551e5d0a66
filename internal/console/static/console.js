// Reads the page again when a run changed. Without it everything works, only not by itself.
(function () {
  "use strict";
  var main = document.getElementById("main"), stale = document.getElementById("stale"), note = document.getElementById("live");
  var page = main && main.dataset.page;
  if (!window.EventSource || ["home", "runs", "run", "signoffs", "signoff", "question"].indexOf(page) < 0) return;

  function busy() {
    var at = document.activeElement;
    if (at && main.contains(at) && /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName)) return true;
    return Array.prototype.some.call(main.querySelectorAll("form.decide input:not([type=hidden]), form.decide textarea"), function (f) { return f.value !== f.defaultValue; });
  }
  function refresh() {
    // A form that somebody is filling in is never replaced, and an answer just given stays to be read.
    if (busy() || main.querySelector("[role=alert]")) { stale.hidden = false; return; }
    var open = Array.prototype.map.call(main.querySelectorAll("details[open][id]"), function (d) { return d.id; });
    fetch(location.href, { credentials: "same-origin", headers: { Accept: "text/html" } }).then(function (r) {
      if (!r.ok || r.redirected) throw new Error("not readable");
      return r.text();
    }).then(function (text) {
      var next = new DOMParser().parseFromString(text, "text/html").getElementById("main");
      if (!next || busy()) { stale.hidden = false; return; }
      var gone = next.querySelector("#stale");
      if (gone) gone.replaceWith(stale);
      main.replaceChildren.apply(main, Array.prototype.slice.call(next.childNodes));
      open.forEach(function (id) { var d = document.getElementById(id); if (d) d.open = true; });
    }).catch(function () { stale.hidden = false; });
  }
  var mine = main.querySelector("[data-run]"), run = mine && mine.dataset.run, timer;
  var source = new EventSource("/events");
  source.addEventListener("hello", function () { note.textContent = "live"; });
  source.addEventListener("change", function (e) {
    var ids = JSON.parse(e.data).runs;
    if (run && ids.indexOf(run) < 0 && ids.indexOf("") < 0) return;
    clearTimeout(timer);
    timer = setTimeout(refresh, 150);
  });
  source.onerror = function () { note.textContent = "not live"; };
})();
