// Refreshes the live page in place, and filters while one types.
"use strict";
(function () {
  const every = 5000;
  const input = document.getElementById("q");
  const lost = document.getElementById("lost");
  let newest = 0;

  // Where the page is with what is typed now.
  function address() {
    const url = new URL(location.href);
    const text = input.value.trim();
    if (text) {
      url.searchParams.set("q", text);
    } else {
      url.searchParams.delete("q");
    }
    return url;
  }

  // What is focused or unfolded stays so, though it is replaced; what somebody
  // marks to copy it is left alone.
  function replace(id, page) {
    const old = document.getElementById(id);
    const next = page.getElementById(id);
    for (const details of old.querySelectorAll("details[open][id]")) {
      const again = next.querySelector("#" + details.id);
      if (again) again.open = true;
    }
    const marked = getSelection();
    if (old.isEqualNode(next) || (String(marked) && old.contains(marked.anchorNode))) return;
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    old.replaceWith(next);
    if (!focused) return;
    const again = focused.id
      ? document.getElementById(focused.id)
      : next.querySelector(`a[href="${CSS.escape(focused.getAttribute("href") || "")}"]`);
    if (again) again.focus({ preventScroll: true });
  }

  async function refresh() {
    const mine = ++newest;
    try {
      const abort = new AbortController();
      const timeout = setTimeout(() => abort.abort(), every);
      const answer = await fetch(address(), { signal: abort.signal });
      if (!answer.ok) throw new Error(answer.statusText);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      clearTimeout(timeout);
      if (!page.getElementById("rows")) throw new Error("another page");
      if (mine !== newest) return; // a newer one is on its way
      lost.hidden = true;
      replace("state", page);
      replace("rows", page);
      document.title = page.title;
      const say = page.getElementById("announce").textContent;
      const announce = document.getElementById("announce");
      if (announce.textContent !== say) announce.textContent = say;
    } catch {
      if (mine === newest) lost.hidden = false;
    }
  }

  let timer;
  function later(wait) {
    clearTimeout(timer);
    if (document.hidden) return;
    timer = setTimeout(async function () {
      await refresh();
      later(every);
    }, wait);
  }

  function go(url) {
    history.replaceState(null, "", url);
    later(0);
  }

  let typing;
  input.addEventListener("input", function () {
    clearTimeout(typing);
    typing = setTimeout(() => go(address()), 250);
  });
  input.form.addEventListener("submit", function (event) {
    event.preventDefault();
    clearTimeout(typing);
    go(address());
  });
  // Opening and closing a group needs no new page.
  document.addEventListener("click", function (event) {
    const link = event.target.closest("a.toggle");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    go(link.href);
  });
  document.addEventListener("visibilitychange", () => later(0));
  later(every);
})();
