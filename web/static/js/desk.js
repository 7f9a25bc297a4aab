/* The auditors' desk: choosing cases by mouse and keys, their evidence without loading the page
   anew, and the form of the decision. Everything also works by links and forms alone. */
(function () {
  "use strict";

  const words = JSON.parse(document.getElementById("desk-words").textContent);
  const queue = document.getElementById("queue");
  const rows = queue ? Array.from(queue.querySelectorAll("tr[data-case]")) : [];
  const CHOICE = ["case", "item", "survey", "commune", "done"];
  const OFF = "ancu.keys.off";
  const say = (name, detail) => document.dispatchEvent(new CustomEvent(name, {detail}));
  const panel = () => document.getElementById("case");
  const form = () => document.getElementById("decide");
  const narrow = () => window.matchMedia("(max-width: 960px)").matches;
  const chosen = () => rows.find((row) => row.classList.contains("chosen"));

  /* ---- choosing ---- */

  function addressOf(choice) {
    const url = new URL(location.href);
    for (const name of CHOICE) { url.searchParams.delete(name); }
    for (const [name, value] of Object.entries(choice)) { if (value) { url.searchParams.set(name, value); } }
    url.hash = "";
    return url;
  }

  function mark(text) {
    for (const row of rows) {
      const on = row.dataset.case === text;
      row.classList.toggle("chosen", on);
      if (on) { row.setAttribute("aria-current", "true"); row.scrollIntoView({block: "nearest"}); } else { row.removeAttribute("aria-current"); }
    }
  }

  /* What is marked in the list but not shown yet cannot be decided about. */
  let wanted = 0;
  let waiting = 0;
  let goOn = false;
  const loading = () => waiting !== 0 || panel().getAttribute("aria-busy") === "true";
  const differs = () => Boolean(chosen()) && chosen().dataset.case !== panel().dataset.case;

  function hold() {
    panel().setAttribute("aria-busy", "true");
    if (form()) {
      form().inert = true;
      document.getElementById("decide-count").textContent = words.loading;
    }
  }

  /* Puts the case that `url` names beside the list; focus "case" moves there. */
  async function open(url, focus) {
    const turn = ++wanted;
    hold();
    let fresh = null;
    try {
      const answer = await fetch(url.pathname.replace(/\/audit$/, "/audit/case") + url.search, {headers: {Accept: "text/html"}});
      if (!answer.ok) { throw new Error(url + " " + answer.status); }
      fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("case");
      if (!fresh) { throw new Error(url + " holds no case"); }
    } catch (error) {
      console.error(error);
      fresh = failed(url);
    }
    if (turn !== wanted) { return; }
    panel().replaceWith(document.adoptNode(fresh));
    if (fresh.dataset.case) { mark(fresh.dataset.case); }
    say("ancu:picking", false);
    say("ancu:evidence", fresh.dataset.evidence || null);
    wire();
    if (focus === "case" || goOn) { toCase(); }
    goOn = false;
    inView();
  }

  /* Where list, map and case stand side by side, they fill the window once a case is chosen. */
  function inView() {
    const desk = document.querySelector(".desk");
    if (!narrow() && desk.getBoundingClientRect().top > 8 && panel().getBoundingClientRect().bottom > window.innerHeight) {
      desk.scrollIntoView({block: "start"});
    }
  }

  function failed(url) {
    const box = document.createElement("section");
    box.id = "case";
    box.className = "case";
    const text = document.createElement("p");
    text.setAttribute("role", "alert");
    text.textContent = words.failed + " ";
    const link = document.createElement("a");
    link.href = url.href;
    link.textContent = words.open;
    text.append(link);
    box.append(text);
    return box;
  }

  function toCase() {
    const title = document.getElementById("case-title");
    if (!title) { return; }
    title.focus({preventScroll: true});
    document.querySelector(".beside").scrollIntoView({block: "nearest"});
  }

  function choose(choice, push, focus) {
    const url = addressOf(choice);
    clearTimeout(waiting);
    waiting = 0;
    mark(choice.case || (choice.item && panel().dataset.case) || "");
    if (push) { history.pushState({desk: true}, "", url); document.dispatchEvent(new Event("ancu:address")); }
    return open(url, focus);
  }

  const chooseRow = (row, focus) => choose({case: row.dataset.case}, true, focus || (narrow() ? "case" : undefined));

  for (const row of rows) {
    row.tabIndex = -1;
    row.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.target.closest("label")) { return; }
      if (event.target.closest("a")) { event.preventDefault(); }
      chooseRow(row);
    });
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-item]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) { return; }
    event.preventDefault();
    choose({item: new URL(link.href).searchParams.get("item")}, true, "case");
  });
  document.addEventListener("ancu:case", (event) => {
    const row = rows.find((one) => one.dataset.case === event.detail);
    if (row) { chooseRow(row); }
  });
  document.addEventListener("ancu:survey", (event) => choose({survey: event.detail.id, commune: event.detail.commune}, true));
  window.addEventListener("popstate", () => {
    const asked = new URL(location.href).searchParams;
    const choice = Object.fromEntries(CHOICE.filter((name) => asked.has(name)).map((name) => [name, asked.get(name)]));
    if (["case", "item", "survey"].some((name) => choice[name])) { choose(choice, false); } else { location.reload(); }
  });

  /* ---- the form ---- */

  const ticked = (name) => Array.from(document.querySelectorAll(`input[name=${name}]:checked`));

  let several = false;

  function count() {
    const told = document.getElementById("decide-count");
    if (!told) { return; }
    const cases = ticked("pick").length;
    const lines = form().querySelector("input[type=hidden][name=subject]") ? 1 : ticked("subject").length;
    const of_cases = ticked("pick").reduce((sum, box) => sum + Number(box.dataset.rows), 0);
    const number = cases || lines;
    told.textContent = number ? (cases ? words.cases : words.rows).replace("{n}", number).replace("{m}", of_cases) : words.none;
    if (of_cases > words.most) { told.textContent += words.portion; }
    several = (of_cases || lines) > 1;
    fields();
  }

  const decision = () => { const one = form() && form().querySelector("input[name=decision]:checked"); return one ? one.value : ""; };

  function fields() {
    const chosenOne = decision();
    for (const part of form().querySelectorAll("[data-for]")) { part.hidden = part.dataset.for !== chosenOne || (several && chosenOne === "repaired"); }
    form().querySelector("[data-several]").hidden = !(several && chosenOne === "repaired");
    for (const name of ["lat", "lon", "accuracy_m"]) { form().elements[name].disabled = several; }
    form().elements.reason.required = chosenOne === "explained";
    say("ancu:picking", chosenOne === "repaired" && !several);
    if (chosenOne === "repaired" && !several) { typedPoint(); }
  }

  function typedPoint() {
    const [lat, lon] = ["lat", "lon"].map((name) => Number.parseFloat(form().elements[name].value.replace(",", ".")));
    say("ancu:point", Number.isFinite(lat) && Number.isFinite(lon) && Math.abs(lat) <= 90 ? [lat, lon] : null);
  }

  function wire() {
    if (!form()) { return; }
    const row = chosen();
    const after = row && rows[rows.indexOf(row) + 1];
    const before = row && rows[rows.indexOf(row) - 1];
    form().elements.next.value = (after || before || {dataset: {case: ""}}).dataset.case;
    for (const radio of form().querySelectorAll("input[name=decision]")) { radio.addEventListener("change", fields); }
    for (const name of ["lat", "lon"]) { form().elements[name].addEventListener("input", typedPoint); }
    const all = panel().querySelector("input[data-all]");
    if (all) {
      all.addEventListener("change", () => {
        for (const box of panel().querySelectorAll("input[name=subject]")) { box.checked = all.checked; }
        count();
      });
    }
    form().addEventListener("submit", (event) => {
      if (loading() || differs()) { event.preventDefault(); return; }
      // After a bulk decision the next case is the first that was not part of it.
      const gone = ticked("pick").map((box) => box.closest("tr").dataset.case);
      if (gone.length) {
        const left = rows.find((one) => !gone.includes(one.dataset.case));
        form().elements.next.value = left ? left.dataset.case : "";
      }
      form().querySelector("button[type=submit]").disabled = true;
    });
    count();
  }
  document.addEventListener("change", (event) => { if (["pick", "subject"].includes(event.target.name)) { count(); } });
  document.addEventListener("ancu:picked", (event) => {
    form().elements.lat.value = event.detail.lat.toFixed(6);
    form().elements.lon.value = event.detail.lng.toFixed(6);
    typedPoint();
  });

  /* ---- keys ---- */

  const help = document.getElementById("keys");
  const opener = document.getElementById("keys-open");
  const keysOn = document.getElementById("keys-on");
  const stored = () => { try { return localStorage.getItem(OFF) === "1"; } catch (_error) { return false; } };
  opener.hidden = false;
  opener.addEventListener("click", () => help.showModal());
  keysOn.checked = !stored();
  keysOn.addEventListener("change", () => {
    try { localStorage.setItem(OFF, keysOn.checked ? "0" : "1"); } catch (error) { console.warn(error); }
  });

  function step(by) {
    if (!rows.length) { return; }
    const at = rows.indexOf(chosen());
    const row = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1)];
    row.focus({preventScroll: true});
    if (row !== chosen()) { later(row); }
  }

  function later(row) {  // who runs down the list does not ask for every case on the way
    mark(row.dataset.case);
    clearTimeout(waiting);
    wanted += 1;
    hold();
    waiting = setTimeout(() => choose({case: row.dataset.case}, true), 120);
  }

  function decide(number) {
    const radio = form() && form().querySelectorAll("input[name=decision]")[number - 1];
    if (!radio || loading() || differs()) { return; }
    radio.checked = true;
    fields();
    const {reason, lat} = form().elements;
    const field = {explained: reason, revisit: reason, repaired: several || lat.value ? null : lat}[radio.value];
    (field || form().querySelector("button[type=submit]")).focus();
  }

  const act = {
    j: () => step(1), k: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1),
    Enter: () => { if (loading()) { goOn = true; } else { toCase(); } },
    x: () => { const box = chosen() && chosen().querySelector("input[name=pick]"); if (box) { box.click(); } },
    u: () => { const undo = document.querySelector("form[data-undo]"); if (undo) { undo.requestSubmit(); } },
    "/": () => document.querySelector("#filters [data-first]").focus(),
    "?": () => help.showModal(),
  };
  for (const number of [1, 2, 3, 4]) { act[number] = () => decide(number); }

  document.addEventListener("keydown", (event) => {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!(act[key] || key === "Escape") || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) { return; }
    if (help.open) { if (key === "?") { help.close(); event.preventDefault(); } return; }
    if (key.length === 1 && key !== "?" && !keysOn.checked) { return; }
    const at = event.target;
    if (key === "Escape") { if (at.closest("#decide")) { toCase(); } return; }
    if (at.closest("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]")) { return; }
    // Arrows and Enter belong to what is focused; in the list, and where nothing is, they are ours.
    if (key.length > 1 && at !== document.body && at.id !== "main" && !at.matches("tr[data-case]")) { return; }
    event.preventDefault();
    act[key]();
  });

  wire();
  if (chosen()) { chosen().scrollIntoView({block: "nearest"}); inView(); }
})();
