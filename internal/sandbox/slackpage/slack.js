// The page: who you are, what you see, what you press. The state comes whole from the sandbox after every change.
"use strict";
(() => {
  const { make, draw } = window.blockKit;
  const at = (id) => document.getElementById(id);
  const view = { user: "", channel: "", state: null, shown: "", modal: "" };
  try { view.user = sessionStorage.getItem("sandbox-person") || ""; } catch { /* storage may be off */ }

  const hue = (text) => "hue" + ([...text].reduce((n, c) => n + c.charCodeAt(0), 0) % 6);
  const initials = (name) => name.split(/\s+/).map((w) => w[0]).slice(0, 2).join("").toUpperCase() || "?";
  const avatar = (name, app) => {
    const node = make("span", "avatar " + (app ? "bot" : hue(name)), app ? "T" : initials(name));
    node.setAttribute("aria-hidden", "true");
    return node;
  };

  const toast = (words) => {
    const node = at("toast");
    node.textContent = words;
    node.hidden = false;
    clearTimeout(toast.timer);
    toast.timer = setTimeout(() => { node.hidden = true; }, 6000);
  };

  const send = async (what, body) => {
    const answer = await fetch("/page/" + what, {
      method: "POST", headers: { "Content-Type": "application/json", "X-Sandbox-Slack": "page" },
      body: JSON.stringify({ user: view.user, ...body }),
    });
    if (!answer.ok) throw new Error((await answer.text()).trim());
  };

  const act = async (node, what, body) => {
    node.disabled = true;
    node.classList.add("busy");
    try { await send(what, body); } catch (err) { toast(err.message); }
    node.disabled = false;
    node.classList.remove("busy");
  };

  const clock = (ts) => new Date(Number(ts) * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

  const drawMessage = (m) => {
    const app = m.from === "Tourniquet";
    const node = make("article", "msg" + (m.for ? " private" : "") + (m.thread ? " reply" : ""));
    node.append(avatar(m.from, app));
    const body = make("div", "said");
    const head = make("div", "who");
    head.append(make("b", "", m.from));
    if (app || m.from === "Slackbot") head.append(make("span", "tag", "APP"));
    head.append(make("time", "", clock(m.ts)));
    if (m.edited) head.append(make("span", "edited", "(edited)"));
    if (m.for) head.append(make("span", "only", "Only visible to you"));
    body.append(head);
    const blocks = m.blocks || [];
    if (!blocks.length) body.append(make("p", "b-section", m.text));
    const card = make("div", blocks.some((b) => b.type === "header") ? "card" : "plain");
    const kind = (blocks.find((b) => b.type === "header") || { text: { text: "" } }).text.text.split(" ")[0].toLowerCase();
    if (["production", "drill", "question"].includes(kind)) card.classList.add("is-" + kind);
    const on = { press: (el, action, value) => act(el, "press", { channel: m.channel, ts: m.ts, action, value }) };
    for (const b of blocks) card.append(draw(b, on));
    if (blocks.length) body.append(card);
    node.append(body);
    return node;
  };

  const drawMessages = (state) => {
    const box = at("messages");
    const mine = state.messages.filter((m) => m.channel === view.channel);
    const fresh = JSON.stringify([view.user, view.channel, mine]);
    if (fresh === view.shown) return;
    const low = box.scrollHeight - box.scrollTop - box.clientHeight < 120 || !view.shown;
    view.shown = fresh;
    const nodes = [];
    for (const m of mine.filter((m) => !m.thread)) {
      nodes.push(drawMessage(m));
      for (const reply of mine.filter((r) => r.thread === m.ts)) nodes.push(drawMessage(reply));
    }
    for (const m of mine.filter((m) => m.thread && !mine.some((p) => p.ts === m.thread))) nodes.push(drawMessage(m));
    if (!nodes.length) nodes.push(make("p", "empty", "Nobody has been asked anything yet. A card appears here when a playbook needs people."));
    box.replaceChildren(...nodes);
    if (low) box.scrollTop = box.scrollHeight;
  };

  const drawSide = (state) => {
    const channels = state.channels.map((c) => {
      const node = make("button", "chan" + (c.id === view.channel ? " on" : ""), (c.person ? "Tourniquet" : "# " + c.name));
      node.type = "button";
      if (c.id === view.channel) node.setAttribute("aria-current", "page");
      node.addEventListener("click", () => { view.channel = c.id; render(); });
      return node;
    });
    at("channels").replaceChildren(...channels);
    const people = state.people.map((p) => {
      const node = make("button", "person" + (p.id === view.user ? " on" : ""));
      node.type = "button";
      node.setAttribute("role", "radio");
      node.setAttribute("aria-checked", String(p.id === view.user));
      const words = make("span", "name", p.name);
      words.append(make("small", "", p.title || p.id));
      node.append(avatar(p.name), words);
      node.addEventListener("click", () => become(p.id));
      return node;
    });
    at("people").replaceChildren(...people);
    const me = at("people").querySelector(".on");
    if (me && matchMedia("(max-width: 720px)").matches) me.scrollIntoView({ inline: "center", block: "nearest" });
    at("faces").replaceChildren(...state.people.slice(0, 5).map((p) => avatar(p.name)));
    const link = at("link");
    link.textContent = state.connected ? "app connected" : "app not connected";
    link.className = state.connected ? "good" : "bad";
    const here = state.channels.find((c) => c.id === view.channel);
    at("title").textContent = here ? (here.person ? "Tourniquet" : "# " + here.name) : "#";
    at("topic").textContent = here && here.person ? "Direct messages, only for you" : "Where the responders are asked";
  };

  const closeModal = () => {
    const v = view.state && view.state.view;
    if (v) send("close", { view: v.id }).catch((err) => toast(err.message));
  };

  const drawModal = (v) => {
    const dialog = at("modal");
    const mark = v ? view.user + v.id + v.hash + JSON.stringify(v.errors || {}) + (v.failed || "") : "";
    if (mark === view.modal) return;
    const typed = {};
    for (const f of dialog.querySelectorAll("[data-block]")) typed[f.dataset.block] = f.value;
    view.modal = mark;
    if (!v) { if (dialog.open) dialog.close(); dialog.replaceChildren(); return; }
    const c = v.content;
    const head = make("header", "m-head");
    const title = make("h2", "", c.title.text);
    title.id = "modal-title";
    const cross = make("button", "cross", "✕");
    cross.type = "button";
    cross.setAttribute("aria-label", "Close");
    cross.addEventListener("click", closeModal);
    head.append(make("span", "mark bot", "T"), title, cross);
    const body = make("div", "m-body");
    body.tabIndex = -1;
    const on = { errors: v.errors, press: (el, action) => act(el, "press-in-view", { view: v.id, action }) };
    for (const b of c.blocks) body.append(draw(b, on));
    for (const f of body.querySelectorAll("[data-block]")) if (typed[f.dataset.block]) f.value = typed[f.dataset.block];
    const foot = make("footer", "m-foot");
    if (v.failed) foot.append(make("p", "wrong", v.failed));
    const close = make("button", "btn", (c.close || { text: "Close" }).text);
    close.type = "button";
    close.addEventListener("click", closeModal);
    foot.append(close);
    if (c.submit) {
      const submit = make("button", "btn " + (c.callback_id === "tourniquet_reject" ? "danger solid" : "primary"), c.submit.text);
      submit.type = "button";
      submit.addEventListener("click", () => {
        const values = {};
        for (const f of body.querySelectorAll("[data-block]")) (values[f.dataset.block] ||= {})[f.dataset.action] = f.value;
        act(submit, "submit", { view: v.id, values });
      });
      foot.append(submit);
    }
    dialog.replaceChildren(head, body, foot);
    if (!dialog.open) dialog.showModal();
    body.scrollTop = 0;
    const first = body.querySelector("textarea, input");
    (first || body).focus();
  };

  const render = () => {
    const s = view.state;
    if (!s) return;
    if (!s.channels.some((c) => c.id === view.channel)) view.channel = s.channel.id;
    drawSide(s);
    drawMessages(s);
    drawModal(s.view || null);
  };

  const load = async () => {
    const answer = await fetch("/page/state?user=" + encodeURIComponent(view.user), { cache: "no-store" });
    const state = await answer.json();
    state.people ||= [];
    if (!state.people.some((p) => p.id === view.user)) {
      const wanted = new URLSearchParams(location.search).get("as");
      const first = state.people.find((p) => p.id === wanted) || state.people[0];
      if (first) { view.user = first.id; return load(); }
    }
    view.state = state;
    render();
  };

  let loading = false, again = false;
  const refresh = async () => {
    if (loading) { again = true; return; }
    loading = true;
    try { await load(); } catch { at("link").textContent = "sandbox has stopped"; at("link").className = "bad"; }
    loading = false;
    if (again) { again = false; refresh(); }
  };

  const become = (id) => {
    view.user = id;
    view.shown = "";
    try { sessionStorage.setItem("sandbox-person", id); } catch { /* storage may be off */ }
    refresh();
  };

  at("modal").addEventListener("cancel", (e) => { e.preventDefault(); closeModal(); });
  at("composer").addEventListener("submit", (e) => {
    e.preventDefault();
    const field = at("command");
    act(e.submitter || field, "command", { channel: view.channel, text: field.value }).then(() => { field.value = ""; });
  });
  // "?still" shows the page once and does not follow it: for pictures.
  if (!new URLSearchParams(location.search).has("still")) new EventSource("/page/events").addEventListener("message", refresh);
  refresh();
})();
