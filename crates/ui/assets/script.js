// What the pages of Rescind do beyond HTML. Every act works without this file; it speaks nothing but the pages.
"use strict";
(() => {
  const root = document.documentElement;
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const on = (event, selector, act) =>
    document.addEventListener(event, (e) => {
      const hit = e.target instanceof Element && e.target.closest(selector);
      if (hit) act(e, hit);
    });
  const say = (words) => {
    const said = $("#said");
    if (said) said.textContent = words;
  };
  const cookie = (name, value) => {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${name}=${value}; Path=/; SameSite=Lax; Max-Age=${value ? 31536000 : 0}${secure}`;
  };

  // Times: the server wrote UTC, the viewer reads local time of the same width.
  const two = (n) => String(n).padStart(2, "0");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const distance = (at) => {
    const seconds = (Date.now() - at) / 1000;
    const far = Math.abs(seconds);
    if (seconds >= -5 && seconds < 45) return "just now";
    const steps = [[90, 0, "minute"], [3600, 60, "minute"], [129600, 3600, "hour"], [5184000, 86400, "day"], [63072000, 2592000, "month"], [Infinity, 31536000, "year"]];
    const [, unit, word] = steps.find(([limit]) => far < limit);
    const number = unit ? Math.floor(far / unit) : 1;
    const words = `${number} ${word}${number === 1 ? "" : "s"}`;
    return seconds >= 0 ? `${words} ago` : `in ${words}`;
  };
  const localise = (from = document) => {
    for (const time of $$("time[datetime]", from)) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      const local = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
      if ("local" in time.dataset) {
        time.textContent = local;
        time.title = `${time.dateTime} (UTC), ${distance(at)}`;
      } else if ("age" in time.dataset) {
        time.textContent = distance(at);
        time.title = `${time.dateTime} (UTC), ${local} here`;
      }
    }
    for (const words of $$("[data-zone]", from)) words.textContent = `Times are in ${zone}.`;
    for (const words of $$("[data-zone-name]", from)) words.textContent = `(${zone})`;
  };
  setInterval(() => localise($("#main") ?? document), 30000);

  // Theme and side bar. The cookie lets the server draw the next page right from the start.
  on("click", "[data-theme-switch]", () => {
    const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
    const now = root.dataset.theme || (isDark ? "dark" : "light");
    const next = now === "dark" ? "light" : "dark";
    const isSystem = next === (isDark ? "dark" : "light");
    if (isSystem) delete root.dataset.theme;
    else root.dataset.theme = next;
    cookie("rescind_theme", isSystem ? "" : next);
    say(`Colour scheme: ${next}`);
  });
  on("click", "[data-side-switch]", () => {
    const next = root.dataset.side ? "" : "narrow";
    if (next) root.dataset.side = next;
    else delete root.dataset.side;
    cookie("rescind_side", next);
  });

  // Copying
  const copied = (button, words) => {
    button.classList.add("copied");
    const word = $("[data-copy-word]", button);
    const before = word?.textContent;
    if (word) word.textContent = "Copied";
    say(words);
    setTimeout(() => {
      button.classList.remove("copied");
      if (word) word.textContent = before;
    }, 2000);
  };
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without TLS there is no clipboard; the old way works where the new one does not.
      const field = document.createElement("textarea");
      field.value = text;
      ($("dialog[open]") ?? document.body).append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
  };
  let isSecretKept = true;
  on("click", "[data-copy]", (e, button) => {
    e.preventDefault();
    copy(button.dataset.copy).then(() => copied(button, "Copied"));
  });
  on("click", "[data-copy-from]", (e, button) => {
    copy(document.getElementById(button.dataset.copyFrom).textContent).then(() => {
      isSecretKept = true;
      copied(button, "Secret copied");
    });
  });
  on("click", "[data-download]", (e, button) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([button.dataset.text], { type: "text/plain" }));
    link.download = button.dataset.download;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    isSecretKept = true;
    say("Downloaded");
  });
  document.addEventListener("copy", () => {
    const secret = $("#secret");
    if (secret && String(getSelection()).includes(secret.textContent)) isSecretKept = true;
  });
  // A page that shows a secret answers a form: nobody comes back to it, so it leaves no place in the history.
  on("click", "[data-leave]", (e, link) => {
    if (e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey) return;
    e.preventDefault();
    location.replace(link.href);
  });
  addEventListener("beforeunload", (e) => {
    if (!isSecretKept) e.preventDefault();
  });

  // Dialogs: the linked page holds one; it opens here instead.
  let opener = null;
  const close = (dialog) => {
    const isLinked = dialog.dataset.linked === "true";
    const cancel = dialog.dataset.cancel;
    dialog.remove();
    if (isLinked) location.assign(cancel);
    else opener?.focus();
  };
  const prepare = (dialog) => {
    localise(dialog);
    offsets(dialog);
    dialog.addEventListener("cancel", (e) => {
      e.preventDefault();
      close(dialog);
    });
    dialog.addEventListener("click", (e) => {
      if (e.target === dialog) close(dialog);
    });
    for (const form of $$("form", dialog)) arm(form);
    dialog.removeAttribute("open");
    dialog.showModal();
    const first = $("[aria-invalid], [autofocus]", dialog) ?? $("[data-arms]", dialog);
    first?.focus();
  };
  const open = async (url, from) => {
    opener = from?.closest("details.menu")?.querySelector("summary") ?? from;
    closeMenus();
    let answer, page;
    try {
      answer = await fetch(url, { headers: { accept: "text/html" }, credentials: "same-origin" });
      page = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch {
      location.assign(url);
      return;
    }
    const dialog = $("dialog", page);
    if (!dialog) {
      // Signed out, or gone meanwhile: the page that came instead says what is the matter.
      location.assign(url);
      return;
    }
    document.body.append(document.adoptNode(dialog));
    prepare(dialog);
  };
  on("click", "a[data-dialog]", (e, link) => {
    if (e.metaKey || e.ctrlKey || e.shiftKey || e.button !== 0) return;
    e.preventDefault();
    open(link.href, link);
  });
  on("submit", "form[data-dialog]", (e, form) => {
    e.preventDefault();
    const ticked = $$(`input[form="${form.id}"]:checked`);
    const query = new URLSearchParams(new FormData(form));
    if (ticked.length) open(`${form.action}?${query}`, $("button", form));
  });
  on("click", "dialog [data-close]", (e, link) => {
    e.preventDefault();
    close(link.closest("dialog"));
  });

  // Forms: the button of an act that cannot be undone waits for its box; others wait until the form is complete; nothing is
  // sent twice.
  const arm = (form) => {
    const arms = $("[data-arms]", form);
    const button = $("button.destructive, button[data-needs-valid]", form);
    if (!button) return;
    const look = () => {
      const rows = $$("[data-row]", form);
      const isEveryRowUsed = rows.every((row) => !$("input[type=checkbox]", row) || $("input:checked", row));
      const isReady = arms ? arms.checked && form.checkValidity() : form.checkValidity() && isEveryRowUsed && (rows.length > 0 || !$("[data-rows='needed']", form));
      button.disabled = !isReady;
    };
    form.addEventListener("input", look);
    form.addEventListener("rearranged", look);
    look();
  };
  on("input", "[aria-invalid]", (e, field) => {
    if (!field.checkValidity()) return;
    field.removeAttribute("aria-invalid");
    document.getElementById(`wrong-${field.name}`)?.remove();
  });
  on("change", ".switched > .switch input", (e, box) => {
    const needed = (part) => $$(`:scope > ${part} input:not([type=hidden], [data-optional])`, box.closest(".switched"));
    for (const field of needed(".when-on")) field.required = box.checked;
    for (const field of needed(".when-off")) field.required = !box.checked;
    box.form?.dispatchEvent(new Event("rearranged"));
  });
  const offsets = (from = document) => {
    for (const field of $$("[data-offset]", from)) field.value = field.value || String(new Date().getTimezoneOffset());
  };
  on("submit", "form", (e, form) => {
    if (e.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) {
      e.preventDefault();
      return;
    }
    form.dataset.sent = "true";
    form.setAttribute("aria-busy", "true");
    isSecretKept = true;
  });
  addEventListener("pageshow", () => {
    for (const form of $$("form[data-sent]")) delete form.dataset.sent;
  });

  // Rows of permissions
  const recount = (rows) => {
    const numbers = $$("[data-row] select, [data-row] input", rows).map((field) => Number(field.name.split("-").pop()));
    $("[data-row-count]", rows).value = String(Math.max(-1, ...numbers) + 1);
    const most = Number($("[data-add-row]", rows).dataset.most || Infinity);
    $("[data-add-row]", rows).disabled = $$("[data-row]", rows).length >= most;
    rows.closest("form").dispatchEvent(new Event("rearranged"));
  };
  on("click", "[data-add-row]", (e, button) => {
    const rows = button.closest("[data-rows]");
    const last = $$("[data-row]", rows).pop();
    if (!last) return;
    e.preventDefault();
    const row = last.cloneNode(true);
    const number = Number($("[data-row-count]", rows).value);
    for (const field of $$("[name]", row)) {
      if (field.name === "remove") field.value = String(number);
      else field.name = field.name.replace(/\d+$/, String(number));
      if (field.type === "checkbox") field.checked = field.name.startsWith("read");
      else if (field.tagName === "INPUT") field.value = "";
      if (field.tagName === "SELECT") field.selectedIndex = 0;
    }
    last.after(row);
    recount(rows);
    $("select, input", row).focus();
  });
  on("click", "[data-remove-row]", (e, button) => {
    const rows = button.closest("[data-rows]");
    if ($$("[data-row]", rows).length < 2) return;
    e.preventDefault();
    button.closest("[data-row]").remove();
    recount(rows);
    $("[data-add-row]", rows).focus();
  });

  // Lists: search as one types, filters at once; the address follows.
  let asked = 0;
  const refresh = async (url, { isQuiet = false } = {}) => {
    const turn = ++asked;
    const frame = $("[data-live] .list-frame");
    const waiting = setTimeout(() => frame?.setAttribute("aria-busy", "true"), 150);
    let page;
    try {
      const answer = await fetch(url, { headers: { accept: "text/html" }, credentials: "same-origin" });
      if (!answer.ok || answer.redirected) throw new Error();
      page = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch {
      if (!isQuiet) location.assign(url);
      return;
    } finally {
      clearTimeout(waiting);
      frame?.removeAttribute("aria-busy");
    }
    if (turn !== asked) return;
    for (const [at, region] of $$("[data-live]", page).entries()) {
      const old = $$("[data-live]")[at];
      localise(region);
      old?.replaceWith(document.adoptNode(region));
    }
    history.replaceState(null, "", url);
    chosen();
    const count = $("[data-count]")?.textContent;
    if (count && !isQuiet) say(count);
  };
  const addressOf = (form) => {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value) query.append(name, value);
    const text = String(query);
    return `${form.getAttribute("action") || location.pathname}${text ? `?${text}` : ""}`;
  };
  let typing;
  on("input", "[data-search]", (e, field) => {
    clearTimeout(typing);
    typing = setTimeout(() => refresh(addressOf(field.form)), 120);
  });
  on("change", "[data-submit]", (e, field) => {
    if (field.form.hasAttribute("data-list-form")) refresh(addressOf(field.form));
    else field.form.requestSubmit();
  });
  on("submit", "form[data-list-form]", (e, form) => {
    e.preventDefault();
    refresh(addressOf(form));
  });

  // Several rows at once
  const chosen = () => {
    const bulk = $("[data-bulk]");
    if (!bulk) return;
    const boxes = $$(`input[form="${bulk.id}"]`);
    const number = boxes.filter((box) => box.checked).length;
    bulk.classList.toggle("any", number > 0);
    $("[data-chosen]", bulk).textContent = `${number} selected`;
    const all = $("[data-all]");
    if (!all) return;
    all.checked = number > 0 && number === boxes.length;
    all.indeterminate = number > 0 && number < boxes.length;
  };
  on("change", "[data-all]", (e, all) => {
    for (const box of $$(`input[form="${$("[data-bulk]").id}"]`)) box.checked = all.checked;
    chosen();
  });
  on("change", "td.tick input", chosen);

  // Rows: the whole row opens
  on("click", "tr[data-href]", (e, row) => {
    const isOwn = e.target.closest("a, button, input, label, summary, details, form");
    if (isOwn || String(getSelection()) || e.button !== 0) return;
    if (e.metaKey || e.ctrlKey) window.open(row.dataset.href, "_blank", "noopener");
    else location.assign(row.dataset.href);
  });

  // Menus
  const menus = "details.menu, details.picker";
  const closeMenus = (except) => {
    for (const menu of $$(`:is(${menus})[open]`)) if (menu !== except) menu.open = false;
  };
  document.addEventListener("click", (e) => closeMenus(e.target instanceof Element ? e.target.closest(menus) : null));
  document.addEventListener(
    "toggle",
    (e) => {
      const menu = e.target;
      if (!(menu instanceof HTMLDetailsElement) || !menu.matches("details.menu") || !menu.open) return;
      const panel = $(".menu-panel", menu);
      menu.classList.remove("up");
      if (panel.getBoundingClientRect().bottom > innerHeight) menu.classList.add("up");
    },
    true,
  );

  // Selectors with many entries
  on("input", "[data-pick]", (e, field) => {
    const sought = field.value.trim().toLowerCase();
    for (const choice of $$("[data-choice]", field.closest(".panel"))) choice.hidden = !choice.textContent.toLowerCase().includes(sought);
  });

  // Keys
  const keys = [["/", "Search the list"], ["↑ ↓", "Go through rows and menus"], ["Enter", "Open the row"], ["x", "Tick the row"], ["Esc", "Close; nothing changes"], ["?", "Show these keys"]];
  const showKeys = (from) => {
    const dialog = document.createElement("dialog");
    const sheet = document.createElement("div");
    sheet.className = "sheet";
    sheet.innerHTML = '<header role="none"><h2 id="keys-title">Keyboard</h2></header><div class="body"><dl class="facts"></dl></div><footer role="none"><button class="button" type="button" data-close>Close</button></footer>';
    for (const [key, words] of keys) {
      const name = document.createElement("dt");
      const kbd = document.createElement("kbd");
      kbd.textContent = key;
      name.append(kbd);
      const means = document.createElement("dd");
      means.textContent = words;
      $("dl", sheet).append(name, means);
    }
    dialog.setAttribute("aria-labelledby", "keys-title");
    dialog.append(sheet);
    opener = from;
    document.body.append(dialog);
    prepare(dialog);
  };
  on("click", "[data-keys]", (e, button) => showKeys(button));
  const step = (things, back) => {
    const at = things.indexOf(document.activeElement);
    const next = at < 0 ? (back ? things.length - 1 : 0) : Math.min(Math.max(at + (back ? -1 : 1), 0), things.length - 1);
    things[next]?.focus();
  };
  document.addEventListener("keydown", (e) => {
    // Ticking the box or typing a name is one decision, the act another: Enter there does not do both.
    const isField = e.target instanceof Element && e.target.matches("input");
    if (e.key === "Enter" && isField && e.target.form && $("button.destructive", e.target.form)) e.preventDefault();
    const here = document.activeElement;
    const isTyping = here instanceof Element && here.matches("input:not([type=checkbox]), textarea, select");
    const menu = here?.closest(`:is(${menus})[open]`);
    if (e.key === "Escape" && menu) {
      menu.open = false;
      $("summary", menu).focus();
      e.preventDefault();
      return;
    }
    if (e.metaKey || e.ctrlKey || e.altKey) return;
    const isVertical = e.key === "ArrowDown" || e.key === "ArrowUp";
    if (isVertical && menu) {
      step($$("a, button", $(".menu-panel, .panel", menu)), e.key === "ArrowUp");
      e.preventDefault();
      return;
    }
    if (isVertical && here?.matches("details.menu:not([open]) > summary") && e.key === "ArrowDown") {
      here.parentElement.open = true;
      step($$("a, button", $(".menu-panel", here.parentElement)), false);
      e.preventDefault();
      return;
    }
    if ($("dialog[open]")) return;
    if (here?.matches("[data-search]") && e.key === "ArrowDown") {
      $("tbody a.row-link")?.focus();
      e.preventDefault();
      return;
    }
    if (isTyping) return;
    const row = here?.closest("tbody tr");
    if (isVertical && (row || here === document.body) && $("tbody a.row-link")) {
      const links = $$("tbody a.row-link");
      if (row) {
        const at = links.findIndex((link) => row.contains(link));
        links[Math.min(Math.max(at + (e.key === "ArrowUp" ? -1 : 1), 0), links.length - 1)].focus();
      } else links[0].focus();
      e.preventDefault();
    } else if (e.key === "x" && row) {
      const box = $("td.tick input", row);
      if (box) {
        box.checked = !box.checked;
        chosen();
      }
    } else if (e.key === "/") {
      const search = $("[data-search]");
      if (search) {
        search.focus();
        search.select();
        e.preventDefault();
      }
    } else if (e.key === "?") showKeys(here);
  });

  // Notices
  on("click", "[data-dismiss]", (e, button) => {
    button.closest(".notice").remove();
    $("#main").focus();
  });

  // Figures that move on
  for (const region of $$("[data-refresh]")) {
    setInterval(async () => {
      const isWanted = document.visibilityState === "visible" && !$("dialog[open]") && $("[data-updates]")?.checked !== false;
      if (!isWanted || !region.isConnected || region.contains(document.activeElement)) return;
      // Asked by the script, not by a person: the server does not take it for a sign of life.
      const headers = { accept: "text/html", "rescind-live": "1" };
      const answer = await fetch(location.href, { headers, credentials: "same-origin" }).catch(() => null);
      if (!answer?.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(region.id);
      if (!fresh) return;
      localise(fresh);
      // What the reader unfolded stays unfolded.
      const unfolded = $$("details", region).map((details) => details.open);
      for (const [at, details] of $$("details", fresh).entries()) details.open = unfolded[at] ?? false;
      region.replaceChildren(...fresh.childNodes);
    }, Number(region.dataset.refresh) * 1000);
  }

  localise();
  offsets();
  isSecretKept = !$("[data-secret]");
  for (const form of $$("form")) arm(form);
  const linked = $("dialog[open]");
  if (linked) {
    linked.dataset.linked = "true";
    $(".frame")?.removeAttribute("inert");
    prepare(linked);
  }
  chosen();
})();
