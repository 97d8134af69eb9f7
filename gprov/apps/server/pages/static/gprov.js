// Live updates and local times. Without this file pages have everything; the browser renews them at intervals.
"use strict";

(() => {
  const POLL_MS = 15000;
  const PAUSE_MS = 1000;
  const live = document.body.dataset;

  // Parts of a live page are marked data-live; their rows have a data-key. ``html``: of each, as the server sent it.
  const html = new WeakMap();

  function remember(root) {
    for (const element of root.querySelectorAll("[data-live], tr[data-key]")) {
      html.set(element, element.outerHTML);
    }
  }

  if (live.liveVersion !== undefined) {
    remember(document);
  }

  // Times: UTC, or on request the zone of this browser.
  const zoneWord = document.getElementById("zone");
  const zoneButton = document.getElementById("zone-button");
  let local = false;

  function twoDigits(number) {
    return String(number).padStart(2, "0");
  }

  function localText(date) {
    const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join("-");
    return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":")}`;
  }

  function utcText(date) {
    return date.toISOString().slice(0, 19).replace("T", " ");
  }

  function showTimes() {
    for (const element of document.querySelectorAll("time[datetime]")) {
      const date = new Date(element.dateTime);
      if (!Number.isNaN(date.getTime())) {
        element.textContent = local ? localText(date) : utcText(date);
      }
    }
    zoneWord.textContent = local ? "All times: of this browser's zone" : "All times: UTC";
    zoneButton.textContent = local ? "Show UTC" : "Show local times";
  }

  zoneButton.hidden = false;
  zoneButton.addEventListener("click", () => {
    local = !local;
    localStorage.setItem("times", local ? "local" : "utc");
    showTimes();
  });
  if (localStorage.getItem("times") === "local") {
    local = true;
    showTimes();
  }

  if (live.liveVersion === undefined) {
    return;
  }

  const word = document.getElementById("live-word");
  const news = document.getElementById("live-news");

  function say(text, failed) {
    if (word.textContent !== text) {
      word.textContent = text;
      word.className = failed ? "tone-failed" : "";
    }
  }

  // The element that has the focus within ``before``, as it is in ``after``.
  function focusIn(before, after) {
    const focused = document.activeElement;
    if (!focused || !before.contains(focused)) {
      return null;
    }
    const address = focused.getAttribute("href");
    return [...after.querySelectorAll("a[href], [tabindex]")].find(
      (element) => element.tagName === focused.tagName && element.getAttribute("href") === address,
    );
  }

  function exchange(before, after) {
    const focus = focusIn(before, after);
    before.replaceWith(after);
    focus?.focus({ preventScroll: true });
  }

  function copy(element) {
    const made = document.importNode(element, true);
    html.set(made, element.outerHTML);
    return made;
  }

  // Rows that did not change stay, with focus and selection.
  function exchangeRows(before, after) {
    const known = new Map([...before.children].map((row) => [row.dataset.key, row]));
    const rows = [...after.children].map((row) => {
      const old = known.get(row.dataset.key);
      if (old && html.get(old) === row.outerHTML) {
        return old;
      }
      const made = copy(row);
      made.classList.add("changed");
      if (old) {
        exchange(old, made);
      }
      return made;
    });
    rows.forEach((row, index) => {
      if (before.children[index] !== row) {
        before.insertBefore(row, before.children[index] ?? null);
      }
    });
    while (before.children.length > rows.length) {
      before.lastElementChild.remove();
    }
    html.set(before, after.outerHTML);
  }

  function newsOf(root) {
    return [...root.querySelectorAll("[data-news]")].map((element) => element.dataset.news);
  }

  function show(text) {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const known = new Set(newsOf(document));
    for (const element of document.querySelectorAll("[data-live]")) {
      const now = fresh.getElementById(element.id);
      if (!now || html.get(element) === now.outerHTML) {
        continue;
      }
      if (element.tagName === "TBODY") {
        exchangeRows(element, now);
      } else {
        exchange(element, copy(now));
      }
    }
    if (local) {
      showTimes();
    }
    const added = newsOf(document).filter((each) => !known.has(each));
    if (added.length) {
      news.textContent = added.slice(0, 5).join("; ");
    }
  }

  let running = false;
  let wanted = false;
  let last = 0;

  async function renew() {
    wanted = true;
    if (running) {
      return;
    }
    running = true;
    while (wanted && !document.hidden) {
      await new Promise((done) => setTimeout(done, Math.max(0, last + PAUSE_MS - Date.now())));
      wanted = false;
      last = Date.now();
      await ask();
    }
    running = false;
  }

  async function ask() {
    try {
      const reply = await fetch(location.href, { cache: "no-store", redirect: "manual" });
      if (reply.type === "opaqueredirect" || reply.status === 401 || reply.status === 403) {
        say("You are signed out: reload this page. As of", true);
        return;
      }
      if (!reply.ok) {
        throw new Error(String(reply.status));
      }
      show(await reply.text());
      say("Live, as of", false);
    } catch {
      say("The server does not answer. As of", true);
    }
  }

  // A stream that ended is opened again by the browser, which states the last version that it got. If the server refuses
  // the stream, the page is asked for at intervals. A page that is not seen has no stream: a browser opens only six
  // connections to one server, for all of its pages.
  let source = null;
  let version = live.liveVersion;

  function listen() {
    source = new EventSource(`/live/?${new URLSearchParams({ topic: live.liveTopic, after: version })}`);
    source.addEventListener("open", () => say("Live, as of", false));
    source.addEventListener("change", (event) => {
      version = event.data;
      renew();
    });
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED) {
        say("Connection lost, trying again. As of", true);
      }
    });
  }

  function follow() {
    source?.close();
    if (!document.hidden) {
      listen();
    }
  }

  follow();
  setInterval(() => {
    if (!document.hidden && source.readyState === EventSource.CLOSED) {
      follow();
      renew();
    }
  }, POLL_MS);
  document.addEventListener("visibilitychange", () => {
    follow();
    renew();
  });
})();
