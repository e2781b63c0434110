// Search as one types: the index of the page's language is fetched once, when the field
// is entered; without this file the form leads to a page of results.
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
  let index = null;

  const fetched = async () => {
    const answer = await fetch(field.dataset.index);
    return answer.ok ? answer.json() : [];
  };
  // The promise is kept, not what it brings: who types before it is there asks no second time.
  const load = () => (index ??= fetched().catch(() => []));

  // Full-width letters and digits, as a Japanese keyboard writes them, count as ASCII.
  const folded = (text) => text
    .replace(/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
    .toLowerCase();

  const rank = (found, words) => {
    const topic = found.topic.toLowerCase();
    const name = folded(found.name);
    let sum = 0;
    for (const word of words) {
      if (topic === word) continue;
      if (topic.startsWith(word)) sum += 1;
      else if (name.includes(word) || topic.includes(word)) sum += 2;
      else return -1;
    }
    return sum;
  };

  const show = async () => {
    const all = await load();
    const words = folded(field.value).split(/\s+/).filter(Boolean);
    const ranked = (words.length ? all : [])
      .map((found) => [rank(found, words), found])
      .filter(([sum]) => sum >= 0)
      .sort((a, b) => a[0] - b[0]
        || (a[0] > words.length ? a[1].name.length - b[1].name.length : 0))
      .slice(0, 8);
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

  field.addEventListener("focus", load, { once: true });
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
