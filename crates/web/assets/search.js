// Search as one types: the names in the page's language are fetched once, when the field is
// entered, and what the entries say when the names do not suffice. Nothing that is typed is
// sent. Without this file the form leads to a page of results, ranked alike (search.rs).
"use strict";
(() => {
  const field = document.getElementById("q");
  if (!field) return;
  const list = document.createElement("ul");
  list.className = "suggestions";
  list.hidden = true;
  const status = document.createElement("p");
  status.className = "hidden";
  status.setAttribute("role", "status");
  field.form.append(list, status);
  const most = 8;
  const kept = {};

  const fetched = async (address) => {
    const answer = await fetch(address);
    return answer.ok ? answer.json() : [];
  };
  // The promise is kept, not what it brings: who types before it is there asks no second time.
  const load = (what) => (kept[what] ??= fetched(field.dataset[what]).catch(() => []));

  // Full-width letters and digits, as a Japanese keyboard writes them, count as ASCII.
  const folded = (text) => text
    .replace(/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
    .toLowerCase();

  const inText = 10;
  const letter = /[\p{L}\p{N}]/u;

  // One letter or two are in every text.
  const isLong = (word) => word.length > 2 || /[\u0800-\uffff]/.test(word);

  // How well a word fits a text: better where it begins a word of it. A short one need not be
  // there where another is.
  const rankIn = (text, word, words) => {
    if (!isLong(word)) return words.some(isLong) ? inText + 1 : -1;
    let rank = -1;
    for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
      if (at === 0 || !letter.test(text[at - 1])) return inText;
      rank = inText + 1;
    }
    return rank;
  };

  const rank = (found, words, text) => {
    const topic = found.topic.toLowerCase();
    const name = folded(found.name);
    let sum = 0;
    for (const word of words) {
      if (topic === word) continue;
      if (topic.startsWith(word)) sum += 1;
      else if (name.includes(word) || topic.includes(word)) sum += 2;
      else {
        const within = text === undefined ? -1 : rankIn(text, word, words);
        if (within < 0) return -1;
        sum += within;
      }
    }
    return sum;
  };

  const ranked = (all, words, texts) => (words.length ? all : [])
    .map((found, at) => [rank(found, words, texts[at]), found])
    .filter(([sum]) => sum >= 0)
    .sort((a, b) => a[0] - b[0]
      || (a[0] > words.length && a[0] < inText ? a[1].name.length - b[1].name.length : 0))
    .slice(0, most);

  const show = async () => {
    const typed = field.value;
    const words = folded(typed).split(/\s+/).filter(Boolean).slice(0, 8);
    const all = await load("index");
    const found = ranked(all, words, []);
    if (field.value !== typed) return;
    tell(found, words);
    if (found.length === most || !words.some(isLong)) return;
    const texts = await load("texts");
    // Who typed on meanwhile is answered for what stands there now.
    if (field.value === typed) tell(ranked(all, words, texts), words);
  };

  const tell = (ranked, words) => {
    list.replaceChildren(...ranked.map(([, found]) => {
      const link = document.createElement("a");
      link.href = found.href;
      if (found.topic) {
        const code = document.createElement("b");
        code.textContent = found.topic;
        link.append(code, " ");
      }
      link.append(found.name);
      const item = document.createElement("li");
      item.append(link);
      return item;
    }));
    list.hidden = ranked.length === 0;
    status.textContent = words.length ? String(ranked.length) : "";
  };

  field.addEventListener("focus", () => load("index"), { once: true });
  field.addEventListener("input", show);
  field.form.addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (event.key === "Escape") {
      list.hidden = true;
      field.focus();
    } else if (event.key === "ArrowDown" && at + 1 < links.length) {
      event.preventDefault();
      links[at + 1].focus();
    } else if (event.key === "ArrowUp" && at >= 0) {
      event.preventDefault();
      (links[at - 1] ?? field).focus();
    }
  });
})();
