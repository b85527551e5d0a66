// Draws Block Kit. Every text reaches the page through textContent: nothing is ever parsed as markup.
"use strict";
window.blockKit = (() => {
  const make = (tag, cls, text) => {
    const node = document.createElement(tag);
    if (cls) node.className = cls;
    if (text !== undefined) node.textContent = text;
    return node;
  };

  const styled = (node, style) => {
    if (!style) return node;
    for (const name of ["bold", "italic", "strike", "code"]) if (style[name]) node.classList.add("t-" + name);
    return node;
  };

  const localTime = (seconds) => new Intl.DateTimeFormat(undefined, {
    month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
  }).format(new Date(seconds * 1000));

  const inline = (e) => {
    switch (e.type) {
      case "text": return styled(make("span", "", e.text), e.style);
      case "date": return styled(make("time", "", localTime(Number(e.timestamp))), e.style);
      case "link": {
        const node = make(/^https?:\/\//.test(e.url) ? "a" : "span", "", e.text || e.url);
        if (node.tagName === "A") { node.href = e.url; node.target = "_blank"; node.rel = "noreferrer noopener"; }
        return styled(node, e.style);
      }
      case "emoji": return make("span", "", ":" + e.name + ":");
      case "user": return make("span", "mention", "@" + e.user_id);
      default: return make("span", "", "");
    }
  };

  const richElement = (e) => {
    if (e.type === "rich_text_list") {
      const list = make(e.style === "ordered" ? "ol" : "ul");
      for (const item of e.elements || []) {
        const li = make("li");
        for (const part of item.elements || []) li.append(inline(part));
        list.append(li);
      }
      return list;
    }
    const tag = { rich_text_quote: "blockquote", rich_text_preformatted: "pre" }[e.type] || "p";
    const node = make(tag);
    for (const part of e.elements || []) node.append(inline(part));
    return node;
  };

  // A block that begins with one short bold line is a labelled part of a card.
  const label = (block) => {
    const first = (block.elements || [])[0];
    const only = first && first.type === "rich_text_section" && first.elements.length === 1 && first.elements[0];
    return only && only.style && only.style.bold && /^[A-Z][A-Z0-9 ]{1,18}$/.test(only.text) && block.elements.length > 1 ? only.text : "";
  };

  const rich = (block) => {
    const name = label(block);
    const node = make("div", "b-rich" + (name ? " labelled" : ""));
    if (name) node.append(make("div", "label", name));
    const body = make("div", "body");
    for (const e of (block.elements || []).slice(name ? 1 : 0)) body.append(richElement(e));
    node.append(body);
    return node;
  };

  const button = (e, block, on) => {
    const node = make("button", "btn" + (e.style ? " " + e.style : ""), e.text.text);
    node.type = "button";
    node.addEventListener("click", () => on.press(node, e.action_id, ""));
    return node;
  };

  const menu = (e, on) => {
    const node = make("select", "menu");
    node.setAttribute("aria-label", (e.placeholder || {}).text || "Choose");
    node.append(new Option((e.placeholder || {}).text || "Choose", "", true, true));
    node.options[0].disabled = true;
    for (const o of e.options || []) node.append(new Option(o.text.text, o.value));
    node.addEventListener("change", () => on.press(node, e.action_id, node.value));
    return node;
  };

  const input = (block, on) => {
    const e = block.element;
    const id = "in-" + block.block_id;
    const node = make("div", "b-input");
    const name = make("label", "", block.label.text);
    name.htmlFor = id;
    const field = make(e.multiline ? "textarea" : "input");
    field.id = id;
    if (e.placeholder) field.placeholder = e.placeholder.text;
    if (e.max_length) field.maxLength = e.max_length;
    if (e.multiline) field.rows = 4;
    field.dataset.block = block.block_id;
    field.dataset.action = e.action_id;
    node.append(name, field);
    const wrong = (on.errors || {})[block.block_id];
    if (wrong) {
      const why = make("div", "wrong", wrong);
      why.setAttribute("role", "alert");
      field.classList.add("bad");
      node.append(why);
    }
    if (block.hint) node.append(make("div", "hint2", block.hint.text));
    return node;
  };

  const header = (block) => {
    const node = make("div", "b-header");
    const found = /^(PRODUCTION|DRILL|QUESTION) · ([\s\S]*)$/.exec(block.text.text);
    if (found) node.append(make("span", "chip " + found[1].toLowerCase(), found[1]), make("span", "", found[2]));
    else node.append(make("span", "", block.text.text));
    return node;
  };

  // A picture of the workspace, never one from outside: the page's policy would not load it anyway.
  const picture = (block) => {
    const node = make("figure", "b-image");
    const file = (block.slack_file || {}).id;
    if (block.title) node.append(make("figcaption", "", block.title.text));
    if (!file) { node.append(make("p", "", block.alt_text)); return node; }
    const image = make("img");
    image.src = "/files/" + encodeURIComponent(file);
    image.alt = block.alt_text;
    node.append(image);
    return node;
  };

  const draw = (block, on) => {
    switch (block.type) {
      case "header": return header(block);
      case "rich_text": return rich(block);
      case "section": return make("p", "b-section", (block.text || {}).text || "");
      case "divider": return make("hr");
      case "context": {
        const node = make("div", "b-context");
        for (const e of block.elements || []) node.append(make("span", "", e.text));
        return node;
      }
      case "actions": {
        const node = make("div", "b-actions");
        for (const e of block.elements || []) node.append(e.type === "button" ? button(e, block, on) : menu(e, on));
        return node;
      }
      case "input": return input(block, on);
      case "image": return picture(block);
      default: return make("p", "b-section", "[" + block.type + " block]");
    }
  };

  return { make, draw };
})();
